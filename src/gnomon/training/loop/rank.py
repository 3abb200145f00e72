"""One of many processes of a training job: does the work, tells of errors, ends with its launcher."""

import os
import sys
import threading
import traceback
from pathlib import Path

from gnomon.core.errors import GnomonError
from gnomon.core.files import read_json, write_json
from gnomon.training.loop.job import Job, read_job

FOLLOW = "GNOMON_FOLLOW_STDIN"
"""Set by a launcher that holds the other end of this process's input for as long as it lives."""
STOPPED = "stopped.json"


def main(path: str) -> None:
    """Do the job in a file. A failure is left in ``stopped.json`` beside it, and ends the process."""
    from gnomon.training.loop.work import work

    job = read_job(Path(path))
    if os.environ.get(FOLLOW):
        threading.Thread(target=_end_with_launcher, daemon=True).start()
    try:
        work(job)
    except Exception as error:  # noqa: BLE001 -- the launcher raises it again
        traceback.print_exc()
        tell(job, error)
        sys.stderr.flush()
        os._exit(1)  # the others are waiting for this process, and would keep it from ending
    import torch.distributed as dist

    if dist.is_initialized():
        dist.destroy_process_group()


def _end_with_launcher() -> None:
    """Wait for the launcher's end: nobody else would tell a process whose launcher was killed."""
    while os.read(0, 1024):  # not sys.stdin, whose lock this thread would hold when the interpreter ends
        pass
    os._exit(1)


def tell(job: Job, error: Exception) -> None:
    """Leave an error to the launcher; the first one counts."""
    if (job.folder / STOPPED).exists():
        return
    known = isinstance(error, GnomonError)
    message = error.message if isinstance(error, GnomonError) else f"{type(error).__name__}: {error}"
    hint = error.hint if isinstance(error, GnomonError) else ""
    row = {"kind": type(error).__name__ if known else "", "message": message, "hint": hint}
    write_json(job.folder / STOPPED, row)


def told(job: Job) -> dict[str, str] | None:
    """The error that stopped a process of the job, if one told."""
    return read_json(job.folder / STOPPED) if (job.folder / STOPPED).is_file() else None
