"""The ``library`` recipe: anybody's papers, from files to a searchable, traceable expert.

This is what ``gnomon build`` runs. Read top to bottom it is the method section of a paper.
"""

from collections.abc import Mapping
from typing import Any

from gnomon.core.errors import ConfigError
from gnomon.corpus import steps as corpus
from gnomon.evaluation import steps as evaluation
from gnomon.knowledge import steps as knowledge
from gnomon.llm.embedders import PACKAGED
from gnomon.runs import FileSet, Recipe, Serve, Step

SCALES = ("laptop",)
ARGUMENTS = ("exam", "files", "name", "removed", "scale")


def recipe(arguments: Mapping[str, Any]) -> Recipe:
    """A library, its index and its trace, from files.

    Args:
        arguments: ``files`` (a ``FileSet`` as a row), ``name`` of the expert, ``scale``, ``exam`` (files of
            questions that models must not see, as a row; may be left out), ``removed`` (ids to leave out).

    Raises:
        ConfigError: An argument is unknown or missing, or the scale is.
    """
    check(arguments)
    files = FileSet.from_row(arguments["files"])
    exam = arguments.get("exam")
    name = str(arguments.get("name") or "library")
    return compose("library", name, arguments, files, FileSet.from_row(exam) if exam else None)


def compose(recipe_name: str, name: str, arguments: Mapping[str, Any], files: FileSet, exam: FileSet | None) -> Recipe:
    """The steps of a library, served as one expert."""
    ingest = corpus.ingest(files)
    made: dict[str, Step] = {"ingest": ingest}
    removed = tuple(sorted(set(arguments.get("removed", ()))))
    if removed:
        made["withhold"] = corpus.withhold(ingest, ids=removed)
    clean = corpus.clean(made.get("withhold", ingest))
    library = corpus.dedup(clean)  # what readers may see: open book
    chunks = knowledge.chunk(library)
    index = knowledge.index(library, chunks, library=name)
    vectors = knowledge.vectors(library, chunks, index, embedder=PACKAGED)
    made |= {"clean": clean, "dedup": library, "chunk": chunks, "index": index}
    shown = library
    if exam is not None:
        made["items"] = evaluation.items(exam)
        made["decontaminate"] = shown = corpus.decontaminate(library, made["items"])  # what models may see
    made["trace"] = trace = knowledge.trace(shown)
    report = evaluation.report(made, title=name)
    return Recipe(
        name=recipe_name,
        goals=(index, trace, report, vectors),
        serve=Serve(name=name, parts={**made, "vectors": vectors, "report": report}),
        arguments=dict(arguments),
    )


def check(arguments: Mapping[str, Any], known: tuple[str, ...] = ARGUMENTS) -> None:
    """Refuse arguments a recipe does not know.

    Raises:
        ConfigError: With the argument and those that are known.
    """
    for key in arguments:
        if key not in known:
            raise ConfigError(f"Unknown recipe argument {key!r}.", f"Known: {', '.join(known)}.")
    if "files" in known and "files" not in arguments:
        raise ConfigError("The library recipe needs files.", "Use `gnomon build FOLDER`.")
    scale = arguments.get("scale", "laptop")
    if scale not in SCALES:
        raise ConfigError(f"Unknown scale {scale!r}.", f"Known: {', '.join(SCALES)}.")
