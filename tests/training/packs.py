"""Small corpora, tokenizers and packs for tests."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from gnomon.core.pieces import Piece
from gnomon.core.records import Document, Source
from gnomon.core.settings import Settings
from gnomon.core.synthetic import Example
from gnomon.core.tables import read_table, write_table
from gnomon.runs import Counts, Output
from gnomon.training.pack import PackConfig, run

SPECIALS = ["<s>", "</s>", "<pad>", "<|im_end|>"]


def document(number: int, text: str, title: str = "", source: str = "toy", licence: str = "CC0-1.0") -> Document:
    where = Source(kind="toy", key=f"{source}#{number}", sha256="0" * 64, licence=licence)
    return Document(id=f"local:{source}-{number}", title=title, text=text, lang="en", source=where)


def shelf(folder: Path, documents: Sequence[Document], shards: int = 1) -> Path:
    for number in range(shards):
        write_table(folder / "documents" / f"{number:04d}.parquet", Document, documents[number::shards])
    return folder


def letters(folder: Path, *, bos: bool = True, eos: bool = True, kind: str = "bpe") -> Path:
    """A tokenizer artifact of single bytes: token i of a text is its i-th byte."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {name: i for i, name in enumerate([*SPECIALS, *alphabet])}
    if kind == "unigram":
        model = models.Unigram([(n, 0.0 if n in SPECIALS else -5.0) for n in vocabulary], None, False)
    else:
        model = models.BPE(vocabulary, [])
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(SPECIALS)
    tokenizer.add_tokens([AddedToken("<think>", special=False)])
    place = folder / "tokenizer"
    place.mkdir(parents=True)
    tokenizer.save(str(place / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "<pad>"}
    settings |= {"bos_token": "<s>"} if bos else {}
    settings |= {"eos_token": "</s>"} if eos else {}
    (place / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


def turns(folder: Path) -> Path:
    """The same with the marks of ChatML."""
    from tokenizers import Tokenizer

    path = letters(folder) / "tokenizer" / "tokenizer.json"
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.add_special_tokens(["<|im_start|>"])
    tokenizer.save(str(path))
    return folder


def conversations(folder: Path, examples: Sequence[Example], shards: int = 1) -> Path:
    for number in range(shards):
        write_table(folder / "examples" / f"{number:04d}.parquet", Example, examples[number::shards])
    return folder


def output(folder: Path) -> Output:
    (folder / "work").mkdir(parents=True, exist_ok=True)
    return Output(
        path=folder / "work", shards=folder / "shards", identity="0" * 32, settings=Settings(),
        place=lambda key: (_ for _ in ()).throw(KeyError(key)), cache_path=folder / "cache.sqlite", locks=folder / "locks",
    )  # fmt: skip


def pack(folder: Path, tokenizer: Path, inputs: Mapping[str, Path], **settings) -> tuple[Path, Counts, Output]:
    out = output(folder)
    counts = run(PackConfig(**settings), {"tokenizer": tokenizer, **inputs}, out)
    assert counts.add_up
    return out.path, counts, out


def pieces(artifact: Path) -> list[Piece]:
    return list(read_table(artifact / "pieces", Piece))
