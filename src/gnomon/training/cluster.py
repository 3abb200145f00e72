"""Files for clusters: batch scripts for Slurm and PBS, and accelerate's configuration for FSDP2.

Filled from the templates beside this module. A batch script runs the same command as a laptop does, on the
first node; what it has to say of the other nodes stands in ``gnomon.toml`` (``[training]``), which the script
repeats. See ``docs/beyond-one-machine.md``.
"""

import string
from dataclasses import dataclass
from pathlib import Path

from gnomon.core.errors import ConfigError
from gnomon.core.wording import say

TEMPLATES = Path(__file__).parent / "templates"
SCHEDULERS = ("slurm", "pbs")


class _Template(string.Template):
    """``@{name}`` is filled in; a shell's ``$`` is left alone."""

    delimiter = "@"
    pattern = r"@(?:(?P<escaped>@)|(?P<named>(?!))|\{(?P<braced>[a-z_]+)\}|(?P<invalid>(?!)))"  # type: ignore[assignment, unused-ignore]


@dataclass(frozen=True, kw_only=True)
class Allocation:
    """What is asked of a scheduler."""

    nodes: int = 1
    """Machines."""
    gpus: int = 8
    """GPUs a machine."""
    cores: int = 64
    """Processor cores a machine."""
    hours: int = 24
    """Greatest duration; submit again to go on."""
    setup: str = "source .venv/bin/activate"
    """Lines of shell that make ``gnomon`` known: modules, a container, an environment."""


def filled(template: str, **values: object) -> str:
    """A template of this package with its places filled.

    Args:
        template: Its file name.
        values: What stands for each ``@{name}``.
    """
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    return _Template(text).substitute({name: str(value) for name, value in values.items()})


def batch_script(scheduler: str, allocation: Allocation, command: str, name: str = "gnomon") -> str:
    """A script for ``sbatch`` or ``qsub`` that runs a command of gnomon over an allocation.

    Args:
        scheduler: ``slurm`` or ``pbs``.
        allocation: What is asked for.
        command: Such as ``gnomon run llmjp_4 --scale cluster``.
        name: Name of the job.

    Raises:
        ConfigError: The scheduler is unknown, or nothing is asked for.
    """
    sizes = (allocation.nodes, allocation.gpus, allocation.cores, allocation.hours)
    if scheduler not in SCHEDULERS or min(sizes) < 1 or "\n" in command + name:
        raise ConfigError(
            say(f"No batch script for {scheduler!r}, (nodes, GPUs, cores, hours) {sizes}, command {command!r}.",
                f"{scheduler!r} の、ノード・GPU・コア・時間 {sizes}、コマンド {command!r} のスクリプトは作れない。"),
            say(f"Schedulers are {', '.join(SCHEDULERS)}; every size is at least 1, the command one line.",
                f"スケジューラは {', '.join(SCHEDULERS)}。各値は 1 以上、コマンドは 1 行。"),
        )  # fmt: skip
    return filled(
        f"{scheduler}.sh", name=name, command=command, nodes=allocation.nodes, gpus=allocation.gpus,
        cores=allocation.cores, hours=allocation.hours, setup=allocation.setup,
    )  # fmt: skip


def accelerate_config(processes: int, block: str, *, nodes: int = 1, offload: bool = False) -> str:
    """The file that ``[training] accelerate_config`` names: FSDP2 on GPUs.

    Args:
        processes: GPUs of all machines together.
        block: Class of the model's blocks, such as ``LlamaDecoderLayer``: each is gathered and let go by itself.
        nodes: Machines.
        offload: Keep weights and optimizer states in the machine's memory: slower, and fits where nothing else does.
    """
    return filled("fsdp2.yaml", processes=processes, block=block, nodes=nodes, offload=str(offload).lower())
