"""Mining: which two works belong together, and which pairs no model may be tuned on.

======== ============================================================== ==========
kind     two works that                                                 through
======== ============================================================== ==========
title    are one: its title and its text                                –
cites    cite one another                                               –
coupling cite the same third (bibliographic coupling, Kessler 1963)     the third
cocited  are cited by the same third (co-citation, Small 1973)          the third
author   have an author in common                                       –
======== ============================================================== ==========

A pair is *refused* when a query of the evaluation stands at either end, or is the third through which
it was found: what a query cites is the answer the evaluation asks for. Documents that queries cite may
stay; as texts, and in pairs that no query had a part in.
"""

import hashlib
import itertools
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from gnomon.core.errors import ConfigError
from gnomon.core.wording import say
from gnomon.training.embedder.works import KeptOut, Work, bare_id, title_key

KINDS = ("title", "cites", "coupling", "cocited", "author")
QUERY, QUERY_TITLE = "evaluation_query", "title_of_a_query"


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class WorkPair:
    """Two works that belong together; which of them is asked for is drawn later."""

    kind: str
    """One of ``KINDS``."""
    a: str
    """Id of one: in training for ``cites`` the citing one, else the smaller id."""
    b: str
    """Id of the other; the same for ``title``."""
    through: str = ""
    """Id of the third work through which they were found."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mined:
    """What may be used, and what may not."""

    training: tuple[WorkPair, ...]
    """Pairs to tune on."""
    trial: tuple[WorkPair, ...]
    """Pairs with a work that was kept back (``a``), to see whether tuning helped."""
    refused: Mapping[str, int]
    """Pairs left out, by reason."""

    @property
    def taken(self) -> int:
        """All pairs there were."""
        return len(self.training) + len(self.trial) + sum(self.refused.values())


def mine(works: Mapping[str, Work], kept_out: KeptOut, kinds: Collection[str], crowd: int, kept_back: float) -> Mined:
    """Find pairs and divide them.

    Args:
        works: By id.
        kept_out: The queries of the evaluation.
        kinds: Which of ``KINDS`` are wanted.
        crowd: More works than this with the same author, or around the same third, say nothing of two of them.
        kept_back: Share of works, by the hash of their id, that are seen in no training pair.

    Raises:
        ConfigError: A kind is unknown.
    """
    for kind in sorted(set(kinds) - set(KINDS)):
        raise ConfigError(
            say(f"There are no pairs of the kind {kind!r}.", f"{kind!r} という種類の対はない。"),
            say(f"Kinds: {', '.join(KINDS)}.", f"種類: {', '.join(KINDS)}。"),
        )
    forbidden = {i: why for i, work in works.items() if (why := _forbidden(work, kept_out))}
    back = {i for i in works if held_back(i, kept_back)}
    training, trial, refused = [], [], Counter[str]()
    for pair in _candidates(works, kinds, crowd):
        reasons = {forbidden[i] for i in (pair.a, pair.b, pair.through) if i in forbidden}
        if reasons:
            refused[QUERY if QUERY in reasons else QUERY_TITLE] += 1
        elif pair.a in back:
            trial.append(pair)
        elif pair.b in back:
            trial.append(replace(pair, a=pair.b, b=pair.a))
        else:
            training.append(pair)
    return Mined(training=tuple(training), trial=tuple(trial), refused=dict(refused))


def held_back(identifier: str, share: float) -> bool:
    """Whether a work is kept back from tuning; decided by its id alone."""
    digest = hashlib.blake2b(f"trial\0{identifier}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64 < share


def _forbidden(work: Work, kept_out: KeptOut) -> str:
    if bare_id(work.id) in kept_out.ids:
        return QUERY
    return QUERY_TITLE if title_key(work.title) in kept_out.titles else ""


def _candidates(works: Mapping[str, Work], kinds: Collection[str], crowd: int) -> Iterator[WorkPair]:
    usable = {i: work for i, work in works.items() if work.title}
    cites = [(i, c) for i, work in usable.items() for c in work.cites if c in usable and c != i]
    if "title" in kinds:
        yield from (WorkPair(kind="title", a=i, b=i) for i, work in usable.items() if work.text)
    if "cites" in kinds:
        yield from (WorkPair(kind="cites", a=a, b=b) for a, b in cites)
    if "coupling" in kinds:
        yield from _grouped("coupling", ((b, a) for a, b in cites), crowd)
    if "cocited" in kinds:
        yield from _grouped("cocited", cites, crowd)
    if "author" in kinds:
        # The author is no work, so it is not a third that could be a query.
        found = _grouped("author", ((name, i) for i, work in usable.items() for name in work.authors), crowd)
        yield from {(p.a, p.b): WorkPair(kind="author", a=p.a, b=p.b) for p in found}.values()


def _grouped(kind: str, memberships: Iterable[tuple[str, str]], crowd: int) -> Iterator[WorkPair]:
    """Every two members of each group that is no crowd."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for group, member in memberships:
        groups[group].append(member)
    for group in sorted(groups):
        members: Sequence[str] = sorted(set(groups[group]))
        if len(members) <= crowd:
            yield from (WorkPair(kind=kind, a=a, b=b, through=group) for a, b in itertools.combinations(members, 2))
