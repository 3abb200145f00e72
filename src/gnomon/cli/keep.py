"""``remove`` and ``gc``: taking things out, in two very different senses.

``remove`` makes the expert again without some documents; everything made before stays on disk
until ``gc`` deletes what no expert needs.
"""

import json

import click

from gnomon.cli import recipes
from gnomon.cli.output import console, count, print_json, safe, size, table
from gnomon.cli.session import Session, command
from gnomon.core.errors import InputError, NotFound
from gnomon.core.records import Expert
from gnomon.core.wording import say
from gnomon.runs.workspace import Workspace


@command(
    "Take documents out of an expert: its recipe runs again without them, and only what they touch is made anew.",
    "エキスパートから文書を取り除く。その文書抜きでレシピを再実行し、関わる部分だけを作り直す。",
)
@click.argument("id", nargs=-1, required=True, metavar="ID…")
@click.option("--undo", is_flag=True, help=say("Put them back in.", "取り除いた文書を戻す。"))
def remove(session: Session, id: tuple[str, ...], *, undo: bool) -> int:
    """Run an expert's recipe again with other documents removed."""
    from gnomon.cli.build import execute

    workspace = session.workspace()
    expert = session.expert(workspace)
    before = set(json.loads(expert.arguments).get("removed", []))
    named = _undone(id, before) if undo else _known(workspace, expert, id, before)
    after = before - named if undo else before | named
    if after == before:
        raise InputError(say("These documents are removed already.", "これらの文書はすでに取り除かれている。"))
    return execute(session, workspace, recipes.again(expert, sorted(after)))


def _undone(ids: tuple[str, ...], removed: set[str]) -> set[str]:
    unknown = [each for each in ids if each not in removed]
    if unknown:
        raise NotFound(
            say(f"Never removed: {', '.join(unknown)}.", f"取り除かれていない: {', '.join(unknown)}。"),
            say("Removed now: ", "取り除かれているもの: ") + (", ".join(sorted(removed)) or "-"),
        )
    return set(ids)


def _known(workspace: Workspace, expert: Expert, ids: tuple[str, ...], removed: set[str]) -> set[str]:
    """The ids as the expert's documents bear them.

    Raises:
        NotFound: The expert has no such document; the hint says where it was left out, if it was.
    """
    from gnomon.runs.lineage import IN_LIBRARY, expert_chain
    from gnomon.runs.walker import Walker

    walker = Walker(expert_chain(workspace, expert))
    found: set[str] = set()
    for each in ids:
        link = walker.document(each)
        state = link.facts["state"] if link is not None else ""
        if link is None or (state != IN_LIBRARY and link.id not in removed):
            cure = say("`gnomon search` shows ids.", "ID は `gnomon search` でわかる。")
            raise NotFound(
                say(f"Expert {expert.name!r} has no document {each!r}.",
                    f"エキスパート {expert.name!r} に文書 {each!r} はない。"),
                say(f"It was {state}.", f"理由: {state}。") if state else cure,
            )  # fmt: skip
        found.add(link.id)
    return found


@command(
    "List what no expert needs, with sizes; --yes deletes it. Deleted artifacts leave their record behind, so that"
    " old answers can still be walked back.",
    "どのエキスパートにも要らないものを容量付きで一覧する。--yes で削除する。"
    "削除しても記録は残るので、古い回答も遡れる。",
)
@click.option("--yes", is_flag=True, help=say("Delete it.", "実際に削除する。"))
def gc(session: Session, *, yes: bool) -> int:
    """List, or delete, what no expert needs."""
    from gnomon.runs.gc import collect, garbage

    workspace = session.workspace()
    found = garbage(workspace)
    freed = collect(workspace, found) if yes else 0
    total = sum(item.bytes for item in found)
    if session.json:
        rows = [{"address": g.address, "what": g.what, "bytes": g.bytes, "stores": list(g.stores)} for g in found]
        print_json({"garbage": rows, "bytes": total, "deleted": yes, "freed": freed})
        return 0
    out = console()
    if found:
        shown = table(say("artifact", "成果物"), say("what", "種類"), say("size", "容量"), say("stores", "ストア"),
                      right=(say("size", "容量"),))  # fmt: skip
        for item in found:
            shown.add_row(safe(item.address), item.what, size(item.bytes), ", ".join(item.stores))
        out.print(shown)
    out.print(_told(len(found), total, deleted=yes))
    return 0


def _told(number: int, total: int, *, deleted: bool) -> str:
    if not number:
        return say("Nothing to delete: every artifact is needed by an expert.", "削除するものはない。")
    if deleted:
        return say(f"Deleted {count(number)}, {size(total)}.", f"{count(number)} 件、{size(total)} を削除した。")
    return say(f"{count(number)} not needed, {size(total)}. Delete with: gnomon gc --yes",
               f"{count(number)} 件、{size(total)} が不要。削除するには: gnomon gc --yes")  # fmt: skip
