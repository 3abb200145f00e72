"""Drift: a default that changed under an artifact already made.

Settings left at their default are not part of an identity, so that new settings can be added
without making everything anew. The price: when a default *changes*, the old artifact has the
same address. The record keeps every setting, so this is seen and refused.
"""

from gnomon.core.errors import DriftError
from gnomon.core.hashing import plain
from gnomon.core.wording import say
from gnomon.runs.record import Record
from gnomon.runs.step import Step


def drifted(step: Step, record: Record) -> dict[str, tuple[object, object]]:
    """Settings that differ between a record and the step of the same identity: (recorded, now)."""
    current = plain(step.config)
    return {
        name: (old, current[name]) for name, old in record.config.items() if name in current and current[name] != old
    }


def refuse_drift(step: Step, record: Record) -> None:
    """Raise if a default changed since the artifact was made.

    Raises:
        DriftError: With both values of each setting and the cure.
    """
    changes = drifted(step, record)
    if changes:
        told = "; ".join(f"{name}: made with {old!r}, default now {new!r}" for name, (old, new) in changes.items())
        raise DriftError(
            say(f"{step.name}: a default changed under {record.address} ({told}).",
                f"{step.name}: 既存の成果物 {record.address} の後に既定値が変わった ({told})。"),
            say("Set the old value in the recipe, or raise the step's version.",
                "レシピで以前の値を指定するか、ステップのバージョンを上げる。"),
        )  # fmt: skip
