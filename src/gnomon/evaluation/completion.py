"""The step ``evaluation/completion``: first sentences of held-out documents, continued side by side.

Every model continues the same beginnings (AstroLLaMA, arXiv 2309.06126, section 3: temperature 0.3), and
what it writes is compared with how the document goes on, by rules that need no model: see
``completion_facts``. Beside the models stands *another ending*, the true ending of another
document: what a fluent text of the field scores that knows nothing of this paper.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnomon.core.errors import ConfigError, DataError
from gnomon.core.files import write_json
from gnomon.core.hashing import plain
from gnomon.core.memory import kept_memory
from gnomon.core.records import Document, Drop
from gnomon.core.tables import TableWriter, read_table, write_table
from gnomon.core.text import document_text, sentences, terms
from gnomon.evaluation.bootstrap import Draws
from gnomon.evaluation.completion_facts import CompletionScore, completion_facts, scored, unscored
from gnomon.evaluation.heldout import Choice, TestSet, choose
from gnomon.evaluation.roles import LOCAL, Role, check_roles, facts_of, open_model
from gnomon.llm.client import Client, Completion, Generation
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output

ROWS, FACTS, DROPS = "completions.parquet", "completion.json", "drops.parquet"
ANOTHER = "another_ending"
TOO_SHORT, NO_ROOM = "too_short", "no_room"


@dataclass(frozen=True, kw_only=True)
class CompletionConfig:
    """Settings of the step."""

    models: tuple[Role, ...]
    """The models, in the order of the tables."""
    documents: TestSet
    """The documents that are continued."""
    reference: str = "base"
    """The model that the others are compared with."""
    sentences: int = 1
    """Sentences of the text that are given, after the title."""
    title: bool = True
    """Whether the title stands before them, as in training."""
    least_ending: int = 20
    """Terms that have to be left to be written, or the document is too short."""
    max_documents: int = 100
    """Most documents, chosen by seed; 0 takes all."""
    max_tokens: int = 256
    """Most tokens that a model may write; AstroLLaMA's own figure is 1,024."""
    temperature: float = 0.3
    """Of the sampling."""
    top_p: float = 1.0
    """Of the sampling."""
    seed: int = 0
    """Of the choice, the sampling and the bootstrap."""
    draws: int = 2_000
    """Resamples of the bootstrap."""
    shown: int = 5
    """Documents shown side by side in ``completion.json``; all are in the table."""
    shard: int = 16
    """Documents continued between two savings."""
    dtype: str = "float32"
    """Precision of local models."""
    loader: str = LOCAL
    """Entry of a function ``(artifact or ModelRef, Settings, *, dtype) -> Client``."""

    def __post_init__(self) -> None:
        check_roles(self.models, self.reference, "completion")
        if ANOTHER in {role.name for role in self.models}:
            raise ConfigError(f"completion: a model is called {ANOTHER!r}.", "That name is taken; give another.")
        least = {"sentences": 1, "least_ending": 1, "max_documents": 0, "draws": 1, "shown": 0, "shard": 1}
        for name, number in least.items():
            if getattr(self, name) < number:
                raise ConfigError(f"completion: {name} = {getattr(self, name)}.", f"Give at least {number}.")
        self.generation()

    def generation(self) -> Generation:
        """How texts are continued.

        Raises:
            ConfigError: A value is outside its range.
        """
        return Generation(max_tokens=self.max_tokens, temperature=self.temperature, top_p=self.top_p, seed=self.seed)


@dataclass(frozen=True, kw_only=True, slots=True)
class Beginning:
    """A document cut in two."""

    document: Document
    """The whole."""
    prompt: str
    """What is given."""
    truth: str
    """How it goes on."""


