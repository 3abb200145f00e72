"""The door of the training room: one function per step."""

from collections.abc import Mapping
from typing import Any

from gnomon.llm.embedders import PACKAGED
from gnomon.runs.sources import FileSet
from gnomon.runs.step import Step
from gnomon.training.adopt import FILES, AdoptConfig
from gnomon.training.choose import EXAM, ChooseConfig
from gnomon.training.distil_embedder import DistilEmbedderConfig
from gnomon.training.export.step import HELD_OUT, MEASURE, MODEL, TOKENS, ExportConfig
from gnomon.training.merge import PREFIX, MergeConfig
from gnomon.training.pack import LIKE, TOKENIZER, PackConfig
from gnomon.training.preference.config import PreferenceConfig
from gnomon.training.quantise import QuantiseConfig
from gnomon.training.recipe import TrainConfig
from gnomon.training.tokenizer import TokenizerConfig
from gnomon.training.tune_embedder import GRAPH, KEEP_OUT, MIXTURE, TuneEmbedderConfig


def tokenizer(documents: Mapping[str, Step], **settings: Any) -> Step:
    """Learn a vocabulary.

    Args:
        documents: Steps that leave documents, by the name of the source.
        settings: Fields of ``TokenizerConfig``.
    """
    return Step(
        name="training/tokenizer",
        entry="gnomon.training.tokenizer:run",
        version=1,
        config=TokenizerConfig(**settings),
        inputs=dict(documents),
    )


def adopt(
    name: str, files: FileSet | None = None, documents: Mapping[str, Step] | None = None, **settings: Any
) -> Step:
    """Make somebody else's model the base of ours: ``adopt("org/model", revision=COMMIT)``, or with ``files``.

    Args:
        name: The model's name, of the hub or one's own.
        files: The files of a local model folder; without them the hub's are used, at the commit ``revision``.
        documents: Steps that leave documents on which its tokenizer is measured, by the name of the source.
        settings: Fields of ``AdoptConfig``.
    """
    return Step(
        name="training/adopt",
        entry="gnomon.training.adopt:run",
        version=1,
        config=AdoptConfig(name=name, **settings),
        inputs=dict(documents or {}),
        sources={FILES: files} if files is not None else {},
    )


def pack(tokenizer: Step, documents: Step | Mapping[str, Step], *, like: Step | None = None, **settings: Any) -> Step:
    """Turn a mixture of documents into rows of tokens, in the order of training.

    Args:
        tokenizer: A step that leaves a tokenizer, or a model whose tokenizer is used.
        documents: A step that leaves documents, or several by the name of their source in the mixture.
        like: Another ``training/pack`` step; a mixture by weights then gets as many tokens as that one has.
        settings: Fields of ``PackConfig``.
    """
    named = {"documents": documents} if isinstance(documents, Step) else dict(documents)
    return Step(
        name="training/pack",
        entry="gnomon.training.pack:run",
        version=1,
        config=PackConfig(**settings),
        inputs={TOKENIZER: tokenizer, **named, **({LIKE: like} if like is not None else {})},
    )


def pretrain(tokens: Step, tokenizer: Step, **settings: Any) -> Step:
    """Train a model from nothing.

    Args:
        tokens: A ``training/pack`` step.
        tokenizer: The tokenizer the tokens were made with.
        settings: Fields of ``TrainConfig``; ``shape`` and ``name`` are needed.
    """
    inputs = {"tokens": tokens, "tokenizer": tokenizer}
    return _train("pretrain", inputs, settings)


def midtrain(model: Step, tokens: Step, **settings: Any) -> Step:
    """Train a model further before its last stage: other data, a longer context.

    Args:
        model: The model to start from.
        tokens: A ``training/pack`` step made with its tokenizer.
        settings: Fields of ``TrainConfig``; ``name`` is needed.
    """
    return _train("midtrain", {"tokens": tokens, "model": model}, settings)


def cpt(model: Step, tokens: Step, **settings: Any) -> Step:
    """Continue the pre-training of a model on a domain.

    Args:
        model: The model to start from.
        tokens: A ``training/pack`` step made with its tokenizer.
        settings: Fields of ``TrainConfig``; ``name`` is needed.
    """
    return _train("cpt", {"tokens": tokens, "model": model}, settings)


def sft(model: Step, tokens: Step, **settings: Any) -> Step:
    """Fine-tune a model on conversations; what comes out carries its chat template.

    Args:
        model: The model to start from.
        tokens: A ``training/pack`` step of steps that leave ``examples/``, made with the model's tokenizer; documents
            may be mixed in.
        settings: Fields of ``TrainConfig``; ``name`` is needed.
    """
    return _train("sft", {"tokens": tokens, "model": model}, {"chat": True, **settings})


