"""The ``nano_instruct`` recipe: the nano base, tuned on general conversations.

The general partner of a merge at laptop scale, as Llama-3.1-8B-Instruct is AstroSage's. It learns the manners of a
conversation (turns, their end, short answers), and no astronomy. English only: the nano vocabulary spends three
tokens on a Japanese character. What came out of it on our conversations ships as ``gnomon_recipes/nano/instruct``; the
values below are the winners of the runs in its card.
"""

from collections.abc import Mapping
from typing import Any

from gnomon.corpus import steps as corpus
from gnomon.evaluation import steps as evaluation
from gnomon.evaluation.heldout import TestSet
from gnomon.runs import FileSet, Recipe, Step
from gnomon.synthesis import steps as synthesis
from gnomon.training import steps as training
from gnomon.training.packing.mixture import PIECES, MixtureSource
from gnomon_recipes import arguments as given
from gnomon_recipes.bases import INSTRUCT_NAME, NANO, adopted
from gnomon_recipes.library import STARTER
from gnomon_recipes.teach import conversations

ARGUMENTS = ("base", "chat", "general", "passes", "replay", "scale", "train")
SCALES = ("laptop",)
FILES = ("chat", "general")
MODELS = ("base",)
LANGUAGES = ("en",)
HELD_OUT, GENERAL_HELD_OUT = 0.1, 0.2
"""By hash, as the recipes that merge with this model hold out: what they measure on was shown to neither partner."""
PASSES, REPLAY = 3.0, 0.2
TRAIN = {"learning_rate": 1e-3, "batch": 4, "schedule": "cosine", "warmup": 0.05}


def recipe(arguments: Mapping[str, Any]) -> Recipe:
    """A base that chats.

    Args:
        arguments: ``base``, ``chat`` (conversations) and ``general`` (plain text beside them), as files; those of the
            starter when not given; ``passes`` over the conversations, ``replay`` (part of all tokens that is plain
            text), ``train`` (fields of ``TrainConfig``).

    Raises:
        ConfigError: An argument is unknown or of another type.
    """
    given.check(arguments, ARGUMENTS, SCALES, "nano_instruct")
    chat = given.file_set(arguments, "chat") or FileSet.scan([STARTER / "chat.jsonl"])
    files = given.file_set(arguments, "general") or FileSet.scan([STARTER / "general.jsonl"])
    made = parts(chat, files)
    base = adopted(arguments.get("base") or NANO)
    mixture = (
        MixtureSource(name="chat", repeats=given.number(arguments, "passes", PASSES)),
        MixtureSource(name="general", share=given.number(arguments, "replay", REPLAY), unit=PIECES),
    )
    tokens = training.pack(base, {"chat": made["chat"], "general": made["general"]}, context=1_024, sources=mixture)
    model = training.sft(base, tokens, name=INSTRUCT_NAME, **given.training(arguments, TRAIN))
    models: dict[Any, Step] = {"base": base, "tuned": model}
    answers = evaluation.answers(models, {"chat": made["held_chat"]})
    tests: dict[TestSet | str, Step] = {TestSet(name="general", kind="general", part=""): made["held_general"]}
    forgotten = evaluation.perplexity(models, tests)
    return Recipe(name="nano_instruct", goals=(model, answers, forgotten), arguments=dict(arguments))


def parts(chat: FileSet, general: FileSet) -> dict[str, Step]:
    """What is shown, and what is kept for measuring: conversations and plain text."""
    unique = corpus.dedup(corpus.clean(corpus.ingest(general)))
    split = corpus.split(unique, unique, development=GENERAL_HELD_OUT, test=0.0)
    shown, held = conversations({"chat": synthesis.general(chat, name="chat", langs=LANGUAGES)}, None, HELD_OUT)
    return {
        "chat": shown["chat"],
        "held_chat": held["chat"],
        "general": corpus.part(split, "train"),
        "held_general": corpus.part(split, "development"),
    }
