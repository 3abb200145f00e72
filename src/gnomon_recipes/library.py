"""The ``library`` recipe: anybody's papers, from files to a searchable, traceable expert.

This is what ``gnomon build`` runs. Read top to bottom it is the method section of a paper. With a ``base``
it also continues a language model on the papers, and proves what that changed.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gnomon.core.errors import ConfigError
from gnomon.core.wording import say
from gnomon.corpus import steps as corpus
from gnomon.evaluation import steps as evaluation
from gnomon.knowledge import steps as knowledge
from gnomon.llm.embedders import PACKAGED
from gnomon.runs import FileSet, Recipe, Serve, Step
from gnomon.training.recipe import LoRA
from gnomon_recipes import arguments as given
from gnomon_recipes.bases import NANO, adopted
from gnomon_recipes.specialise import Literature, Specialisation, general_documents, measures, specialise
from gnomon_recipes.teach import Lessons, Teaching, teach

SCALES = ("laptop",)
FILES = ("files", "exam", "general")
MODELS = ("base",)
MODEL_ARGUMENTS = (
    "after", "base", "context", "general", "held_out", "languages", "method", "passes", "replay", "train",
)  # fmt: skip
ARGUMENTS = ("exam", "files", "name", "removed", "scale", *MODEL_ARGUMENTS)
STARTER = Path(__file__).parent / "starter"
METHODS = ("full", "lora")
PROOF = ("development_items", "perplexity", "answers", "exam", "embedding", "completion", "audit", "cost")
"""Roles that show what models are worth, each a goal; first the questions, so that too few are told before training."""
REPLAY, NANO_REPLAY = 0.1, 0.5
"""Share of general text when the user gives some: a choice; of the nano base measured (docs/design/log.md)."""


def recipe(arguments: Mapping[str, Any]) -> Recipe:
    """A library, its index and its trace, from files; with a base also a model.

    Args:
        arguments: ``files`` (a ``FileSet`` as a row), ``name`` of the expert, ``scale``, ``exam`` (files of
            questions that models must not see), ``removed`` (ids to leave out). For a model: ``base`` (see ``bases``),
            ``general`` (files of general text for replay, the control and forgetting; without them the few pages of
            the starter tell what was forgotten, and there is neither replay nor control), ``after`` (hold out what
            is later than this date), ``held_out`` (share held out by hash, default 0.1), ``method`` (``full`` or
            ``lora``), ``passes``, ``replay``, ``languages``, ``context`` (tokens a row, 1,024) and ``train`` (fields of
            ``TrainConfig``).

    Raises:
        ConfigError: An argument is unknown or missing, or the scale is.
    """
    given.check(arguments, ARGUMENTS, SCALES)
    if "files" not in arguments:
        raise ConfigError("The library recipe needs files.", "Use `gnomon build FOLDER`.")
    name = given.word(arguments, "name", "") or "library"
    made = read(FileSet.from_row(arguments["files"]), given.file_set(arguments, "exam"), arguments)
    made |= indexed(made["dedup"], name)
    if arguments.get("base"):
        general = given.file_set(arguments, "general")
        files = general or FileSet.scan([STARTER / "general.jsonl"])
        made |= model(made, files, arguments["base"], settings(name, arguments, own=general is not None))
    elif unused := [key for key in MODEL_ARGUMENTS if arguments.get(key)]:
        raise ConfigError(
            say(f"{', '.join(unused)}: these are for a model.", f"{', '.join(unused)} はモデルのための引数。"),
            say("Add --base MODEL.", "--base モデル を加える。"),
        )
    return served("library", name, made, arguments)


def settings(name: str, arguments: Mapping[str, Any], *, own: bool) -> Specialisation:
    """How a user's model is made: values that suit a laptop, each a choice of ours."""
    nano = arguments["base"] == NANO
    method = given.word(arguments, "method", "full" if nano else "lora", METHODS)
    replay = (NANO_REPLAY if nano else REPLAY) if own else 0.0
    rate = 1e-3 if nano else (2e-4 if method == "lora" else 2e-5)
    train = {"learning_rate": rate, "batch": 4, "warmup": 0.05, "lora": LoRA() if method == "lora" else None}
    return Specialisation(
        name=f"local/{name}", train=given.training(arguments, train),
        context=int(given.number(arguments, "context", 1_024)), passes=given.number(arguments, "passes", 1.0) or 1.0,
        replay=given.number(arguments, "replay", replay), control=own,
        general_held_out=0.2 if own else 1.0, after=given.word(arguments, "after", ""),
        held_out=given.number(arguments, "held_out", 0.1), languages=given.words(arguments, "languages"),
        documents=1_000,
    )  # fmt: skip


def read(files: FileSet, exam: FileSet | None, arguments: Mapping[str, Any]) -> dict[str, Step]:
    """What readers may see, and what models may see of it (the role ``shown``)."""
    made: dict[str, Step] = {"ingest": corpus.ingest(files)}
    removed = tuple(sorted(set(arguments.get("removed", ()))))
    if removed:
        made["withhold"] = corpus.withhold(made["ingest"], ids=removed)
    made["clean"] = corpus.clean(made.get("withhold", made["ingest"]))
    made["dedup"] = corpus.dedup(made["clean"])  # what readers may see: open book
    if exam is not None:
        made["items"] = evaluation.items(exam)
        made["decontaminate"] = corpus.decontaminate(made["dedup"], made["items"])  # what models may see
    return made


def indexed(documents: Step, name: str) -> dict[str, Step]:
    """Passages, their index and their vectors: what readers search, and models in an open-book exam."""
    chunks = knowledge.chunk(documents)
    index = knowledge.index(documents, chunks, library=name)
    vectors = knowledge.vectors(documents, chunks, index, embedder=PACKAGED)
    return {"chunk": chunks, "index": index, "vectors": vectors}


def model(
    made: Mapping[str, Step], general: FileSet, base: Any, how: Specialisation, *,
    lessons: Lessons | None = None, teaching: Teaching | None = None,
) -> dict[str, Step]:  # fmt: skip
    """A base, continued on what models may see, taught where there are lessons, and measured."""
    shown = made.get("decontaminate", made["dedup"])
    aside, aside_unique = general_documents(general, made.get("items"))
    texts = Literature(shown=shown, unique=made["dedup"], general=aside, general_unique=aside_unique)
    found, tests = specialise(adopted(base, {"domain": shown}), texts, how)
    if lessons is not None and teaching is not None:
        found |= teach(found, lessons, teaching)
    return found | measures(found, tests, texts, how)


def served(recipe_name: str, name: str, made: dict[str, Step], arguments: Mapping[str, Any]) -> Recipe:
    """Trace and report of what was read and indexed, and the models where there are some, as one expert."""
    shown = made.get("domain", made.get("decontaminate", made["dedup"]))  # what models were shown
    made["trace"] = knowledge.trace(shown)
    found, vectors = (made["index"], made["trace"]), made["vectors"]
    proof = [made[role] for role in PROOF if role in made]
    report = evaluation.report({role: step for role, step in made.items() if role != "vectors"}, title=name)
    return Recipe(
        name=recipe_name,
        goals=(*found, vectors, *proof, report) if proof else (*found, report, vectors),
        serve=Serve(name=name, parts={**made, "report": report}),
        arguments=dict(arguments),
    )
