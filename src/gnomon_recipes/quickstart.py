"""The ``quickstart`` recipe: the starter library, whole, and the nano base continued on it, in a few minutes.

The corpus is tiny (about 25,000 English words), and so is the general text beside it (36,764 words): expect a small
gain, measured on few held-out notes. What it shows is the way from files to a model and its proof, not a good model.
"""

from collections.abc import Mapping
from typing import Any

from gnomon.runs import FileSet, Recipe
from gnomon_recipes import arguments as given
from gnomon_recipes.bases import NANO
from gnomon_recipes.library import STARTER, model, read, served
from gnomon_recipes.specialise import Specialisation

SCALES = ("laptop",)
FILES: tuple[str, ...] = ()
MODELS = ("base",)
SETTINGS = Specialisation(
    name="gnomon/quickstart", context=512, passes=1.0, replay=0.5, after="2016", held_out=0.1,
    languages=("en",), figure="all", completions=8, completion_tokens=80,
    train={"learning_rate": 1e-3, "batch": 4, "warmup": 0.1},
)  # fmt: skip
"""All choices; the nano base reads English, so notes in Japanese are searched and not trained on."""


def recipe(arguments: Mapping[str, Any]) -> Recipe:
    """The library recipe on our own notes, with our own questions kept out of what models may see.

    Args:
        arguments: ``scale`` and ``removed``, as in the ``library`` recipe; ``base``, another model than ``nano``, or
            ``none`` for the library without a model.

    Raises:
        ConfigError: An argument is unknown.
    """
    given.check(arguments, ("base", "removed", "scale"), SCALES)
    notes = FileSet.scan(sorted(STARTER.glob("notes_*.jsonl")))
    questions = FileSet.scan(sorted(STARTER.glob("questions_*.jsonl")))
    made = read(notes, questions, arguments)
    base = arguments.get("base") or NANO
    if base != "none":
        made |= model(made, FileSet.scan([STARTER / "general.jsonl"]), base, SETTINGS)
    return served("quickstart", "quickstart", made, arguments)
