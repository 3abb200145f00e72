"""What is known before a step runs: which of its inputs are made, and how the machine reaches models."""

from dataclasses import dataclass
from pathlib import Path

from gnomon.core.settings import Settings
from gnomon.runs.step import Step
from gnomon.runs.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class Known:
    """What an ``asks`` entry is told."""

    step: Step
    """The step, with its inputs and sources."""
    workspace: Workspace
    """Where artifacts are."""

    @property
    def settings(self) -> Settings:
        """The machine."""
        return self.workspace.settings

    @property
    def cache(self) -> Path:
        """The folder of the call log, which need not be there yet."""
        return self.workspace.local / "cache"

    def folder(self, step: Step) -> Path | None:
        """The files of a step that is made; None before, and where they would have to be downloaded first."""
        if not self.workspace.is_local or self.workspace.record(step.address) is None:
            return None
        return self.workspace.artifact(step.address)

    def inputs(self) -> dict[str, Path]:
        """The files of those inputs that are made, by name."""
        found = {name: self.folder(step) for name, step in self.step.inputs.items()}
        return {name: folder for name, folder in found.items() if folder is not None}
