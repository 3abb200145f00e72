"""The exams of an expert: every arm's score with its interval, what was not scored, and paired tests against the base.

An exam that only chose among candidates (``development…``) is told as well, last, and never makes a headline.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field

from gnomon.core.errors import NotFound
from gnomon.core.wording import say
from gnomon.evaluation.exam.step import FACTS
from gnomon.research.opened import OpenExpert
from gnomon.serving.facts.corpus import Frozen
from gnomon.serving.facts.gathered import finished
from gnomon.serving.facts.kept import kept

if TYPE_CHECKING:
    from gnomon.runs.record import Record

STEP, CHOOSING = "evaluation/exam", "development"


class Figure(Frozen):
    """A measure with its 95 % interval."""

    value: float = Field(description="The measure.", examples=[0.556])
    low: float | None = Field(description="Lower end of the interval; null when there is none.", examples=[0.494])
    high: float | None = Field(description="Upper end.", examples=[0.616])
    n: int = Field(description="On how many it rests.", examples=[250])


class Against(Frozen):
    """An arm beside another, on the questions that both answered."""

    arm: str = Field(description="The other arm.", examples=["base"])
    n: int = Field(description="Questions that both were scored on.")
    better: int = Field(description="Questions that only the first got right.")
    worse: int = Field(description="Questions that only the other got right.")
    difference: Figure | None = Field(description="Difference of accuracies, with its paired bootstrap interval.")
    p: float = Field(description="Of McNemar's exact test, of this pair by itself.")


class CalibrationBin(Frozen):
    """Answers of about the same confidence."""

    confidence: float = Field(description="Mean probability of the chosen option.")
    accuracy: float = Field(description="Share of them that was right.")
    n: int = Field(description="Answers.")


class Calibration(Frozen):
    """Whether an arm is right as often as it is sure."""

    ece: float = Field(description="Expected calibration error, 0 to 1.")
    bins: tuple[CalibrationBin, ...] = Field(description="By confidence.")


class Group(Frozen):
    """Accuracy on some of the questions."""

    group: str = Field(description="The subject or the language.")
    n: int = Field(description="Questions that were scored.")
    accuracy: Figure = Field(description="Share of right answers.")


class Arm(Frozen):
    """Who sat an exam in which way, and how it did."""

    name: str = Field(description="The arm.", examples=["base · open book"])
    label: str = Field(description="What it is called on pages.")
    kind: str = Field(description="`model`, `solver` (retrieval without a model) or `chance`.")
    model: str = Field(description="The model's role in the expert; empty without a model.")
    mode: str = Field(description="How it answers: `letter`, `option` (likeliest text) or `generate`; else empty.")
    open_book: bool = Field(description="Whether it had the library at hand.")
    n: int = Field(description="Questions that were scored.")
    unscored: dict[str, int] = Field(description="Questions that were not, by reason; never counted as wrong.")
    truncated: int = Field(description="Questions of which some answer was cut by the limit of tokens.")
    accuracy: Figure | None = Field(description="Share of right answers; null when nothing was scored.")
    chance: float | None = Field(description="What guessing gives on these questions.")
    at_chance: bool = Field(description="Whether the interval does not exclude guessing.")
    if_unscored_were_wrong: float | None = Field(description="Accuracy if every unscored question were wrong.")
    log_prob: Figure | None = Field(
        description="Mean log-probability of the right option; null where scores are no probabilities."
    )
    calibration: Calibration | None = Field(description="Null where scores are no probabilities.")
    by_subject: tuple[Group, ...] = Field(description="By subject.")
    by_lang: tuple[Group, ...] = Field(description="By language.")
    against_base: Against | None = Field(description="Beside the base, book closed; null for the base itself.")
    seconds_per_question: float | None = Field(description="Measured on the machine of the exam; null when not.")
    usd_per_question: float | None = Field(description="From the log of calls; null when nothing was paid.")


class Paper(Frozen):
    """One paper of an exam."""

    name: str = Field(description="The paper.", examples=["exam"])
    label: str = Field(description="What it is called on pages.")
    items: int = Field(description="Questions that were put.")
    general: bool = Field(description="Whether it asks about something else than the field, to see what was lost.")
    dropped: dict[str, int] = Field(description="Questions that were not put, by reason.")
    base: str = Field(description="The arm that others are compared with; empty without a base.")
    arms: tuple[Arm, ...] = Field(description="Who sat it, in the order of the tables.")


class Sitting(Frozen):
    """An exam that was held."""

    role: str = Field(description="Its role in the expert, by which it is asked for.", examples=["exam"])
    address: str = Field(description="The step that held it.")
    choosing: bool = Field(description="Whether it was held to choose among candidates, and so proves nothing.")
    how: dict[str, Any] = Field(description="Its settings: orders, shots, passages, seed…")
    papers: tuple[Paper, ...] = Field(description="Its papers.")


def sittings(opened: OpenExpert) -> tuple[Sitting, ...]:
    """Every exam of an expert that is finished, those that prove something first."""
    return tuple(_sitting(opened, role) for role in roles(opened))


def sitting(opened: OpenExpert, role: str = "") -> Sitting:
    """One exam; the first when none is named.

    Raises:
        NotFound: The expert has no such exam, or none that is finished.
    """
    return _sitting(opened, known_role(opened, role))


def roles(opened: OpenExpert) -> tuple[str, ...]:
    """Roles of the finished exams: ``exam`` first, those that chose among candidates last."""
    found = [role for role, (_, record) in finished(opened).items() if record.name == STEP]
    return tuple(sorted(found, key=lambda role: (role.startswith(CHOOSING), role != "exam", role)))


def known_role(opened: OpenExpert, role: str) -> str:
    """The role of an exam; of the first when none is given.

    Raises:
        NotFound: The expert has no such exam, or none that is finished.
    """
    known = roles(opened)
    if role in known or (known and not role):
        return role or known[0]
    raise NotFound(
        say(f"The expert has no finished exam {role!r}." if role else "The expert has no finished exam.",
            f"エキスパートに終了した試験 {role!r} はない。" if role else "エキスパートに終了した試験はない。"),
        say(f"It has: {', '.join(known)}." if known else "`gnomon build … --base MODEL` with an exam makes one.",
            f"あるもの: {', '.join(known)}。" if known else "`gnomon build … --base モデル` で試験ができる。"),
    )  # fmt: skip


def exam_facts(opened: OpenExpert, role: str) -> Mapping[str, Any]:
    """What an exam found, in the shape that drawings of the report take.

    Raises:
        NotFound: The expert has no such exam.
    """
    from gnomon.evaluation.report.models.examined import exam

    known = known_role(opened, role)
    return kept(opened, f"exam {known}", lambda: exam(finished(opened)[known][0]))


def exam_record(opened: OpenExpert, role: str) -> "Record":
    """The record of an exam."""
    return finished(opened)[role][1]


def _sitting(opened: OpenExpert, role: str) -> Sitting:
    return kept(opened, f"sitting {role}", lambda: _read(opened, role))


def _read(opened: OpenExpert, role: str) -> Sitting:
    from gnomon.core.files import read_json

    record, found = exam_record(opened, role), exam_facts(opened, role)
    whole = read_json(finished(opened)[role][0] / FACTS)["exams"]
    speed = record.metrics.get("speed", {})
    arms = {arm["name"]: arm for arm in found["arms"]}
    papers = (
        _paper(paper, arms, whole[paper["name"]]["arms"], speed.get(paper["name"], {})) for paper in found["papers"]
    )
    return Sitting(role=role, address=record.address, choosing=role.startswith(CHOOSING), how=dict(found["how"]),
                   papers=tuple(papers))  # fmt: skip


def _paper(
    paper: Mapping[str, Any], arms: Mapping[str, Any], whole: Mapping[str, Any], speed: Mapping[str, Any]
) -> Paper:
    sat = [row["arm"] for row in paper["arms"]]
    base = next((n for n in sat if arms[n]["role_kind"] == "base" and not arms[n]["open_book"]), "")
    rows = (
        _arm(row, arms[row["arm"]], whole[row["arm"]], speed.get(row["arm"], {}),
             _against(paper["comparisons"], row["arm"], base))
        for row in paper["arms"]
    )  # fmt: skip
    about = {key: paper[key] for key in ("name", "label", "items", "general")}
    return Paper(**about, dropped=dict(paper["dropped"]), base=base, arms=tuple(rows))


def _arm(
    row: Mapping[str, Any], about: Mapping[str, Any], whole: Mapping[str, Any], speed: Mapping[str, Any],
    against: Against | None,
) -> Arm:  # fmt: skip
    rate, calibration = speed.get("items_per_second"), row["calibration"]
    return Arm(
        **{key: about[key] for key in ("name", "label", "kind", "model", "mode", "open_book")},
        **{key: row[key] for key in ("n", "truncated", "chance", "at_chance", "if_unscored_were_wrong")},
        unscored=dict(row["unscored"]), accuracy=figure(row["accuracy"]), log_prob=figure(row["log_prob"]),
        calibration=None if calibration is None else Calibration(
            ece=calibration["ece"], bins=tuple(CalibrationBin(**one) for one in calibration["bins"])),
        by_subject=_groups(row["by_subject"]), by_lang=_groups(row["by_lang"]), against_base=against,
        seconds_per_question=1 / rate if rate else None, usd_per_question=whole.get("usd_per_question"),
    )  # fmt: skip


def figure(row: Mapping[str, Any] | None) -> Figure | None:
    """A measure of an artifact; None where it has no value."""
    if row is None or row["value"] is None:
        return None
    return Figure(value=row["value"], low=row["low"], high=row["high"], n=row["n"])


def _groups(rows: Mapping[str, Any]) -> tuple[Group, ...]:
    found = ((name, row["n"], figure(row["accuracy"])) for name, row in rows.items())
    return tuple(Group(group=name, n=n, accuracy=told) for name, n, told in found if told is not None)


def _against(rows: list[Mapping[str, Any]], arm: str, base: str) -> Against | None:
    """The comparison of an arm with the base, whichever of the two it was written for."""
    for row in rows:
        told = row["difference"]
        if (row["arm"], row["against"]) == (arm, base):
            return Against(arm=base, n=row["n"], better=row["better"], worse=row["worse"], difference=figure(told),
                           p=row["p"])  # fmt: skip
        if (row["against"], row["arm"]) == (arm, base):
            return Against(arm=base, n=row["n"], better=row["worse"], worse=row["better"], p=row["p"],
                           difference=figure(_turned(told)))  # fmt: skip
    return None


def _turned(row: Mapping[str, Any]) -> dict[str, Any]:
    """A difference seen from the other side."""
    turned = {key: None if row[key] is None else -row[key] for key in ("value", "low", "high")}
    return {"value": turned["value"], "low": turned["high"], "high": turned["low"], "n": row["n"]}
