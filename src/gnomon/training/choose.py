"""The step ``training/choose``: of several models, the one that did best on a development exam.

How much of each model goes into a merge, or which rate tuned it best, is decided here, by the figures of an
``evaluation/exam`` on questions of the *development* set; the exam whose result is reported has no part in it. What
every candidate scored is kept in ``chosen.json``, so that a reader sees by how little the choice was made.
"""

import math
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnomon.core.errors import ConfigError, DataError
from gnomon.core.files import read_json, write_json
from gnomon.core.wording import say
from gnomon.llm.weights import MODEL_FOLDER, read_ref, write_ref
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output
from gnomon.training.preflight import with_inherited

EXAM, PREFIX = "exam", "model:"
FACTS, CHOSEN = "exam.json", "chosen.json"
METRICS = ("accuracy", "log_prob")
_KEPT = ("training.json", "merge.json")
"""What the chosen model's step said of it, kept beside it for card and report."""


@dataclass(frozen=True, kw_only=True)
class ChooseConfig:
    """Which figure decides.

    Raises:
        ConfigError: The metric is unknown, or there are no candidates.
    """

    candidates: tuple[str, ...]
    """Names of the candidates: inputs ``model:NAME``, and arms of the exam. The first wins a tie."""
    paper: str = "development"
    """Name of the exam, in the facts, that decides."""
    metric: str = "log_prob"
    """``accuracy``, or ``log_prob``: the mean log-probability of the right option, which tells models apart that are at
    chance."""

    def __post_init__(self) -> None:
        if self.metric not in METRICS or not self.candidates or len(set(self.candidates)) < len(self.candidates):
            raise ConfigError(
                say(f"choose: metric = {self.metric!r}, candidates = {self.candidates}.",
                    f"choose: metric = {self.metric!r}、candidates = {self.candidates}。"),
                say(f"Metrics are {', '.join(METRICS)}; every candidate once, at least one.",
                    f"metric は {', '.join(METRICS)}。候補は一つ以上、重複なし。"),
            )  # fmt: skip


def run(config: ChooseConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Take the best of ``inputs["model:NAME"]`` by ``inputs["exam"]``; its files are linked where possible.

    Raises:
        ConfigError: A candidate has no model, or did not sit the exam.
        DataError: No candidate has a figure.
    """
    scores = {name: _score(config, name, inputs) for name in config.candidates}
    known = {name: value for name, value in scores.items() if value is not None}
    if not known:
        raise DataError(
            say(f"choose: none of {', '.join(scores)} has a {config.metric} in {config.paper!r}.",
                f"choose: {config.paper!r} に {config.metric} のある候補がない: {', '.join(scores)}。"),
            say("Are there questions in the development set that they can answer?",
                "開発セットに回答できる問題があるか確かめる。"),
        )  # fmt: skip
    best = max(known, key=lambda name: known[name])
    _take(inputs[PREFIX + best], out.path)
    write_json(out.path / CHOSEN, {"chosen": best, "metric": config.metric, "paper": config.paper, "scores": scores})
    chosen = {name: record for name, record in out.records.items() if name == PREFIX + best}
    out.metrics.update(chosen=best, scores=scores, duties=with_inherited((), chosen))
    return Counts(taken=len(scores), kept=1, dropped={"not_best": len(scores) - 1} if len(scores) > 1 else {})


def _score(config: ChooseConfig, name: str, inputs: Mapping[str, Path]) -> float | None:
    """The figure of a candidate, None when the exam could not score it."""
    facts = read_json(inputs[EXAM] / FACTS)
    try:
        found: Any = facts["exams"][config.paper]["arms"][name][config.metric]
        inputs[PREFIX + name]
    except KeyError as error:
        raise ConfigError(
            say(f"choose: {name!r} is no model that sat {config.paper!r}: {error} is missing.",
                f"choose: {name!r} は {config.paper!r} を受けたモデルではない: {error} がない。"),
            say("Give the exam and the choice the same names.", "exam と choose に同じ名前を使う。"),
        ) from error  # fmt: skip
    value = found["value"] if found else None
    return value if value is not None and math.isfinite(value) else None


def _take(artifact: Path, target: Path) -> None:
    """The artifact's model and what was said of it, under our own address."""
    shutil.rmtree(target / MODEL_FOLDER, ignore_errors=True)
    source = artifact / MODEL_FOLDER
    if source.is_dir():
        shutil.copytree(source, target / MODEL_FOLDER, copy_function=_linked)
    for name in _KEPT:
        if (artifact / name).is_file():
            _linked(artifact / name, target / name)
    write_ref(target, read_ref(artifact))


def _linked(source: str | Path, target: str | Path) -> None:
    """One more name for a finished artifact's file, which nothing ever writes to; a copy where there are no links."""
    Path(target).unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
