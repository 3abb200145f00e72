"""What `clean` costs and what its rules do, on the real sets beside the project.

    python bench/cleaning.py             # all of astro_ph through the steps, cold, again, and with 100 new papers
    python bench/cleaning.py --effects   # every rule's and repair's count on every set
    python bench/cleaning.py --numbers   # texts in which a number is lost, after removing what changes them on purpose
    python bench/cleaning.py --show 20   # before and after, for a person to judge

Peer: none is set up for scholarly text; ftfy and py3langid are inside, so what is measured is what we
add to them. Times are wall-clock seconds of the step on one core, with the load average beside them.
"""

import argparse
import gzip
import json
import os
import random
import re
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from gnomon.core.hashing import text_hash
from gnomon.corpus import steps
from gnomon.corpus.cleaning.config import CleanConfig
from gnomon.corpus.cleaning.verdict import Draft, Verdict, judge
from gnomon.runs import FileSet, Recipe, Step, Workspace, run

DATA = Path(__file__).parents[2] / "shared" / "data"
ASTRO = DATA / "arxiv" / "astro_ph.parquet"
CONFIG = CleanConfig()
Text = tuple[str, str]


def lines(name: str) -> Iterator[dict[str, object]]:
    with gzip.open(DATA / name, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def sets() -> Iterator[tuple[str, list[Text]]]:
    """(title, text) of every text of each set."""
    rows = pq.read_table(ASTRO, columns=["title", "abstract"]).to_pylist()
    yield "astro_ph", [(r["title"], r["abstract"] or "") for r in rows]
    yield (
        "other_fields",
        [(str(r["title"]), str(r.get("abstract") or r.get("text"))) for r in lines("arxiv/other_fields.jsonl.gz")],
    )
    yield "jaquad", [(str(r["title"]), str(r["context"])) for r in lines("retrieval/jaquad_dev.jsonl.gz")]
    yield "ja_wikipedia", [(str(r["title"]), str(r["text"])) for r in lines("general/ja_wikipedia_paragraphs.jsonl.gz")]
    papers = (
        ([s["text"] for s in r["body_text"]], r["metadata"]["title"]) for r in lines("papers/unarxive_30.jsonl.gz")
    )  # type: ignore[attr-defined,index]
    yield "unarxive_30", [(title, "\n\n".join(parts)) for parts, title in papers]


def verdict_of(title: str, text: str) -> Verdict:
    return judge(Draft(title=title, text=text, text_hash=text_hash(text), lang="und", kind="markdown"), CONFIG)


def load() -> str:
    return " ".join(f"{value:.1f}" for value in os.getloadavg())


def timed(step: Step, workspace: Workspace, name: str) -> None:
    before, cpu = time.monotonic(), time.process_time()
    record = run(Recipe(name="bench", goals=(step,)), workspace)[step.address]
    spent = f"{time.monotonic() - before:.1f} s wall, {time.process_time() - cpu:.1f} s processor"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    counts = record.counts
    print(
        f"{name}: {spent}, peak {peak:.0f} MiB, load {load()}; {counts.taken} in, {counts.kept} kept, {dict(counts.dropped)}"
    )


def cost() -> None:
    """All of astro_ph cold, in another workspace with the cache, and with 100 papers more."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "papers"
        source.mkdir()
        table = pq.read_table(ASTRO)
        pq.write_table(table.slice(0, table.num_rows - 100), source / "a.parquet")
        workspace = Workspace(Path(folder) / "w")
        first = steps.ingest(FileSet.scan([source]))
        timed(first, workspace, "ingest")
        timed(steps.clean(first), workspace, "clean, cold")
        workspace.delete(steps.clean(first).address)
        timed(steps.clean(first), workspace, "clean, again")
        new = table.slice(table.num_rows - 100)
        pq.write_table(
            pa.concat_tables([table.slice(0, 500), new, table.slice(500, table.num_rows - 600)]), source / "a.parquet"
        )
        second = steps.ingest(FileSet.scan([source]))
        timed(second, workspace, "ingest with 100 new")
        timed(steps.clean(second), workspace, "clean with 100 new")
        timed(steps.split(steps.clean(second)), workspace, "split")
        timed(steps.withhold(steps.clean(second), ["arxiv:astro-ph/9301001"]), workspace, "withhold")


def effects() -> None:
    """Counts of every change and drop, and of languages, on every set."""
    for name, texts in sets():
        verdicts = [verdict_of(*text) for text in texts]
        changes = Counter(change.name for verdict in verdicts for change in verdict.changes)
        print(name, len(texts), "| changed", dict(changes), "| dropped", dict(Counter(v.reason for v in verdicts if v.reason)),
              "| languages", dict(Counter(v.lang for v in verdicts)))  # fmt: skip


def numbers() -> None:
    """Texts whose numbers are not all in the cleaned text."""
    for name, texts in sets():
        lost = [(text, Counter(re.findall(r"\d+", text)) - Counter(re.findall(r"\d+", verdict_of(title, text).text or text)))
                for title, text in texts]  # fmt: skip
        lost = [(text, missing) for text, missing in lost if missing]
        print(name, len(texts), "texts,", len(lost), "in which a run of digits is another afterwards")
        for text, missing in random.Random(0).sample(lost, min(10, len(lost))):
            at = text.find(next(iter(missing)))
            print("   ", dict(missing), repr(text[max(at - 40, 0) : at + 40]))


def show(count: int) -> None:
    """A random sample of changes, and of drops."""
    for name, texts in sets():
        for title, text in random.Random(1).sample(texts, min(count, len(texts))):
            verdict = verdict_of(title, text)
            for change in verdict.changes:
                print(f"{name} {change.name}: {change.before!r}\n    {change.after!r}")
            if verdict.reason:
                print(f"{name} DROPPED {verdict.reason} ({verdict.detail}): {text[:200]!r}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--effects", action="store_true")
    parser.add_argument("--numbers", action="store_true")
    parser.add_argument("--show", type=int, default=0)
    options = parser.parse_args()
    if not ASTRO.exists():
        raise SystemExit(f"There is no {ASTRO}.")
    if options.show:
        show(options.show)
    elif options.effects or options.numbers:
        (effects if options.effects else numbers)()
    else:
        cost()


if __name__ == "__main__":
    main()