def run(config: CompletionConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Continue every chosen document with every model, and score what they write.

    Args:
        config: What is continued, and how.
        inputs: ``documents:NAME``, and ``model:NAME`` for every model without a ``ref``.
        out: Receives ``completion.json``, ``completions.parquet`` and ``drops.parquet``.

    Raises:
        DataError: No document is long enough.
    """
    with TableWriter(out.path / DROPS, Drop) as drops:
        choice = choose(config.documents, inputs, config.max_documents, config.seed, drops, _refuse(config))
    out.meter.total(len(choice.rows) * len(config.models), "completions")
    models = {}
    for number, role in enumerate(config.models):
        models[role.name] = {**facts_of(role, inputs), **_continue_all(number, role, (config, inputs), choice, out)}
    models[ANOTHER] = {"kind": "chance", "label": ANOTHER}
    numbers = range(len(config.models))
    rows = [row for number in numbers for key in _keys(number, choice, config) for row in _saved(out, key)]
    rows += _another_ending(rows[: len(choice.rows)], choice, config)
    write_table(out.path / ROWS, CompletionScore, rows)
    names = [*(role.name for role in config.models), ANOTHER]
    facts = completion_facts(rows, names, config.reference, Draws(number=config.draws, seed=config.seed))
    how = ("sentences", "title", "max_tokens", "temperature", "top_p", "seed", "draws")
    write_json(out.path / FACTS, {
        "how": {name: getattr(config, name) for name in how}, "order": {"models": names}, "models": models,
        "documents": {"n": len(choice.rows), "part": config.documents.part, "dropped": choice.dropped},
        **facts, "examples": _examples(rows, config.shown),
    })  # fmt: skip
    out.metrics["overlap"] = {name: row["overlap"]["value"] for name, row in facts["systems"].items()}
    kept, dropped = len(choice.rows), choice.dropped
    return Counts(taken=kept + sum(dropped.values()), kept=kept, dropped=dropped, made={"completions": len(rows)})


# Beginnings ----------------------------------------------------------------------------------


def begin(document: Document, config: CompletionConfig) -> Beginning:
    """Cut a document after its first sentences.

    The prompt ends with its last letter: tokenisers of the GPT kind hold a space with the word after it.
    """
    body, end = document.text.strip(), _cut(document.text.strip(), config.sentences)
    prompt = document_text(document.title if config.title else "", body[:end])
    return Beginning(document=document, prompt=prompt, truth=document_text("", body[end:]))


def _cut(body: str, wanted: int) -> int:
    """Where the first sentences end; the text's end when there are no more."""
    found = sentences(body)
    return found[wanted - 1][1] if len(found) > wanted else len(body)


def _refuse(config: CompletionConfig) -> Any:
    def reason(title: str, body: str) -> str:  # the cut depends on the body alone
        whole = body.strip()
        rest = whole[_cut(whole, config.sentences) :]
        return "" if len(terms(rest)) >= config.least_ending else TOO_SHORT

    return reason


# Continuing ----------------------------------------------------------------------------------


def _keys(number: int, choice: Choice, config: CompletionConfig) -> list[str]:
    return [f"{number:02d}-{block:06d}" for block in choice.keys(config.shard)]


@kept_memory()
def _continue_all(
    number: int, role: Role, task: tuple[CompletionConfig, Mapping[str, Path]], choice: Choice, out: Output
) -> dict[str, Any]:
    """Continue what is still missing of one model; gives the facts of the model."""
    config, inputs = task
    keys = _keys(number, choice, config)
    missing = set(out.pending(keys))
    blocks = {block for block, key in enumerate(keys) if key in missing}
    out.meter.advance(
        len(choice.rows) - sum(len(choice.rows[b * config.shard : (b + 1) * config.shard]) for b in blocks)
    )
    if missing:
        model: Client = open_model(role, inputs, config.loader, out.settings, dtype=config.dtype)
        for block, documents in choice.blocks(config.shard, blocks):
            rows = continued(model, [begin(document, config) for document in documents], config, role.name)
            write_table(_file(out, keys[block]), CompletionScore, rows)
            out.done(keys[block], Counts(taken=0, kept=0), note={"ref": plain(model.ref)})
            out.meter.advance(len(rows))
    facts: dict[str, Any] = out.notes(keys[:1])[0]
    return facts


def continued(
    model: Client, beginnings: Sequence[Beginning], config: CompletionConfig, name: str
) -> list[CompletionScore]:
    """What one model writes after some beginnings, scored."""
    found = _complete(model, [b.prompt for b in beginnings], config.generation())
    return [_row(name, b, completion) for b, completion in zip(beginnings, found, strict=True)]


def _complete(model: Client, prompts: Sequence[str], options: Generation) -> list[Completion | None]:
    """One completion a prompt, None where the prompt leaves no room; one such prompt does not spoil the others."""
    try:
        return list(model.complete(prompts, options))
    except DataError:
        if len(prompts) == 1:
            return [None]
        return [completion for prompt in prompts for completion in _complete(model, [prompt], options)]


def _row(name: str, beginning: Beginning, completion: Completion | None) -> CompletionScore:
    document = beginning.document
    about = {"model": name, "doc_id": document.id, "text_hash": document.text_hash}
    about |= {"prompt": beginning.prompt, "truth": beginning.truth}
    if completion is None:
        return unscored(about, NO_ROOM)
    return scored(about, document_text(document.title, document.text), completion)


def _another_ending(
    rows: Sequence[CompletionScore], choice: Choice, config: CompletionConfig
) -> Iterator[CompletionScore]:
    """Each document continued by the true ending of the next one, as many documents as there are."""
    if len(rows) < 2:
        return
    endings = [row.truth for row in [*rows[1:], rows[0]]]
    place = 0
    for _, documents in choice.blocks(config.shard, choice.keys(config.shard)):
        for document in documents:
            text = endings[place]
            completion = Completion(text=text, tokens=len(terms(text)), finish="stop")
            yield _row(ANOTHER, begin(document, config), completion)
            place += 1


def _file(out: Output, key: str) -> Path:
    return out.shards / "rows" / f"{key}.parquet"


def _saved(out: Output, key: str) -> Iterable[CompletionScore]:
    return read_table(_file(out, key), CompletionScore)


def _examples(rows: Sequence[CompletionScore], shown: int) -> list[dict[str, Any]]:
    """The first documents with what every model wrote, side by side."""
    ids = list(dict.fromkeys(row.doc_id for row in rows))[:shown]
    found = []
    for doc_id in ids:
        mine = [row for row in rows if row.doc_id == doc_id and row.model != ANOTHER]
        written = {row.model: {"text": row.completion, "finish": row.finish, "reason": row.reason} for row in mine}
        found.append({"id": doc_id, "prompt": mine[0].prompt, "truth": mine[0].truth, "completions": written})
    return found
