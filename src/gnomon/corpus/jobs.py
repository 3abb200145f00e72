"""Jobs: the files of a set in the order in which they are read, and the stream of what they hold."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from gnomon.core.errors import DataError
from gnomon.core.hashing import file_sha256
from gnomon.core.wording import say
from gnomon.corpus.readers.draft import Draft, Fault, Limits
from gnomon.corpus.readers.feed import Feed
from gnomon.corpus.readers.formats import Format, detect, guarded
from gnomon.runs.output import Output
from gnomon.runs.sources import FileEntry, FileSet

LAST = 9
SlowResults = Callable[[Sequence["Job"]], Iterator[list[Draft | Fault]]]
"""Reads slow formats; gives what each job's file holds, in order."""
ADVANCE_EVERY = 200


@dataclass(frozen=True, kw_only=True)
class Job:
    """One file to be read, or named."""

    number: int
    """Its place in the order of reading."""
    entry: FileEntry
    """The file; without a path when it could not be opened."""
    format: Format | Fault
    """How it is read, or why not."""

    @property
    def many(self) -> bool:
        """Whether it holds many records."""
        return isinstance(self.format, Format) and self.format.many

    @property
    def slow(self) -> bool:
        """Whether it is read in another process."""
        return isinstance(self.format, Format) and self.format.slow

    @property
    def format_name(self) -> str:
        """Its format, or the reason for which it has none."""
        return self.format.name if isinstance(self.format, Format) else self.format.reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """One record of a file."""

    job: Job
    """The file."""
    number: int
    """Which record of it, from 0."""
    draft: Draft | Fault
    """What it holds."""


def jobs_of(files: FileSet, limits: Limits) -> list[Job]:
    """The files in order of reading: by order of their format, then by name; what cannot be read last."""
    judged = [(entry, detect(Feed(entry.name, entry.path, entry.bytes, limits))) for entry in files.files]
    for name, reason in files.left_out:
        judged.append((FileEntry(name=name, sha256="", bytes=0, path=""), Fault(reason=reason, whole=True)))
    judged.sort(key=lambda pair: (pair[1].order if isinstance(pair[1], Format) else LAST, pair[0].name))
    return [Job(number=n, entry=entry, format=form) for n, (entry, form) in enumerate(judged)]


def found(jobs: list[Job], start: tuple[int, int], limits: Limits, slow: SlowResults, out: Output) -> Iterator[Found]:
    """Every record of the jobs from a place on: job ``start[0]``, record ``start[1]``."""
    results = slow([job for job in jobs[start[0] :] if job.slow])
    for job in jobs[start[0] :]:
        skip = start[1] if job.number == start[0] else 0
        reported = 0
        feed = Feed(job.entry.name, job.entry.path, job.entry.bytes, limits)
        for number, draft in enumerate(next(results) if job.slow else _records(job, feed)):
            if number >= skip:
                yield Found(job=job, number=number, draft=draft)
            if number % ADVANCE_EVERY == 0:
                out.meter.advance(feed.position - reported)
                reported = feed.position
        out.meter.advance(job.entry.bytes - reported)


def _records(job: Job, feed: Feed) -> Iterator[Draft | Fault]:
    if isinstance(job.format, Fault):
        yield job.format
        return
    unchanged(job)
    yield from guarded(job.format, feed)


def unchanged(job: Job) -> None:
    """Refuse a file that is no longer what the listing says.

    Raises:
        DataError: It changed or went away since it was listed.
    """
    path = Feed(job.entry.name, job.entry.path, 0, Limits()).path
    if not path.is_file() or file_sha256(path) != job.entry.sha256:
        raise DataError(
            say(f"{job.entry.name} changed after it was listed.", f"{job.entry.name} は一覧の作成後に変わった。"),
            say("Leave the files alone while they are read, and run again.", "読み込み中は変更せず、再実行する。"),
        )
