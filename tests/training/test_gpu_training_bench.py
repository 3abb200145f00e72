"""``bench/gpu_training.py`` with a tiny shape on the processor: what can be known of it without a GPU."""

import importlib.util
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from gnomon.capacity.hardware import H200
from gnomon.capacity.training import needed

SCRIPT = Path(__file__).parents[2] / "bench" / "gpu_training.py"
GIB = 2**30


@pytest.fixture(scope="module")
def bench():
    spec = importlib.util.spec_from_file_location("gpu_training", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["gpu_training"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["gpu_training"]


def tiny(bench, **changes):
    return bench.Case(**{"name": "bf16", "tiny": True, "compiled": False, "optimizer": "fused", "steps": 2, **changes})


@pytest.mark.parametrize("changes", [{}, {"packed": True}, {"loss": "chunked"}, {"checkpointing": "full"}])
def test_every_way_trains_and_says_how_fast(bench, changes) -> None:
    found = bench.measure(tiny(bench, **changes))
    assert found["tokens_per_second"] > 0
    assert len(found["seconds"]) == 2
    assert all(5.5 < loss < 7.0 for loss in found["losses"])
    assert "tokens/s" in bench.line(found)
    json.dumps(found)


def test_one_document_in_a_pack_gives_the_losses_of_a_plain_row(bench, monkeypatch) -> None:
    plain = bench.train(tiny(bench))[1]
    drawn = bench.batch

    def as_one_document(case, generator):
        inputs, labels = drawn(case, generator)
        length = labels.numel()
        borders = torch.tensor([0, length], dtype=torch.int32)
        inputs |= {"position_ids": torch.arange(length)[None], "cu_seq_lens_q": borders, "cu_seq_lens_k": borders}
        return inputs, labels

    monkeypatch.setattr(bench, "batch", as_one_document)
    packed = bench.train(tiny(bench, packed=True, documents=1))[1]
    assert packed[0] == pytest.approx(plain[0], abs=1e-2)


def test_a_pack_holds_the_documents_it_says_with_positions_that_restart(bench) -> None:
    case = tiny(bench, packed=True, micro_batch=3, documents=4)
    inputs, labels = bench.batch(case, torch.Generator().manual_seed(0))
    borders, positions = inputs["cu_seq_lens_q"], inputs["position_ids"][0]
    assert len(borders) == 3 * 4 + 1
    assert (borders.diff() > 0).all()
    assert labels.shape == positions.shape == (3 * 64,)
    assert torch.equal((positions == 0).nonzero()[:, 0], borders[:-1].long())


def test_the_large_cases_fit_one_h200(bench) -> None:
    for name, case in bench.CASES.items():
        assert 90 * GIB < needed(case.expected(), H200) < 130 * GIB, name
    saving = replace(bench.CASES["bf16"], optimizer="adam8bit", micro_batch=2).expected()
    assert needed(saving, H200) < 139 * GIB


def test_run_as_a_script_it_leaves_its_result(tmp_path) -> None:
    command = [sys.executable, str(SCRIPT), "--tiny", "--cases", "bf16", "--optimizer", "fused", "--steps", "1"]
    done = subprocess.run([*command, "--out", str(tmp_path / "r.json")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("bf16 ")
    (found,) = json.loads((tmp_path / "r.json").read_text())
    assert found["device"] == "cpu"
    assert found["versions"]["torch"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU, so nothing is missing")
def test_what_is_missing_is_named_before_anything_starts(bench, monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), "--cases", "fp8", "--loss", "liger"])
    monkeypatch.setattr(bench, "version", lambda name: None if name in {"torchao", "liger-kernel"} else "9")
    assert bench.main() == 2
    told = capsys.readouterr().err
    assert told.startswith("Cannot start. Missing:")
    for what in ("wheel torchao", "wheel liger-kernel", "a CUDA device"):
        assert what in told


def test_a_case_that_fails_says_why_and_one_that_takes_too_long_is_stopped(bench, monkeypatch, tmp_path) -> None:
    script = tmp_path / "bad.py"
    monkeypatch.setattr(bench, "__file__", str(script))
    script.write_text("raise SystemExit('out of memory')", encoding="utf-8")
    assert bench.line(bench.run_apart(tiny(bench), 60.0)) == "bf16         failed: out of memory"
    script.write_text("import time; time.sleep(60)", encoding="utf-8")
    assert bench.run_apart(tiny(bench), 0.1)["error"] == "not done after 0 s"
