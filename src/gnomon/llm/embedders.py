"""The door to embedders: a reference in, something that turns texts into vectors out.

The *kind* of a reference says what runs it; *where* it runs (an endpoint's address) is the
machine's business and stands in ``gnomon.toml`` under the same name.
"""

from gnomon.core.errors import ConfigError
from gnomon.core.protocols import Embedder
from gnomon.core.records import ModelRef
from gnomon.core.settings import Settings
from gnomon.core.wording import say
from gnomon.llm import minilm

PACKAGED = minilm.packaged("embedder/onnx-int8")
"""The packaged MiniLM, the offline default, pinned by the hash of its weights."""


def load_embedder(ref: ModelRef, settings: Settings) -> Embedder:
    """The embedder a reference names, ready to use.

    Raises:
        ConfigError: The kind is unknown, or the model found is not the one referred to.
        MissingExtra: A package it needs is not installed.
        OfflineError: It would need a call that ``offline = true`` forbids.
    """
    if ref.kind in minilm.KINDS:
        return minilm.MiniLM(ref, settings)
    known = ", ".join(sorted(minilm.KINDS))
    raise ConfigError(
        say(
            f"The model {ref.name!r} has the unknown kind {ref.kind!r}.",
            f"モデル {ref.name!r} の種類 {ref.kind!r} は未知。",
        ),
        say(f"Known kinds of embedders: {known}.", f"使える種類: {known}。"),
    )
