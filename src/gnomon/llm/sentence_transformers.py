"""Any sentence-transformers model, from the hub at a commit or from a folder.

The model's own prompts for queries and passages are used where it has them. Batches are padded,
so the last bits of a vector may depend on its neighbours (about 1e-7), unlike the packaged model.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gnomon.core.errors import MissingExtra
from gnomon.core.protocols import Vectors
from gnomon.core.records import ModelRef
from gnomon.core.settings import Settings
from gnomon.core.wording import say
from gnomon.llm.hub import folder_of, from_hub
from gnomon.llm.vectors import unit_rows, well_formed

KIND = "embedder/sentence-transformers"
CHARACTERS_PER_TOKEN = 80
"""Characters looked at for each token of the window."""
WIDEST = 8192
"""Window assumed when a model names none."""
BATCH = 32


class SentenceTransformerEmbedder:
    """A sentence-transformers model as an ``Embedder``; what stands behind its window is cut.

    Raises:
        MissingExtra: sentence-transformers is not installed.
        NotFound: There is no such model.
        ConfigError: The revision is missing or is not that of the folder.
        OfflineError: It would have to be fetched while ``offline = true``.
    """

    languages: tuple[str, ...] = ()

    def __init__(self, ref: ModelRef, settings: Settings) -> None:
        self.ref = ref
        self._model = _load(ref, settings)
        self.window: int = self._model.max_seq_length or WIDEST
        self.dimensions: int = self._model.get_embedding_dimension()

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of passages, with the model's passage prompt if it has one."""
        return self._vectors(texts, self._model.encode_document)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of queries, with the model's query prompt if it has one."""
        return self._vectors(texts, self._model.encode_query)

    def _vectors(self, texts: Sequence[str], encode: Callable[..., Any]) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        limit = self.window * CHARACTERS_PER_TOKEN
        clean = [well_formed(text, limit) for text in texts]
        return unit_rows(encode(clean, batch_size=BATCH, show_progress_bar=False, convert_to_numpy=True))


def _load(ref: ModelRef, settings: Settings) -> Any:
    try:
        import sentence_transformers as library
        import torch
    except ImportError as error:
        purpose = say(f"The embedder {ref.name!r}", f"埋め込みモデル {ref.name!r}")
        raise MissingExtra("sentence-transformers", "embed", purpose) from error
    if settings.threads:
        torch.set_num_threads(settings.threads)
    folder = folder_of(ref, settings)
    if folder is not None:
        return library.SentenceTransformer(str(folder), local_files_only=True)

    def load(local: bool) -> Any:  # noqa: FBT001 -- the shape ``from_hub`` asks for
        return library.SentenceTransformer(ref.name, revision=ref.revision, local_files_only=local)

    return from_hub(ref, settings, load)
