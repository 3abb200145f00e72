"""The step ``training/distil_embedder``: a static table of token vectors, out of an embedder.

Thousands of texts a second on one core, at the price of word order and context
(``gnomon.llm.static`` says how). What it is worth beside the embedder, the bench measures.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gnomon.core.records import ModelRef
from gnomon.llm import minilm, static
from gnomon.llm.hub import folder_revision
from gnomon.llm.tuned import Note, placed, write_note
from gnomon.llm.weights import MODEL_FOLDER, write_ref
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output


@dataclass(frozen=True, kw_only=True)
class DistilEmbedderConfig:
    """What the static model is called."""

    name: str = "tuned-embedder-static"
    """Its name."""


def run(config: DistilEmbedderConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Distil the embedder of ``inputs["embedder"]``.

    Returns:
        Tokens taken and kept.

    Raises:
        NotFound: The input holds no embedder.
        MissingExtra: model2vec is not installed.
    """
    ref, machine = placed(inputs["embedder"], out.settings)
    folder = out.path / MODEL_FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    tokens = static.distil(folder, machine, None if ref.name == minilm.PACKAGE else ref)
    write_note(folder, Note(graph=0, window=0, languages=minilm.LANGUAGES))
    made = ModelRef(
        name=config.name, revision=folder_revision(folder), kind=static.KIND, licence=ref.licence, parents=(ref.name,)
    )
    write_ref(out.path, made)
    return Counts(taken=tokens, kept=tokens)
