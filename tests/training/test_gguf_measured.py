"""What a quantisation costs, measured on documents, from the file that is shipped."""

import json
from pathlib import Path

import numpy as np
import packs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gnomon.core.errors import DataError
from gnomon.core.files import read_json, write_json
from gnomon.core.records import ModelRef
from gnomon.core.settings import Settings
from gnomon.evaluation.bootstrap import Draws, interval
from gnomon.llm.local import load_local
from gnomon.llm.weights import read_ref, write_ref
from gnomon.training import quantise
from gnomon.training.export.measured import comparison, held_out, losses, told
from gnomon.training.export.step import ExportConfig, run
from gnomon_recipes.bases import NANO_FILES, NANO_FOLDER

GENERAL = NANO_FOLDER.parents[1] / "starter" / "general.jsonl"
TEXTS = [json.loads(line)["text"] for line in GENERAL.read_text(encoding="utf-8").splitlines()[:6]]


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    folder = tmp_path / "artifact"
    (folder / "model").mkdir(parents=True)
    for name in NANO_FILES:
        (folder / "model" / name).write_bytes((NANO_FOLDER / name).read_bytes())
    write_ref(folder, ModelRef(name="gnomon/tiny", revision="sha256:1", kind="base", licence="Apache-2.0"))
    return folder


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    folder = tmp_path / "split"
    packs.shelf(folder / "test", [packs.document(i, text) for i, text in enumerate(TEXTS)])
    packs.shelf(folder / "train", [packs.document(9, "never measured on")])
    return folder


def test_each_file_is_measured_beside_the_weights_and_the_card_says_so(
    tmp_path: Path, artifact: Path, documents: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = packs.output(tmp_path / "out")
    config = ExportConfig(quants=("f32", "q8_0", "q4_0"), measured_documents=5)
    assert run(config, {"model": artifact, "held_out": documents}, out).add_up
    assert "de-quantizing" not in capsys.readouterr().err
    facts = read_json(out.path / "gguf.json")
    files = {name.rpartition("-")[2]: its for name, its in facts["files"].items()}
    assert facts["documents"] == 5
    assert abs(files["f32.gguf"]["change_percent"]["value"]) < 1e-3
    assert abs(files["q8_0.gguf"]["change_percent"]["value"]) < 1
    # A random model may gain by rounding, so the size of the change counts and not its sign.
    assert abs(files["q4_0.gguf"]["change_percent"]["value"]) > abs(files["q8_0.gguf"]["change_percent"]["value"])
    assert out.metrics["gguf"]["tiny-q4_0.gguf"] == files["q4_0.gguf"]["change_percent"]
    card = (out.path / "README.md").read_text(encoding="utf-8")
    assert "## What quantisation costs" in card
    assert f"| tiny-q4_0.gguf | {files['q4_0.gguf']['bytes'] / 1e6:,.1f} |" in card
    assert f"on 5 held-out documents ({facts['tokens']:,} tokens)" in card


def test_what_was_measured_is_not_measured_again(tmp_path: Path, artifact: Path, documents: Path) -> None:
    out = packs.output(tmp_path / "out")
    inputs = {"model": artifact, "held_out": documents}
    run(ExportConfig(quants=("q8_0",)), inputs, out)
    first = read_json(out.path / "gguf.json")
    marker = out.shards / "measured-tiny-q8_0.gguf.json"
    row = read_json(marker)
    write_json(marker, row | {"note": [[nats * 2, tokens] for nats, tokens in row["note"]]})
    run(ExportConfig(quants=("q8_0",)), inputs, out)
    second = read_json(out.path / "gguf.json")
    assert second["perplexity"] == first["perplexity"]
    assert second["files"]["tiny-q8_0.gguf"]["change_percent"]["value"] > 100


def test_losses_are_those_of_the_evaluation(artifact: Path) -> None:
    rows = losses(artifact / "model", "", TEXTS)
    model = load_local(artifact, Settings())
    eos = model._tokens.eos
    ids = [[*model.encode(text, bos=True), eos] for text in TEXTS]
    wanted = [(-float(values.sum()), len(values)) for values in model.token_log_probs(ids)]
    np.testing.assert_allclose(rows, wanted, rtol=1e-5)


def test_a_quantised_model_is_a_model_like_any_other(tmp_path: Path, artifact: Path) -> None:
    out = packs.output(tmp_path / "out")
    assert quantise.run(quantise.QuantiseConfig(quant="q4_0"), {"model": artifact}, out).add_up
    ref = read_ref(out.path)
    assert (ref.name, ref.parents, ref.licence) == ("gnomon/tiny:q4_0", ("gnomon/tiny",), "Apache-2.0")
    mine, theirs = losses(out.path / "model", "", TEXTS), losses(artifact / "model", "", TEXTS)
    assert not np.allclose(mine[:, 0], theirs[:, 0], rtol=1e-5)  # a random model may gain by rounding
    assert (mine[:, 1] == theirs[:, 1]).all()
    assert not list(out.path.rglob("*.gguf"))


def test_documents_are_chosen_by_seed_and_cut(documents: Path, tmp_path: Path) -> None:
    some = held_out(documents, 3, 20, 0)
    assert len(some) == 3
    assert all(len(text) == 20 for text in some)
    assert some == held_out(documents, 3, 20, 0)
    assert {tuple(held_out(documents, 3, 99, seed)) for seed in range(5)} != {tuple(held_out(documents, 3, 99, 0))}
    with pytest.raises(DataError, match="no document"):
        held_out(tmp_path / "nothing", 3, 20, 0)


ROWS = arrays(np.float64, st.tuples(st.integers(2, 20), st.just(2)), elements=st.floats(1, 50))


@given(ROWS, st.integers(0, 3))
def test_a_file_that_predicts_alike_costs_nothing(rows: np.ndarray, seed: int) -> None:
    found = comparison(rows, rows, seed)["change_percent"]
    assert (found["value"], found["low"], found["high"], found["n"]) == (0, 0, 0, len(rows))


def test_intervals_are_like_those_of_the_evaluation() -> None:
    rng = np.random.default_rng(3)
    tokens = rng.integers(50, 400, 60).astype(np.float64)
    rows = np.stack([tokens * rng.normal(3.0, 0.2, 60), tokens], axis=1)
    mine = told(rows, 0)
    theirs = interval(rows, lambda sums: np.exp(sums[..., 0] / sums[..., 1]), Draws(number=2_000, seed=1))
    assert mine["value"] == pytest.approx(theirs.value)
    assert mine["low"] == pytest.approx(theirs.low, rel=0.01)
    assert mine["high"] == pytest.approx(theirs.high, rel=0.01)
