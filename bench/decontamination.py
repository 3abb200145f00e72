"""Decontamination: planted leaks that are found, clean text that is flagged, and the time it takes.

``python bench/decontamination.py [WORK]``. Needs ``../shared/data``. Every item of every exam there, and of the
starter library, is
planted in one abstract of its own, in the middle, in each disguise; the exams are then looked for.
Clean text is every abstract of ``astro_ph.parquet``. A flag on it is judged by reading it: it is false
unless the passage asks the item's question or gives its options away; flags are printed for that.
"""

import json
import os
import random
import re
import resource
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from gnomon.core.records import Document, Drop, Item, Leak, Source
from gnomon.core.settings import Settings
from gnomon.core.tables import read_table, write_table
from gnomon.corpus.decontaminate import DecontaminateConfig, run
from gnomon.evaluation.items import read_items
from gnomon.runs.output import Output, StorePlace
from gnomon.runs.sources import FileSet

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"
STARTER = ROOT / "src" / "gnomon_recipes" / "starter"
FLAGS_SHOWN = 60


def exams() -> list[Item]:
    files = FileSet.scan([SHARED / "mcq", *sorted(STARTER.glob("questions_*.jsonl"))])
    found = [item for file in files.files for item in read_items(file)]
    return list({item.id: item for item in found if not isinstance(item, Drop)}.values())


def abstracts() -> Iterator[Document]:
    for batch in pq.ParquetFile(SHARED / "arxiv" / "astro_ph.parquet").iter_batches(2_000):
        for row in batch.to_pylist():
            source = Source(kind="arxiv", key=row["id"], sha256="")
            yield Document(id=f"arxiv:{row['id']}", title=row["title"], text=row["abstract"], lang="en", source=source)


def asked(item: Item, order: list[int], labels: str = "ABCDEFGHIJ") -> str:
    lines = [f"{label}. {item.choices[i]}" for label, i in zip(labels, order, strict=False)]
    return "\n".join([item.prompt, *lines, f"Answer: {answer(item)}"])


def answer(item: Item) -> str:
    return " ".join(item.choices[i] for i in item.targets) + item.reference


def plain(item: Item, r: random.Random) -> str:
    return asked(item, list(range(len(item.choices))))


def shuffled(item: Item, r: random.Random, labels: str = "ABCDEFGHIJ") -> str:
    return asked(item, r.sample(range(len(item.choices)), len(item.choices)), labels)


def renumbered(text: str, r: random.Random) -> str:
    return re.sub(r"\d+(\.\d+)?", lambda m: str(round(r.uniform(1, 5_000), r.randrange(3))), text)


def thinned(text: str, r: random.Random) -> str:
    return " ".join(word for word in text.split(" ") if r.random() > 0.1)


REQUIRED: dict[str, Callable[[Item, random.Random], str]] = {
    "verbatim": plain,
    "re-cased": lambda item, r: "".join(c.upper() if r.random() < 0.5 else c.lower() for c in plain(item, r)),
    "re-spaced": lambda item, r: "".join(c + " \n"[r.randrange(2)] * (r.random() < 0.15) for c in plain(item, r)),
    "no spaces": lambda item, r: re.sub(r"\s", "", plain(item, r)),
    "changed numbers": lambda item, r: renumbered(plain(item, r), r),
    "options reordered": shuffled,
    "options reordered, Japanese letters": lambda item, r: shuffled(item, r, "アイウエオカキクケコ"),
    "all of these": lambda item, r: re.sub(r"\s+", "   ", renumbered(shuffled(item, r), r).upper()),
}
BEYOND: dict[str, Callable[[Item, random.Random], str]] = {
    "question and right answer": lambda item, r: f"{item.prompt} {answer(item)}",
    "question alone": lambda item, r: item.prompt,
    "every tenth word lost, reordered": lambda item, r: thinned(shuffled(item, r), r),
}
"""Not asked of us: a question without its options is often a sentence anybody might write."""


def planted(items: list[Item], hosts: list[Document], disguise: Callable[..., str]) -> Iterator[Document]:
    r = random.Random(7)
    for item, host in zip(items, hosts, strict=True):
        cut = r.choice([match.end() for match in re.finditer(r"\. |$", host.text)])
        yield host.with_text(f"{host.text[:cut]} {disguise(item, r)} {host.text[cut:]}")


def decontaminated(work: Path, name: str, documents: Iterator[Document]) -> dict[str, Any]:
    folder = work / name
    shutil.rmtree(folder, ignore_errors=True)
    write_table(folder / "in" / "documents" / "0.parquet", Document, documents)
    out = Output(
        path=folder / "out",
        shards=folder / "s",
        identity="bench",
        settings=Settings(),
        place=lambda key: StorePlace(key=key, url=key),
        cache_path=folder / "c",
        locks=folder / "l",
    )
    started = time.monotonic()
    counts = run(DecontaminateConfig(), {"documents": folder / "in", "items": work}, out)
    seconds = time.monotonic() - started
    leaks = list(read_table(out.path / "leaks.parquet", Leak))
    return {"seconds": round(seconds, 2), "taken": counts.taken, "leaks": leaks, "metrics": out.metrics}


def main(work: Path) -> None:
    items = exams()
    write_table(work / "items.parquet", Item, items)
    clean = decontaminated(work, "clean", abstracts())
    flagged = {leak.span.doc_id for leak in clean["leaks"]}
    report: dict[str, Any] = {
        "items": len(items), "clean_documents": clean["taken"], "clean_flagged": len(flagged),
        "seconds": clean["seconds"], "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "metrics": clean["metrics"], "load_average": [round(x, 2) for x in os.getloadavg()], "planted": {},
    }  # fmt: skip
    hosts = [host for host, _ in zip(abstracts(), items, strict=False)]
    for name, disguise in {**REQUIRED, **BEYOND}.items():
        leaks = decontaminated(work, "planted", planted(items, hosts, disguise))["leaks"]
        pairs = {(leak.item_id, leak.span.doc_id) for leak in leaks}
        found = sum((item.id, host.id) in pairs for item, host in zip(items, hosts, strict=True))
        report["planted"][name] = {"planted": len(items), "found": found, "required": name in REQUIRED}
    print(json.dumps(report, indent=1, ensure_ascii=False))
    for leak in clean["leaks"][:FLAGS_SHOWN]:
        print(f"{leak.item_id}  {leak.method} {leak.score:.2f}  {leak.span.doc_id}: {leak.passage[:160]!r}")


if __name__ == "__main__":
    place = Path(sys.argv[1] if len(sys.argv) > 1 else ".gnomon/bench/decontamination")
    place.mkdir(parents=True, exist_ok=True)
    main(place)
