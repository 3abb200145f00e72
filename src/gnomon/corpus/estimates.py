"""Estimates of this room's steps, in the form that ``plan`` asks for."""

from typing import Any

from gnomon.capacity import data
from gnomon.core.estimates import Estimate


def ingest(config: Any, documents: int, size: int) -> Estimate:
    """What ``corpus/ingest`` takes for files of ``size`` bytes."""
    return data.ingest_cost(data.Load(documents=documents, source_bytes=size))


def clean(config: Any, documents: int, size: int) -> Estimate:
    """What ``corpus/clean`` takes."""
    return data.clean_cost(data.Load(documents=documents, source_bytes=size))


def dedup(config: Any, documents: int, size: int) -> Estimate:
    """What ``corpus/dedup`` takes."""
    return data.dedup_cost(data.Load(documents=documents, source_bytes=size))


def decontaminate(config: Any, documents: int, size: int) -> Estimate:
    """What ``corpus/decontaminate`` takes."""
    return data.decontaminate_cost(data.Load(documents=documents, source_bytes=size))


def pass_on(config: Any, documents: int, size: int) -> Estimate:
    """What a step takes that reads and writes documents and hardly does more."""
    return data.copy_cost(data.Load(documents=documents, source_bytes=size))
