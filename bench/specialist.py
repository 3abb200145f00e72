"""What a base gains from a domain and what it forgets: the replay curve, then one epoch with its control.

    python bench/specialist.py --workspace W --tokens 1000000 --replay 0.1 --learning-rate 5e-4 1e-3 2e-3
    python bench/specialist.py --workspace W --tokens 2000000 --replay 0 0.1 0.25 0.5 --learning-rate BEST
    python bench/specialist.py --workspace W --replay BEST --learning-rate BEST --final --report final.json

The base is ``gnomon_recipes/nano/base`` (``--base FOLDER`` for another), the domain ``astro_ph.parquet``. Rates and the
replay share are chosen on the development parts by the first two commands; only ``--final`` opens the test parts:
one epoch, the *control* (the base, trained on exactly as many tokens of general text), perplexity, embeddings,
completions. Every arm is a step of the workspace, so a killed run goes on where it was.

Held out: of the domain what is later than the dates below, and of the rest a share by hash; of the general text the very
parts that the nano base was never shown (``nano_base.sources``). Papers of ``arxiv_citations`` are in no training text,
and nothing is trained on that gives away a question of ``mcq``. Replay and control draw from what the base itself
was trained on (and the books it was not), in the base's own proportions.
"""

import argparse
import gzip
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from specialist_tables import tables

from gnomon.cli.progress import shown
from gnomon.core.files import read_json
from gnomon.core.settings import load_settings
from gnomon.corpus import steps as corpus
from gnomon.evaluation import steps as evaluation
from gnomon.evaluation.heldout import TestSet
from gnomon.evaluation.roles import Role
from gnomon.runs import FileSet, Recipe, Step, Workspace, run
from gnomon.runs.record import Record
from gnomon.training import steps as training
from gnomon.training.packing.mixture import PIECES, MixtureSource
from gnomon_recipes import astrollama, nano_base
from gnomon_recipes.bases import NANO, adopted
from gnomon_recipes.specialise import BY_HASH, BY_TIME, DOMAIN, FEWEST, Literature, Specialisation, measures

SHARED = Path(__file__).parents[1].parent / "shared" / "data"
DEVELOPMENT_AFTER, TEST_AFTER = "2026-05-31", "2026-06-30"
HELD_OUT = {"development": 0.02, "test": 0.03}
"""Of the domain, by hash."""
GENERAL = {"abstracts": 0.575, "books": 0.425}
"""Parts of the general text, by tokens: what the nano base was trained on (7.65 M and 5.66 M)."""
MARKS = {"gain": -32.5, "forgetting": 10.0}
"""Change of perplexity in percent: the domain's at most, general text's at most."""


@dataclass(frozen=True, kw_only=True)
class Files:
    """What is read."""

    domain: FileSet
    """Records of the domain."""
    abstracts: FileSet
    """Abstracts of other fields."""
    books: FileSet
    """Books."""
    exam: FileSet
    """Questions that models must not be shown."""
    retrieval: FileSet | None
    """The retrieval exam of the embeddings."""
    withheld: tuple[str, ...]
    """Ids of its papers."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What models may see, and what they are measured on."""

    base: Step
    """The base."""
    domain: Step
    """Documents of the domain to train on."""
    general: Mapping[str, Step]
    """General documents to train on, by source."""
    development: dict[TestSet | str, Step]
    """For choices."""
    test: dict[TestSet | str, Step]
    """For the end."""


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One way to specialise."""

    replay: float
    """Part of all tokens that is general."""
    rate: float
    """Peak learning rate."""
    tokens: int = 0
    """Tokens of the domain; 0 for all, once."""
    batch: int = 0
    """Rows a step; 0 for the recipe's."""

    @property
    def name(self) -> str:
        return f"r{self.replay:g}-lr{self.rate:g}" + (f"-b{self.batch}" if self.batch else "")


# Documents -----------------------------------------------------------------------------------


def files_of(asked: argparse.Namespace) -> Files:
    folder = Path(asked.retrieval) if asked.retrieval else None
    listed = sorted(p for p in folder.iterdir() if p.name.partition(".")[0] in RETRIEVAL) if folder else []
    return Files(
        domain=FileSet.scan([asked.domain]), abstracts=FileSet.scan([asked.abstracts]),
        books=FileSet.scan([asked.books]), exam=FileSet.scan(asked.exam),
        retrieval=FileSet.scan(listed) if listed else None, withheld=tuple(withheld(folder) if folder else ()),
    )  # fmt: skip


RETRIEVAL = ("corpus", "queries", "qrels")


def withheld(folder: Path) -> list[str]:
    """The ids of all papers of the retrieval exam, sorted."""
    found = set()
    for name in RETRIEVAL[:2]:
        with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
            found |= {"arxiv:" + json.loads(line)["_id"] for line in file}
    return sorted(found)


