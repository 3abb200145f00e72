"""Launching a training job: in this process, or in many through a launcher of PyTorch's world.

``gnomon.toml`` says which (``[training] launcher``). A launched job is the same job: each process reads it
from a file, and this one watches the file of their progress. They end when this process does, however it ends.
"""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from gnomon.core import errors
from gnomon.core.errors import ConfigError, GnomonError, TrainingError
from gnomon.core.settings import TrainingPlace
from gnomon.core.wording import say
from gnomon.runs.output import Meter
from gnomon.training.loop.arguments import micro_batch
from gnomon.training.loop.job import Job
from gnomon.training.loop.rank import FOLLOW, STOPPED, told
from gnomon.training.loop.watching import note

LAUNCHERS = ("process", "torchrun", "accelerate")
ENTRY = "gnomon.training.loop"
LOG = "launcher.log"
_LOOK_SECONDS = 0.2
_GRACE_SECONDS = 10.0
_LAST_LINES = 8
_SUMMARY = "torch/distributed/elastic"
"""In the first line of what torchrun says at length when a process has ended, after what the process said."""


def launch(job: Job, meter: Meter) -> None:
    """Run a job to its end.

    Raises:
        ConfigError: ``[training]`` cannot be carried out.
        TrainingError: It stopped.
        CorruptArtifact: Its newest checkpoint is damaged.
    """
    place = job.place
    _check(place)
    if place.launcher == "process":
        from gnomon.training.loop.work import work

        work(job, meter)
        return
    micro_batch(job.config.batch, 1, max(place.processes, 1) * place.nodes)
    share = replace(job, threads=max(1, job.threads // max(place.processes, 1)))
    _follow(share, command(place, share.write()), meter)


def command(place: TrainingPlace, job_file: Path) -> list[str]:
    """The command that starts the processes of a job.

    ``torchrun`` on one machine finds a free port itself; over many, the machine of this process is the meeting place.

    Args:
        place: How this machine trains.
        job_file: What ``Job.write`` wrote; on a file system that all machines share.
    """
    if place.launcher == "accelerate":
        file = ["--config_file", place.accelerate_config] if place.accelerate_config else []
        return [sys.executable, "-m", "accelerate.commands.launch", *file, "-m", ENTRY, str(job_file)]
    torchrun = [sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={place.processes}"]
    if place.nodes == 1:
        return [*torchrun, "--standalone", "-m", ENTRY, str(job_file)]
    meeting = ["--rdzv-backend=c10d", f"--rdzv-endpoint={_host()}:{_free_port()}", f"--rdzv-id={os.getpid()}"]
    return [*shlex.split(place.across), *torchrun, f"--nnodes={place.nodes}", *meeting, "-m", ENTRY, str(job_file)]


def _check(place: TrainingPlace) -> None:
    many = place.launcher == "torchrun" and place.nodes > 1
    problems = {
        f"launcher {place.launcher!r}, known are {', '.join(LAUNCHERS)}": place.launcher not in LAUNCHERS,
        f"processes {place.processes} and nodes {place.nodes}: at least 1": place.processes < 1 or place.nodes < 1,
        "nodes above 1 need across, a command that starts one process on each": many and not place.across,
        f"across: no program {place.across.split(' ')[0]!r}": many
        and bool(place.across)
        and not _program(place.across),
        f"accelerate_config {place.accelerate_config!r} is no file": place.launcher == "accelerate"
        and bool(place.accelerate_config)
        and not Path(place.accelerate_config).is_file(),
    }
    for problem, wrong in problems.items():
        if wrong:
            raise ConfigError(
                say(f"Training cannot be launched: {problem}.", f"学習を起動できない: {problem}。"),
                say("Mend [training] in gnomon.toml.", "gnomon.toml の [training] を直す。"),
            )


def _program(line: str) -> bool:
    import shutil

    return shutil.which(shlex.split(line)[0]) is not None


def _host() -> str:
    return socket.gethostname()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


def _follow(job: Job, arguments: list[str], meter: Meter) -> None:
    """Start the processes, tell the meter of their steps, and end them with this process."""
    (job.folder / STOPPED).unlink(missing_ok=True)
    job.progress.unlink(missing_ok=True)
    environment = dict(os.environ)
    if job.place.nodes == 1:  # over many machines the scheduler ends them: not all get this process's output
        environment[FOLLOW] = "1"
    steps = _Steps(job.progress, meter)
    with (job.folder / LOG).open("wb") as log:
        process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT, env=environment,
            start_new_session=True,
        )  # fmt: skip
        try:
            while process.poll() is None:
                steps.look()
                time.sleep(_LOOK_SECONDS)
        finally:
            _end(process)
    steps.look()
    if process.returncode:
        raise _stopped(job, process.returncode)


class _Steps:
    """Reads the file of progress, and passes on what is new."""

    def __init__(self, file: Path, meter: Meter) -> None:
        self.file, self.meter, self.done, self.read = file, meter, 0, 0

    def look(self) -> None:
        """Tell the meter of the steps since the last look."""
        if not self.file.is_file():
            return
        with self.file.open("rb") as file:
            file.seek(self.read)
            new = file.read()
        whole = new[: new.rfind(b"\n") + 1]
        self.read += len(whole)
        for line in whole.splitlines():
            row = json.loads(line)
            if self.done == 0:
                self.meter.total(row["of"], "steps")
            self.meter.advance(max(0, row["step"] - self.done))
            self.meter.note(note(row))
            self.done = max(self.done, row["step"])


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the launcher and all that it started."""
    if process.stdin:
        with suppress(OSError):
            process.stdin.close()
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _stopped(job: Job, code: int) -> GnomonError:
    """The error of the process that stopped, or what the log says last."""
    log = job.folder / LOG
    story = told(job)
    if story is not None:
        kind = getattr(errors, story["kind"], None) if story["kind"] else None
        plain = isinstance(kind, type) and issubclass(kind, GnomonError) and kind.__init__ is GnomonError.__init__
        where = "" if plain else say(f" The log is {log}.", f" ログ: {log}")
        return (kind if plain and kind else TrainingError)(story["message"] + where, story["hint"])
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    summary = next((n for n, line in enumerate(lines) if n and _SUMMARY in line), len(lines))
    last = "\n".join(lines[max(0, summary - _LAST_LINES) : summary])
    return TrainingError(
        say(f"The processes of {job.place.launcher} ended with code {code}. Their last words were:\n{last}",
            f"{job.place.launcher} のプロセスが終了コード {code} で終わった。最後の出力:\n{last}"),
        say(f"The whole log is {log}. If a process was killed for memory, lower micro_batch or use more processes.",
            f"ログ全体: {log}。メモリ不足で終了した場合は micro_batch を下げるか、プロセスを増やす。"),
    )  # fmt: skip
