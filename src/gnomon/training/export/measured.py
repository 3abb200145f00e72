"""What a quantisation costs: perplexity on held-out documents, of the weights as they are and of every GGUF file.

Each file is read back by transformers' own loader, so what is measured is what is in the file. Documents are read as in
``evaluation/perplexity``: [BOS] text [EOS], every token after the first scored once. The same documents for all files,
so the interval is of the difference: whole documents are drawn with replacement (Efron 1979).
"""

import hashlib
import heapq
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gnomon.core.errors import DataError
from gnomon.core.records import Document, ModelRef
from gnomon.core.tables import read_table
from gnomon.core.text import document_text
from gnomon.core.wording import say
from gnomon.llm.local import LocalModel
from gnomon.llm.tokens import Tokens
from gnomon.training.encoding import open_tokenizer

Losses = npt.NDArray[np.float64]
"""Negative log-likelihood (nats) and scored tokens of each document, shape (documents, 2)."""
DRAWS = 2_000
_FOLDERS = ("test/documents", "documents")


def held_out(artifact: Path, most: int, characters: int, seed: int) -> list[str]:
    """Texts to measure on: of a split its test part, else all documents; chosen by seed and id.

    Args:
        artifact: A step's files.
        most: Most documents.
        characters: Characters read of each.
        seed: Decides which.

    Raises:
        DataError: There are none.
    """
    folder = next((artifact / name for name in _FOLDERS if (artifact / name).is_dir()), artifact / _FOLDERS[-1])
    documents = read_table(folder, Document) if folder.is_dir() else ()
    texts = ((_place(document.id, seed), document_text(document.title, document.text)) for document in documents)
    chosen = heapq.nsmallest(most, ((place, text[:characters]) for place, text in texts if text))
    if not chosen:
        raise DataError(
            say(f"{folder} holds no document to measure GGUF files on.", f"{folder} に GGUF を測る文書がない。"),
            say("Give held-out documents, or export without them.", "評価用の文書を指定するか、指定せずに書き出す。"),
        )
    return [text for _, text in chosen]


def _place(doc_id: str, seed: int) -> bytes:
    return hashlib.blake2b(f"{seed}\0{doc_id}".encode(), digest_size=16).digest()


def losses(folder: Path, file: str, texts: Sequence[str]) -> Losses:
    """How badly each text is predicted by the weights of a model folder.

    Args:
        folder: An exported model.
        file: One of its GGUF files; empty for its safetensors.
        texts: What it reads.
    """
    tokens = Tokens(open_tokenizer(folder))
    streams = [_stream(tokens, text) for text in texts]
    model = LocalModel(open_weights(folder, file), tokens, ModelRef(name=file or folder.name))
    scored = model.token_log_probs(streams, None)
    return np.array([[-float(values.sum(dtype=np.float64)), len(values)] for values in scored]).reshape(-1, 2)


def open_weights(folder: Path, file: str = "") -> Any:
    """The model of a folder in float32: its safetensors, or one of its GGUF files as transformers reads it."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    shape = AutoConfig.from_pretrained(folder, local_files_only=True)
    more = {"gguf_file": file, "config": shape} if file else {}  # the loader reads no scaled rotation from the file
    with _no_bars():
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True, **more)
    model.hf_quantizer = None  # the weights are plain float32 by now, and may be saved
    model.config.__dict__.pop("quantization_config", None)
    return model.eval().requires_grad_(False)


@contextmanager
def _no_bars() -> Iterator[None]:
    """Reading weights needs no progress bars; that of GGUF files has no switch."""
    from transformers import modeling_gguf_pytorch_utils as reading
    from transformers.utils import logging

    shown, bar = logging.is_progress_bar_enabled(), reading.tqdm
    logging.disable_progress_bar()
    reading.tqdm = lambda items, **_: items
    try:
        yield
    finally:
        reading.tqdm = bar
        if shown:
            logging.enable_progress_bar()


def _stream(tokens: Tokens, text: str) -> list[int]:
    end = [] if tokens.eos is None else [tokens.eos]
    return [*([] if tokens.bos is not None else end), *tokens.encode(text, bos=True), *end]


def comparison(whole: Losses, file: Losses, seed: int) -> dict[str, Any]:
    """A file's perplexity, and by how many percent it is above that of the weights, with 95 % intervals.

    Args:
        whole: Of the weights as they are.
        file: Of the file, the same documents in the same order.
        seed: Of the resamples.
    """
    mine, theirs = _perplexities(file, seed), _perplexities(whole, seed)
    return {"perplexity": told(file, seed), "change_percent": _interval(100 * (mine / theirs - 1), len(file))}


def told(rows: Losses, seed: int) -> dict[str, Any]:
    """A perplexity per token with its interval."""
    return _interval(_perplexities(rows, seed), len(rows))


def _perplexities(rows: Losses, seed: int) -> npt.NDArray[np.float64]:
    """The perplexity of all rows, then of ``DRAWS`` resamples; equal seeds draw equal documents."""
    drawn = np.random.default_rng(seed).integers(len(rows), size=(DRAWS, len(rows)))
    sums = np.concatenate([rows.sum(axis=0)[None], rows[drawn].sum(axis=1)])
    found: npt.NDArray[np.float64] = np.exp(sums[:, 0] / np.maximum(sums[:, 1], 1))
    return found


def _interval(values: npt.NDArray[np.float64], n: int) -> dict[str, Any]:
    low, high = np.percentile(values[1:], [2.5, 97.5])
    row = {"value": float(values[0]), "low": float(low), "high": float(high)}
    return {name: value if math.isfinite(value) else None for name, value in row.items()} | {"n": n}


def rows_of(facts: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """(file, MB, perplexity, change) for the card, the weights first."""

    def figure(value: Mapping[str, Any], digits: int, sign: str = "") -> str:
        if value["value"] is None:
            return "no number"
        shown = f"{value['value']:{sign}.{digits}f}"
        return f"{shown} [{value['low']:{sign}.{digits}f}, {value['high']:{sign}.{digits}f}]"

    first = ("safetensors", f"{facts['bytes'] / 1e6:,.1f}", figure(facts["perplexity"], 2), "")
    return [first, *(
        (name, f"{its['bytes'] / 1e6:,.1f}", figure(its["perplexity"], 2), figure(its["change_percent"], 2, "+"))
        for name, its in facts["files"].items()
    )]  # fmt: skip
