"""Estimates: what a step is expected to take, so that a plan can show it before anything runs."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a step is expected to take on this machine."""

    hours: float = 0.0
    """Wall-clock hours."""
    memory_bytes: int = 0
    """Peak memory."""
    disk_bytes: int = 0
    """Size of what it leaves behind."""
    usd: float = 0.0
    """Money for calls."""
