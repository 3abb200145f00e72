"""Order: which pairs are seen in which step, settled before anything is trained.

Every step takes its pairs from one kind, drawn by the mixture's weights; of a kind all pairs are seen
once before one is seen twice. The others of a step are a pair's negatives, so none of them may be the
same work or known to belong together. Which work of a pair is asked for is drawn each time.
"""

import random
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gnomon.core.errors import DataError
from gnomon.core.wording import say
from gnomon.training.embedder.mining import WorkPair

PATIENCE = 20
"""Pairs looked at for each place of a step, before the step is left smaller."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownPair:
    """A pair as the model saw it."""

    step: int
    """The optimizer step, from 1."""
    kind: str
    """How the two were found."""
    asked: str
    """Id of the work whose title was the query."""
    wanted: str
    """Id of the work that was to be found."""
    through: str
    """Id of the third work through which they were found, or empty."""


def ordered(
    pairs: Sequence[WorkPair], mixture: Mapping[str, float], steps: int, batch: int, seed: int
) -> list[ShownPair]:
    """The pairs of every step.

    Args:
        pairs: What there is.
        mixture: Weight of each kind; kinds without pairs fall away.
        steps: Optimizer steps.
        batch: Pairs a step; a step is smaller when so many that are strangers to each other are not found.
        seed: Decides the draws.

    Raises:
        DataError: No kind of the mixture has two pairs.
    """
    rng = random.Random(seed)
    kinds: defaultdict[str, list[WorkPair]] = defaultdict(list)
    near: defaultdict[str, set[str]] = defaultdict(set)
    for pair in sorted(pairs):
        kinds[pair.kind].append(pair)
        near[pair.a].add(pair.b)
        near[pair.b].add(pair.a)
    names = [name for name in sorted(mixture) if mixture[name] > 0 and len(kinds[name]) > 1]
    if not names:
        raise DataError(
            say(f"There are {len(pairs)} pairs to tune on.", f"調整に使える対は {len(pairs)} 組である。"),
            say(
                "Give documents with titles and texts, or a citation graph.", "題名と本文のある文書か引用グラフを渡す。"
            ),
        )
    queues = {name: _endless(kinds[name], random.Random(f"{seed} {name}")) for name in names}
    put_back: dict[str, deque[WorkPair]] = {name: deque() for name in names}
    shown: list[ShownPair] = []
    for step in range(1, steps + 1):
        name = rng.choices(names, [mixture[n] for n in names])[0]
        for pair in _step(queues[name], put_back[name], near, batch):
            asked, wanted = (pair.a, pair.b) if rng.random() < 0.5 else (pair.b, pair.a)
            shown.append(ShownPair(step=step, kind=name, asked=asked, wanted=wanted, through=pair.through))
    return shown


def _endless(pairs: list[WorkPair], rng: random.Random) -> Iterator[WorkPair]:
    while True:
        yield from rng.sample(pairs, len(pairs))


def _step(
    queue: Iterator[WorkPair], put_back: deque[WorkPair], near: Mapping[str, set[str]], batch: int
) -> list[WorkPair]:
    """The next pairs of a queue that are strangers to each other; those passed over come first next time."""
    chosen: list[WorkPair] = []
    present, neighbours = set[str](), set[str]()
    passed: list[WorkPair] = []
    for _ in range(batch * PATIENCE):
        if len(chosen) == batch:
            break
        pair = put_back.popleft() if put_back else next(queue)
        if {pair.a, pair.b} & (present | neighbours):
            passed.append(pair)
            continue
        chosen.append(pair)
        present |= {pair.a, pair.b}
        neighbours |= near[pair.a] | near[pair.b]
    put_back.extend(passed)
    return chosen
