"""The hall: models opened one at a time for a step that asks and judges, and what all of them share.

The call log is the workspace's own, so that a killed step pays only for calls that were in flight.
"""

import gc
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from gnomon.core.hashing import plain
from gnomon.core.protocols import resolve
from gnomon.core.records import ModelRef
from gnomon.evaluation.exam.shelf import Shelf
from gnomon.evaluation.roles import PREFIX, Role, open_model
from gnomon.llm.call_log import FILE, CallLog
from gnomon.llm.models import refuse_self
from gnomon.llm.weights import REF_FILE, read_ref
from gnomon.runs.output import Output


class Settings(Protocol):
    """What of a step's settings the hall needs."""

    @property
    def models(self) -> tuple[Role, ...]:
        """The models under test."""
        ...

    @property
    def judge(self) -> ModelRef | None:
        """Who judges."""
        ...

    @property
    def loader(self) -> str:
        """Entry that opens a model."""
        ...

    @property
    def dtype(self) -> str:
        """Precision of local models."""
        ...


class Hall:
    """Opens the models of one step.

    Args:
        config: Settings of the step.
        inputs: Its inputs.
        out: Its output.

    Raises:
        ConfigError: The judge is one of the models under test.
    """

    def __init__(self, config: Settings, inputs: Mapping[str, Path], out: Output) -> None:
        self.out = out
        self.ref: dict[str, Any] | None = None
        """Reference of the open model, None when there is none."""
        self._config, self._inputs = config, inputs
        self._name = ""
        self._model: Any = None
        self._log: CallLog | None = None
        for role in config.models:  # before anything is paid for
            folder = inputs.get(PREFIX + role.name)
            if config.judge is not None and folder is not None and (folder / REF_FILE).is_file():
                refuse_self(config.judge, read_ref(folder))

    def model(self, name: str) -> Any:
        """The model of a role."""
        role = next(role for role in self._config.models if role.name == name)
        return self._opened(f"role {name}", role)

    def judge(self) -> Any:
        """The judge."""
        return self._opened("judge", Role(name="judge", kind="general", ref=self._config.judge))

    def _opened(self, name: str, role: Role) -> Any:
        if self._name != name:
            self.leave()
            self._log = self._log or CallLog(self.out.locks.parent / "cache" / FILE)
            self._model = open_model(role, self._inputs, self._config.loader, self.out.settings,
                                     log=self._log, dtype=self._config.dtype)  # fmt: skip
            self._name, self.ref = name, plain(self._model.ref)
        return self._model

    def leave(self) -> None:
        """Close the model that is open."""
        close = getattr(self._model, "close", None)  # local weights and fakes have nothing to close
        if close is not None:
            close()
        self._name, self.ref, self._model, close = "", None, None, None
        gc.collect()

    def close(self) -> None:
        """Close everything."""
        self.leave()
        if self._log is not None:
            self._log.close()


def shelf_of(book: str, inputs: Mapping[str, Path], out: Output, passages: int, characters: int) -> Shelf:
    """The library of a step as a shelf; see ``Shelf``."""
    return Shelf(resolve(book)(inputs, out), passages, characters)
