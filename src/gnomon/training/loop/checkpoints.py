"""Checkpoints: whole or absent.

A checkpoint is written into a folder with another name, sealed with a list of its files and their
hashes, and then renamed; a kill or a full disk leaves at most a folder that the next run throws away.
What is kept is counted from the newest.
"""

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from gnomon.core.errors import CorruptArtifact, TrainingError
from gnomon.core.files import folder_files, read_json, write_json
from gnomon.core.hashing import file_sha256
from gnomon.core.wording import say

PREFIX, PARTIAL, SEAL = "checkpoint-", "partial-", "seal.json"


def newest(folder: Path) -> Path | None:
    """The newest whole checkpoint, checked; None when there is none. Unfinished ones are thrown away.

    Raises:
        CorruptArtifact: A file of it is missing or has changed.
    """
    for left in [*folder.glob(PARTIAL + "*"), *(p for p in folder.glob(PREFIX + "*") if not (p / SEAL).is_file())]:
        shutil.rmtree(left, ignore_errors=True)
    found = _all(folder)
    if not found:
        return None
    _check(found[-1], len(found) > 1)
    return found[-1]


def step_of(checkpoint: Path) -> int:
    """The number of steps done when it was written."""
    return int(checkpoint.name.removeprefix(PREFIX))


def _all(folder: Path) -> list[Path]:
    return sorted((p for p in folder.glob(PREFIX + "*") if (p / SEAL).is_file()), key=step_of)


@contextlib.contextmanager
def partial(folder: Path, step: int) -> Iterator[Path]:
    """A folder to write a checkpoint's files into; ``seal`` makes it one.

    Raises:
        TrainingError: It cannot be written: a full disk; the checkpoints before are untouched.
    """
    place = folder / f"{PARTIAL}{step}"
    with written(place, step):
        place.mkdir(parents=True, exist_ok=True)
        yield place


@contextlib.contextmanager
def written(place: Path, step: int) -> Iterator[None]:
    """Turn what fails in writing to ``place`` into a clear error, and leave nothing half-written there.

    Raises:
        TrainingError: It cannot be written.
    """
    try:
        yield
    except Exception as error:
        shutil.rmtree(place, ignore_errors=True)
        if not _write_failed(error):
            raise
        raise _not_written(place, step, error) from error


def _write_failed(error: Exception) -> bool:
    """Whether an error is one of writing: torch and safetensors have their own kinds, and say it in words."""
    if isinstance(error, OSError):
        return True
    if type(error).__name__ != "SafetensorError" and not isinstance(error, RuntimeError):
        return False
    words = str(error).lower()
    return any(word in words for word in ("writ", "no space", "enforce fail at inline_container", "i/o", "os error"))


def seal(place: Path, folder: Path, step: int, keep: int) -> Path:
    """Make the files of a partial folder a checkpoint, and throw away those beyond ``keep``."""
    hashes = {path.relative_to(place).as_posix(): file_sha256(path) for path in folder_files(place)}
    for name in hashes:  # on the disk before the seal says so
        with (place / name).open("rb") as file:
            os.fsync(file.fileno())
    write_json(place / SEAL, {"step": step, "files": hashes})
    final = folder / f"{PREFIX}{step}"
    shutil.rmtree(final, ignore_errors=True)
    place.rename(final)
    for old in _all(folder)[:-keep] if keep else []:
        (old / SEAL).unlink(missing_ok=True)  # from now on it is none, however far the rest gets
        shutil.rmtree(old, ignore_errors=True)
    return final


def _check(checkpoint: Path, others: bool) -> None:  # noqa: FBT001 -- one private caller
    for name, wanted in read_json(checkpoint / SEAL)["files"].items():
        path = checkpoint / name
        if not path.is_file() or file_sha256(path) != wanted:
            raise CorruptArtifact(
                say(f"The checkpoint file {path} is missing or has changed since it was written.",
                    f"チェックポイント {path} が失われたか、書き込み後に変わっている。"),
                say(f"Delete {checkpoint}; training then goes on from "
                    + ("the checkpoint before it." if others else "the start."),
                    f"{checkpoint} を消せば、" + ("一つ前のチェックポイント" if others else "最初") + "から再開する。"),
            )  # fmt: skip


def _not_written(place: Path, step: int, error: Exception) -> TrainingError:
    words = str(error).lower()
    full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or "no space" in words
    free = shutil.disk_usage(place.parent).free // 2**20 if place.parent.exists() else 0
    why = say("the disk is full", "ディスクに空きがない") if full else str(error).splitlines()[0]
    return TrainingError(
        say(f"What training has reached at step {step} could not be written to {place}: {why} ({free} MiB free).",
            f"ステップ {step} の学習結果を {place} に書けない: {why}(空き {free} MiB)。"),
        say("Make room and run the same command again; it goes on from the last checkpoint.",
            "空きを作り、同じコマンドを再実行する。最後のチェックポイントから再開する。"),
    )  # fmt: skip
