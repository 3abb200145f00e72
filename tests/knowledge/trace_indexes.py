"""Small trace indexes for tests, and the slow, plain way to the same answers."""

from pathlib import Path

from gnomon.core.records import Document, Source
from gnomon.core.settings import Settings
from gnomon.core.tables import write_table
from gnomon.core.text import sentences
from gnomon.knowledge.trace import TraceConfig, run
from gnomon.knowledge.tracing import Trace
from gnomon.knowledge.tracing.words import Forms, may_cut, weight, words
from gnomon.runs import Counts, Output

FORMS = Forms(fold_case=False)


def documents(texts: list[str]) -> list[Document]:
    source = Source(kind="toy", key="toy", sha256="0" * 64)
    return [Document(id=f"local:{n}", title="", text=text, lang="und", source=source) for n, text in enumerate(texts)]


def output(folder: Path) -> Output:
    (folder / "work").mkdir(parents=True, exist_ok=True)
    return Output(path=folder / "work", shards=folder / "shards", identity="0", settings=Settings(),
                  place=lambda key: None, cache_path=folder / "cache", locks=folder / "locks")  # type: ignore[arg-type,return-value]  # fmt: skip


def build(folder: Path, texts: list[str], **settings) -> tuple[Path, Counts]:
    write_table(folder / "in" / "documents" / "0000.parquet", Document, documents(texts))
    out = output(folder)
    return out.path, run(TraceConfig(**settings), {"documents": folder / "in"}, out)


def index(folder: Path, texts: list[str], **settings) -> Trace:
    return Trace.open(build(folder, texts, **settings)[0])


def forms(text: str) -> list[str]:
    return [word.form for word in words(text, FORMS)]


def plain_count(texts: list[str], phrase: str) -> int:
    """Count by looking at every place of every text."""
    wanted = forms(phrase)
    every = [forms(text) for text in texts]
    return sum(one[i : i + len(wanted)] == wanted for one in every for i in range(len(one))) if wanted else 0


def plain_stretches(texts: list[str], text: str, least: float) -> list[tuple[int, int]]:
    """Maximal verbatim stretches by trying every run of words of every sentence."""
    found = words(text, FORMS)
    least = max(0.5, min(least, sum(weight(w.form) for w in found)))
    every = [forms(one) for one in texts]

    def stands(run: list[str]) -> bool:
        return any(one[i : i + len(run)] == run for one in every for i in range(len(one)))

    def border(n: int) -> bool:
        if n in (0, len(found)) or found[n - 1].end < found[n].start:
            return True
        return may_cut(found[n - 1].form, found[n].form)

    good = []
    for begin, end in sentences(text):
        inside = [n for n, w in enumerate(found) if begin <= w.start < end]
        good += [
            (i, j + 1) for i in inside for j in inside
            if i <= j and border(i) and border(j + 1) and stands([w.form for w in found[i : j + 1]])
        ]  # fmt: skip
    widest = [(i, j) for i, j in good if not any((a <= i and j <= b) and (a, b) != (i, j) for a, b in good)]
    heavy = [(i, j) for i, j in widest if sum(weight(w.form) for w in found[i:j]) >= least]
    return [(found[i].start, found[j - 1].end) for i, j in heavy]
