"""The trial: does the tuned embedder find the partners of works it was not tuned on better than its base?

A work that was kept back asks with its title; its partner has to be found among the texts of all works in
the trial. Both embedders answer the same questions in the same int8 form that an index would use, and the
difference of their reciprocal ranks has a paired bootstrap interval. No query of the evaluation is among them.
"""

import itertools
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gnomon.core.protocols import Embedder
from gnomon.training.embedder.mining import WorkPair
from gnomon.training.embedder.works import Work

DRAWS = 2_000
Ranks = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a trial found."""

    questions: int
    """Pairs asked."""
    passages: int
    """Texts among which a partner had to be found."""
    base: float
    """Mean reciprocal rank of the base, 0 to 1."""
    tuned: float
    """The same of the tuned embedder."""
    low: float
    """Lower end of the 95 % interval of the difference."""
    high: float
    """Its upper end."""

    @property
    def better(self) -> bool:
        """Whether the whole interval lies above zero."""
        return self.questions > 0 and self.low > 0


def passage(work: Work) -> str:
    """A work as an index gives it to its embedder: the title, then the text."""
    return "\n".join(part for part in (work.title, work.text) if part)


def chosen(pairs: Sequence[WorkPair], limit: int, seed: int) -> list[WorkPair]:
    """At most ``limit`` questions, as evenly from every kind as there are pairs, drawn by a seed.

    A work's own text is asked for only when there is nothing else.
    """
    kinds: defaultdict[str, list[WorkPair]] = defaultdict(list)
    for pair in sorted(pairs):
        kinds[pair.kind].append(pair)
    if len(kinds) > 1:
        kinds.pop("title", None)
    rng = random.Random(seed)
    drawn = [rng.sample(kinds[kind], len(kinds[kind])) for kind in sorted(kinds)]
    turns = [pair for turn in itertools.zip_longest(*drawn) for pair in turn if pair is not None]
    return sorted(turns[:limit])


def trial(
    works: Mapping[str, Work],
    pairs: Sequence[WorkPair],
    crowd: Sequence[str],
    models: tuple[Embedder, Embedder],
    seed: int,
) -> Verdict:
    """Ask base and tuned embedder the same questions.

    Args:
        works: By id.
        pairs: The questions: ``a`` asks for ``b``.
        crowd: Ids of other works whose texts stand beside the partners.
        models: The base and the tuned embedder.
        seed: For the bootstrap.
    """
    ids = sorted({pair.b for pair in pairs} | {i for i in crowd if works[i].text})
    if not pairs:
        return Verdict(questions=0, passages=len(ids), base=0.0, tuned=0.0, low=0.0, high=0.0)
    base, tuned = (_reciprocal_ranks(model, works, pairs, ids) for model in models)
    low, high = _interval(tuned - base, seed)
    return Verdict(
        questions=len(pairs), passages=len(ids), base=float(base.mean()), tuned=float(tuned.mean()), low=low, high=high
    )


def _reciprocal_ranks(
    model: Embedder, works: Mapping[str, Work], pairs: Sequence[WorkPair], ids: Sequence[str]
) -> Ranks:
    place = {identifier: i for i, identifier in enumerate(ids)}
    passages = model.embed([passage(works[i]) for i in ids])
    asking = list(dict.fromkeys(pair.a for pair in pairs))
    queries = dict(zip(asking, model.embed_queries([works[i].title for i in asking]), strict=True))
    found = np.empty(len(pairs))
    for number, pair in enumerate(pairs):
        scores = passages @ queries[pair.a]
        if pair.a in place and pair.a != pair.b:
            scores[place[pair.a]] = -np.inf  # a work does not find itself
        found[number] = 1.0 / (1 + int((scores > scores[place[pair.b]]).sum()))
    return found


def _interval(difference: Ranks, seed: int) -> tuple[float, float]:
    """Paired bootstrap, 95 %."""
    generator = np.random.default_rng(seed)
    means = [difference[generator.integers(0, len(difference), len(difference))].mean() for _ in range(DRAWS)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)
