"""The state of a workspace: experts, their parts and how far each is, sizes, counts, costs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gnomon.cli.output import count, safe, seconds, size, table
from gnomon.core.errors import GnomonError
from gnomon.core.files import read_json
from gnomon.core.records import Expert
from gnomon.core.wording import say
from gnomon.runs.experts import KIND as EXPERTS
from gnomon.runs.experts import open_expert
from gnomon.runs.gc import folder_bytes
from gnomon.runs.lineage import upstream
from gnomon.runs.models import models_of
from gnomon.runs.record import Record
from gnomon.runs.workspace import Workspace

if TYPE_CHECKING:
    from rich.console import Console

STATES_JA = {"made": "完成", "filling": "作成中", "missing": "なし"}


def state(workspace: Workspace, name: str = "") -> dict[str, Any]:
    """The state of a workspace, or of one expert of it, as JSON types."""
    names = workspace.names(EXPERTS)
    newest = open_expert(workspace).name if names else ""
    chosen = [open_expert(workspace, name)] if name else [open_expert(workspace, each) for each in names]
    return {
        "workspace": workspace.url,
        "bytes": sum(_space(workspace).values()),
        "space": _space(workspace),
        "answers": len(workspace.names("answers")),
        "experts": [{**_expert_row(workspace, expert), "newest": expert.name == newest} for expert in chosen],
    }


def _space(workspace: Workspace) -> dict[str, int]:
    """Bytes below the workspace, by folder."""
    found: dict[str, int] = {}
    for kind in ("runs", "stores", "cache"):
        folder = f"{workspace.root}/{kind}"
        if kind == "cache":
            found[kind] = folder_bytes(workspace.local / kind)
        else:
            found[kind] = int(workspace.fs.du(folder)) if workspace.fs.exists(folder) else 0
    return found


def _expert_row(workspace: Workspace, expert: Expert) -> dict[str, Any]:
    addresses = [address for _, address in expert.parts]
    records = upstream(workspace, addresses)
    models = models_of(workspace, dict(expert.parts))
    return {
        "name": expert.name, "recipe": expert.recipe, "made": expert.made,
        "parts": [_part_row(workspace, role, address, records) for role, address in expert.parts],
        "models": [{"role": role, "same": list(same)} for role, same in models.items()],
        "steps": [_step_row(record) for record in records],
        "cost_usd": round(sum(record.cost_usd for record in records), 6),
        "seconds": round(sum(record.seconds for record in records), 1),
    }  # fmt: skip


def _part_row(workspace: Workspace, role: str, address: str, records: list[Record]) -> dict[str, Any]:
    record = workspace.record(address)
    done: int | None
    row: dict[str, Any] = {"role": role, "address": address, "state": "made", "done": None, "of": None}
    if record is not None:
        return row
    if role.startswith("vectors"):
        done, of = _vectors_done(workspace, address)
        if of:
            return {**row, "state": "filling", "done": done, "of": of}
    done = _shards_done(workspace, address)
    chunks = [r.counts.made.get("chunks", 0) for r in records if r.counts.made.get("chunks")]
    if done is None:
        return {**row, "state": "missing"}
    return {**row, "state": "filling", "done": done, "of": max(chunks, default=None)}


def _vectors_done(workspace: Workspace, address: str) -> tuple[int | None, int]:
    """Vectors there are already, and how many there will be; 0 when the step has not begun."""
    from gnomon.knowledge.vectorside import VectorSide

    try:
        stats = VectorSide(workspace, address).stats()
    except GnomonError:
        return None, 0
    return int(stats["rows"]), int(stats["of"])


def _shards_done(workspace: Workspace, address: str) -> int | None:
    """Records in the finished shards of a step that is not finished; None when it was not begun."""
    shards = workspace.local / "runs" / address / "shards"
    if not shards.is_dir():
        return None
    return sum(int(read_json(path)["counts"]["kept"]) for path in sorted(shards.glob("*.json")))


def _step_row(record: Record) -> dict[str, Any]:
    counts = record.counts
    return {
        "step": record.name, "address": record.address, "taken": counts.taken, "kept": counts.kept,
        "dropped": dict(counts.dropped), "made": dict(counts.made), "seconds": record.seconds,
        "bytes": sum(file.bytes for file in record.files), "cost_usd": record.cost_usd,
    }  # fmt: skip


def show_state(out: "Console", row: Mapping[str, Any]) -> None:
    """Print the state of a workspace for a person."""
    space = " · ".join(f"{kind} {size(number)}" for kind, number in row["space"].items())
    out.print(f"{row['workspace']}  {size(row['bytes'])}  ({space})", style="dim")
    if not row["experts"]:
        out.print(
            say(
                "No experts yet. Make one with `gnomon run quickstart` or `gnomon build FOLDER`.",
                "エキスパートはまだない。`gnomon run quickstart` か `gnomon build フォルダ` で作る。",
            )
        )
    for expert in row["experts"]:
        _show_expert(out, expert)


def _show_expert(out: "Console", expert: Mapping[str, Any]) -> None:
    from rich.text import Text

    newest = say("  newest", "  最新") if expert["newest"] else ""
    head = Text.assemble(("\n" + safe(expert["name"]), "bold"), (newest, "cyan"))
    spent = seconds(expert["seconds"])
    told = say(f"  recipe {expert['recipe']}, {spent}, {expert['cost_usd']:.2f} USD, {expert['made']}",
               f"  レシピ {expert['recipe']}、{spent}、{expert['cost_usd']:.2f} USD、{expert['made']}")  # fmt: skip
    out.print(head.append(told, style="dim"))
    for line in _part_lines(expert):
        out.print("  " + safe(line))
    taken, kept, space, took = say("taken", "入力"), say("kept", "残り"), say("size", "容量"), say("time", "時間")
    columns = (say("step", "ステップ"), taken, kept, say("left out", "除外"), say("made", "作成"), space, took)
    shown = table(*columns, right=(taken, kept, space, took))
    for step in expert["steps"]:
        lost = ", ".join(f"{reason} {count(n)}" for reason, n in sorted(step["dropped"].items()))
        made = ", ".join(f"{count(n)} {kind}" for kind, n in sorted(step["made"].items()))
        shown.add_row(f"{step['step']} {step['address'].rpartition('/')[2][:8]}", count(step["taken"]),
                      count(step["kept"]), safe(lost), made, size(step["bytes"]), seconds(step["seconds"]))  # fmt: skip
    out.print(shown)


def _part_lines(expert: Mapping[str, Any]) -> list[str]:
    """Models in the order in which they came to be, other parts that are made, and each that is not yet."""
    made = {part["role"] for part in expert["parts"] if part["state"] == "made"}
    models = [" = ".join([row["role"], *row["same"]]) for row in expert["models"] if row["role"] in made]
    taken = {role for row in expert["models"] for role in (row["role"], *row["same"])}
    others = [part["role"] for part in expert["parts"] if part["role"] in made - taken]
    lines = [say("models made: ", "完成したモデル: ") + " · ".join(models)] if models else []
    lines += [say("made: ", "完成: ") + " · ".join(others)] if others else []
    open_parts = [part_words(part) for part in expert["parts"] if part["state"] != "made"]
    return lines + ([" · ".join(open_parts)] if open_parts else [])


def part_words(part: Mapping[str, Any]) -> str:
    """A part and how far it is: ``index made``, ``vectors filling: 512 of 4,000``."""
    told = say(part["state"], STATES_JA[part["state"]])
    if part["state"] == "filling":
        of = say(" of ", "／") + count(part["of"]) if part["of"] else ""
        told += f": {count(part['done'])}{of}"
    return f"{part['role']} {told}"