def parts(files: Files, base: Any, dates: tuple[str, str]) -> Parts:
    """The documents of every part.

    Args:
        files: What is read.
        base: The base, as recipes take it.
        dates: What is later is held out: for development, and for the test.
    """
    items = evaluation.items(files.exam)
    read = corpus.ingest(files.domain)
    kept = corpus.withhold(read, ids=files.withheld) if files.withheld else read
    unique = corpus.dedup(corpus.clean(kept))
    seen = corpus.decontaminate(unique, items)
    late = {"development_after": dates[0], "test_after": dates[1]}
    by_time = corpus.split(seen, unique, by="time", undated="train", **late)
    by_hash = corpus.split(corpus.part(by_time, "train", least=1), unique, **HELD_OUT)
    rows = {"abstracts": files.abstracts.to_row(), "books": files.books.to_row(), "withheld": files.withheld}
    general = nano_base.sources(rows)
    held = {
        part: {
            TestSet(name=name, kind=kind, part=""): corpus.part(split, part, least=FEWEST)
            for name, kind, split in [
                (BY_HASH, "domain", by_hash), (BY_TIME, "domain", by_time),
                *((name, "general", general[name]) for name in GENERAL),
            ]
        }
        for part in ("development", "test")
    }  # fmt: skip
    allowed = {name: corpus.decontaminate(corpus.part(split, "train"), items) for name, split in general.items()}
    return Parts(
        base=adopted(base), domain=corpus.part(by_hash, "train", least=1),
        general=allowed,
        development=dict(held["development"]), test=dict(held["test"]),
    )  # fmt: skip


# Models --------------------------------------------------------------------------------------


def settings(arm: Arm) -> dict[str, Any]:
    """The recipe's settings of training, with the arm's."""
    own: dict[str, Any] = {"learning_rate": arm.rate} | ({"batch": arm.batch} if arm.batch else {})
    return {**astrollama.settings({}, astrollama.SIZES["laptop"]).train, **own}


def specialised(found: Parts, arm: Arm) -> dict[str, Step]:
    """The tokens and the model of an arm."""
    mixture = [MixtureSource(name=DOMAIN, repeats=1.0, most_tokens=arm.tokens)]
    sources = {DOMAIN: found.domain}
    if arm.replay:
        sources |= found.general
        mixture += [MixtureSource(name=name, share=arm.replay * part, unit=PIECES) for name, part in GENERAL.items()]
    tokens = training.pack(found.base, sources, context=nano_base.SHAPE.context, sources=tuple(mixture))
    model = training.cpt(found.base, tokens, name=f"bench/specialist-{arm.name}", **settings(arm))
    return {"tokens": tokens, "specialised": model}


def control(found: Parts, arm: Arm, tokens: Step) -> dict[str, Step]:
    """As many tokens of general text alone, and the model they give."""
    mixture = tuple(MixtureSource(name=name, weight=part, unit=PIECES) for name, part in GENERAL.items())
    same = training.pack(
        found.base, found.general, like=tokens, context=nano_base.SHAPE.context, sources=mixture
    )  # fmt: skip
    model = training.cpt(found.base, same, name=f"bench/control-{arm.name}", **settings(arm))
    return {"control_tokens": same, "control": model}


def choice(found: Parts, arms: Sequence[Arm], asked: argparse.Namespace) -> dict[str, Step]:
    """Every arm, and its perplexity on the development parts."""
    made: dict[str, Step] = {"base": found.base}
    models: dict[Role | str, Step] = {"base": found.base}
    for arm in arms:
        own = specialised(found, arm)
        made |= {f"tokens {arm.name}": own["tokens"], arm.name: own["specialised"]}
        models[Role(name=arm.name, kind="specialised")] = own["specialised"]
        if asked.control:
            other = control(found, arm, own["tokens"])["control"]
            made[f"control-{arm.name}"] = other
            models[Role(name=f"control-{arm.name}", kind="control")] = other
    limits = {"max_documents": asked.documents or 300, "max_characters": asked.characters}
    return made | {"perplexity": evaluation.perplexity(models, found.development, **limits)}


def final(found: Parts, arm: Arm, files: Files, asked: argparse.Namespace) -> dict[str, Step]:
    """The chosen arm, its control, and everything measured on the test parts."""
    made = {"base": found.base, **specialised(found, arm)}
    made |= control(found, arm, made["tokens"])
    how = replace(_how(), documents=asked.documents or 2_000, completions=asked.completions)
    texts = Literature(
        shown=found.domain, unique=found.domain, general=found.domain, general_unique=found.domain,
        retrieval=files.retrieval,
    )  # fmt: skip
    return made | measures(made, found.test, texts, how)


def _how() -> Specialisation:
    return astrollama.settings({}, astrollama.SIZES["laptop"])


# The report ----------------------------------------------------------------------------------


