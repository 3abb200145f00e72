"""The step ``synthesis/preferences``: kept pairs with an answer that is not wanted, for preference training.

The unwanted answer is, in this order: one to the same question that judges found wrong; a wrong option; the answer to
another question about the same document, of the same type (quantities of one unit, or none of them a quantity) and in
neither direction part of the right one. Nothing is invented, and a pair without such an answer gives none.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gnomon.core.errors import ConfigError
from gnomon.core.figures import figures
from gnomon.core.hashing import hash_place
from gnomon.core.messages import Message
from gnomon.core.records import Drop
from gnomon.core.synthetic import QA, Preference
from gnomon.core.tables import TableWriter
from gnomon.core.text import fold
from gnomon.core.wording import say
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output
from gnomon.synthesis.conversing import asked_and_answered, lettered, shuffled
from gnomon.synthesis.passing import DROPS, pair_drop, read_licences, read_pairs
from gnomon.synthesis.proposals import same, stands_in
from gnomon.synthesis.select import accept_score, mean_marks

PREFERENCES = "preferences.parquet"
JUDGED, DOCUMENTS = "judged", "documents"
REFUSED, OPTION, SWAPPED = "refused", "option", "swapped"
WAYS = (REFUSED, OPTION, SWAPPED)
SWAPPING = frozenset({"open", "definition", "numeric", "relation", "cloze", "metadata"})
"""Kinds whose answers are short enough for another one to stand in their place."""
NO_ALTERNATIVE = "no_alternative"


@dataclass(frozen=True, kw_only=True)
class PreferencesConfig:
    """Where unwanted answers come from."""

    ways: tuple[str, ...] = WAYS
    """``refused`` (by judges, to the same question), ``option`` (a wrong one), ``swapped`` (of another pair of the
    document), tried in this order."""
    wrong: float = 0.5
    """An answer that was not kept counts as refused when judges thought it less right than this: the rule's
    probability, or the models' mean mark for correctness, from 0 (mark 1) to 1 (mark 5)."""
    seed: int = 0
    """Decides between several."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Other:
    """An answer that stands beside those of other pairs."""

    id: str
    """Its pair."""
    answer: str
    """It."""
    score: float = 0.0
    """How right judges found it, from 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class Others:
    """Answers by what they have in common with a pair."""

    refused: Mapping[str, Sequence[Other]]
    """Those that were not kept and thought wrong, by the question."""
    about: Mapping[tuple[str, str, str], Sequence[Other]]
    """Those of kept pairs, by document, kind and language."""


