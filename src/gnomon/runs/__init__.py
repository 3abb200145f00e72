"""Row 1: steps, their identity, records, plans, the runner and the workspace."""

from gnomon.runs.counts import Counts
from gnomon.runs.output import Output
from gnomon.runs.plan import plan
from gnomon.runs.record import Record
from gnomon.runs.runner import run
from gnomon.runs.sources import FileSet
from gnomon.runs.step import Recipe, Serve, Step
from gnomon.runs.workspace import Workspace

__all__ = ["Counts", "FileSet", "Output", "Recipe", "Record", "Serve", "Step", "Workspace", "plan", "run"]
