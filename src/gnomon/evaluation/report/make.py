"""The step ``evaluation/report``: ``report.json`` (the facts) and ``report.html`` (the page).

Everything on the page is in the facts, and everything in the facts comes from artifacts and
records; no clock and no path goes in, so equal builds give equal reports.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gnomon.core.errors import ConfigError
from gnomon.core.files import write_atomic, write_json
from gnomon.evaluation.report.facts import gather
from gnomon.evaluation.report.models.gathering import Shown, gather_models
from gnomon.evaluation.report.page import page
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output


@dataclass(frozen=True, kw_only=True)
class ReportConfig:
    """Settings of the step."""

    title: str = ""
    """What the report is about, for its head; empty for none."""
    samples: int = 5
    """Samples shown for each reason for leaving something out."""
    clusters: int = 20
    """Clusters of duplicates shown, the largest first."""
    leaks: int = 50
    """Exam questions shown with the passages that give them away."""
    points: int = 240
    """Points of a training curve: each is the mean of equally many steps."""
    pairs: int = 3
    """Pairs of documents shown for every two systems that disagree on them, in each direction."""
    examples: int = 4
    """Held-out documents whose continuations are shown side by side."""

    def __post_init__(self) -> None:
        least = {"samples": 0, "clusters": 0, "leaks": 0, "points": 2, "pairs": 0, "examples": 0}
        for name, number in least.items():
            if getattr(self, name) < number:
                raise ConfigError(f"report: {name} is {getattr(self, name)}.", f"Give {number} or more.")


def run(config: ReportConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Gather the facts and write the page.

    Args:
        config: How much is shown.
        inputs: Any of ``ingest``, ``clean``, ``dedup``, ``decontaminate``, ``items``, ``chunk``, ``index``,
            ``vectors``, ``trace``; and steps of any name that left a model, tokens or measures of models.
        out: Holds their records.
    """
    facts = gather(config.title, inputs, out.records, (config.samples, config.clusters, config.leaks), out.meter)
    shown = Shown(points=config.points, pairs=config.pairs, examples=config.examples)
    models = gather_models(inputs, out.records, shown)
    if models is not None:
        facts["model"] = models
    write_json(out.path / "report.json", facts)
    write_atomic(out.path / "report.html", page(facts))
    documents = facts["size"]["documents"]
    return Counts(taken=documents, kept=documents)