def gathered(made: Mapping[str, Step], records: Mapping[str, Record], workspace: Workspace) -> dict[str, Any]:
    """The figures of a run: what was trained, for how long, and what was measured."""
    trained = {
        name: {
            "tokens": records[step.address].metrics["tokens"], "steps": records[step.address].metrics["steps"],
            "loss": records[step.address].metrics["loss"], "seconds": records[step.address].seconds,
            "tokens_per_second": records[step.address].metrics["tokens"] / records[step.address].seconds,
        }
        for name, step in made.items()
        if step.name == "training/cpt"
    }  # fmt: skip
    packed = {
        name: {source: facts["tokens"] for source, facts in records[step.address].metrics["sources"].items()}
        for name, step in made.items()
        if step.name == "training/pack"
    }
    measured = {
        name: read_json(workspace.artifact(made[name].address) / f"{name}.json")
        for name in ("perplexity", "embedding", "completion")
        if name in made
    }
    return {"trained": trained, "packed": packed, **measured}


def verdict(perplexity: Mapping[str, Any], model: str = "specialised") -> dict[str, Any]:
    """Whether a model holds what is asked of it, on every test set."""
    found = {}
    for name, test in perplexity["tests"].items():
        change = next(
            row["perplexity_change_percent"]
            for row in test["comparisons"]
            if row["model"] == model and row["against"] == perplexity["reference"]
        )
        mark = MARKS["gain" if test["kind"] == "domain" else "forgetting"]
        found[name] = {"change_percent": change, "at_most": mark, "holds": change["value"] <= mark}
    return found


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--base", default=NANO, help="a folder of weights, or the packaged nano base")
    parser.add_argument("--replay", type=float, nargs="+", default=[0.1])
    parser.add_argument("--learning-rate", type=float, nargs="+", default=[1e-3])
    parser.add_argument("--tokens", type=int, default=0, help="tokens of the domain for each arm; 0 for one epoch")
    parser.add_argument("--batch", type=int, default=0, help="rows a step; 0 for the recipe's")
    parser.add_argument("--control", action="store_true", help="without --final: a control for every arm")
    parser.add_argument("--final", action="store_true", help="one arm, its control, and the test parts")
    parser.add_argument("--documents", type=int, default=0, help="most documents of a test set")
    parser.add_argument("--characters", type=int, default=60_000, help="without --final: characters of each")
    parser.add_argument("--completions", type=int, default=100)
    parser.add_argument("--report", type=Path)
    parser.add_argument("--domain", type=Path, default=SHARED / "arxiv" / "astro_ph.parquet")
    parser.add_argument("--abstracts", type=Path, default=SHARED / "arxiv" / "other_fields.jsonl.gz")
    parser.add_argument("--books", type=Path, default=SHARED / "general" / "books.jsonl.gz")
    parser.add_argument("--exam", type=Path, nargs="+", default=sorted((SHARED / "mcq").glob("*.jsonl")))
    parser.add_argument("--retrieval", default=str(SHARED / "retrieval" / "arxiv_citations"), help="empty for none")
    parser.add_argument("--dates", nargs=2, default=[DEVELOPMENT_AFTER, TEST_AFTER])
    asked = parser.parse_args(arguments)
    if asked.final and (len(asked.replay) > 1 or len(asked.learning_rate) > 1):
        parser.error("--final takes one replay share and one learning rate, chosen before on the development parts")
    return asked


def base_of(asked: argparse.Namespace) -> Any:
    if asked.base == NANO:
        return NANO
    return {"name": f"local/{Path(asked.base).name}", "files": FileSet.scan([Path(asked.base)]).to_row()}


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    asked, load = parsed(arguments), os.getloadavg()
    files = files_of(asked)
    found = parts(files, base_of(asked), tuple(asked.dates))
    arms = [
        Arm(replay=replay, rate=rate, tokens=asked.tokens, batch=asked.batch)
        for replay in asked.replay
        for rate in asked.learning_rate
    ]
    made = final(found, arms[0], files, asked) if asked.final else choice(found, arms, asked)
    goals = tuple(step for name, step in made.items() if name in ("perplexity", "embedding", "completion"))
    asked.workspace.mkdir(parents=True, exist_ok=True)
    workspace = Workspace(asked.workspace, load_settings(asked.workspace))
    with shown() as progress:
        records = run(Recipe(name="specialist", goals=goals), workspace, progress)
    report = {
        "arms": [asdict(arm) for arm in arms], "parts": "test" if asked.final else "development",
        "load": [load, os.getloadavg()], **gathered(made, records, workspace),
    }  # fmt: skip
    if asked.final:
        report["verdict"] = verdict(report["perplexity"])
    print(tables(report))
    if asked.report:
        asked.report.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return report


if __name__ == "__main__":
    main(sys.argv[1:])