def dpo(model: Step, preferences: Step, **settings: Any) -> Step:
    """Train a model that chats on pairs of answers: one that is wanted, and one that is not.

    Args:
        model: The model to start from, whose answers are the measure.
        preferences: A step that leaves ``preferences.parquet``.
        settings: Fields of ``PreferenceConfig``; ``name`` is needed.
    """
    return Step(
        name="training/dpo",
        entry="gnomon.training.dpo:run",
        version=1,
        config=PreferenceConfig(**settings),
        inputs={"model": model, "preferences": preferences},
    )


def merge(models: Mapping[str, Step], **settings: Any) -> Step:
    """Merge models of one shape.

    Args:
        models: Steps that leave models, by the names that ``weights`` and ``base`` use.
        settings: Fields of ``MergeConfig``; ``name`` and ``weights`` are needed.
    """
    return Step(
        name="training/merge",
        entry="gnomon.training.merge:run",
        version=1,
        config=MergeConfig(**settings),
        inputs={PREFIX + name: step for name, step in models.items()},
    )


def choose(models: Mapping[str, Step], exam: Step, **settings: Any) -> Step:
    """Take the model that did best on a development exam, such as one of several merges.

    Args:
        models: Steps that leave models, by the names they sat the exam under; the first wins a tie.
        exam: An ``evaluation/exam`` step on questions of the development set.
        settings: Other fields of ``ChooseConfig``.
    """
    return Step(
        name="training/choose",
        entry="gnomon.training.choose:run",
        version=1,
        config=ChooseConfig(candidates=tuple(models), **settings),
        inputs={EXAM: exam, **{PREFIX + name: step for name, step in models.items()}},
    )


def export(
    model: Step,
    tokens: Step | Mapping[str, Step] | None = None,
    measures: Mapping[str, Step] | None = None,
    held_out: Step | None = None,
    **settings: Any,
) -> Step:
    """Write a model as others take it: weights, tokenizer, template, card, and GGUF files where asked.

    Args:
        model: A step that leaves a model with its weights.
        tokens: The ``training/pack`` step it was shown, or several by the stage they were shown in, for the card.
        measures: Evaluation steps whose figures of the model the card gives, by any name.
        held_out: A step that leaves documents the model was not shown: every GGUF file is measured on them.
        settings: Fields of ``ExportConfig``.
    """
    shown = {f"{TOKENS}:{stage}": step for stage, step in tokens.items()} if isinstance(tokens, Mapping) else {}
    given = {MODEL: model, HELD_OUT: held_out, TOKENS: tokens if isinstance(tokens, Step) else None, **shown}
    inputs = {name: step for name, step in given.items() if step is not None}
    return Step(
        name="training/export",
        entry="gnomon.training.export.step:run",
        version=2,
        config=ExportConfig(**settings),
        inputs=inputs | {MEASURE + name: step for name, step in (measures or {}).items()},
    )


def quantise(model: Step, quant: str) -> Step:
    """A model as a GGUF file of some kind would have it, to be measured beside the model itself.

    Args:
        model: A step that leaves a model with its weights.
        quant: Kind of file, such as ``q4_0``.
    """
    return Step(
        name="training/quantise",
        entry="gnomon.training.quantise:run",
        version=2,
        config=QuantiseConfig(quant=quant),
        inputs={MODEL: model},
    )


def _train(stage: str, inputs: dict[str, Step], settings: dict[str, Any]) -> Step:
    config = TrainConfig(**settings)
    return Step(
        name=f"training/{stage}",
        entry="gnomon.training.train:run",
        version=1,
        config=config,
        inputs=inputs,
        estimate="gnomon.training.estimates:train",
    )


def tune_embedder(
    documents: Step, *, graph: FileSet | None = None, keep_out: FileSet | None = None, **settings: Any
) -> Step:
    """Adapt the packaged embedder to a field; ``knowledge.vectors`` takes the step as its ``embedder``.

    Args:
        documents: A step that leaves documents: titles, texts, authors, references.
        graph: Files of a citation graph, one paper a line, as Paperscape publishes it.
        keep_out: Queries of an evaluation; no pair has one at either end, or comes from what one cites.
        settings: Fields of ``TuneEmbedderConfig``.
    """
    config = TuneEmbedderConfig(**{"base": PACKAGED, "mixture": MIXTURE, **settings})
    files = {GRAPH: graph, KEEP_OUT: keep_out}
    return Step(
        name="training/tune_embedder",
        entry="gnomon.training.tune_embedder:run",
        version=1,
        config=config,
        inputs={"documents": documents},
        sources={name: listed for name, listed in files.items() if listed is not None},
        estimate="gnomon.training.tune_embedder:estimate",
    )


def distil_embedder(embedder: Step, **settings: Any) -> Step:
    """Make a static embedder, thousands of texts a second, out of a tuned one.

    Args:
        embedder: A ``training/tune_embedder`` step.
        settings: Fields of ``DistilEmbedderConfig``.
    """
    return Step(
        name="training/distil_embedder",
        entry="gnomon.training.distil_embedder:run",
        version=1,
        config=DistilEmbedderConfig(**settings),
        inputs={"embedder": embedder},
    )
