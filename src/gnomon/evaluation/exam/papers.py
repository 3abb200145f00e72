"""Papers: which questions of a set are asked, which are shown as examples, and why the others are neither.

A *dev* split serves examples and choices, never scores: a question that stands in it is left out of the exam, whatever
file it came from. It is what ``inputs["dev:NAME"]`` holds, and what a set of questions itself calls ``dev``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gnomon.core.errors import DataError
from gnomon.core.hashing import combined_hash
from gnomon.core.records import Drop, Item
from gnomon.core.tables import TableWriter, read_table
from gnomon.core.text import fold
from gnomon.core.wording import say
from gnomon.evaluation.exam.arms import DEV_SPLITS, Paper

ITEMS, DEV, FILE = "items:", "dev:", "items.parquet"
OPEN_QUESTION, SEVERAL, IN_DEV, NOT_CHOSEN = "open_question", "several_answers", "in_dev", "not_chosen"
OTHER_SPLIT = "other_split"


@dataclass(frozen=True, kw_only=True, slots=True)
class Questions:
    """The questions of one paper."""

    paper: Paper
    """Which paper."""
    items: tuple[Item, ...]
    """What is asked, in the order of the file, with the right options."""
    dev: tuple[Item, ...]
    """What examples are taken from."""
    dropped: Mapping[str, int]
    """How many others there are, by reason."""

    @property
    def several(self) -> bool:
        """Whether any question has several right options, so that whoever can name several is told so."""
        return any(len(item.targets) > 1 for item in self.items)

    def blocks(self, size: int) -> list[tuple[Item, ...]]:
        """The items, ``size`` at a time."""
        return [self.items[start : start + size] for start in range(0, len(self.items), size)]


def read_questions(paper: Paper, inputs: Mapping[str, Path], shots: int, seed: int, drops: TableWriter) -> Questions:
    """The questions of a paper.

    Args:
        paper: Which.
        inputs: ``items:NAME`` and, for other examples than its own, ``dev:NAME``.
        shots: Examples wanted before each question.
        seed: Of the choice, where there is one.
        drops: Receives what is not asked.

    Raises:
        DataError: Nothing is left to ask, or there are fewer examples than wanted.
    """
    items = list(read_table(inputs[ITEMS + paper.name] / FILE, Item))
    own = [item for item in items if item.split in DEV_SPLITS]
    given = list(read_table(inputs[DEV + paper.name] / FILE, Item)) if DEV + paper.name in inputs else []
    dev = tuple(_choosable(given or own))
    known = {item.id for item in given} | {_content(item) for item in [*given, *own]}
    kept, dropped = list[Item](), dict[str, int]()
    reasons = [_reason(item, paper, known) for item in items]
    chosen = _chosen([item.id for item, reason in zip(items, reasons, strict=True) if not reason], paper, seed)
    for item, reason in zip(items, reasons, strict=True):
        why = reason or ("" if item.id in chosen else NOT_CHOSEN)
        if why:
            drops.write(Drop(doc_id=item.id, reason=why, detail=paper.name, excerpt=item.prompt[:200]))
            dropped[why] = dropped.get(why, 0) + 1
        else:
            kept.append(item)
    _check(paper, len(kept), len(dev), shots)
    return Questions(paper=paper, items=tuple(kept), dev=dev, dropped=dropped)


def _reason(item: Item, paper: Paper, known: set[str]) -> str:
    if len(item.choices) < 2 or not item.targets:
        return OPEN_QUESTION
    if item.split in DEV_SPLITS or item.id in known or _content(item) in known:
        return IN_DEV
    if paper.split and item.split != paper.split:
        return OTHER_SPLIT
    return SEVERAL if paper.single and len(item.targets) > 1 else ""


def _choosable(items: Iterable[Item]) -> list[Item]:
    """Examples: with options, and one right one, so that every form can show them."""
    return [item for item in items if len(item.choices) > 1 and len(item.targets) == 1]


def _content(item: Item) -> str:
    """The same for one question under two ids."""
    return combined_hash([fold(item.prompt), *sorted(map(fold, item.choices))])


def _chosen(ids: Sequence[str], paper: Paper, seed: int) -> set[str]:
    """Ids by seed: an exam that grows keeps most of its choice."""
    if not paper.max_items:
        return set(ids)
    return set(sorted(ids, key=lambda name: (combined_hash([str(seed), name]), name))[: paper.max_items])


def _check(paper: Paper, items: int, dev: int, shots: int) -> None:
    if not items:
        raise DataError(
            say(f"The exam {paper.name!r} has no question that can be asked.",
                f"試験 {paper.name!r} に出題できる問題がない。"),
            say("See drops.parquet of its items step.", "items ステップの drops.parquet を確かめる。"),
        )  # fmt: skip
    if dev < shots:
        raise DataError(
            say(f"The exam {paper.name!r} has {dev} examples, wanted shots = {shots}.",
                f"試験 {paper.name!r} の例題は {dev} 個しかない（shots = {shots}）。"),
            say(f"Mark examples with split = dev, give dev={{{paper.name!r}: …}}, or set shots = 0.",
                f"例題に split = dev と記すか、dev={{{paper.name!r}: …}} で渡すか、shots = 0 とする。"),
        )  # fmt: skip
