"""One embedder's side of a library: its vectors, finished or not, and the model for queries."""

from functools import cached_property
from threading import Lock
from typing import Any

import numpy as np

from gnomon.core.errors import NotFound
from gnomon.core.protocols import Embedder, resolve
from gnomon.knowledge.filters import literal
from gnomon.knowledge.opening import Rooms, open_table
from gnomon.knowledge.vectors import Making, announced, made_by, progress_key, vectors_key
from gnomon.llm.tuned import placed

PARTITIONS = 40
"""Parts of the index that are looked at; more when a filter leaves too few rows in them."""
PASSAGES_MEANT = 64
"""Passages of a document, at most, whose mean it is known by among others."""
REFINE = 3
"""Times k rows that are looked at again with their exact vectors."""


class VectorSide:
    """The vectors of one step.

    Args:
        workspace: Where they are.
        address: The step's address; it may be unfinished, or not begun.
    """

    def __init__(self, workspace: Rooms, address: str) -> None:
        self.workspace, self.address = workspace, address
        self._lock = Lock()
        self._table: Any = None
        self._finished = False
        self._making: Making | None = None

    def reads(self, lang: str) -> bool:
        """Whether there are vectors to ask for a query in this language."""
        table = self._newest()
        making = self._making
        return table is not None and making is not None and (not making.languages or lang in making.languages)

    @property
    def weight(self) -> float:
        """What these vectors count beside full text, from 0 to 1."""
        return self._making.config.weight if self._making else 0.0

    def search(self, query: str, k: int, condition: str) -> list[tuple[str, float]]:
        """The k nearest chunks and their cosine similarity, best first."""
        vector = self.embedder.embed_queries([query])[0]
        try:
            return self._nearest(vector, k, condition)
        except (OSError, RuntimeError):
            # The version that was open has been replaced and freed, because the step finished meanwhile.
            with self._lock:
                self._table = None
            return self._nearest(vector, k, condition)

    def like(self, doc_id: str, k: int) -> list[tuple[str, float]]:
        """The k chunks nearest to the mean of a document's own; nothing when it has no vectors here."""
        table = self._newest()
        if table is None:
            return []
        own = table.search().where(f"starts_with(chunk_id, {literal(doc_id + '#')})").select(["vector"])
        vectors = own.limit(PASSAGES_MEANT).to_arrow()["vector"].to_pylist()
        return self._nearest(np.asarray(vectors, dtype=np.float32).mean(axis=0), k, "") if vectors else []

    def _nearest(self, vector: Any, k: int, condition: str) -> list[tuple[str, float]]:
        table = self._newest()
        if table is None:
            return []
        asked = table.search(vector, vector_column_name="vector").distance_type("cosine")
        asked = asked.minimum_nprobes(PARTITIONS).maximum_nprobes(0).refine_factor(REFINE)
        asked = asked.select(["chunk_id", "_distance"]).limit(k)
        rows = (asked.where(condition, prefilter=True) if condition else asked).to_arrow()
        best: dict[str, float] = {}
        for key, distance in zip(rows["chunk_id"].to_pylist(), rows["_distance"].to_pylist(), strict=True):
            best[key] = max(best.get(key, -1.0), 1.0 - float(distance))
        return sorted(best.items(), key=lambda pair: (-pair[1], pair[0]))

    def stats(self) -> dict[str, Any]:
        """The model, the vectors made so far, how many there will be, and whether all are made."""
        table = self._newest()
        rows = 0 if table is None else int(table.count_rows())
        making = self._making
        return {
            "address": self.address, "model": making.config.embedder.name if making else "", "rows": rows,
            "of": making.wanted if making else 0, "finished": self._finished,
        }  # fmt: skip

    @cached_property
    def embedder(self) -> Embedder:
        """The model, loaded when the first query needs it.

        Raises:
            NotFound: The step has not begun, so nobody knows its model.
        """
        if self._newest() is None or self._making is None:
            raise NotFound(f"{self.address} has no vectors yet.", "Wait for its first shard.")
        config, machine = self._making.config, self.workspace.settings
        if self._making.artifact:
            _, machine = placed(self.workspace.artifact(self._making.artifact), machine)
        made: Embedder = resolve(config.loader)(config.embedder, machine)
        return made

    def _newest(self) -> Any | None:
        """The finished version, else the newest rows of the unfinished one."""
        with self._lock:
            if self._finished and self._table is not None:
                return self._table
            record = self.workspace.record(self.address)
            if record is not None:
                use = record.stores[0]
                self._making, self._finished = made_by(record), True
                self._table = open_table(self.workspace.place(use.key), use.tag)
                return self._table
            known = announced(self.workspace.place(progress_key(self.address.rsplit("/", 1)[-1])))
            if known is None:
                return None
            self._making = known
            if self._table is None:
                self._table = open_table(self.workspace.place(vectors_key(known.config)))
            else:
                self._table.checkout_latest()
            return self._table
