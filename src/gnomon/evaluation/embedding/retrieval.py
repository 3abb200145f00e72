"""Retrieval by a system's vectors alone: does a paper's title lead to the papers it cites?

*nDCG@10* (Järvelin and Kekäläinen 2002) with one gain for every relevant passage, and recall@100.
All passages are compared with all queries; a query's own paper is no answer to it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gnomon.core.protocols import Vectors
from gnomon.evaluation.bootstrap import Draws, Floats, mean_interval
from gnomon.evaluation.embedding.texts import RetrievalSet

TOP, DEEP = 10, 100
SCORES_AT_ONCE = 1 << 24
MEASURES = ("ndcg10", "recall100")


@dataclass(frozen=True, kw_only=True, slots=True)
class QueryScore:
    """What one query gave under one system."""

    system: str
    """The system."""
    query: str
    """The query's id."""
    apart: bool
    """Whether it belongs to the field that is shown apart."""
    ndcg10: float
    """nDCG@10, 0 to 1."""
    recall100: float
    """Share of the relevant passages among the first 100."""


def query_scores(system: str, queries: Vectors, passages: Vectors, found: RetrievalSet) -> list[QueryScore]:
    """Score every query of a set under one system.

    Args:
        system: Its name.
        queries: Unit rows, shape (queries, dimensions).
        passages: Unit rows, shape (passages, dimensions).
        found: Which passages are relevant.
    """
    scores = []
    step = max(1, SCORES_AT_ONCE // max(1, len(passages)))
    for start in range(0, len(queries), step):
        cosines = np.asarray(queries[start : start + step] @ passages.T)
        for i, row in enumerate(cosines):
            query = found.queries[start + i]
            own = found.row_of.get(query.id, -1)
            ndcg, recall = measures(best(row, own), query.relevant - {own})
            scores.append(QueryScore(system=system, query=query.id, apart=query.apart, ndcg10=ndcg, recall100=recall))
    return scores


def best(cosines: Vectors, own: int) -> list[int]:
    """The rows of the best passages, best first, without the query's own; ties by row."""
    depth = min(len(cosines), DEEP + 1)
    rows = np.argpartition(-cosines, depth - 1)[:depth]
    ordered = rows[np.lexsort((rows, -cosines[rows]))]
    return [int(row) for row in ordered if row != own][:DEEP]


def measures(ranked: Sequence[int], relevant: frozenset[int]) -> tuple[float, float]:
    """nDCG@10 and recall@100 of one ranking; 0 where nothing is relevant."""
    if not relevant:
        return 0.0, 0.0
    discounts = 1 / np.log2(np.arange(TOP) + 2)
    gains = np.array([row in relevant for row in ranked[:TOP]], dtype=np.float64)
    ideal = discounts[: min(TOP, len(relevant))].sum()
    found = len(relevant.intersection(ranked[:DEEP]))
    return float((gains * discounts[: len(gains)]).sum() / ideal), found / len(relevant)


def retrieval_figures(
    scores: Mapping[str, Sequence[QueryScore]], against: Sequence[str], draws: Draws
) -> dict[str, Any]:
    """Means with intervals, and differences from some systems, for all queries, those apart and the rest.

    Args:
        scores: By system, each in the order of the queries.
        against: The systems that the others are compared with.
        draws: Of the bootstrap, over queries.
    """
    columns = {
        name: {m: np.array([getattr(row, m) for row in rows]) for m in MEASURES} for name, rows in scores.items()
    }
    apart = np.array([row.apart for row in next(iter(scores.values()))], dtype=np.bool_)
    masks = {"all": np.ones(len(apart), dtype=np.bool_), "apart": apart, "rest": ~apart}
    return {name: _group(columns, mask, against, draws) for name, mask in masks.items() if mask.any()}


def _group(
    columns: Mapping[str, Mapping[str, Floats]], mask: Any, against: Sequence[str], draws: Draws
) -> dict[str, Any]:
    systems = {
        name: {m: mean_interval(values[mask], draws).to_row() for m, values in own.items()}
        for name, own in columns.items()
    }
    differences = [
        {
            "system": name,
            "against": other,
            **{m: mean_interval((own[m] - columns[other][m])[mask], draws).to_row() for m in MEASURES},
        }
        for other in against
        for name, own in columns.items()
        if name != other
    ]
    return {"n": int(mask.sum()), "systems": systems, "differences": differences}
