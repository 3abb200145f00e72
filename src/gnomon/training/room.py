"""Room: how much memory this machine has to give right now."""

from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")
_TOLD = (
    ("memory.max", "memory.current", "memory.stat", "inactive_file"),
    (
        "memory/memory.limit_in_bytes",
        "memory/memory.usage_in_bytes",
        "memory/memory.stat",
        "total_inactive_file",
    ),
)
"""Where containers tell their limit, what is used, and how much of that is cached files (cgroup 2, cgroup 1)."""


def free_memory(device: str = "cpu", cgroup: Path = _CGROUP) -> int:
    """Bytes that can still be taken on a device.

    Args:
        device: ``"cpu"`` or a torch device such as ``"cuda:0"``.
        cgroup: Where a container's limits are told.
    """
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    import psutil  # type: ignore[import-untyped]

    free = int(psutil.virtual_memory().available)
    for limit, used, stat, cached in _TOLD:  # a container may have less than the machine
        try:
            facts = dict(line.split() for line in (cgroup / stat).read_text().splitlines())
            left = int((cgroup / limit).read_text()) - int((cgroup / used).read_text()) + int(facts.get(cached, 0))
            free = min(free, left)
        except (OSError, ValueError):  # not told here, or no limit ("max")
            continue
    return free
