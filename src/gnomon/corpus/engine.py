"""The data engine: Daft on this machine's cores, or on a Ray cluster, as ``gnomon.toml`` says.

One switch (``data_runner``) and nothing else differs: a step writes expressions, never threads.
"""

from dataclasses import dataclass

from gnomon.core.errors import ConfigError, MissingExtra
from gnomon.core.settings import FILE_NAME, Settings

RUNNERS = ("native", "ray")


@dataclass(frozen=True, kw_only=True)
class Engine:
    """How much the engine is handed at once. Never changes a result."""

    rows: int
    """Texts in a slice of the corpus."""
    partitions: int
    """Parts of a slice that workers share."""


ENGINES = {"native": Engine(rows=10_000, partitions=1), "ray": Engine(rows=500_000, partitions=64)}
"""One machine works through small slices, so that memory stays flat; a cluster needs more at a time."""


def use_runner(settings: Settings) -> Engine:
    """Start Daft on the runner of the settings; a second call in one process changes nothing.

    Raises:
        MissingExtra: Daft or Ray is not installed.
        ConfigError: The runner is unknown, or this process already runs on the other one.
    """
    wanted = settings.data_runner
    if wanted not in RUNNERS:
        raise ConfigError(f"{FILE_NAME}: data_runner = {wanted!r}.", f"Use one of: {', '.join(RUNNERS)}.")
    try:
        import daft
        from daft.exceptions import DaftCoreException
    except ImportError as error:
        raise MissingExtra("daft", "corpus", "Cleaning and comparing documents") from error
    try:
        if wanted == "native":
            daft.set_runner_native(num_threads=settings.num_threads)
        else:
            daft.set_runner_ray(address=settings.ray_address or None, noop_if_initialized=True)
    except DaftCoreException:
        # Daft takes a runner once per process; that is only wrong when it is the other one.
        if daft.get_or_infer_runner_type() != wanted:
            raise ConfigError(
                f"This process already runs Daft on another runner than {wanted!r}.",
                "Give the two runs a process each.",
            ) from None
    except ImportError as error:
        raise MissingExtra("ray", "corpus", 'data_runner = "ray"') from error
    return ENGINES[wanted]
