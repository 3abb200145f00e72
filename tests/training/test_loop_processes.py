"""Many processes: real ones over gloo, FSDP2, equal to one process."""

import json
import os
import signal
import stat
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import loop_kit as kit
import pytest
import torch

from gnomon.core.errors import ConfigError, CorruptArtifact, TrainingError
from gnomon.core.settings import TrainingPlace
from gnomon.runs.output import SilentMeter
from gnomon.training import launch as launching
from gnomon.training.launch import command, launch
from gnomon.training.loop import rank
from gnomon.training.loop.job import Job
from gnomon.training.loop.work import work
from gnomon.training.recipe import LoRA

TWO = {"launcher": "torchrun", "processes": 2}


class Told(SilentMeter):
    def __init__(self) -> None:
        self.of, self.done, self.notes = 0, 0, []

    def total(self, amount: int, unit: str) -> None:
        self.of = amount

    def advance(self, amount: int) -> None:
        self.done += amount

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kit.ground(tmp_path_factory.mktemp("ground"))


@pytest.fixture(scope="module")
def alone(ground: Path, tmp_path_factory: pytest.TempPathFactory) -> Job:
    job = kit.job(tmp_path_factory.mktemp("alone"), ground, place={"micro_batch": 1, "checkpoint_steps": 2})
    work(job)
    return job


@pytest.fixture(autouse=True)
def _kit_is_importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


def same(one: Job, other: Job, tolerance: float) -> None:
    for a, b in zip(kit.curve(one), kit.curve(other), strict=True):
        assert (a.step, a.tokens, a.learning_rate) == (b.step, b.tokens, b.learning_rate)
        assert a.loss == pytest.approx(b.loss, abs=tolerance)
        assert a.gradient_norm == pytest.approx(b.gradient_norm, rel=1e-3)
    ours, theirs = kit.weights(one), kit.weights(other)
    assert set(ours) == set(theirs)
    for name, value in ours.items():
        torch.testing.assert_close(value, theirs[name], atol=1e-4, rtol=1e-3)


def test_two_processes_share_the_model_out_and_learn_what_one_learns(
    ground: Path, alone: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launching, "ENTRY", "ranks_seen")
    job = kit.job(tmp_path, ground, place={**TWO, "micro_batch": 1, "checkpoint_steps": 2})
    meter = Told()
    launch(job, meter)
    same(job, alone, 1e-4)
    seen = [json.loads((tmp_path / f"rank{r}.json").read_text()) for r in range(2)]
    assert all(row["plain"] == [] and row["processes"] == 2 for row in seen)
    assert sum(row["here"] for row in seen) == seen[0]["all"]
    assert seen[0]["here"] < seen[0]["all"]
    assert (meter.of, meter.done) == (6, 6)
    assert meter.notes[-1].startswith("loss ")
    for other in (TWO, {}):  # from the middle: with two processes again, and with one
        checkpoint = job.checkpoints / "checkpoint-4"
        assert checkpoint.is_dir()
        again = kit.job(tmp_path / f"again{len(other)}", ground, place={**other, "micro_batch": 1})
        again.checkpoints.mkdir()
        subprocess.run(["cp", "-r", checkpoint, again.checkpoints], check=True)
        launch(again, SilentMeter())
        assert [row.loss for row in kit.curve(again)][:4] == [row.loss for row in kit.curve(job)][:4]
        same(again, job, 1e-6 if other else 1e-4)
        if other:
            assert kit.digest(again) == kit.digest(job)


@pytest.mark.slow
def test_an_adapter_is_shared_out_gathered_and_merged(ground: Path, tmp_path: Path) -> None:
    made = {}
    for name, place in {"one": {}, "two": {**TWO, "checkpoint_steps": 2}}.items():
        made[name] = kit.job(tmp_path / name, ground, place=place, lora=LoRA(rank=2), steps=3)
        launch(made[name], SilentMeter())
    same(made["two"], made["one"], 1e-4)
    assert (made["two"].result / "adapter" / "adapter_model.safetensors").is_file()


def test_an_error_of_one_process_is_raised_here(ground: Path, tmp_path: Path) -> None:
    job = kit.job(tmp_path, ground, place=TWO, learning_rate=1e30, clip=0.0)
    with pytest.raises(TrainingError, match=r"stopped at step \d+: the loss is .* hold \d+ documents: local:toy-"):
        launch(job, SilentMeter())


def machine(folder: Path) -> str:
    """A command that starts a program twice, as ``srun`` does on two machines."""
    script = folder / "on_two_machines"
    script.write_text('#!/bin/sh\n"$@" & "$@" & wait $! && wait\n', encoding="utf-8")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return str(script)


