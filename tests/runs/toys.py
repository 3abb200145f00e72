"""Small real steps that the tests of the runner run."""

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gnomon.core.records import Document, Drop, Source
from gnomon.core.tables import read_table, write_table
from gnomon.runs import Counts, Output, Recipe, Serve, Step


@dataclass(frozen=True, kw_only=True)
class MakeConfig:
    number: int = 6
    shards: int = 3
    die_after: str = ""
    fail: bool = False


@dataclass(frozen=True, kw_only=True)
class PickConfig:
    keep: str = "even"
    lose: bool = False


def make(config: MakeConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    keys = [f"{i:04d}" for i in range(config.shards)]
    for key in out.pending(keys):
        start = int(key) * config.number
        write_table(
            out.path / "documents" / f"{key}.parquet", Document, map(document, range(start, start + config.number))
        )
        out.done(key, Counts(taken=config.number, kept=config.number), note=key)
        with (out.path.parents[4] / "made.log").open("a") as log:
            log.write(key + "\n")
        if config.die_after == key and not (out.path.parents[4] / "died").exists():
            (out.path.parents[4] / "died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
    if config.fail:
        raise ValueError("broken on purpose")
    out.metrics["notes"] = out.notes(keys)
    return out.counts(keys)


def pick(config: PickConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    documents = list(read_table(inputs["documents"] / "documents", Document))
    kept = [d for i, d in enumerate(documents) if i % 2 == 0]
    dropped = [Drop(doc_id=d.id, reason="odd") for i, d in enumerate(documents) if i % 2]
    write_table(out.path / "documents" / "0000.parquet", Document, kept)
    write_table(out.path / "drops.parquet", Drop, dropped)
    lost = 0 if config.lose else len(dropped)
    return Counts(taken=len(documents), kept=len(kept), dropped={"odd": lost})


def document(number: int) -> Document:
    source = Source(kind="toy", key=f"toy#{number}", sha256="0" * 64)
    return Document(id=f"local:{number}", title=f"Toy {number}", text="star " * number, lang="en", source=source)


def make_step(**settings) -> Step:
    return Step(name="toy/make", entry="toys:make", version=1, config=MakeConfig(**settings))


def pick_step(source: Step, **settings) -> Step:
    return Step(
        name="toy/pick", entry="toys:pick", version=1, config=PickConfig(**settings), inputs={"documents": source}
    )


def recipe(**settings) -> Recipe:
    made = make_step(**settings)
    picked = pick_step(made)
    return Recipe(name="toy", goals=(picked,), serve=Serve(name="toy", parts={"index": picked}), arguments=settings)
