"""Voices: who can answer here, told honestly.

A voice is the extractive one, a model of the expert that can chat, or an endpoint of ``gnomon.toml``. Nothing else
answers over a network: above all no folder of this machine, which a command line may name.
"""

from typing import Literal

from pydantic import Field

from gnomon.core.errors import NotFound
from gnomon.core.wording import say
from gnomon.research.ask import VOICE as EXTRACTIVE
from gnomon.research.opened import OpenExpert
from gnomon.serving.facts.checking import Frozen
from gnomon.serving.facts.models import ModelFacts, models


class Voice(Frozen):
    """Who may be asked."""

    id: str = Field(description="By which it is asked for: `extractive`, a model's role, a name of `gnomon.toml`.")
    kind: Literal["extractive", "model", "endpoint"] = Field(description="Where its words come from.")
    also: tuple[str, ...] = Field(description="Other names of the same.")
    name: str = Field(description="What it is called.")
    about: str = Field(description="What it is, and how it did in the exam, in the reader's language.")
    manner: str = Field(description="How it answers.")
    follows: bool = Field(description="Whether it takes earlier questions into account.")


def voices(opened: OpenExpert) -> tuple[Voice, ...]:
    """Every voice: the extractive one first, then the expert's models with the last-made first, then endpoints."""
    own = [_of_model(facts) for facts in reversed(models(opened)) if facts.chats]
    return (_extractive(), *own, *_endpoints(opened))


def voice(opened: OpenExpert, name: str) -> Voice:
    """The voice of a name.

    Raises:
        NotFound: There is no such voice.
    """
    known = voices(opened)
    for one in known:
        if name == one.id or name in one.also:
            return one
    raise NotFound(
        say(f"There is no voice {name[:80]!r} here.", f"{name[:80]!r} という声はここにない。"),
        say(
            f"Ask one of: {', '.join(one.id for one in known)}.", f"次から選ぶ: {', '.join(one.id for one in known)}。"
        ),
    )


def _extractive() -> Voice:
    return Voice(
        id=EXTRACTIVE, kind="extractive", also=(), name=say("Verbatim sentences", "原文の引用"), follows=False,
        about=say("Writes nothing: it chooses sentences of the library and shows them as they stand.",
                  "何も書かない。質問に合う文を文献から選び、そのまま示す。"),
        manner=say("It takes each question by itself.", "前の質問は踏まえない。"),
    )  # fmt: skip


def _of_model(facts: ModelFacts) -> Voice:
    return Voice(
        id=facts.id, kind="model", also=facts.also, name=facts.name, follows=True,
        about=say(" ", "").join(filter(None, (_origin(facts), _exam(facts)))), manner=_writing(),
    )  # fmt: skip


def _writing() -> str:
    return say("It writes in its own words from quotes of the library; what the checks do not believe is marked.",
               "文献の引用をもとに自分の言葉で書く。確認できない文には印が付く。")  # fmt: skip


def _origin(facts: ModelFacts) -> str:
    parts = " + ".join(f"{share.role} {100 * share.weight:.0f}\u202f%" for share in facts.merged)
    if parts:
        return say(f"A {facts.method} merge of {parts}.", f"{parts} を {facts.method} で合成したモデル。")
    if facts.made_by.startswith("training/adopt"):
        return say("Taken as it was published; it has learnt nothing from this library.",
                   "公開されたままのモデル。この文献からは何も学んでいない。")  # fmt: skip
    return say("Trained here, on this library.", "この文献でここで学習したモデル。")


def _exam(facts: ModelFacts) -> str:
    if not facts.scores:
        return ""
    score = facts.scores[0]
    mean, low, high, chance = (f"{100 * v:.0f}" for v in (score.accuracy, score.low, score.high, score.chance))
    if score.at_chance:
        return say(f"In the exam without the library it does no better than guessing ({mean}\u202f% of {score.items}).",
                   f"文献なしの試験では当て推量と区別できない（{score.items} 問中 {mean}\u202f%）。")  # fmt: skip
    return say(
        f"In the exam without the library it gets {mean}\u202f% of {score.items} questions right"
        f" (95 % interval {low}–{high}; guessing gives {chance}).",
        f"文献なしの試験では {score.items} 問中 {mean}\u202f% に正答する"
        f"（95 % 区間 {low}〜{high}、当て推量なら {chance}）。",
    )


def _endpoints(opened: OpenExpert) -> tuple[Voice, ...]:
    embedders = {side.embedder.ref.name for side in opened.library.sides}
    places = opened.workspace.settings.models
    return tuple(
        Voice(id=name, kind="endpoint", also=(), name=name, follows=True, manner=_writing(), about=say(
            "A model behind an endpoint that this server's gnomon.toml names: question and quotes are sent there.",
            "このサーバーの gnomon.toml にあるエンドポイントのモデル。質問と引用がそこへ送られる。"))
        for name, place in sorted(places.items())
        if place.url.startswith("http") and name not in embedders and name not in opened.models
    )  # fmt: skip
