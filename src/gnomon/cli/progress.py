"""The progress of a run: one live bar per step, or plain lines when nobody watches a terminal.

A step says how much there is to do and when some of it is done (``Meter``); rate and time left
are worked out here. Everything goes to stderr, so that stdout stays clean.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gnomon.cli.output import count, error_console, seconds, size
from gnomon.core.wording import say
from gnomon.runs.output import Meter
from gnomon.runs.record import Record
from gnomon.runs.runner import Progress
from gnomon.runs.step import Step

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.progress import Task

PLAIN_EVERY_SECONDS = 10.0
BYTES = "bytes"
LEAST_SHARE = 0.01
"""Share of the work from which the time left is more than a guess."""
UNITS_JA = {"files": "ファイル", "documents": "文書", "chunks": "チャンク", "pairs": "組", "passages": "パッセージ",
            "items": "問", "tokens": "トークン", "vectors": "ベクトル", "rows": "行", "records": "件"}  # fmt: skip


def unit_name(unit: str) -> str:
    """A step's unit in the reader's language."""
    return say(unit, UNITS_JA.get(unit, unit))


def amounts(done: int, total: int | None, unit: str, elapsed: float) -> str:
    """``312 of 4,000 documents · 52/s · 71 s left``; what is not known is not said."""
    told = size if unit == BYTES else count
    of = say(" of ", "／") + told(total) if total else ""
    parts = [f"{told(done)}{of} {'' if unit == BYTES else unit_name(unit)}".strip()] if done or total else []
    rate = done / elapsed if elapsed > 0.5 else 0.0
    if rate > 0:
        parts.append(_rate(rate, told))
        if total and total * LEAST_SHARE <= done < total:
            left = seconds((total - done) / rate)
            parts.append(say(f"{left} left", f"残り {left}"))
    return " · ".join(parts)


def _rate(rate: float, told: Callable[[int], str]) -> str:
    if rate < 0.1:
        return say(f"{60 * rate:.1f}/min", f"{60 * rate:.1f}/分")
    return f"{told(round(rate)) if rate >= 10 else format(rate, '.1f')}/s"


def outcome(record: Record) -> str:
    """What a finished step did, in a few words."""
    counts = record.counts
    said = [say(f"{count(counts.kept)} kept", f"{count(counts.kept)} 件")]
    lost = sum(counts.dropped.values())
    if lost:
        said.append(say(f"{count(lost)} left out", f"除外 {count(lost)} 件"))
    said += [f"{count(n)} {unit_name(kind)}" for kind, n in sorted(counts.made.items())]
    return ", ".join(said)


@contextmanager
def shown(watch: Callable[[Step, Record], None] | None = None, *, made_before: bool = True) -> Iterator[Progress]:
    """The progress of a run: a live bar on a terminal, plain lines elsewhere.

    Args:
        watch: Called with each finished step; what it raises ends the run.
        made_before: Whether steps that are there already get a line.
    """
    console = error_console()
    if not console.is_terminal:
        yield PlainProgress(watch, made_before=made_before)
        return
    live = LiveProgress(console, watch, made_before=made_before)
    with live.bars:
        yield live


class PlainMeter:
    """Prints a line now and then."""

    def __init__(self, label: str) -> None:
        self.label, self.done, self.amount, self.unit, self.words = label, 0, 0, "", ""
        self.started = self.told = time.monotonic()

    def total(self, amount: int, unit: str) -> None:
        """Take note of how much there is to do."""
        self.amount, self.unit = amount, unit

    def advance(self, amount: int) -> None:
        """Take note of what is done, and say so when the last line is old."""
        self.done += amount
        now = time.monotonic()
        if now - self.told >= PLAIN_EVERY_SECONDS:
            self.told = now
            told = amounts(self.done, self.amount, self.unit, now - self.started)
            line(f"{self.label} {told}{' · ' if self.words else ''}{self.words}")

    def note(self, text: str) -> None:
        """Remember the words for the next line."""
        self.words = text


class PlainProgress:
    """One line when a step begins, one now and then, one when it ends."""

    def __init__(self, watch: Callable[[Step, Record], None] | None = None, *, made_before: bool = True) -> None:
        self._watch, self._label, self._started, self._made_before = watch, "", 0.0, made_before

    def start(self, step: Step, number: int, of: int) -> Meter:
        """Remember the step; a step that is already made is told in one line by ``finish``."""
        self._label, self._started = f"[{number}/{of}] {step.name}", time.monotonic()
        return PlainMeter(self._label)

    def tell(self, step: Step, text: str) -> None:
        """Say it in a line."""
        line(f"{self._label} {text}")

    def finish(self, step: Step, record: Record, *, fresh: bool) -> None:
        """Say what the step did."""
        took = seconds(time.monotonic() - self._started) if fresh else say("made before", "作成済み")
        if fresh or self._made_before:
            line(f"{self._label} {outcome(record)} ({took})")
        if self._watch is not None:
            self._watch(step, record)


def line(text: str) -> None:
    """One line of progress on stderr."""
    print(text, file=sys.stderr, flush=True)


class LiveProgress:
    """A bar for the step at work; finished steps stay above it, a line each."""

    def __init__(
        self, console: Any, watch: Callable[[Step, Record], None] | None = None, *, made_before: bool = True
    ) -> None:
        from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, TextColumn
        from rich.text import Text

        class Amounts(ProgressColumn):
            """Done, rate and time left."""

            def render(self, task: "Task") -> "RenderableType":
                total = int(task.total) if task.total else None
                told = amounts(int(task.completed), total, task.fields["unit"], task.elapsed or 0.0)
                words = task.fields["words"]
                return Text(f"{told} · {words}" if words else told, style="dim")

        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(24), Amounts())
        self.bars = Progress(*columns, console=console, transient=True)
        self._watch, self._label, self._started, self._made_before = watch, "", 0.0, made_before
        self._task: Any = None

    def start(self, step: Step, number: int, of: int) -> Meter:
        """Show a bar for the step."""
        self._label, self._started = f"[{number}/{of}] {step.name}", time.monotonic()
        self._task = self.bars.add_task(self._label, total=None, unit="", words="")
        return LiveMeter(self.bars, self._task)

    def tell(self, step: Step, text: str) -> None:
        """Leave a line above the bar."""
        self.bars.console.print(f"! {self._label}  {text}", markup=False, highlight=False)

    def finish(self, step: Step, record: Record, *, fresh: bool) -> None:
        """Take the bar away and leave a line."""
        from rich.text import Text

        if self._task is not None:
            self.bars.remove_task(self._task)
        took = seconds(time.monotonic() - self._started) if fresh else say("made before", "作成済み")
        told = Text.assemble(("✓ " if fresh else "· "), self._label, "  ", outcome(record), (f"  {took}", "dim"))
        if fresh or self._made_before:
            self.bars.console.print(told if fresh else Text(told.plain, style="dim"))
        if self._watch is not None:
            self._watch(step, record)


class LiveMeter:
    """Moves one bar."""

    def __init__(self, bars: Any, task: Any) -> None:
        self._bars, self._task = bars, task

    def total(self, amount: int, unit: str) -> None:
        """Set the bar's length."""
        self._bars.update(self._task, total=amount or None, unit=unit)

    def advance(self, amount: int) -> None:
        """Move the bar."""
        self._bars.advance(self._task, amount)

    def note(self, text: str) -> None:
        """Show the words behind the amounts."""
        self._bars.update(self._task, words=text)
