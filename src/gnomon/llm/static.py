"""Static models (Model2Vec): a table of one vector a token, a text is the mean of its tokens.

There is no network to run, so thousands of texts a second are embedded on one core, at the price
of word order and context. Any Model2Vec model loads from the hub or a folder; ``PACKAGED`` is
*distilled* from the packaged MiniLM on first use, after Model2Vec's recipe: run each token alone,
subtract the mean, weight by how rare the token is (Arora et al. 2017, with Zipf's law on the
vocabulary's order). No PCA: its axes may differ between two machines, and then so would vectors.
A tuned model is distilled by the same lines (``distil``).
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gnomon.core.errors import MissingExtra
from gnomon.core.hashing import combined_hash
from gnomon.core.protocols import Vectors
from gnomon.core.records import ModelRef
from gnomon.core.settings import Settings
from gnomon.core.wording import say
from gnomon.llm import minilm
from gnomon.llm.hub import READ_FILES, folder_of, from_hub
from gnomon.llm.tuned import NOTE, read_note
from gnomon.llm.vectors import unit_rows, well_formed

KIND = "embedder/static"
VERSION = 1
RARITY = 1e-5
"""Arora's *a*: a token of this frequency counts half; chosen on half of the citation queries."""
CHARACTERS = 20_000
"""Characters read of a text; the model's own window of tokens (usually 512) is cut after that."""
PACKAGED = ModelRef(
    name=f"{minilm.PACKAGE}-static-{VERSION}",
    revision=minilm.REVISION,
    kind=KIND,
    licence="Apache-2.0",
    parents=(minilm.UPSTREAM,),
)
"""The static model distilled from the packaged MiniLM."""


class StaticEmbedder:
    """A static model as an ``Embedder``.

    Raises:
        MissingExtra: model2vec is not installed.
        NotFound: There is no such model.
        ConfigError: The revision is missing or is not that of the folder.
        OfflineError: It would have to be fetched while ``offline = true``.
    """

    def __init__(self, ref: ModelRef, settings: Settings) -> None:
        self.ref = ref
        self._model = _load(ref, settings)
        self.dimensions: int = self._model.dim
        self.languages: tuple[str, ...] = _languages(ref, settings)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of passages; a text without a known token points along the diagonal."""
        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        clean = [well_formed(text, CHARACTERS) for text in texts]
        return unit_rows(self._model.encode(clean, use_multiprocessing=False))

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of queries, made as those of passages."""
        return self.embed(texts)


def _load(ref: ModelRef, settings: Settings) -> Any:
    try:
        from model2vec import StaticModel
    except ImportError as error:
        purpose = say(f"The static embedder {ref.name!r}", f"静的な埋め込みモデル {ref.name!r}")
        raise MissingExtra("model2vec", "embed", purpose) from error
    folder = _packaged_folder(settings) if ref == PACKAGED else folder_of(ref, settings)
    if folder is not None:
        return StaticModel.from_pretrained(folder, force_download=False)

    def load(local: bool) -> Any:  # noqa: FBT001 -- the shape ``from_hub`` asks for
        from huggingface_hub import snapshot_download

        wanted = [f"*{ending}" for ending in READ_FILES]
        found = snapshot_download(ref.name, revision=ref.revision, local_files_only=local, allow_patterns=wanted)
        return StaticModel.from_pretrained(found, force_download=False)

    return from_hub(ref, settings, load)


def _languages(ref: ModelRef, settings: Settings) -> tuple[str, ...]:
    """Languages of the packaged model, or those in the note of a tuned one; any other is tied to none."""
    if ref == PACKAGED:
        return minilm.LANGUAGES
    folder = folder_of(ref, settings)
    return read_note(folder).languages if folder is not None and (folder / NOTE).is_file() else ()


def _packaged_folder(settings: Settings) -> Path:
    digest = combined_hash([minilm.REVISION]).rpartition(":")[2][:16]
    folder = settings.cache_folder / "models" / f"minilm-static-{digest}-{VERSION}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=folder.name) as scratch:
            made = Path(scratch) / folder.name
            distil(made, settings)
            try:
                made.rename(folder)
            except OSError:
                if not folder.is_dir():  # else another process was first, with the same table
                    raise
    return folder


def distil(target: Path, settings: Settings, ref: ModelRef | None = None) -> int:
    """Write the static model of an embedder of MiniLM's architecture to a new folder.

    Args:
        target: The folder; Model2Vec's files.
        settings: The machine, with the place of a tuned model.
        ref: A tuned model; the packaged one when None.

    Returns:
        How many tokens have a vector.

    Raises:
        MissingExtra: model2vec is not installed.
    """
    try:
        from model2vec import StaticModel
    except ImportError as error:
        raise MissingExtra("model2vec", "embed", say("A static embedder", "静的な埋め込みモデル")) from error
    table = minilm.token_table(settings) if ref is None else minilm.token_table(settings, ref=ref)
    ranks = np.arange(1, len(table) + 1)
    frequency = 1 / (ranks * (1 / ranks).sum())
    weighted = (table - table.mean(axis=0)) * (RARITY / (RARITY + frequency))[:, None]
    vectors: npt.NDArray[np.float32] = weighted.astype(np.float32)
    words = minilm.tokenizer() if ref is None else minilm.tokenizer(folder_of(ref, settings))
    base = minilm.UPSTREAM if ref is None else ref.name
    StaticModel(vectors, words, language=list(minilm.LANGUAGES), base_model_name=base).save_pretrained(target)
    return len(table)
