"""Expected calls: what calls to a model that were not made yet will come to.

Tokens are guessed from characters, because tokenizers differ: five to three characters of Latin script a token, 0.45 to
1.2 tokens a character of Japanese, as with the vocabularies of large models; a small one, or one without Japanese, can
need twice as many. Money is by the prices of ``gnomon.toml``; a price that is not stated is unknown,
never nothing. Time is told only by calls of the same model that the workspace's log holds: seconds a generated token,
at the stated concurrency, and no faster than ``calls_per_minute``.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from gnomon.core.estimates import Calls, Range, exactly
from gnomon.core.settings import ModelPlace, Settings
from gnomon.core.wording import say
from gnomon.llm.call_log import FILE

WIDE = 0x2E80
"""From here on a character is of an East Asian script, by and large."""
LATIN = Range(least=1 / 5, most=1 / 3)
"""Tokens a character of Latin script."""
EAST_ASIAN = Range(least=0.45, most=1.2)
"""Tokens a character of Japanese."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """Calls and their tokens, whoever is asked."""

    calls: Range
    """How many."""
    tokens_in: Range
    """Prompt tokens of all of them."""
    tokens_out: Range
    """Generated tokens of all of them."""

    def __add__(self, other: "Load") -> "Load":
        return Load(
            calls=self.calls + other.calls, tokens_in=self.tokens_in + other.tokens_in,
            tokens_out=self.tokens_out + other.tokens_out,
        )  # fmt: skip


NOTHING = Load(calls=exactly(0), tokens_in=exactly(0), tokens_out=exactly(0))


def tokens_of(text: str) -> Range:
    """Tokens of a text, as tokenizers differ."""
    wide = sum(ord(character) >= WIDE for character in text)
    return exactly(wide) * EAST_ASIAN + exactly(len(text) - wide) * LATIN


def tokens_of_characters(characters: int) -> Range:
    """Tokens of up to so many characters of a text that is not known yet: none, or all of them Japanese."""
    return Range(least=0, most=characters * (EAST_ASIAN.most or 0.0))


def is_endpoint(model: str, settings: Settings) -> bool:
    """Whether a model is reached at an address, so that each call is made over a wire."""
    place = settings.models.get(model)
    return place is not None and place.url.startswith("http")


def expected(model: str, load: Load, settings: Settings, cache: Path, why: str = "") -> Calls:
    """What some calls to a model are expected to come to.

    Args:
        model: Its name.
        load: The calls.
        settings: The machine.
        cache: The folder of the call log.
        why: What the number of calls rests on.
    """
    place = settings.models.get(model, ModelPlace())
    usd, unpriced = _usd(model, load, settings)
    hours, pace = _hours(model, load, place, cache)
    reasons = [reason for reason in (why, unpriced, pace) if reason]
    return Calls(
        model=model, calls=load.calls, tokens_in=load.tokens_in, tokens_out=load.tokens_out, usd=usd, hours=hours,
        why=say("; ", "；").join(reasons),
    )  # fmt: skip


def _usd(model: str, load: Load, settings: Settings) -> tuple[Range | None, str]:
    """Money, and why it is not known."""
    place = settings.models.get(model, ModelPlace())
    into, out = place.usd_per_million_tokens, place.usd_per_million_output_tokens
    if into is not None and out is not None:
        return load.tokens_in * exactly(into / 1e6) + load.tokens_out * exactly(out / 1e6), ""
    if not is_endpoint(model, settings):
        return None, say("no endpoint is stated: weights on this machine, which have no price a call",
                         "エンドポイントの指定がない: この計算機の重みで動き、呼び出しごとの価格はない")  # fmt: skip
    return None, say(f'no price is stated under [models."{model}"] in gnomon.toml',
                     f'gnomon.toml の [models."{model}"] に価格の記載がない')  # fmt: skip


def _hours(model: str, load: Load, place: ModelPlace, cache: Path) -> tuple[Range | None, str]:
    """Time, and what it rests on."""
    per_minute = place.calls_per_minute
    slowest = load.calls * exactly(1 / per_minute / 60) if per_minute else exactly(0)
    calls, pace = _pace(cache / FILE, model)
    if not calls:
        return None, say("no earlier call tells how fast it answers", "応答の速さを示す過去の呼び出しがない")
    told = load.tokens_out * exactly(pace / max(1, place.concurrency) / 3600)
    most = None if told.most is None or slowest.most is None else max(told.most, slowest.most)
    hours = Range(least=max(told.least, slowest.least), most=most)
    return hours, say(f"as fast a token as its {calls} earlier calls, {place.concurrency} at once",
                      f"過去の {calls} 回の呼び出しと同じ速さで、同時に {place.concurrency} 件とした場合")  # fmt: skip


def _pace(log: Path, model: str) -> tuple[int, float]:
    """(calls in the log, their seconds a generated token); a plan only reads, so no log is begun here."""
    if not log.is_file():
        return 0, 0.0
    query = "SELECT COUNT(*), SUM(seconds), SUM(tokens_out) FROM calls WHERE model = ? AND tokens_out > 0"
    try:
        with closing(sqlite3.connect(f"{log.absolute().as_uri()}?mode=ro", uri=True)) as database:
            calls, seconds, tokens = database.execute(query, (model,)).fetchone()
    except sqlite3.Error:  # in use, or of a version that knows more: no plan fails for want of a guess
        return 0, 0.0
    return (calls, seconds / tokens) if calls else (0, 0.0)
