r"""Comparison text: what two copies of a text have in common once their markup is forgotten.

The same abstract is stored as ``$z\sim3$`` in one place and ``z~3`` in another, ``\r{A}`` here
and ``Å`` there. Duplicates are looked for on a *comparison text*: folded (NFKD, case), accents
and LaTeX markup removed, Greek commands turned into their letters, punctuation turned into
spaces, and every character of an unspaced script (Japanese, Chinese) a unit of its own. Units
are separated by one space, so word n-grams and character shingles are the same operation.
It is made by Daft expressions, in the engine's threads, and never stored or shown.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa

from gnomon.corpus.engine import Engine

Texts = Callable[[], Iterator[pa.RecordBatch]]
"""Opens a corpus: Arrow batches with the columns ``id`` and ``text``, as often as asked."""

_UNSPACED = r"\u{3005}-\u{3007}\u{3040}-\u{30ff}\u{3400}-\u{4dbf}\u{4e00}-\u{9fff}\u{f900}-\u{faff}\u{ff66}-\u{ff9f}"
_GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
    "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ",
    "tau": "τ", "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
}  # fmt: skip
_ACCENTS = re.compile("[\u0300-\u036f]+")
_COMMANDS_KEEPING_SPACE = r"\\(?:text|math|rm|it|bf|sc|em|cal|mbox|hbox|operatorname)[a-z]*"
"""Markup that surrounds a word: only the command goes, what it dresses stays."""
_MARKUP = r"\\[a-z]+|\\.|[$^_{}~]+"
"""Other commands, escaped characters and the signs of mathematics leave nothing behind."""


def plain_letters(text: str) -> str:
    """A text with compatibility forms and accents folded away; plain ASCII is returned as it is."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", _ACCENTS.sub("", unicodedata.normalize("NFKD", text)))


def comparison_text(column: Any) -> Any:
    """A Daft expression: the comparison text of a string column whose letters are plain."""
    from daft import functions as f

    text = f.lower(column)
    for name, letter in _GREEK.items():
        text = f.regexp_replace(text, rf"\\(?:var)?{name}", letter)
    text = f.regexp_replace(text, _COMMANDS_KEEPING_SPACE, "")
    text = f.regexp_replace(text, _MARKUP, "")
    text = f.regexp_replace(text, f"([{_UNSPACED}])", " $1 ")
    text = f.regexp_replace(text, r"[^\p{L}\p{N}]+", " ")
    return f.lstrip(f.rstrip(text))


def compared_frames(texts: Texts, engine: Engine) -> Iterator[Any]:
    """Daft frames of ``id`` and ``text``, the latter as comparison text, a slice of the corpus each.

    Letters are folded before Daft sees them: a Python function inside its threads would hold them
    up, and has crashed an interpreter that was shutting down.
    """
    import daft
    from daft import col

    for table in _slices(texts, engine.rows):
        frame = daft.from_arrow(table)
        if engine.partitions > 1:
            frame = frame.into_partitions(engine.partitions)
        yield frame.select(col("id"), comparison_text(col("text")).alias("text"))


def _slices(texts: Texts, rows: int) -> Iterator[pa.Table]:
    held: list[pa.RecordBatch] = []
    for batch in texts():
        held.append(_plain_batch(batch))
        if sum(part.num_rows for part in held) >= rows:
            yield pa.Table.from_batches(held)
            held = []
    if held:
        yield pa.Table.from_batches(held)


def _plain_batch(batch: pa.RecordBatch) -> pa.RecordBatch:
    plain = [plain_letters(text or "") for text in batch.column("text").to_pylist()]
    return pa.record_batch({"id": batch.column("id").cast(pa.string()), "text": pa.array(plain, pa.large_string())})
