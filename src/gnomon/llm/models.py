"""The door to language models: a reference in, something that answers, continues and scores out.

*Where* a model runs is the machine's business: a place with an ``http`` address under its name in ``gnomon.toml`` makes
it an endpoint; without one it is local weights: an artifact's, a folder's, or the hub's.
"""

from pathlib import Path

from gnomon.core.errors import ConfigError
from gnomon.core.records import ModelRef
from gnomon.core.settings import Settings
from gnomon.core.wording import say
from gnomon.llm.call_log import CallLog
from gnomon.llm.fakes import Echo
from gnomon.llm.local import LocalModel, load_local
from gnomon.llm.remote import RemoteModel
from gnomon.llm.weights import REF_FILE, read_ref

LanguageModel = LocalModel | RemoteModel | Echo
FAKE = "fake/echo"


def load_model(
    source: Path | ModelRef, settings: Settings, *, log: CallLog | None = None, dtype: str = "float32"
) -> LanguageModel:
    """The language model a reference or a folder names, ready to use.

    Args:
        source: A reference (a name of ``gnomon.toml``, or of the hub), a model artifact, or a folder of weights.
        settings: The machine.
        log: Keeps the calls of an endpoint; local weights make none.
        dtype: Of local weights: ``float32``, ``bfloat16``, ``float16``, or ``auto`` for that of the file.

    Raises:
        ConfigError: The place or the model cannot be used.
        NotFound: There is no such model.
        OfflineError: It would need a call that ``offline = true`` forbids.
        MissingExtra: A package it needs is not installed.
    """
    ref = source if isinstance(source, ModelRef) else read_ref(source) if (source / REF_FILE).is_file() else None
    if ref is not None and settings.models.get(ref.name) and settings.models[ref.name].url.startswith("http"):
        return RemoteModel(ref, settings, log)
    if ref is not None and ref.kind == FAKE:
        return Echo(ref.name)
    return load_local(source, settings, dtype=dtype)


def refuse_self(judge: ModelRef, tested: ModelRef) -> None:
    """A model does not judge its own work.

    Raises:
        ConfigError: The judge is the model under test.
    """
    if (judge.name, judge.revision) == (tested.name, tested.revision):
        raise ConfigError(
            say(
                f"The judge {judge.name!r} is the model under test.", f"審査役 {judge.name!r} が評価対象と同じである。"
            ),
            say("Name another model as the judge.", "別のモデルを審査役にする。"),
        )
