"""The expert's models: what each is, how it was made, whether it can chat, and how it did in the exam.

Models are named by their role in the expert (``base``, ``specialised``, ``final``) and by nothing else: who asks over a
network names no folder of this machine, and no endpoint that is paid with its owner's key.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from gnomon.core.errors import NotFound
from gnomon.core.files import read_json
from gnomon.core.records import ModelRef
from gnomon.core.wording import say
from gnomon.research.opened import OpenExpert
from gnomon.serving.facts.kept import kept

if TYPE_CHECKING:
    from gnomon.runs.record import Record

EXAM_STEP, EXAM_FILE, CHOSEN_FOR = "evaluation/exam/", "exam.json", "development"
SIDE_BY_SIDE = ("base", "specialised")
"""Roles that are shown beside each other unless others are asked for."""


class Frozen(BaseModel):
    """Facts do not change once they are told."""

    model_config = ConfigDict(frozen=True)


class Share(Frozen):
    """One model that a merge is made of."""

    role: str = Field(description="Its role in the expert.")
    weight: float = Field(description="Its weight in the merge.")


class ExamScore(Frozen):
    """How a model did in one exam, closed book."""

    exam: str = Field(description="The exam's name.")
    items: int = Field(description="Questions that were scored.")
    accuracy: float = Field(description="Share of right answers.")
    low: float = Field(description="Lower end of the 95 % interval.")
    high: float = Field(description="Upper end of the 95 % interval.")
    chance: float = Field(description="Share that guessing gives.")
    at_chance: bool = Field(description="Whether the interval does not exclude guessing.")


class ModelFacts(Frozen):
    """One model of the expert."""

    id: str = Field(description="Its role, by which it is asked for.")
    also: tuple[str, ...] = Field(description="Other roles of the very same weights.")
    name: str = Field(description="What the model is called.")
    revision: str = Field(description="Hash of its weights, or its commit on the hub.")
    kind: str = Field(description="`base` continues texts; `instruct` also holds conversations.")
    chats: bool = Field(description="Whether it can hold a conversation.")
    licence: str = Field(description="SPDX name of its licence, if known.")
    parents: tuple[str, ...] = Field(description="The models it was made from.")
    made_by: str = Field(description="The step that made it: `training/adopt`, `training/cpt`, `training/merge`…")
    merged: tuple[Share, ...] = Field(description="What it was merged from, with weights; empty when it was not.")
    method: str = Field(description="How it was merged (`linear`, `slerp`, …); empty when it was not.")
    chosen_among: int = Field(description="Candidates it was chosen among by a development exam; 0 when it was not.")
    created: int = Field(description="When it was made, in seconds since 1970.")
    scores: tuple[ExamScore, ...] = Field(description="Its exams, closed book; empty when it sat none.")


def models(opened: OpenExpert) -> tuple[ModelFacts, ...]:
    """Every model of an expert once, in the order they came to be."""

    def read() -> tuple[ModelFacts, ...]:
        exams = _exams(opened)
        return tuple(_facts(opened, role, also, exams) for role, also in opened.models.items())

    return kept(opened, "models", read)


def model_facts(opened: OpenExpert, name: str) -> ModelFacts:
    """The model of a role.

    Raises:
        NotFound: The expert has no such model.
    """
    found = next((facts for facts in models(opened) if name == facts.id or name in facts.also), None)
    if found is not None:
        return found
    raise NotFound(
        say(f"The expert has no model {name!r}.", f"エキスパートにモデル {name!r} はない。"),
        say(f"It has: {', '.join(opened.models) or '–'}.", f"あるもの: {', '.join(opened.models) or '–'}。"),
    )


def side_by_side(opened: OpenExpert) -> tuple[str, ...]:
    """The models to show beside each other when none was asked for: base and specialised, else the first two."""
    found = tuple(role for role in SIDE_BY_SIDE if role in opened.models)
    return found or tuple(opened.models)[:2]


def _facts(opened: OpenExpert, role: str, also: tuple[str, ...], exams: Mapping[str, Mapping[str, Any]]) -> ModelFacts:
    from gnomon.llm.weights import read_ref

    address = dict(opened.expert.parts)[role]
    place = opened.model_places([role])[role]
    ref, record, made = read_ref(place), opened.workspace.record(address), _merge(opened, address)
    weights = made.config.get("weights", []) if made is not None else []
    return ModelFacts(
        id=role, also=also, name=ref.name, revision=ref.revision, kind=ref.kind, chats=_chats(place, ref, opened),
        licence=ref.licence, parents=ref.parents, made_by=record.name if record else "",
        merged=tuple(Share(role=name, weight=weight) for name, weight in weights),
        method=str(made.config.get("method", "")) if made is not None else "",
        chosen_among=len(record.config.get("candidates", [])) if record else 0,
        created=_moment(record.started) if record else 0, scores=_scores(ref, exams),
    )  # fmt: skip


def _chats(place: Path, ref: ModelRef, opened: OpenExpert) -> bool:
    """Whether a model knows how turns are written: read from its files, without loading it."""
    from gnomon.llm.templated import template_in
    from gnomon.llm.weights import weights_of

    remote = opened.workspace.settings.models.get(ref.name)
    if remote is not None and remote.url.startswith("http"):
        return ref.kind != "base"
    return bool(template_in(Path(weights_of(place, opened.workspace.settings).name_or_folder)))


def _merge(opened: OpenExpert, address: str) -> "Record | None":
    """The record of the merge that made a model, also where it was then chosen."""
    record = opened.workspace.record(address)
    if record is not None and record.name == "training/choose":
        chosen = record.inputs.get(f"model:{record.metrics.get('chosen', '')}", "")
        record = opened.workspace.record(chosen) if chosen else None
    return record if record is not None and record.name == "training/merge" else None


def _exams(opened: OpenExpert) -> dict[str, Mapping[str, Any]]:
    """What the expert's exams found, by role; one that only chose among candidates proves nothing."""
    found: dict[str, Mapping[str, Any]] = {}
    for role, address in opened.expert.parts:
        if address.startswith(EXAM_STEP) and not role.startswith(CHOSEN_FOR) and opened.workspace.record(address):
            found[role] = read_json(opened.workspace.artifact(address) / EXAM_FILE)
    return found


def _scores(ref: ModelRef, exams: Mapping[str, Mapping[str, Any]]) -> tuple[ExamScore, ...]:
    found: list[ExamScore | None] = []
    for facts in exams.values():
        arms = facts["arms"]
        own = [
            name for name, arm in arms.items()
            if arm["kind"] == "model" and not arm["open_book"] and arm.get("ref", {}).get("revision") == ref.revision
        ]  # fmt: skip
        for exam, told in facts["exams"].items():
            found += [_score(exam, told["arms"][name]) for name in own[:1] if name in told["arms"]]
    return tuple(score for score in found if score is not None)


def _score(exam: str, told: Mapping[str, Any]) -> ExamScore | None:
    accuracy = told["accuracy"]
    if accuracy is None or accuracy["value"] is None:
        return None
    return ExamScore(
        exam=exam, items=told["n"], accuracy=accuracy["value"], low=max(0.0, accuracy["low"]), high=accuracy["high"],
        chance=told["chance"], at_chance=told["at_chance"],
    )  # fmt: skip


def _moment(iso: str) -> int:
    return int(datetime.fromisoformat(iso).timestamp()) if iso else 0