def run(config: PreferencesConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Write ``preferences.parquet`` of ``inputs["pairs"]``; what else was ``inputs["judged"]`` is what was refused.

    The licences of ``inputs["documents"]``, where given, are counted in the metrics, by which training looks at them.

    Raises:
        ConfigError: A way is unknown.
    """
    _check(config)
    others = _gather(inputs, config.wrong)
    licences = read_licences(inputs[DOCUMENTS]) if DOCUMENTS in inputs else {}
    ways, terms, lost = Counter[str](), Counter[str](), 0
    with TableWriter(out.path / PREFERENCES, Preference) as made, TableWriter(out.path / DROPS, Drop) as drops:
        for pair in read_pairs(inputs["pairs"]):
            way, preference = prefer(pair, others, config)
            if preference is None:
                drops.write(pair_drop(pair, NO_ALTERNATIVE))
                lost += 1
            else:
                made.write(preference)
                ways[way] += 1
                terms.update({licences.get(doc_id, "") for doc_id in preference.doc_ids})
    out.metrics["ways"] = dict(sorted(ways.items()))
    if licences:
        out.metrics["licences"] = dict(sorted(terms.items()))
    dropped = {NO_ALTERNATIVE: lost} if lost else {}
    return Counts(taken=made.rows + lost, kept=made.rows, dropped=dropped, made={"preferences": made.rows})


def prefer(pair: QA, others: Others, config: PreferencesConfig) -> tuple[str, Preference | None]:
    """How an unwanted answer to a pair's question was found, and the preference; None when there is none."""
    for way in config.ways:
        found = _WAYS[way](pair, others, config.seed)
        if found is not None:
            asked, answer = asked_and_answered(pair, config.seed)
            ids = (pair.id, *([found.id] if found.id != pair.id else []))
            return way, Preference(
                id=f"{pair.id}#{way}", messages=(Message(role="user", text=asked),), chosen=answer,
                rejected=found.answer, lang=pair.lang, kind=pair.kind, qa_ids=ids,
                doc_ids=tuple(dict.fromkeys(evidence.span.doc_id for evidence in pair.evidence)),
            )  # fmt: skip
    return "", None


def _refused(pair: QA, others: Others, seed: int) -> Other | None:
    """The worst answer to the same question that was not kept; not where letters or turns belong to the answer."""
    if pair.choices or pair.turns:
        return None
    found = [o for o in others.refused.get(_question(pair), ()) if not same(o.answer, pair.answer)]
    return min(found, key=lambda other: (other.score, other.id), default=None)


def _option(pair: QA, others: Others, seed: int) -> Other | None:
    if not pair.choices:
        return None
    options = shuffled(pair, seed)
    wrong = [option for option in options if option != pair.answer]
    chosen = min(wrong, key=lambda option: hash_place(f"{seed}\0wrong\0{pair.id}\0{option}"), default=None)
    return None if chosen is None else Other(id=pair.id, answer=lettered(chosen, options))


def _swapped(pair: QA, others: Others, seed: int) -> Other | None:
    if pair.kind not in SWAPPING or pair.choices:
        return None
    found = [o for o in others.about.get(_about(pair), ()) if o.id != pair.id and alike(o.answer, pair)]
    return min(found, key=lambda other: hash_place(f"{seed}\0swap\0{pair.id}\0{other.id}"), default=None)


_WAYS = {REFUSED: _refused, OPTION: _option, SWAPPED: _swapped}


def alike(other: str, pair: QA) -> bool:
    """Whether another answer is of the type of a pair's own, and neither it nor a part of it."""
    mine, theirs = fold(pair.answer).rstrip(".。"), fold(other).rstrip(".。")
    if same(other, pair.answer) or not theirs or stands_in(theirs, mine) or stands_in(mine, theirs):
        return False
    units = [sorted(figure.unit or "" for figure in figures(text)) for text in (pair.answer, other)]
    return units[0] == units[1]


# Gathering ------------------------------------------------------------------------------------


def _gather(inputs: Mapping[str, Path], wrong: float) -> Others:
    kept = set[str]()
    about: dict[tuple[str, str, str], list[Other]] = defaultdict(list)
    for pair in read_pairs(inputs["pairs"]):
        kept.add(pair.id)
        if pair.kind in SWAPPING and not pair.choices:
            about[_about(pair)].append(Other(id=pair.id, answer=pair.answer))
    refused: dict[str, list[Other]] = defaultdict(list)
    for pair in read_pairs(inputs[JUDGED]) if JUDGED in inputs else ():
        score = _rightness(pair)
        if pair.id not in kept and not pair.choices and not pair.turns and score is not None and score < wrong:
            refused[_question(pair)].append(Other(id=pair.id, answer=pair.answer, score=score))
    return Others(refused=refused, about=about)


def _rightness(pair: QA) -> float | None:
    """The least that rules and models thought of an answer, from 0 to 1; None when nobody judged it.

    Left out for other reasons (a copy, a question that teaches nothing) is not wrong.
    """
    correctness, probability = mean_marks(pair).get("correctness"), accept_score(pair)
    scores = [None if correctness is None else (correctness - 1) / 4, probability]
    return min((score for score in scores if score is not None), default=None)


def _question(pair: QA) -> str:
    return f"{pair.lang}\0{fold(pair.question)}"


def _about(pair: QA) -> tuple[str, str, str]:
    return pair.doc_id, pair.kind, pair.lang


def _check(config: PreferencesConfig) -> None:
    if not config.ways or not set(config.ways) <= set(WAYS):
        raise ConfigError(
            say(f"synthesis/preferences: ways = {config.ways}.", f"synthesis/preferences: ways = {config.ways}。"),
            say(f"Use some of {', '.join(WAYS)}.", f"{'、'.join(WAYS)} から選ぶ。"),
        )
