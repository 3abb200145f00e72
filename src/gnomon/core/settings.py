"""Settings: everything about the machine, in one file, never part of an artifact's identity.

``gnomon.toml`` is looked for in the workspace, then in the user's home. An unknown key is an
error, because a misspelt key that becomes a silent default is worse than a stop.
"""

import dataclasses
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

from gnomon.core.errors import ConfigError, OfflineError
from gnomon.core.wording import say

FILE_NAME = "gnomon.toml"
S = TypeVar("S")


@dataclass(frozen=True, kw_only=True)
class ModelPlace:
    """Where a named model is reached, and on what terms."""

    url: str = ""
    """Base URL of an OpenAI-compatible endpoint."""
    key_env: str = ""
    """Name of the environment variable that holds the API key."""
    model: str = ""
    """Name that is sent to the endpoint; empty for the model's own name."""
    usd_per_million_tokens: float | None = None
    """Price of a million input tokens, None when unknown."""
    usd_per_million_output_tokens: float | None = None
    """Price of a million generated tokens, None when unknown."""
    batch: int = 64
    """Texts sent in one request to an embedder."""
    concurrency: int = 16
    """Calls in flight at once."""
    calls_per_minute: float = 0.0
    """Most calls begun in a minute; 0 for as many as fit."""
    retries: int = 6
    """How often a call is made again after a busy or broken answer."""
    timeout_seconds: float = 60.0
    """Seconds to wait for a response."""
    structured: str = "schema"
    """How a JSON schema is asked for: ``schema`` (``response_format``), ``json`` (JSON mode, the schema in words) or
    ``words``."""
    thinking: str = "template"
    """How thinking is switched: ``template`` (``chat_template_kwargs``), ``effort`` (``reasoning_effort``), ``system``
    (a system message, as Gnomon's own models are taught) or ``none``."""
    limit: str = "max_tokens"
    """Name of the limit of generated tokens; some hosted models want ``max_completion_tokens``."""


@dataclass(frozen=True, kw_only=True)
class TrainingPlace:
    """How this machine trains: nothing here changes what is learnt, beyond the last bits of a sum."""

    launcher: str = "process"
    """``process`` (this one), ``torchrun`` (FSDP2) or ``accelerate`` (its own configuration file)."""
    processes: int = 1
    """Processes of ``torchrun`` on each machine: as many as it has GPUs."""
    nodes: int = 1
    """Machines of ``torchrun``."""
    across: str = ""
    """Command that starts one process on each machine: ``srun --ntasks-per-node=1``; for ``nodes`` above 1."""
    accelerate_config: str = ""
    """Configuration file of ``accelerate launch``; empty for accelerate's own default."""
    micro_batch: int = 0
    """Rows a device takes at a time; 0 for as many as 8,192 tokens hold."""
    checkpoint_minutes: float = 10.0
    """Minutes between checkpoints."""
    checkpoint_steps: int = 0
    """Steps between checkpoints; 0 to go by minutes alone."""
    checkpoints: int = 2
    """Checkpoints kept."""
    compile: bool = False
    """Compile the model with ``torch.compile``; needs a C++ compiler. Padding is then computed too."""
    gradient_checkpointing: bool = False
    """Compute activations again in the backward pass instead of keeping them."""
    trackers: tuple[str, ...] = ()
    """Besides TensorBoard: ``mlflow``, ``wandb``, ``trackio``, where installed."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The machine, as ``gnomon.toml`` describes it."""

    offline: bool = False
    """True makes any outward call an error."""
    data_runner: str = "native"
    """Where Daft runs: ``"native"`` or ``"ray"``."""
    ray_address: str = ""
    """Address of the Ray cluster when ``data_runner = "ray"``; empty starts a local one."""
    threads: int = 0
    """Threads for heavy work; 0 takes every core this process may use."""
    oai_url: str = ""
    """Address of the OAI-PMH repository behind ``oai:`` sources; empty is arXiv's."""
    cache: str = ""
    """Folder of the local cache; empty is ``~/.cache/gnomon``."""
    storage: Mapping[str, str] = field(default_factory=dict)
    """Options for the object store of the workspace (``endpoint_url``, ``key``, ``secret``, ``region``)."""
    models: Mapping[str, ModelPlace] = field(default_factory=dict)
    """Endpoints by model name."""
    training: TrainingPlace = field(default_factory=TrainingPlace)
    """How models are trained here."""

    @property
    def cache_folder(self) -> Path:
        """The folder of the local cache."""
        default = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "gnomon"
        return Path(self.cache).expanduser() if self.cache else default

    @property
    def num_threads(self) -> int:
        """Threads for heavy work."""
        return self.threads or len(os.sched_getaffinity(0))

    def may_call(self, url: str) -> None:
        """Refuse an outward call when offline.

        Raises:
            OfflineError: ``offline = true``; the message names the address.
        """
        if self.offline:
            raise OfflineError(
                say(
                    f"A call to {url} was refused: offline = true.",
                    f"{url} への接続は offline = true のため拒否された。",
                ),
                say(f"Set offline = false in {FILE_NAME}.", f"{FILE_NAME} で offline = false とする。"),
            )


def load_settings(workspace: Path | None = None) -> Settings:
    """Settings of a workspace: its own ``gnomon.toml``, else the one in the home folder.

    Raises:
        ConfigError: The file is not TOML, or has an unknown key or a wrong type.
    """
    places = [workspace / FILE_NAME] if workspace else []
    for path in [*places, Path.home() / FILE_NAME]:
        if path.is_file():
            return _read(path)
    return Settings()


def _read(path: Path) -> Settings:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} is not readable TOML: {error}.") from error
    models = values.pop("models", {})
    places = {name: _build(ModelPlace, place, f"{path}: models.{name}") for name, place in models.items()}
    training = dict(values.pop("training", {}))
    if isinstance(training.get("trackers"), list):
        training["trackers"] = tuple(training["trackers"])
    place = _build(TrainingPlace, training, f"{path}: training")
    return _build(Settings, {**values, "models": places, "training": place}, str(path))


def _build(kind: type[S], values: Any, where: str) -> S:
    fields = {f.name: f for f in dataclasses.fields(cast(Any, kind))}
    values = dict(values)
    for key, value in list(values.items()):
        if key not in fields:
            raise ConfigError(f"{where}: unknown key {key!r}.", f"Known keys: {', '.join(sorted(fields))}.")
        default = fields[key].default
        if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
            value = values[key] = float(value)
        if isinstance(default, bool | str | int | float | tuple) and not isinstance(value, type(default)):
            raise ConfigError(f"{where}: {key} = {value!r}, wanted {type(default).__name__}.")
    return kind(**values)
