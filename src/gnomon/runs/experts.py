"""Experts: the pointers that commands open.

An expert is published as soon as the parts it cannot do without are made, and again whenever
another part is; a part that is not made yet is named all the same, so readers can tell how far
it is.
"""

from collections.abc import Mapping

from gnomon.core.errors import NotFound
from gnomon.core.hashing import canonical_json
from gnomon.core.records import Expert
from gnomon.core.tables import to_row
from gnomon.core.wording import say
from gnomon.runs.record import Record, now
from gnomon.runs.step import Recipe
from gnomon.runs.workspace import Workspace

KIND = "experts"


def publish_expert(recipe: Recipe, workspace: Workspace, made: Mapping[str, Record]) -> None:
    """Point the recipe's expert at its parts, once the parts it needs are made."""
    serve = recipe.serve
    if serve is None or any(serve.parts[role].address not in made for role in serve.needed):
        return
    parts = tuple(sorted((role, step.address) for role, step in serve.parts.items()))
    arguments = canonical_json(recipe.arguments)
    old = _load(workspace, serve.name)
    if old is not None and (old.parts, old.arguments, old.recipe) == (parts, arguments, recipe.name):
        return
    expert = Expert(name=serve.name, recipe=recipe.name, arguments=arguments, parts=parts, made=now())
    workspace.save(KIND, serve.name, to_row(expert))


def open_expert(workspace: Workspace, name: str = "") -> Expert:
    """The expert of a name, or the newest one.

    Raises:
        NotFound: The workspace has no such expert; the message lists those it has.
    """
    names = workspace.names(KIND)
    known = [e for e in (_load(workspace, n) for n in names) if e is not None]
    chosen = [e for e in known if e.name == name] if name else sorted(known, key=lambda e: (e.made, e.name))[-1:]
    if chosen:
        return chosen[0]
    wanted = repr(name) if name else say("at all", "ひとつも")
    raise NotFound(
        say(f"{workspace.url} has no expert {wanted}; it has: {', '.join(names) or 'none'}.",
            f"{workspace.url} にエキスパート {wanted} はない。あるもの: {', '.join(names) or 'なし'}。"),
        say("Make one with `gnomon run quickstart` or `gnomon build FOLDER`.",
            "`gnomon run quickstart` か `gnomon build フォルダ` で作る。"),
    )  # fmt: skip


def part(expert: Expert, role: str) -> str:
    """The address of one part of an expert.

    Raises:
        NotFound: The expert has no such part.
    """
    addresses = dict(expert.parts)
    if role not in addresses:
        raise NotFound(f"Expert {expert.name!r} has no {role}; it has: {', '.join(sorted(addresses))}.")
    return addresses[role]


def _load(workspace: Workspace, name: str) -> Expert | None:
    row = workspace.load(KIND, name)
    if row is None:
        return None
    row["parts"] = tuple((role, address) for role, address in row["parts"])
    return Expert(**row)