@pytest.mark.slow
def test_two_machines_meet_and_learn_what_one_process_learns(
    ground: Path, alone: Job, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(launching, "_host", lambda: "localhost")
    place = {"launcher": "torchrun", "processes": 1, "nodes": 2, "across": machine(tmp_path), "micro_batch": 1}
    job = kit.job(tmp_path / "job", ground, place=place)
    launch(job, SilentMeter())
    same(job, alone, 1e-4)


@pytest.mark.slow
def test_accelerate_launch_with_the_configuration_we_ship_shares_out_too(
    ground: Path, alone: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gnomon.training.cluster import accelerate_config

    monkeypatch.setattr(launching, "ENTRY", "ranks_seen")
    config = tmp_path / "fsdp2.yaml"
    config.write_text(accelerate_config(processes=2, block="LlamaDecoderLayer"), encoding="utf-8")
    place = {"launcher": "accelerate", "accelerate_config": str(config), "micro_batch": 1}
    job = kit.job(tmp_path / "job", ground, place=place)
    launch(job, SilentMeter())
    assert json.loads((job.folder / "rank1.json").read_text())["processes"] == 2
    same(job, alone, 1e-4)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ({"launcher": "slurm"}, "launcher 'slurm', known are process, torchrun, accelerate"),
        ({"launcher": "torchrun", "processes": 0}, "processes 0 and nodes 1: at least 1"),
        ({"launcher": "torchrun", "nodes": 2}, "nodes above 1 need across"),
        ({"launcher": "torchrun", "nodes": 2, "across": "no-such-program -x"}, "no program 'no-such-program'"),
        ({"launcher": "accelerate", "accelerate_config": "gone.yaml"}, "'gone.yaml' is no file"),
        ({"launcher": "torchrun", "processes": 3}, "batch of 4 rows cannot be shared by 3"),
    ],
)
def test_what_cannot_be_launched_is_refused(place: dict, said: str, ground: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=said):
        launch(kit.job(tmp_path, ground, place=place), SilentMeter())


def test_many_machines_meet_at_this_one() -> None:
    place = TrainingPlace(launcher="torchrun", processes=8, nodes=4, across="srun --ntasks-per-node=1")
    line = " ".join(command(place, Path("job.json")))
    assert line.startswith("srun --ntasks-per-node=1 ")
    assert "--nproc-per-node=8 --nnodes=4 --rdzv-backend=c10d" in line
    assert line.endswith("-m gnomon.training.loop job.json")


def child(folder: Path, text: str) -> list[str]:
    """A program that stands for a launcher, and costs no import of torch."""
    file = folder / "child.py"
    file.write_text(textwrap.dedent(text), encoding="utf-8")
    return [sys.executable, str(file), str(folder)]


@pytest.mark.parametrize("story", ["told", "crashed"])
def test_how_a_process_ended_is_told(story: str, ground: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = kit.job(tmp_path, ground, place=TWO)
    if story == "told":
        monkeypatch.setattr(launching, "command", lambda *_: child(tmp_path, f"""
            import pathlib
            from gnomon.core.errors import CorruptArtifact
            from gnomon.training.loop import job, rank
            rank.tell(job.read_job(pathlib.Path({str(tmp_path)!r}) / "job.json"), CorruptArtifact("it broke", "mend it"))
            raise SystemExit(1)
        """))  # fmt: skip
        with pytest.raises(CorruptArtifact, match="it broke mend it"):
            launch(job, SilentMeter())
    else:
        monkeypatch.setattr(
            launching, "command", lambda *_: child(tmp_path, "print('last words'); import os; os.abort()")
        )
        with pytest.raises(TrainingError, match=r"ended with code -6.*\n.*last words.*launcher\.log"):
            launch(job, SilentMeter())


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").split()[2] != "Z"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_processes_end_with_the_one_that_launched_them(how: signal.Signals, ground: Path, tmp_path: Path) -> None:
    kit.job(tmp_path, ground, place=TWO).write()
    waits = child(tmp_path, f"""
        import os, pathlib, threading, time
        from gnomon.training.loop import rank
        assert os.environ[rank.FOLLOW]
        threading.Thread(target=rank._end_with_launcher, daemon=True).start()
        pathlib.Path({str(tmp_path)!r}, "pid").write_text(str(os.getpid()))
        time.sleep(100)
    """)  # fmt: skip
    launcher = subprocess.Popen([sys.executable, "-c", textwrap.dedent(f"""
        import pathlib, signal
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
        from gnomon.runs.output import SilentMeter
        from gnomon.training import launch
        from gnomon.training.loop.job import read_job
        launch.command = lambda *_: {waits!r}
        launch.launch(read_job(pathlib.Path({str(tmp_path)!r}) / "job.json"), SilentMeter())
    """)], stderr=subprocess.DEVNULL)  # fmt: skip
    pid = tmp_path / "pid"
    while not (pid.exists() and pid.read_text()):
        time.sleep(0.02)
    launcher.send_signal(how)
    launcher.wait()
    until = time.monotonic() + 20
    while alive(int(pid.read_text())) and time.monotonic() < until:
        time.sleep(0.05)
    assert not alive(int(pid.read_text()))


def test_a_process_that_told_nothing_else_keeps_the_first_story(ground: Path, tmp_path: Path) -> None:
    job = kit.job(tmp_path, ground)
    rank.tell(job, TrainingError("first", "hint"))
    rank.tell(job, ValueError("second"))
    assert rank.told(job) == {"kind": "TrainingError", "message": "first", "hint": "hint"}
