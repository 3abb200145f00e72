"""An expert, opened: its library, its trace, its models and its voices, each loaded when first wanted and kept.

What a command line, a server and a notebook do with an expert is the same; this is where it stands once. Opening is
safe from several threads: whatever is heavy is loaded by one of them while the others wait.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, TypeVar, cast

from gnomon.core.answers import Answer
from gnomon.core.errors import NotFound
from gnomon.core.messages import Message
from gnomon.core.protocols import Embedder, Filters
from gnomon.core.records import Expert, ModelRef
from gnomon.core.tables import to_row
from gnomon.core.wording import say
from gnomon.research import ask
from gnomon.research.ask import NO_FILTERS, AskConfig
from gnomon.research.ask import VOICE as EXTRACTIVE
from gnomon.research.events import Event, whole
from gnomon.runs.experts import open_expert, part
from gnomon.runs.models import MODEL_STEPS, models_of
from gnomon.runs.walk import ANSWERS, answer_name
from gnomon.runs.workspace import Workspace

if TYPE_CHECKING:
    from gnomon.knowledge.library import Library
    from gnomon.knowledge.tracing import Trace
    from gnomon.llm.call_log import CallLog
    from gnomon.llm.models import LanguageModel
    from gnomon.research.voice import Writer

T = TypeVar("T")


class OpenExpert:
    """One expert of a workspace, with everything that is opened to use it; use it as a context manager.

    Args:
        workspace: Where it is kept.
        expert: Which one.
    """

    def __init__(self, workspace: Workspace, expert: Expert) -> None:
        self.workspace, self.expert = workspace, expert
        self._lock = Lock()
        self._locks: dict[str, Lock] = {}
        self._kept: dict[str, object] = {}
        self._closing = ExitStack()
        self.heard: list[Callable[[Answer], None]] = []
        """Called with every answer that is kept."""

    @staticmethod
    def of(workspace: Workspace, name: str = "") -> "OpenExpert":
        """The expert of a name, or the newest.

        Raises:
            NotFound: The workspace has none of this name, or none at all.
        """
        return OpenExpert(workspace, open_expert(workspace, name))

    def __enter__(self) -> "OpenExpert":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close what was opened: connections to endpoints and the log of calls."""
        with self._lock:
            self._kept.clear()
            self._closing.close()

    # Reading ------------------------------------------------------------------------------------

    @property
    def library(self) -> "Library":
        """What is searched.

        Raises:
            NotFound: The expert has no index, or it is not made.
        """
        from gnomon.knowledge.library import Library

        return self._once("library", lambda: Library.open(self.workspace, self.expert))

    @property
    def trace(self) -> "Trace":
        """What finds a text's words in what models were shown.

        Raises:
            NotFound: The expert has no trace, or it is not made.
        """
        from gnomon.knowledge.tracing import Trace

        return self._once("trace", lambda: Trace.open(self._artifact(part(self.expert, "trace"))))

    @property
    def sentence_embedder(self) -> Embedder | None:
        """The model of the library's own vectors for English, if it has any: it compares sentences as well."""
        return next((side.embedder for side in self.library.sides if side.reads("en")), None)

    # Models -------------------------------------------------------------------------------------

    @cached_property
    def models(self) -> Mapping[str, tuple[str, ...]]:
        """The expert's models, each once, in the order they came to be, with the other roles each has."""
        return models_of(self.workspace, dict(self.expert.parts))

    def model_places(self, names: Sequence[str]) -> dict[str, Path]:
        """Artifacts or folders of models by name, in the order asked for: all of the expert's when none is named.

        Args:
            names: Roles of the expert (``base``, ``final``), or folders of weights.

        Raises:
            NotFound: The expert has no such model, or none at all, or it is not made yet.
        """
        roles = {role: address for role, address in self.expert.parts if address.startswith(MODEL_STEPS)}
        places = {name: Path(name).expanduser() for name in names if name not in roles}
        missing = [name for name, place in places.items() if not place.is_dir()]
        if missing or not (roles or places):
            raise self._no_model(missing, roles)
        return {name: places.get(name) or self._artifact(roles[name]) for name in names or self.models}

    def model(self, name: str) -> "LanguageModel":
        """The model behind a name, loaded once: of ``gnomon.toml``, of the expert, or a folder of weights.

        Raises:
            NotFound: Neither ``gnomon.toml`` nor the expert has one, and it is no folder.
        """
        return self._once(f"model {name}", lambda: self._loaded(name))

    def _loaded(self, name: str) -> "LanguageModel":
        from gnomon.llm.models import load_model
        from gnomon.llm.remote import RemoteModel

        settings = self.workspace.settings
        source = ModelRef(name=name, kind="instruct") if name in settings.models else self.model_places([name])[name]
        made = load_model(source, settings, log=self._once("calls", self._opened_log))
        if isinstance(made, RemoteModel):
            self._closing.callback(made.close)
        return made

    def _opened_log(self) -> "CallLog":
        from gnomon.llm.call_log import FILE, CallLog

        log = CallLog(self.workspace.local / "cache" / FILE)
        self._closing.callback(log.close)
        return log

    # Answering ----------------------------------------------------------------------------------

    def answer(
        self, question: str, voice: str = EXTRACTIVE, history: Sequence[Message] = (), filters: Filters = NO_FILTERS
    ) -> Answer:
        """Answer a question in a voice; what was asked for is what answers, no voice stands in for another.

        Args:
            question: Any text, in English or Japanese.
            voice: ``extractive``, or the name of a model.
            history: Earlier turns; the extractive voice takes each question by itself.
            filters: What the search for evidence is limited to.

        Raises:
            NotFound: There is no such voice.
            ConfigError: The model cannot chat.
            RunError: It does not answer.
        """
        from gnomon.research.voice import AtOnce

        if voice == EXTRACTIVE:
            return whole(self.events(question, filters=filters))
        return whole(self._spoken(question, AtOnce(self.model(voice)), history, filters))

    def events(
        self,
        question: str,
        voice: "str | Writer" = EXTRACTIVE,
        history: Sequence[Message] = (),
        filters: Filters = NO_FILTERS,
    ) -> Iterator[Event]:
        """The same answer as it comes to be; closing the iterator ends the work.

        Arguments and errors as ``answer``; the voice may also be what writes itself.
        """
        if voice != EXTRACTIVE:
            writer = self.model(voice) if isinstance(voice, str) else voice
            return self._spoken(question, writer, history, filters)
        config = AskConfig(filters=filters)
        return ask.events(
            question, self.library, config=config, embedder=self.sentence_embedder, parts=self.expert.parts
        )

    def _spoken(self, question: str, writer: "Writer", history: Sequence[Message], filters: Filters) -> Iterator[Event]:
        from gnomon.research import voice

        config = replace(voice.DEFAULT, ask=replace(voice.DEFAULT.ask, filters=filters))
        return voice.events(
            question, self.library, writer, config=config, embedder=self.sentence_embedder, history=history,
            parts=self.expert.parts,
        )  # fmt: skip

    def keep(self, given: Answer) -> None:
        """Keep an answer, so that ``gnomon lineage`` can walk it back."""
        self.workspace.save(ANSWERS, answer_name(given.id), to_row(given))
        for each in self.heard:
            each(given)

    # ---------------------------------------------------------------------------------------------

    def _once(self, name: str, make: Callable[[], T]) -> T:
        """What was made under a name, made now if it was not; one thread makes it, and only its own readers wait."""
        with self._lock:
            lock = self._locks.setdefault(name, Lock())
        with lock:
            if name not in self._kept:
                self._kept[name] = make()
            return cast("T", self._kept[name])

    def _artifact(self, address: str) -> Path:
        if self.workspace.record(address) is None:
            raise NotFound(
                say(f"{address} is not made yet.", f"{address} はまだできていない。"),
                say("Run the recipe again; it goes on from where it stopped.", "レシピを再実行すると続きから進む。"),
            )
        return self.workspace.artifact(address)

    def _no_model(self, missing: Sequence[str], roles: Mapping[str, str]) -> NotFound:
        has, lacks, name = ", ".join(roles) or "-", ", ".join(missing), self.expert.name
        return NotFound(
            say(f"Expert {name!r} has no model {lacks}; it has: {has}.",
                f"エキスパート {name!r} にモデル {lacks} はない。あるもの: {has}。"),
            say("Make one with `gnomon build FOLDER --base MODEL`, or name a folder of weights.",
                "`gnomon build フォルダ --base モデル` で作るか、重みのフォルダを指定する。"),
        )  # fmt: skip
