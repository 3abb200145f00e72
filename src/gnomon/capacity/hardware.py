"""Hardware: what a processor can do at most, as published by its maker or measured here.

*Peak* is the most multiply-adds a second, counted as two operations each, of dense matrices (no structured sparsity).
*MFU*, model FLOPs utilisation, is the share of the peak that a training really uses (arXiv 2204.02311, appendix B).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from gnomon.core.errors import NotFound
from gnomon.core.wording import say


@dataclass(frozen=True, kw_only=True, slots=True)
class Hardware:
    """One device: a GPU, or one core of a processor."""

    name: str
    """As people call it."""
    memory_bytes: int
    """Memory of the device; 0 where the machine decides."""
    float32: float
    """Peak operations a second in float32 as matrices are multiplied (TF32 where the device has it)."""
    bf16: float
    """Peak operations a second in bfloat16."""
    fp8: float = 0.0
    """Peak operations a second in float8; 0 if it cannot."""
    planned: Mapping[str, float]
    """Share of each peak to plan with."""
    slack: float = 1.05
    """What its allocator holds, by what is in use; published figures of 8B models lie within 7 % of the bare sum."""
    source: str
    """Where the figures come from."""

    def peak(self, precision: str) -> float:
        """Peak operations a second for ``float32``, ``bf16`` or ``fp8``; what it cannot, it does in the next wider."""
        return {"float32": self.float32, "bf16": self.bf16, "fp8": self.fp8 or self.bf16}[precision]

    def share(self, precision: str) -> float:
        """Share of that peak to plan with."""
        return self.planned[precision if precision in self.planned else "bf16"]


_HOPPER = "NVIDIA data sheets of H100 and H200 (SXM): half the figures printed with sparsity"
_SHARES = {"float32": 0.3, "bf16": 0.34, "fp8": 0.22}
"""bf16: the platform's planning figure, 5,787 tokens/s of an 8B model; fp8: torchtitan's published 8,532 on an H100."""
H100 = Hardware(
    name="h100",
    memory_bytes=80 * 10**9,
    float32=494.7e12,
    bf16=989.4e12,
    fp8=1_978.9e12,
    planned=_SHARES,
    source=_HOPPER,
)
H200 = replace(H100, name="h200", memory_bytes=141 * 10**9)
CPU_CORE = Hardware(
    name="cpu",
    memory_bytes=0,
    float32=190e9,
    bf16=1_347e9,
    planned={"float32": 0.6, "bf16": 0.12},
    slack=1.25,
    source="one core of a Xeon with AMX, square matrices of 1,024, measured with torch 2.13",
)
"""Shares and slack as measured with models of 5 M parameters: in bfloat16 it waits for what is no matrix product."""
KNOWN = {device.name: device for device in (H100, H200, CPU_CORE)}


def hardware(name: str) -> Hardware:
    """The device called ``name``. Raises NotFound."""
    try:
        return KNOWN[name]
    except KeyError:
        raise NotFound(
            say(f"No figures for hardware {name!r}.", f"ハードウェア{name!r}の数値がありません。"),
            say(f"Known: {', '.join(sorted(KNOWN))}.", f"使えるもの: {', '.join(sorted(KNOWN))}。"),
        ) from None
