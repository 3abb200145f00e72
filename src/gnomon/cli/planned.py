"""A plan in words: one row a step, and one a model that a step would call."""

from collections.abc import Sequence
from typing import Any

from gnomon.cli.output import console
from gnomon.core.estimates import Calls, Range
from gnomon.core.wording import say
from gnomon.runs.plan import PlannedStep


def plan_row(line: PlannedStep) -> dict[str, Any]:
    """A step of a plan as JSON types; ``calls`` is there for steps that ask models."""
    guess = line.estimate
    row: dict[str, Any] = {
        "step": line.step.name, "address": line.step.address, "state": line.state, "why": line.why, "estimate": None,
    }  # fmt: skip
    if guess is not None:
        row["estimate"] = {
            "hours": guess.hours, "memory_bytes": guess.memory_bytes, "disk_bytes": guess.disk_bytes, "usd": guess.usd,
        }  # fmt: skip
        if guess.calls:
            row["estimate"]["calls"] = [_calls_row(one) for one in guess.calls]
    return row


def _calls_row(one: Calls) -> dict[str, Any]:
    """Calls to one model; every amount as ``[least, most]``, ``most`` or the whole null where it is not known."""
    amounts = {"calls": one.calls, "tokens_in": one.tokens_in, "tokens_out": one.tokens_out,
               "usd": one.usd, "hours": one.hours}  # fmt: skip
    ranges = {name: None if amount is None else [amount.least, amount.most] for name, amount in amounts.items()}
    return {"model": one.model, **ranges, "why": one.why}


def show_plan(lines: Sequence[PlannedStep]) -> None:
    """Print a plan as a table, the calls to models below it."""
    from gnomon.cli.output import table

    shown = table(say("step", "ステップ"), say("state", "状態"), say("why", "理由"), say("time", "時間"),
                  say("memory", "メモリ"), say("disk", "ディスク"), "USD",
                  right=(say("time", "時間"), say("memory", "メモリ"), say("disk", "ディスク"), "USD"))  # fmt: skip
    for line in lines:
        name = f"{line.step.name} {line.step.identity[:8]}"
        shown.add_row(name, state_name(line.state), line.why, *_costs(line))
    out = console()
    out.print(shown)
    _show_calls(lines)
    waiting = sum(line.state in {"run", "resume"} for line in lines)
    out.print(say(f"{waiting} of {len(lines)} steps would run.", f"{len(lines)} ステップ中 {waiting} を実行する。"))


def _costs(line: PlannedStep) -> list[str]:
    """Time, memory, disk and money; of a step that asks models the largest amount, or that it is not known."""
    from gnomon.cli.output import seconds, size

    guess = line.estimate
    if guess is None:
        return ["", "", "", ""]
    unknown = say("unknown", "不明")
    space = ["", ""] if guess.calls else [size(guess.memory_bytes), size(guess.disk_bytes)]
    most = "≤ " if guess.calls else ""
    return [
        unknown if guess.hours is None else most + seconds(guess.hours * 3600), *space,
        unknown if guess.usd is None else f"{most}{guess.usd:.2f}",
    ]  # fmt: skip


def _show_calls(lines: Sequence[PlannedStep]) -> None:
    from gnomon.cli.output import safe, table

    asking = [(line, one) for line in lines if line.estimate is not None for one in line.estimate.calls]
    if not asking:
        return
    numbers = (say("calls", "呼び出し"), say("tokens in", "入力トークン"), say("tokens out", "出力トークン"), "USD",
               say("hours", "時間"))  # fmt: skip
    shown = table(say("step", "ステップ"), say("model", "モデル"), *numbers, say("rests on", "根拠"), right=numbers)
    for line, one in asking:
        amounts = (_amount(one.calls), _amount(one.tokens_in), _amount(one.tokens_out), _amount(one.usd, ".2f"),
                   _amount(one.hours, ".2f"))  # fmt: skip
        shown.add_row(line.step.name, safe(one.model), *amounts, safe(one.why))
    console().print(shown)


def _amount(amount: Range | None, form: str = ",.0f") -> str:
    """A range in words: one figure when it is exact, and what is not known said so."""
    if amount is None or (amount.most is None and not amount.least):
        return say("unknown", "不明")
    if amount.most is None:
        return say(f"{amount.least:{form}} or more", f"{amount.least:{form}} 以上")
    least, most = f"{amount.least:{form}}", f"{amount.most:{form}}"
    return most if least == most else f"{least}–{most}"


def state_name(state: str) -> str:
    """A plan's state in the reader's language."""
    names = {"made": "作成済み", "resume": "続きから", "run": "実行", "drift": "既定値が変化"}
    return say(state, names.get(state, state))
