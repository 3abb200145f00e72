"""The crew: worker processes for slow formats, and the cache of what they found.

Results come in the order of the jobs, however many workers there are. What was found in a file is kept
under the hash of its bytes, so that a changed folder costs only its new files.
"""

import dataclasses
import functools
import hashlib
import json
import queue
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from gnomon.corpus.jobs import Job, unchanged
from gnomon.corpus.readers import draft
from gnomon.corpus.readers.draft import Draft, Fault, Limits
from gnomon.corpus.readers.formats import Format
from gnomon.corpus.readers.worker import unpacked
from gnomon.runs.cache import Cache

AHEAD = 3
"""Jobs under way for each worker."""
FILE_SECONDS = 600
"""After this long a worker is taken for stuck; far beyond any paper."""
_COMMAND = (sys.executable, "-P", "-m", "gnomon.corpus.readers.worker")
"""``-P``: a folder named gnomon where the user happens to stand is not imported."""


class Worker:
    """One worker process, started when it is first needed and again after a crash."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def read(self, form: str, job: Job, limits: Limits) -> bytes:
        """What the worker finds in a file; empty bytes when it died or got stuck."""
        process = self._started()
        if process.stdin is None or process.stdout is None:
            return b""
        order = {
            "format": form, "name": job.entry.name, "path": job.entry.path, "size": job.entry.bytes,
            "limits": dataclasses.asdict(limits),
        }  # fmt: skip
        try:
            process.stdin.write(json.dumps(order).encode() + b"\n")
            process.stdin.flush()
            head = _within(process, 8)
            return _within(process, int.from_bytes(head, "little"), wait=False) if len(head) == 8 else self._buried()
        except OSError:
            return self._buried()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(_COMMAND, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
        return self._process

    def _buried(self) -> bytes:
        self.close()
        return b""

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        process.kill()
        process.wait()


def _within(process: subprocess.Popen[bytes], count: int, *, wait: bool = True) -> bytes:
    """So many bytes of the answer; fewer when the process dies, or has nothing to say for too long."""
    import selectors

    stdout = process.stdout
    if stdout is None:
        return b""
    if wait:
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            if not selector.select(FILE_SECONDS):
                return b""
    return stdout.read(count)


class Crew:
    """Workers, and the cache they share. Use it as a context manager."""

    def __init__(self, cache: Cache, limits: Limits, threads: int) -> None:
        self._cache, self._limits, self._count = cache, limits, max(threads, 1)
        self._idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        self._workers = [Worker() for _ in range(self._count)]
        for worker in self._workers:
            self._idle.put(worker)
        self._pool = ThreadPoolExecutor(self._count, thread_name_prefix="ingest")

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        for worker in self._workers:
            worker.close()
        self._pool.shutdown(wait=True)

    def results(self, jobs: Sequence[Job]) -> Iterator[list[Draft | Fault]]:
        """What each job's file holds, in order."""
        under_way: deque[tuple[Job, Future[bytes] | bytes]] = deque()
        for job in jobs:
            under_way.append((job, self._cached(job) or self._pool.submit(self._work, job)))
            if len(under_way) > AHEAD * self._count:
                yield self._result(*under_way.popleft())
        while under_way:
            yield self._result(*under_way.popleft())

    def _cached(self, job: Job) -> bytes:
        return self._cache.get_many([_key(job)]).get(_key(job), b"")

    def _work(self, job: Job) -> bytes:
        unchanged(job)
        worker = self._idle.get()
        try:
            return worker.read(job.format_name, job, self._limits)
        finally:
            self._idle.put(worker)

    def _result(self, job: Job, data: Future[bytes] | bytes) -> list[Draft | Fault]:
        if isinstance(data, bytes):
            return unpacked(data)
        found = data.result()
        if not found:
            return [Fault(reason="reader_crashed", detail=f"the {job.format_name} reader died on it", whole=True)]
        self._cache.put_many({_key(job): found})
        return unpacked(found)


def _key(job: Job) -> str:
    """What a result depends on: the bytes, how they are read, and the readers' own code."""
    name = job.format.name if isinstance(job.format, Format) else ""
    packing = Path(job.entry.name).suffix.lower()
    return f"{job.entry.sha256}/{name}/{packing}/{_readers_hash()}"


@functools.cache
def _readers_hash() -> str:
    state = hashlib.blake2b(digest_size=8)
    for path in sorted(Path(draft.__file__).parent.glob("*.py")):
        state.update(path.read_bytes())
    return state.hexdigest()
