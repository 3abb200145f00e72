"""The ``quickstart`` recipe: the whole chain on the starter library, in a few minutes on a laptop.

Notes become a library; the nano base is continued on them; rules write questions about them and judge them; the model
is tuned on those and on general conversations, merged with the nano instruct model, and sits the starter's exam,
closed and open book, beside chance and a solver without a model. The corpus is tiny (about 25,000 English words) and so
are the models: expect a small gain on held-out notes and an exam at chance. What it shows is the way from files to an
expert and its proof, not a good model.
"""

from collections.abc import Mapping
from typing import Any

from gnomon.evaluation.exam.arms import Paper
from gnomon.runs import FileSet, Recipe, Step
from gnomon.synthesis import steps as synthesis
from gnomon_recipes import arguments as given
from gnomon_recipes.bases import NANO, NANO_INSTRUCT, adopted
from gnomon_recipes.library import STARTER, indexed, model, read, served
from gnomon_recipes.specialise import Specialisation
from gnomon_recipes.teach import CHAT, EXAM, Blend, Lessons, Teaching, conversations

SCALES = ("laptop",)
FILES: tuple[str, ...] = ()
MODELS = ("base", "instruct")
SETTINGS = Specialisation(
    name="gnomon/quickstart", context=512, passes=1.0, replay=0.5, after="2016", held_out=0.1,
    languages=("en",), figure="all", completions=8, completion_tokens=80,
    train={"learning_rate": 1e-3, "batch": 4, "warmup": 0.1},
)  # fmt: skip
"""All choices; the nano base reads English, so notes in Japanese are searched and not trained on."""
TEACHING = Teaching(
    name="gnomon/quickstart-expert", languages=("en",), passes=3.0, chat=0.3, replay=0.1, context=512,
    held_out=0.2, train={"learning_rate": 1e-3, "batch": 4, "warmup": 0.05}, mode="option",
    blends=tuple(Blend(name=f"linear-{share:.0%}".rstrip("%"), tuned=share) for share in (0.5, 0.75, 0.9)),
    exam={"orders": 1, "passages": 3, "passage_characters": 1_200},
)  # fmt: skip
"""The weight of the merge is chosen among three by the development exam; AstroSage's is 0.75."""


def recipe(arguments: Mapping[str, Any]) -> Recipe:
    """The library recipe on our own notes, with our own questions kept out of what models may see.

    Args:
        arguments: ``scale`` and ``removed``, as in the ``library`` recipe; ``base``, another model than ``nano``
            (its instruct model with ``instruct``, else nothing is merged), or ``none`` for the library without a model;
            ``questions``, the most exam questions that are asked (0: all).

    Raises:
        ConfigError: An argument is unknown.
    """
    given.check(arguments, ("base", "instruct", "questions", "removed", "scale"), SCALES)
    notes = FileSet.scan(sorted(STARTER.glob("notes_*.jsonl")))
    questions = FileSet.scan(sorted(STARTER.glob("questions_*.jsonl")))
    made = read(notes, questions, arguments)
    made |= indexed(made["dedup"], "quickstart")
    base = arguments.get("base") or NANO
    if base != "none":
        general = FileSet.scan([STARTER / "general.jsonl"])
        made |= model(made, general, base, SETTINGS, lessons=lessons(made, base, arguments), teaching=TEACHING)
    return served("quickstart", "quickstart", made, arguments)


def lessons(made: Mapping[str, Step], base: Any, arguments: Mapping[str, Any]) -> Lessons:
    """The exam, the library at hand in it, general conversations, and the partner of the merge."""
    partner = arguments.get("instruct") or (NANO_INSTRUCT if base == NANO else None)
    most = int(given.number(arguments, "questions", 0))
    read_chat = synthesis.general(FileSet.scan([STARTER / "chat.jsonl"]), name=CHAT, langs=SETTINGS.languages)
    chat, held = conversations({CHAT: read_chat}, made["items"])
    return Lessons(
        items=made["items"], papers={Paper(name=EXAM, max_items=most): made["items"]},
        instruct=adopted(partner, kind="instruct") if partner else None, chat=chat, held_chat=held,
        library={part: made[part] for part in ("index", "vectors")},
    )  # fmt: skip
