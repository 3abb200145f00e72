"""Where the models come from: each with its parents, its licence, its size, and the text it was trained on."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from gnomon.core.wording import say
from gnomon.evaluation.report.models.names import MODELS, SOURCES, STAGES
from gnomon.research.opened import OpenExpert
from gnomon.serving.facts.corpus import Frozen
from gnomon.serving.facts.gathered import report_facts

SIDE = frozenset(("control", "embedder", "majority"))
"""Models that were made or taken to measure others."""


class Shown(Frozen):
    """A source of text that a model was trained on."""

    source: str = Field(description="Its name in the reader's language.", examples=["domain"])
    tokens: int = Field(description="Tokens of it.")
    share: float = Field(description="Its share of all tokens.")


class Relative(Frozen):
    """A model of the expert in its pedigree."""

    role: str = Field(description="Its role in the expert.", examples=["specialised"])
    words: str = Field(description="Its role in the reader's language.")
    name: str = Field(description="What the model is called.")
    revision: str = Field(description="Hash of its weights, or its commit on the hub.")
    stage: str = Field(description="How it was made, in the reader's language.", examples=["merged"])
    step: str = Field(description="The step that made it; empty when it was not made here.")
    address: str = Field(description="The artifact; `gnomon lineage` walks it back.")
    parents: tuple[str, ...] = Field(description="Roles of the models it was made from.")
    outside: tuple[str, ...] = Field(description="Models made elsewhere that it comes from.")
    licence: str = Field(description="Its licence; empty when none is stated.")
    parameters: int | None = Field(description="How many; null when they cannot be read.")
    tokens: int | None = Field(description="Tokens it was trained on here; null when it was not trained here.")
    shown: tuple[Shown, ...] = Field(description="Of what text these are.")
    depth: int = Field(description="Generations below a model that was not made here.")
    main: bool = Field(description="Whether it stands on the way to the final model.")


def pedigree(opened: OpenExpert) -> tuple[Relative, ...]:
    """The models of an expert, each after those it was made from; empty without models."""
    model = report_facts(opened).get("model") or {}
    rows = {row["model"]: row for row in model.get("pedigree", ())}
    packs = {user: pack for pack in model.get("tokens", ()) for user in pack["used_by"]}
    own = {role for role, _ in opened.expert.parts}
    chosen = _ancestors(rows, next((name for name in ("final", "specialised") if name in rows), ""), opened)
    found = [_relative(row, packs.get(name), main=name in chosen) for name, row in rows.items()
             if (name in own and name not in SIDE) or name in chosen]  # fmt: skip
    return tuple(sorted(found, key=lambda one: one.depth))


def _ancestors(rows: Mapping[str, Mapping[str, Any]], name: str, opened: OpenExpert) -> set[str]:
    """A model and all it was made from; of the candidates of a choice only the one that was chosen."""
    if name not in rows:
        return set()
    parents = [parent for parent in rows[name]["parents"] if parent in rows]
    if rows[name]["stage"] == "choose":
        same = opened.models.get(name, ())
        parents = [parent for parent in parents if parent in same] or parents
    return {name, *(one for parent in parents for one in _ancestors(rows, parent, opened))}


def _relative(row: Mapping[str, Any], pack: Mapping[str, Any] | None, *, main: bool) -> Relative:
    ref, trained = row["ref"], row["trained"]
    sources = pack["sources"] if pack is not None and trained else ()
    return Relative(
        role=row["model"], words=say(*MODELS.get(row["model"], (row["model"],) * 2)), name=ref["name"],
        revision=str(ref.get("revision", "")), stage=say(*STAGES.get(row["stage"], (row["stage"],) * 2)),
        step=row["stage"], address=row["address"], parents=tuple(row["parents"]), outside=tuple(row["outside"]),
        licence=ref.get("licence") or "", parameters=row["parameters"], tokens=trained.get("tokens"),
        depth=row["depth"], main=main,
        shown=tuple(Shown(source=say(*SOURCES.get(one["name"], (one["name"],) * 2)), tokens=one["tokens"],
                          share=one["share"]) for one in sources),
    )  # fmt: skip
