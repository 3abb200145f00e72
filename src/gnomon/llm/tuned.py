"""Tuned embedders: what a model's folder says of itself, and how an artifact becomes an embedder.

The *note* (``gnomon.json`` in the folder) holds what the weights do not: how many tokens were meant to be
read, which languages, and which version of the graph the vectors come from. It is one of the files that
the folder's revision is a hash of. A step that took an embedder from an artifact opens it by the same door
as any other: *placed* settings name the artifact's folder as the model's ``file:`` place.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from gnomon.core.errors import DataError
from gnomon.core.files import read_json, write_json
from gnomon.core.hashing import plain
from gnomon.core.records import ModelRef
from gnomon.core.settings import ModelPlace, Settings
from gnomon.core.wording import say
from gnomon.llm.weights import MODEL_FOLDER, read_ref

NOTE = "gnomon.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """What a model folder says beside its weights."""

    graph: int
    """``bert_graph.VERSION`` of its vectors; 0 for a static model, which has no graph."""
    window: int
    """Tokens read of a text, border marks included; 0 for no limit of its own."""
    languages: tuple[str, ...]
    """ISO 639-1 codes of the languages it reads; empty for all."""


def write_note(folder: Path, note: Note) -> None:
    """Write a model folder's note, atomically; the folder's revision changes with it."""
    write_json(folder / NOTE, plain(note))


def read_note(folder: Path) -> Note:
    """A model folder's note.

    Raises:
        DataError: The folder has none, or it is not whole.
    """
    values = read_json(folder / NOTE)
    try:
        languages = tuple(str(language) for language in values["languages"])
        return Note(graph=int(values["graph"]), window=int(values["window"]), languages=languages)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            say(
                f"{folder / NOTE} is not the note of a tuned embedder.",
                f"{folder / NOTE} は埋め込みモデルの注記ではない。",
            ),
            say("Run the step that made it again.", "作成したステップをもう一度実行する。"),
        ) from error


def placed(artifact: Path, settings: Settings) -> tuple[ModelRef, Settings]:
    """The embedder that an artifact holds, and settings in which ``load_embedder`` finds it.

    Args:
        artifact: The folder of a step that leaves ``model.json`` and, unless it kept its base, ``model/``.
        settings: The machine.

    Raises:
        NotFound: The folder has no ``model.json``.
        DataError: It is not a reference.
    """
    ref = read_ref(artifact)
    folder = artifact / MODEL_FOLDER
    if not folder.is_dir():
        return ref, settings
    models = {**settings.models, ref.name: ModelPlace(url=folder.resolve().as_uri())}
    return ref, dataclasses.replace(settings, models=models)
