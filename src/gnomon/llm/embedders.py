"""The door to embedders: a reference in, something that turns texts into vectors out.

The *kind* of a reference says what runs it. *Where* it runs is the machine's business: a place
with an ``http`` address under the model's name in ``gnomon.toml`` makes it an endpoint, one with
a ``file:`` address names the folder of its weights.

=================================== ==========================================================
kind                                what
=================================== ==========================================================
``embedder/onnx-int8``, ``-fp32``   the packaged MiniLM, in ONNX Runtime
``embedder/sentence-transformers``  any sentence-transformers model; ``embedder`` means the same
``embedder/static``                 any Model2Vec model, or one distilled from the packaged MiniLM
``embedder/characters``             hashed character vectors, for Japanese
``embedder/fake``                   hashed words, for tests
=================================== ==========================================================
"""

from collections.abc import Callable

from gnomon.core.calls import Call
from gnomon.core.errors import ConfigError
from gnomon.core.protocols import Embedder
from gnomon.core.records import ModelRef
from gnomon.core.settings import Settings
from gnomon.core.wording import say
from gnomon.llm import characters, minilm, sentence_transformers, static
from gnomon.llm.endpoint import EndpointEmbedder
from gnomon.llm.fakes import HashEmbedder

PACKAGED = minilm.packaged("embedder/onnx-int8")
"""The packaged MiniLM, the offline default, pinned by the hash of its weights."""
_LOADERS: dict[str, Callable[[ModelRef, Settings], Embedder]] = {
    "embedder/onnx-int8": minilm.MiniLM,
    "embedder/onnx-fp32": minilm.MiniLM,
    "embedder": sentence_transformers.SentenceTransformerEmbedder,
    sentence_transformers.KIND: sentence_transformers.SentenceTransformerEmbedder,
    static.KIND: static.StaticEmbedder,
    characters.KIND: lambda ref, _: characters.CharacterEmbedder(ref),
    "embedder/fake": lambda _, __: HashEmbedder(),
}


def load_embedder(ref: ModelRef, settings: Settings, log: Callable[[Call], None] | None = None) -> Embedder:
    """The embedder a reference names, ready to use.

    Args:
        ref: The model.
        settings: The machine.
        log: Receives a ``Call`` for every request to an endpoint; local models make none.

    Raises:
        ConfigError: The kind is unknown, or the model found is not the one referred to.
        NotFound: There is no such model.
        MissingExtra: A package it needs is not installed.
        OfflineError: It would need a call that ``offline = true`` forbids.
    """
    place = settings.models.get(ref.name)
    if place is not None and place.url.startswith(("http:", "https:")):
        return EndpointEmbedder(ref, settings, log)
    if ref.kind in _LOADERS:
        return _LOADERS[ref.kind](ref, settings)
    raise ConfigError(
        say(
            f"The model {ref.name!r} has the unknown kind {ref.kind!r}.",
            f"モデル {ref.name!r} の種類 {ref.kind!r} は未知。",
        ),
        say(f"Known kinds of embedders: {', '.join(_LOADERS)}.", f"使える種類: {', '.join(_LOADERS)}。"),
    )
