"""A whole library of 42,000 records: seconds a step, peak memory, updates, and commands from the shell.

``python bench/build.py [--work FOLDER] [--vectors]``. Builds ``../shared/data/arxiv/astro_ph.parquet`` with
every exam of ``../shared/data/mcq`` kept out of what models may see, then adds 100 papers, mends one and removes
one. Each step runs in this process; memory is the peak resident size of a process made for the build alone.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from gnomon.runs.runner import SilentProgress

SHARED = Path(__file__).parents[1].parent / "shared" / "data"
ASTRO_PH = SHARED / "arxiv" / "astro_ph.parquet"
CORPUS_STEPS = ("corpus/ingest", "corpus/clean", "corpus/dedup", "corpus/decontaminate")
SHELL_RUNS = 5


class Clock(SilentProgress):
    """Notes when each step ended and whether it ran."""

    def __init__(self) -> None:
        self.begun, self.seconds = time.monotonic(), dict[str, float]()
        self.text_ready = 0.0

    def finish(self, step: Any, record: Any, *, fresh: bool) -> None:
        self.seconds[step.name] = record.seconds if fresh else 0.0
        if step.name == "knowledge/index":
            self.text_ready = time.monotonic() - self.begun


def build(work: Path, sources: list[str], removed: list[str], *, vectors: bool) -> dict[str, Any]:
    """One build in this process; run it in a process of its own to read its memory."""
    import dataclasses

    from gnomon.runs import FileSet, Workspace, run
    from gnomon_recipes.library import recipe

    clock = Clock()
    exam = FileSet.scan(sorted((SHARED / "mcq").glob("*.jsonl")))
    arguments = {"name": "bench", "files": FileSet.scan(sources).to_row(), "exam": exam.to_row(), "removed": removed}
    made = recipe(arguments)
    if not vectors:
        made = dataclasses.replace(made, goals=tuple(g for g in made.goals if g.name != "knowledge/vectors"))
    run(made, Workspace(work), clock)
    return {
        "seconds": round(time.monotonic() - clock.begun, 1),
        "steps": clock.seconds,
        "corpus_seconds": round(sum(clock.seconds[name] for name in CORPUS_STEPS), 1),
        "text_searchable_after": round(clock.text_ready, 1),
        "peak_memory_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
    }


def in_own_process(work: Path, sources: list[str], removed: list[str], *, vectors: bool) -> dict[str, Any]:
    code = (
        "import sys, json; sys.path.insert(0, sys.argv[1]); from build import build; from pathlib import Path;"
        f"print(json.dumps(build(Path({str(work)!r}), {sources!r}, {removed!r}, vectors={vectors})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return row


def hundred_papers(folder: Path) -> Path:
    """A hundred short papers that are in no other set."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "more.jsonl"
    base = "We follow star number {0} of the cluster through {1} nights and find a period of {0}.{1} hours. "
    rows = [
        {
            "id": f"new-{i}",
            "title": f"Star {i}",
            "abstract": base.format(i, i % 7 + 2) + f"Its colour is {i / 50:.2f} mag and steady.",
        }
        for i in range(100)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def mend_one(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    lines[7] = lines[7].replace("steady", "not steady at all")
    path.write_text("".join(lines), encoding="utf-8")


def from_the_shell(work: Path, *command: str) -> dict[str, float]:
    times = []
    for _ in range(SHELL_RUNS):
        begun = time.monotonic()
        subprocess.run(
            [sys.executable, "-m", "gnomon.cli.main", *command, "--workspace", str(work), "--json"],
            capture_output=True,
            check=True,
        )
        times.append(time.monotonic() - begun)
    return {"median_s": round(sorted(times)[len(times) // 2], 2), "max_s": round(max(times), 2), "n": len(times)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path(".gnomon-bench"))
    parser.add_argument("--vectors", action="store_true", help="embed too (minutes)")
    given = parser.parse_args()
    work, papers = given.work / "build", hundred_papers(given.work / "papers")
    result: dict[str, Any] = {"load_before": os.getloadavg()[0], "records": 42146}
    result["first"] = in_own_process(work, [str(ASTRO_PH)], [], vectors=given.vectors)
    result["again"] = in_own_process(work, [str(ASTRO_PH)], [], vectors=given.vectors)
    sources = [str(ASTRO_PH), str(papers)]
    result["hundred_added"] = in_own_process(work, sources, [], vectors=given.vectors)
    mend_one(papers)
    result["one_mended"] = in_own_process(work, sources, [], vectors=given.vectors)
    result["one_removed"] = in_own_process(work, sources, ["local:new-3"], vectors=given.vectors)
    result["search_from_the_shell"] = from_the_shell(work, "search", "tidal disruption events")
    result["ask_from_the_shell"] = from_the_shell(
        work, "ask", "How massive are the black holes in tidal disruption events?"
    )
    result["load_after"] = os.getloadavg()[0]
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
