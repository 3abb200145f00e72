"""A killed training goes on as if nothing had happened, or says clearly why it cannot."""

import errno
import multiprocessing
import random
import shutil
import time
from dataclasses import replace
from pathlib import Path

import loop_kit as kit
import pytest

from gnomon.core.errors import CorruptArtifact, TrainingError
from gnomon.training.loop import checkpoints
from gnomon.training.loop.job import Job
from gnomon.training.loop.work import work
from gnomon.training.recipe import LoRA


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kit.ground(tmp_path_factory.mktemp("ground"))


@pytest.fixture(scope="module")
def processes():
    """Starts processes that need not import torch anew: they are forked from one that has, and has done nothing yet."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["gnomon.training.loop.work", "transformers.trainer", "peft", "loop_kit"])
    return context


@pytest.fixture(scope="module")
def undisturbed(ground: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    job = kit.job(tmp_path_factory.mktemp("undisturbed"), ground)
    work(job)
    return kit.digest(job)


def steps_done(job: Job) -> int:
    return job.progress.read_bytes().count(b"\n") if job.progress.exists() else 0


def kill_at(process, job: Job, step: int, delay: float) -> None:
    """Kill a process once the ``step``-th step is done and a moment has gone by."""
    while process.is_alive() and steps_done(job) < step:
        time.sleep(0.001)
    time.sleep(delay)
    process.kill()
    process.join()


@pytest.mark.parametrize("seed", [7, 364_496])
def test_killed_at_any_step_it_ends_with_the_same_curve_and_the_same_weights(
    seed: int, ground: Path, undisturbed: str, processes, tmp_path: Path
) -> None:
    print("seed", seed)
    rng = random.Random(seed)
    job = kit.job(tmp_path, ground, place={"checkpoint_steps": 1})
    for _ in range(3):
        process = processes.Process(target=kit.train, args=(job,))
        process.start()
        kill_at(process, job, steps_done(job) + rng.randint(1, 2), rng.random() * 0.05)
    work(job)
    assert kit.digest(job) == undisturbed
    assert len(list(job.checkpoints.glob("checkpoint-*"))) <= 2


@pytest.mark.parametrize("files", [1, 5, 7])
def test_killed_while_writing_a_checkpoint_it_ends_the_same_too(
    files: int, ground: Path, undisturbed: str, processes, tmp_path: Path
) -> None:
    job = kit.job(tmp_path, ground, place={"checkpoint_steps": 2})
    process = processes.Process(target=kit.train_and_die_writing, args=(job, files))
    process.start()
    process.join()
    assert process.exitcode == -9
    assert list(job.checkpoints.glob("partial-*"))
    work(job)
    assert kit.digest(job) == undisturbed
    assert not list(job.checkpoints.glob("partial-*"))


def stopped_at(job: Job, step: int) -> None:
    """Leave a job as a kill after the checkpoint of ``step`` would."""
    work(job)
    shutil.rmtree(job.result)
    for place in job.checkpoints.glob("checkpoint-*"):
        if checkpoints.step_of(place) > step:
            shutil.rmtree(place)


@pytest.mark.parametrize(
    ("shape", "config"),
    [
        ("qwen3_moe", {}),
        ("qwen3", {"precision": "bfloat16", "schedule": "wsd"}),
        ("llama", {"lora": LoRA(rank=2, dropout=0.1)}),
    ],
)
def test_every_kind_of_model_goes_on_exactly(shape: str, config: dict, ground: Path, tmp_path: Path) -> None:
    job = kit.job(tmp_path, ground, shape=shape, place={"checkpoint_steps": 2, "checkpoints": 9}, steps=5, **config)
    work(job)
    whole = kit.digest(job)
    stopped_at(job, 2)
    work(job)
    assert kit.digest(job) == whole


@pytest.fixture(scope="module")
def halfway(ground: Path, tmp_path_factory: pytest.TempPathFactory) -> Job:
    """A job with checkpoints of the steps 2 and 4, of 6."""
    job = kit.job(tmp_path_factory.mktemp("halfway"), ground, place={"checkpoint_steps": 2})
    stopped_at(job, 4)
    return job


def copied(job: Job, folder: Path) -> Job:
    shutil.copytree(job.folder, folder, dirs_exist_ok=True)
    return replace(job, folder=folder)


@pytest.mark.parametrize("harm", ["flipped", "missing"])
def test_a_damaged_checkpoint_is_an_error_before_training(
    harm: str, halfway: Job, undisturbed: str, tmp_path: Path
) -> None:
    job = copied(halfway, tmp_path)
    file = job.checkpoints / "checkpoint-4" / "optimizer.pt"
    if harm == "missing":
        file.unlink()
    else:
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
    before = job.progress.read_bytes()
    with pytest.raises(
        CorruptArtifact, match=r"optimizer\.pt is missing or has changed.*goes on from the checkpoint before"
    ):
        work(job)
    assert job.progress.read_bytes() == before
    shutil.rmtree(job.checkpoints / "checkpoint-4")  # the cure
    work(job)
    assert kit.digest(job) == undisturbed


def test_with_no_room_for_a_checkpoint_it_stops_clearly_and_later_goes_on(
    halfway: Job, undisturbed: str, processes, tmp_path: Path
) -> None:
    job = copied(halfway, tmp_path)
    shutil.rmtree(job.checkpoints / "checkpoint-4")
    process = processes.Process(target=kit.train_with_little_room, args=(job, 30_000))
    process.start()
    process.join()
    said = (job.folder / "error.txt").read_text(encoding="utf-8")
    assert said.startswith("TrainingError: What training has reached at step 4 could not be written")
    assert "goes on from the last checkpoint" in said
    assert [p.name for p in job.checkpoints.iterdir()] == ["checkpoint-2"]
    work(job)
    assert kit.digest(job) == undisturbed


def test_a_full_disk_is_called_by_its_name(halfway: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    job = copied(halfway, tmp_path)
    shutil.rmtree(job.checkpoints / "checkpoint-4")
    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(TrainingError, match=r"step 4 could not be written .*: the disk is full \(\d+ MiB free\)"):
        work(job)
    assert [p.name for p in job.checkpoints.iterdir()] == ["checkpoint-2"]


def test_the_file_of_progress_forgets_steps_that_are_done_again(halfway: Job, tmp_path: Path) -> None:
    import json

    job = copied(halfway, tmp_path)
    with job.progress.open("a", encoding="utf-8") as file:
        file.write('{"step": 5, "of"')  # as a kill in the middle of a line leaves it
    work(job)
    assert [json.loads(line)["step"] for line in job.progress.read_text().splitlines()] == [1, 2, 3, 4, 5, 6]


def test_an_error_that_is_none_of_writing_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="shapes do not match"), checkpoints.partial(tmp_path, 3):
        raise RuntimeError("shapes do not match")
    assert not list(tmp_path.iterdir())
