"""Calls: a model for a step of this room, with the workspace's call log behind it.

What was answered once is replayed for free, so that a killed step pays only for the calls that were in flight.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from gnomon.core.records import ModelRef
from gnomon.llm.call_log import FILE, CallLog
from gnomon.llm.chat import Chat
from gnomon.llm.models import load_model
from gnomon.llm.remote import RemoteModel
from gnomon.runs.output import Output


@contextmanager
def opened(ref: ModelRef, out: Output) -> Iterator[Chat]:
    """The model a reference names, closed afterwards.

    Raises:
        ConfigError: It cannot be used, or ``gnomon.toml`` says nothing usable of it.
        NotFound: There is no such model.
    """
    with closing(CallLog(out.locks.parent / "cache" / FILE)) as log:
        model = load_model(ref, out.settings, log=log)
        try:
            yield model
        finally:
            if isinstance(model, RemoteModel):
                model.close()
