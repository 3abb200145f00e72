"""Models and documents for the tests of this room: tiny, written for them, without weights."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gnomon.core.errors import DataError
from gnomon.core.files import write_json
from gnomon.core.records import Biblio, Document, ModelRef, Source
from gnomon.core.settings import Settings
from gnomon.core.tables import write_table
from gnomon.llm.client import Completion, Generation
from gnomon.llm.fakes import HashEmbedder
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output, StorePlace
from gnomon.runs.step import Step

BOS, EOS, VOCABULARY = 256, 257, 258


class ByteModel:
    """Reads bytes; gives every byte of ``liked`` a larger share, all others an equal one.

    Args:
        liked: Characters that it expects; none makes it uniform over its 258 tokens.
        width: Bytes a token stands for: 2 is a tokenizer with shorter texts and a larger vocabulary.
        context: Most tokens it reads at once.
    """

    def __init__(self, liked: str = "", width: int = 1, context: int = 64, name: str = "bytes") -> None:
        self.ref = ModelRef(name=name, revision=liked or "uniform", kind="base")
        self.context, self.eos, self.width = context, EOS, width
        shares = np.ones(VOCABULARY)
        shares[list(liked.encode())] = 50.0
        self.log_probs = np.log(shares / shares.sum())
        self.calls = 0

    def encode(self, text: str, bos: bool = True) -> list[int]:
        data = text.encode()
        pieces = [data[i : i + self.width] for i in range(0, len(data), self.width)]
        return [BOS] * bos + [int.from_bytes(piece) if self.width > 1 else piece[0] for piece in pieces]

    def decode(self, ids: Sequence[int]) -> str:
        if self.width > 1:
            return "".join(chr(i >> 8) + chr(i & 255) if i > 255 else chr(i) for i in ids)
        return bytes(i for i in ids if i < 256).decode("utf-8", "replace")

    def token_log_probs(self, ids: Sequence[Sequence[int]], stride: int | None) -> list[np.ndarray]:
        self.calls += 1
        found = []
        for sequence in ids:
            values = [
                self.log_probs[i] if i < VOCABULARY else self.log_probs[i >> 8] + self.log_probs[i & 255]
                for i in sequence[1:]
            ]
            found.append(np.array(values, dtype=np.float32))
        return found


class WordModel:
    """Hidden states that count hashed words; ``blind`` words are not seen, so texts that share only those are strangers."""

    def __init__(self, blind: Sequence[str] = (), name: str = "words") -> None:
        self.ref, self.blind, self.reader = ModelRef(name=name, kind="base"), set(blind), HashEmbedder(64)

    def hidden_means(self, texts: Sequence[str], max_tokens: int | None = None) -> Any:
        return self.reader.embed([" ".join(w for w in text.split() if w not in self.blind) for text in texts])


def load_words(artifact: Path, settings: Settings, **how: Any) -> WordModel:
    """The word model that a folder's ``words.json`` describes."""
    return WordModel(**json.loads((artifact / "words.json").read_text()))


class Parrot:
    """Continues every prompt with one text; refuses prompts of more than ``room`` characters."""

    def __init__(self, says: str, room: int = 10_000) -> None:
        self.ref, self.says, self.room = ModelRef(name="parrot", revision=says[:8], kind="base"), says, room

    def complete(self, prompts: Sequence[str], options: Generation) -> list[Completion]:
        if any(len(prompt) > self.room for prompt in prompts):
            raise DataError("no room")
        words = self.says.split()[: options.max_tokens]
        finish = "length" if len(words) == options.max_tokens else "stop"
        return [Completion(text=" ".join(["", *words]), tokens=len(words), finish=finish) for _ in prompts]

    def log_likelihoods(self, pairs: Sequence[tuple[str, str]]) -> list[Any]:
        raise NotImplementedError


def load_parrot(source: Any, settings: Settings, **how: Any) -> Parrot:
    """The parrot that a folder's ``parrot.json`` describes, or that a reference's revision speaks."""
    if isinstance(source, ModelRef):
        return Parrot(source.revision)
    return Parrot(**json.loads((source / "parrot.json").read_text()))


def load_bytes(artifact: Path, settings: Settings, **how: Any) -> ByteModel:
    """The byte model that a folder's ``bytes.json`` describes."""
    return ByteModel(**json.loads((artifact / "bytes.json").read_text()))


def byte_artifact(folder: Path, **how: Any) -> Path:
    write_json(folder / "bytes.json", how)
    return folder


def document(key: str, text: str, title: str = "", **biblio: Any) -> Document:
    source = Source(kind="text", key=key, sha256="0" * 64)
    return Document(id=key, title=title, text=text, lang="en", source=source, biblio=Biblio(**biblio))


def documents(folder: Path, items: Iterable[Document], part: str = "test") -> Path:
    write_table(folder / part / "documents" / "part.parquet", Document, items)
    return folder


@dataclass(frozen=True, kw_only=True)
class MadeConfig:
    """What a toy step leaves behind."""

    what: str
    says: str = ""


def make(config: MadeConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """A toy step: documents, or a model that is byte, word and parrot model in one folder."""
    if config.what == "documents":
        documents(out.path, json_documents(config.says))
    else:
        byte_artifact(out.path, liked=config.says)
        write_json(out.path / "words.json", {})
        write_json(out.path / "parrot.json", {"says": config.says})
        write_json(out.path / "training.json", {"tokens": 123})
    return Counts(taken=1, kept=1)


def json_documents(words: str) -> list[Document]:
    return [
        document(
            f"local:{i}", f"We saw {i} things. " + f"They say that {word} and {words} are far. " * 3, title=f"On {word}"
        )
        for i, word in enumerate(words.split())
    ]


def made(what: str, says: str) -> Step:
    config = MadeConfig(what=what, says=says)
    return Step(name=f"toy/{what}", entry="evaluation_kit:make", version=1, config=config)


def output(folder: Path, **more: Any) -> Output:
    (folder / "data").mkdir(parents=True, exist_ok=True)
    return Output(
        path=folder / "data", shards=folder / "shards", identity="test", settings=Settings(),
        place=lambda key: StorePlace(key=key, url=key), cache_path=folder / "cache", locks=folder / "locks", **more,
    )  # fmt: skip
