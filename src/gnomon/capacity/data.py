"""Data work: hours, memory and disk of reading, cleaning, comparing and indexing documents.

Linear models through figures measured on two shared cores of an ordinary server with the 42,146
astro-ph abstracts of 1,338 characters each (``bench/``); disk is what an artifact leaves behind.
They are for a plan, not for a promise: other texts and machines are off by a factor of two.
"""

from dataclasses import dataclass

from gnomon.core.estimates import Estimate

CHARACTERS_PER_ABSTRACT = 1_338
"""Length of the texts that the figures were measured on."""
_HOUR = 3_600.0
_MIB = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """How much there is to do."""

    documents: int
    """Number of documents; 0 while unknown."""
    source_bytes: int = 0
    """Bytes of the source files, compressed as they are; 0 when the step reads an artifact."""

    @property
    def abstracts(self) -> float:
        """The load in texts as long as an abstract: by number when known, else by bytes."""
        if self.documents:
            return float(max(self.documents, self.source_bytes / CHARACTERS_PER_ABSTRACT / 4))
        return self.source_bytes / (CHARACTERS_PER_ABSTRACT / 3)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """Figures of one kind of work."""

    seconds: float
    """Seconds a thousand abstracts."""
    start: float = 1.0
    """Seconds before the first."""
    memory: int = 0
    """Peak memory that does not grow, in MiB."""
    memory_each: float = 0.0
    """Bytes of memory a document."""
    disk_each: float = 0.0
    """Bytes left behind a document."""


INGEST = Rate(seconds=0.25, memory=250, memory_each=120, disk_each=700)
CLEAN = Rate(seconds=0.68, start=2.0, memory=300, memory_each=64, disk_each=700)
COPY = Rate(seconds=0.11, memory=200, memory_each=64, disk_each=700)
DEDUP = Rate(seconds=0.16, start=2.0, memory=400, memory_each=600, disk_each=690)
DECONTAMINATE = Rate(seconds=0.25, start=2.0, memory=580, memory_each=600, disk_each=700)
CHUNK = Rate(seconds=0.09, memory=300, memory_each=64, disk_each=40)
INDEX = Rate(seconds=0.28, start=2.0, memory=900, memory_each=1_000, disk_each=3_400)
VECTORS = Rate(seconds=12.0, start=3.0, memory=1_000, memory_each=800, disk_each=770)
TRACE = Rate(seconds=0.27, start=1.0, memory=600, memory_each=2_500, disk_each=3_200)
"""Fitted to one run each, digests of the runner included, at a load of 1.6 to 3."""


def cost(load: Load, rate: Rate) -> Estimate:
    """Hours, memory and disk of some work."""
    seconds = rate.start + rate.seconds * load.abstracts / 1_000
    return Estimate(
        hours=seconds / _HOUR,
        memory_bytes=int(rate.memory * _MIB + rate.memory_each * load.abstracts),
        disk_bytes=int(rate.disk_each * load.abstracts),
    )


def ingest_cost(load: Load) -> Estimate:
    """Reading files into documents."""
    return cost(load, INGEST)


def clean_cost(load: Load) -> Estimate:
    """Cleaning documents."""
    return cost(load, CLEAN)


def copy_cost(load: Load) -> Estimate:
    """Passing documents on."""
    return cost(load, COPY)


def dedup_cost(load: Load) -> Estimate:
    """Finding near-duplicates."""
    return cost(load, DEDUP)


def decontaminate_cost(load: Load) -> Estimate:
    """Looking for leaks of exam questions."""
    return cost(load, DECONTAMINATE)


def chunk_cost(load: Load) -> Estimate:
    """Cutting documents into chunks."""
    return cost(load, CHUNK)


def index_cost(load: Load) -> Estimate:
    """Building the full-text index."""
    return cost(load, INDEX)


def vectors_cost(load: Load) -> Estimate:
    """Embedding chunks with the packaged model on the processor."""
    return cost(load, VECTORS)


def trace_cost(load: Load) -> Estimate:
    """Building the trace index."""
    return cost(load, TRACE)
