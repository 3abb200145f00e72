"""Launching a training job: in this process, or in many through a launcher of PyTorch's world.

``gnomon.toml`` says which (``[training] launcher``). A launched job is the same job: the ranks read it
from a file, and this process watches the file of their progress.
"""

from gnomon.runs.output import Meter
from gnomon.training.loop.job import Job


def launch(job: Job, meter: Meter) -> None:
    """Run a job to its end.

    Raises:
        TrainingError: It stopped.
    """
    from gnomon.training.loop.work import work

    work(job, meter)
