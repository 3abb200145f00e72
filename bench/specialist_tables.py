"""The tables of ``specialist`` in Markdown, as they go into docs/figures.md."""

from collections.abc import Mapping, Sequence
from typing import Any

SUBJECTS = "subjects (accuracy)"


def tables(report: Mapping[str, Any]) -> str:
    """Every table of a report."""
    loads = ", ".join(f"{load[0]:.1f}" for load in report["load"])
    pieces = [f"Measured on the {report['parts']} parts; load before and after: {loads}.", trained(report)]
    pieces.append(perplexity(report["perplexity"]))
    if "verdict" in report:
        pieces.append("\n".join(_verdict_line(name, row) for name, row in report["verdict"].items()))
    if "embedding" in report:
        pieces.append(embedding(report["embedding"]))
    if "completion" in report:
        pieces.append(completion(report["completion"]))
    return "\n\n".join(pieces)


def trained(report: Mapping[str, Any]) -> str:
    """What was trained on what, and how fast."""
    rows = [
        [name, f"{row['tokens']:,}", f"{row['steps']:,}", f"{row['loss']:.3f}", f"{row['seconds'] / 60:.1f}",
         f"{row['tokens_per_second']:,.0f}"]
        for name, row in report["trained"].items()
    ]  # fmt: skip
    mixes = [
        f"{name}: " + ", ".join(f"{source} {tokens:,}" for source, tokens in sources.items())
        for name, sources in report["packed"].items()
    ]
    head = ["", "tokens trained on", "steps", "last loss", "minutes", "tokens/s"]
    return _markdown(head, rows) + "\n\nTokens by source: " + "; ".join(mixes) + "."


def perplexity(facts: Mapping[str, Any]) -> str:
    """Perplexity of every model on every test set, and its change against the base."""
    tests = dict(sorted(facts["tests"].items(), key=lambda item: (item[1]["kind"], item[0])))
    head = ["", *(f"{name} ({test['kind']}, n = {test['documents']:,})" for name, test in tests.items())]
    names = list(next(iter(tests.values()))["models"])
    models = [facts["reference"], *sorted(name for name in names if name != facts["reference"])]
    rows = []
    for model in models:
        rows.append([model, *(_interval(test["models"][model]["perplexity"], 2) for test in tests.values())])
        if model != facts["reference"]:
            changes = [_change(test, model, facts["reference"]) for test in tests.values()]
            rows.append(["change, %", *(_interval(change, 1, sign=True) for change in changes)])
    return _markdown(head, rows)


def _change(test: Mapping[str, Any], model: str, against: str) -> Mapping[str, Any]:
    both = (row for row in test["comparisons"] if row["model"] == model and row["against"] == against)
    change: Mapping[str, Any] = next(both)["perplexity_change_percent"]
    return change


def _verdict_line(name: str, row: Mapping[str, Any]) -> str:
    word = "holds" if row["holds"] else "falls short"
    return f"* {name}: {_interval(row['change_percent'], 1, sign=True)} %, at most {row['at_most']:+.1f} %: {word}"


def embedding(facts: Mapping[str, Any]) -> str:
    """nDCG@10, accuracy of the probe, and spread of the similarities, by system."""
    groups = (facts.get("retrieval") or {}).get("groups", {})
    subjects = facts["subjects"].get("systems", {})
    probed = f"{SUBJECTS}, n = {facts['subjects']['n']}"
    head = ["", *(f"nDCG@10, {name} (n = {group['n']})" for name, group in groups.items()), probed, "cosines, spread"]
    rows = []
    for system, row in facts["similarity"]["systems"].items():
        scores = [_interval(group["systems"][system]["ndcg10"], 3) for group in groups.values()]
        told = _interval(subjects[system]["accuracy"], 3) if system in subjects else ""
        rows.append([system, *scores, told, f"{row['spread']['value']:.3f}"])
    return _markdown(head, rows)


def completion(facts: Mapping[str, Any]) -> str:
    """What was written, by system."""
    wanted = ("overlap", "number_precision", "new_number_precision", "name_precision", "new_name_precision")
    rows = [
        [name, f"{row['completions']}", *(_interval(row[measure], 3) for measure in wanted)]
        for name, row in facts["systems"].items()
    ]
    return _markdown(["", "completions", *(name.replace("_", " ") for name in wanted)], rows)


def _interval(row: Mapping[str, Any], digits: int, *, sign: bool = False) -> str:
    if row["value"] is None:
        return "none"
    form = f"{'+' if sign else ''}.{digits}f"
    text = format(row["value"], form)
    return text if row["low"] is None else f"{text} [{format(row['low'], form)}, {format(row['high'], form)}]"


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|---|" + "--:|" * (len(head) - 1)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])
