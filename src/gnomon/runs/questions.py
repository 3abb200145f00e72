"""Questions: what an exam question rests on, what was answered to it, and what it kept from models.

The answers of ``evaluation/exam`` are read as plain rows. How sure a model was of the right option is told only where
its scores are log-probabilities, as the exam itself does.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gnomon.core.files import read_json
from gnomon.core.records import Document, Item
from gnomon.core.tables import read_table
from gnomon.core.text import fold
from gnomon.runs.lineage import DOCUMENTS, DROPS, ITEMS, LEAKS, RESULTS, Chain, Link
from gnomon.runs.rows import rows_where, rows_with
from gnomon.runs.walker import Walker, step_facts

FACTS = "exam.json"


def question(walker: Walker, item_id: str) -> Link | None:
    """An exam question's lineage: its evidence, the document that holds it, what it kept from models, and every answer.

    Args:
        walker: Walks along the chain.
        item_id: The question.
    """
    chain = walker.chain
    for record in chain.records:
        folder = chain.folder(record)
        for item in rows_where(folder / ITEMS, Item, "id", item_id) if folder else ():
            leaks = list(_leaks(chain, item_id))
            facts = {
                "prompt": item.prompt, "choices": list(item.choices), "targets": list(item.targets),
                "lang": item.lang, "origin": item.origin, "evidence": item.evidence, "leaks": [row for _, row in leaks],
            }  # fmt: skip
            step = Link(kind="step", id=record.address, facts=step_facts(record))
            kept_out = [_leak_link(chain, address, row) for address, row in leaks]
            below = (*_evidence_of(walker, item), step, *kept_out, *exams_of(chain, item_id))
            return Link(kind="question", id=item.id, facts=facts, below=below)
    return None


def _evidence_of(walker: Walker, item: Item) -> Iterator[Link]:
    """The document a question was made from: the one it names, else the one its evidence stands in."""
    named = walker.document(item.origin) if item.origin else None
    if named is not None:
        yield named
        return
    found = _holder(walker.chain, item.evidence) if item.evidence else ""
    link = walker.document(found) if found else None
    if link is not None:
        yield link


def _holder(chain: Chain, sentence: str) -> str:
    wanted = fold(sentence)
    for record in chain.records:
        folder = chain.folder(record) if record.address in chain.readers else None
        if folder is not None and (folder / DOCUMENTS).is_dir():
            for document in read_table(folder / DOCUMENTS, Document):
                if wanted in fold(document.text):
                    return document.id
    return ""


# Leaks ----------------------------------------------------------------------------------------


def _leaks(chain: Chain, item_id: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Passages that give a question away, with the step that found each."""
    for record in chain.records:
        folder = chain.folder(record)
        for row in rows_with(folder / LEAKS, [("item_id",)], item_id) if folder is not None else ():
            yield record.address, row


def _leak_link(chain: Chain, address: str, row: Mapping[str, Any]) -> Link:
    """A passage that was found, and whether its document was kept from models."""
    doc_id = str(row["span"]["doc_id"])
    drops = chain.workspace.artifact(address) / DROPS
    dropped = any(True for _ in rows_with(drops, [("doc_id",)], doc_id))
    facts = {"outcome": "dropped" if dropped else "kept", "step": address, "method": row["method"],
             "score": row["score"], "passage": row["passage"], "span": row["span"]}  # fmt: skip
    return Link(kind="leak", id=doc_id, facts=facts)


# Answers --------------------------------------------------------------------------------------


def exams_of(chain: Chain, item_id: str) -> list[Link]:
    """Every exam a question was asked in, with what each arm said.

    Args:
        chain: The steps.
        item_id: The question.
    """
    found = []
    for record in chain.records:
        folder = chain.folder(record)
        if folder is None or not (folder / RESULTS).exists():
            continue
        papers: dict[str, list[dict[str, Any]]] = {}
        for row in rows_with(folder / RESULTS, [("result", "item_id")], item_id):
            papers.setdefault(str(row["exam"]), []).append(row)
        for paper, rows in papers.items():
            arms = _arms(rows, read_json(folder / FACTS) if (folder / FACTS).exists() else {})
            facts = {"paper": paper, "arms": len(arms), "right": sum(arm.facts["score"] == 1 for arm in arms)}
            found.append(Link(kind="exam", id=record.address, facts=facts, below=tuple(arms)))
    return found


def _arms(rows: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> list[Link]:
    """One link an arm, in the order of the exam."""
    said: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        said.setdefault(str(row["result"]["arm"]), []).append(row)
    order = [name for name in facts.get("order", {}).get("arms", ()) if name in said]
    normalise = facts.get("how", {}).get("normalise", "")
    return [
        _arm_link(name, said[name], facts.get("arms", {}).get(name, {}), normalise)
        for name in dict.fromkeys([*order, *said])
    ]


def _arm_link(name: str, rows: Sequence[Mapping[str, Any]], arm: Mapping[str, Any], normalise: str) -> Link:
    results = [row["result"] for row in rows]
    scores = [result["score"] for result in results if result["score"] is not None]
    targets = [int(target) for target in rows[0]["targets"]]
    sure = arm.get("kind") == "model" and (arm.get("mode") != "option" or normalise == "sum") and len(targets) == 1
    shares = [_log_share(r["output"]["log_probs"], targets[0]) for r in results if sure and r["output"]["log_probs"]]
    facts = {
        "score": math.fsum(scores) / len(scores) if scores else None, "targets": targets,
        "log_prob": math.fsum(shares) / len(shares) if shares else None,
        "reasons": sorted({result["reason"] for result in results if result["reason"]}),
        **{key: arm[key] for key in ("kind", "mode", "model", "open_book") if key in arm},
        "orders": [
            {"order": r["order"], "chosen": r["output"]["chosen"], "log_probs": r["output"]["log_probs"],
             "text": r["output"]["text"], "score": r["score"], "reason": r["reason"]}
            for r in results
        ],
    }  # fmt: skip
    return Link(kind="arm", id=name, facts=facts)


def _log_share(log_probs: Sequence[float], option: int) -> float:
    """The log-probability of an option, given that one of them is taken."""
    most = max(log_probs)
    return log_probs[option] - most - math.log(math.fsum(math.exp(value - most) for value in log_probs))
