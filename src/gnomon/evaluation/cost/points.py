"""Points: what stands on a chart of cost and accuracy, and where its cost comes from.

A cost is measured (the call log), computed (a price by the hour over measured speed) or stated. What has none stands on
the edge of the chart with its accuracy alone; nothing is guessed. Published models were measured on AstroMLab-1: unless
that is the paper our arms sat, they are for scale only and share no front with them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnomon.core.files import read_json
from gnomon.evaluation.exam.facts import PER_TOKENS

TOKENS, QUESTION = "tokens", "question"
VIEWS = (TOKENS, QUESTION)
PUBLISHED = Path(__file__).parent / "published.json"
OURS, PROPRIETARY, OPEN_WEIGHTS, SPECIALISED = "ours", "proprietary", "open", "specialised"
HOUR = 3600.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """One model, or one arm of an exam."""

    name: str
    """What it is called."""
    kind: str
    """``ours``, or for published models ``proprietary``, ``open`` or ``specialised``."""
    accuracy: float
    """Share of right answers."""
    low: float | None = None
    """Lower end of its 95 % interval, None when not known."""
    high: float | None = None
    """Upper end."""
    n: int | None = None
    """Questions it rests on."""
    usd_tokens: float | None = None
    """USD per 0.1 M tokens, None when not known."""
    usd_question: float | None = None
    """USD per question, None when not known."""
    open_book: bool = False
    """Whether it had the library at hand."""
    source: str = ""
    """Where the accuracy comes from."""
    price: str = ""
    """Where the cost comes from."""

    def usd(self, view: str) -> float | None:
        """Its cost on an axis; a cost of nothing has no place on a logarithmic one."""
        value = self.usd_tokens if view == TOKENS else self.usd_question
        return value if value else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Prices:
    """What makes a cost of what was measured."""

    usd_per_hour: float | None = None
    """Price of the machine on which local models ran; None when nobody says."""
    stated: Mapping[str, float] | None = None
    """USD per 0.1 M tokens by arm or model, where neither log nor clock tells."""


def published_points() -> list[Point]:
    """Published results on AstroMLab-1 with list prices, half of the tokens read and half written."""
    rows = read_json(PUBLISHED)["models"]
    blended = {row["name"]: sum(row["usd_per_million"]) / 2 * PER_TOKENS / 1e6 for row in rows
               if "usd_per_million" in row}  # fmt: skip
    for row in rows:
        if "share_of" in row:
            other, share = row["share_of"]
            blended[row["name"]] = blended[other] * share
    return [
        Point(name=row["name"], kind=row["kind"], accuracy=row["accuracy"], usd_tokens=blended.get(row["name"]),
              source=row["source"], price=row.get("price_source", ""))
        for row in rows
    ]  # fmt: skip


def benchmark_of() -> str:
    """What published models sat."""
    return str(read_json(PUBLISHED)["benchmark"])


def our_points(facts: Mapping[str, Any], paper: str, speed: Mapping[str, Any], prices: Prices) -> list[Point]:
    """The arms of an exam that scored anything, chance apart.

    Args:
        facts: ``exam.json``.
        paper: Which of its papers.
        speed: ``metrics["speed"]`` of its record, for that paper.
        prices: What makes a cost of it.
    """
    found = []
    for name in facts["order"]["arms"]:
        row, about = facts["exams"][paper]["arms"].get(name), facts["arms"][name]
        if row is None or row["accuracy"] is None or about["kind"] == "chance":
            continue
        accuracy = row["accuracy"]
        found.append(Point(
            name=about["label"], kind=OURS, accuracy=accuracy["value"], low=accuracy["low"], high=accuracy["high"],
            n=row["n"], open_book=about["open_book"], **_cost(name, about, row, speed.get(name, {}), prices),
        ))  # fmt: skip
    return found


def _cost(
    name: str, about: Mapping[str, Any], row: Mapping[str, Any], speed: Mapping[str, Any], prices: Prices
) -> dict[str, Any]:
    if row["usd_per_question"] is not None:
        return {"usd_tokens": row["usd_per_100k_tokens"], "usd_question": row["usd_per_question"], "price": "call_log"}
    stated = (prices.stated or {}).get(name, (prices.stated or {}).get(about.get("model", "")))
    tokens = row["tokens_in"] + row["tokens_out"]
    if stated is not None:
        question = stated * tokens / PER_TOKENS / row["asked"] if tokens and row.get("asked") else None
        return {"usd_tokens": stated, "usd_question": question, "price": "stated"}
    second = None if prices.usd_per_hour is None else prices.usd_per_hour / HOUR
    if second is None or not speed.get("items_per_second"):
        return {}
    rate = speed.get("tokens_per_second")
    return {
        "usd_tokens": second / rate * PER_TOKENS if rate else None, "usd_question": second / speed["items_per_second"],
        "price": "clock",
    }  # fmt: skip


def front(points: Sequence[Point], view: str) -> list[Point]:
    """The Pareto front: those to which none is both cheaper and better, from the cheapest."""
    priced = sorted((p for p in points if p.usd(view)), key=lambda p: (p.usd(view) or 0.0, -p.accuracy))
    found: list[Point] = []
    for point in priced:
        if not found or point.accuracy > found[-1].accuracy:
            found.append(point)
    return found
