"""Specialising: a base, continued on a body of literature, and the proof of what that changed.

The part of a recipe that makes a model, for every recipe alike (AstroLLaMA, arXiv 2309.06126). Documents are *held
out* before anything is packed: those after a date, so that a model is asked about what it cannot know, and a
share by hash; near-duplicates go together. Beside the specialised model stands a *control*: the same base, the same
settings, equally many tokens of general text; what both gain is training, not the domain. General text
that neither was shown tells what was forgotten.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gnomon.corpus import steps as corpus
from gnomon.evaluation import steps as evaluation
from gnomon.evaluation.heldout import TestSet
from gnomon.evaluation.roles import Role
from gnomon.llm.embedders import PACKAGED
from gnomon.runs import FileSet, Step
from gnomon.training import steps as training
from gnomon.training.packing.mixture import PIECES, MixtureSource

DOMAIN, GENERAL = "domain", "general"
BY_TIME, BY_HASH = "by_time", "by_hash"
FEWEST = 2
"""Documents of a test set: the embedding figure needs a pair, and an interval two values."""
MODELS = ("base", "specialised", "control", "instruct", "tuned", "preferred", "final")
"""Roles that are measured where they are made, in the order of the tables; the last four are ``teach``'s."""


@dataclass(frozen=True, kw_only=True)
class Specialisation:
    """How a base is specialised and measured."""

    name: str
    """Name of the model that comes out."""
    train: Mapping[str, Any] = field(default_factory=dict)
    """Fields of ``TrainConfig`` besides the name."""
    context: int = 1_024
    """Tokens a row."""
    passes: float = 1.0
    """Passes over the domain's documents."""
    replay: float = 0.0
    """Part of all tokens that is general text, 0 to 1."""
    control: bool = True
    """Whether the control is trained."""
    after: str = ""
    """ISO date; later documents are held out by time. Empty: none are."""
    held_out: float = 0.1
    """Share of the other documents that is held out by hash."""
    general_held_out: float = 0.2
    """Share of the general documents that is held out; 1 for all, when none are for training."""
    languages: tuple[str, ...] = ()
    """Languages the model is shown and measured on; empty for all."""
    figure: str = "held_out"
    """Documents of the embedding figure: ``held_out`` (by hash) or ``all``."""
    documents: int = 10_000
    """Most documents of a measure."""
    completions: int = 100
    """Held-out documents that are continued."""
    completion_tokens: int = 256
    """Most tokens written of each."""
    dtype: str = "float32"
    """Precision of the models while they are measured."""


@dataclass(frozen=True, kw_only=True)
class Literature:
    """What a model may see and be measured on."""

    shown: Step
    """Documents without those that give away exam questions."""
    unique: Step
    """The ``corpus/dedup`` step before, which knows near-duplicates."""
    general: Step
    """General documents, equally decontaminated."""
    general_unique: Step
    """Their ``corpus/dedup`` step."""
    retrieval: FileSet | None = None
    """A retrieval exam for the embeddings."""


def general_documents(files: FileSet, items: Step | None) -> tuple[Step, Step]:
    """General text, read and cleaned like the domain's: what models may see of it, and its ``dedup`` step."""
    unique = corpus.dedup(corpus.clean(corpus.ingest(files)))
    return (corpus.decontaminate(unique, items) if items is not None else unique), unique


Tests = dict[TestSet | str, Step]
"""Held-out documents, by the set they make."""


def specialise(base: Step, texts: Literature, how: Specialisation) -> tuple[dict[str, Step], Tests]:
    """The steps from a base to a specialised model and its control; ``measures`` proves what that changed.

    Args:
        base: A step that leaves a model.
        texts: What it may see.
        how: The settings.

    Returns:
        (Steps by role, the documents to measure on). Roles: ``base``, ``specialised``, ``control``; ``held_out`` (by
        hash), ``by_time`` and ``general`` (the splits); ``domain`` (documents trained on), ``general_train``,
        ``tokens`` and ``control_tokens``.
    """
    made, tests = _held_out(texts, how)
    if how.replay or how.control:
        made["general_train"] = corpus.part(made["general"], "train", least=1)
    sources = {DOMAIN: made["domain"]}
    if how.replay:
        sources[GENERAL] = made["general_train"]
    mixture = [MixtureSource(name=DOMAIN, repeats=how.passes)]
    mixture += [MixtureSource(name=GENERAL, share=how.replay, unit=PIECES)] if how.replay else []
    tokens = training.pack(base, sources, context=how.context, sources=tuple(mixture), allow_short=True)
    made |= {"base": base, "tokens": tokens}
    made["specialised"] = training.cpt(base, tokens, name=how.name, **how.train)
    if how.control:
        only = (MixtureSource(name=GENERAL, weight=1.0, unit=PIECES),)
        same = {GENERAL: made["general_train"]}
        made["control_tokens"] = training.pack(
            base, same, like=tokens, context=how.context, sources=only, allow_short=True
        )
        made["control"] = training.cpt(base, made["control_tokens"], name=f"{how.name}-control", **how.train)
    return made, tests


def _held_out(texts: Literature, how: Specialisation) -> tuple[dict[str, Step], Tests]:
    """The documents to train on, and those to measure on, each refused when empty before anything is trained."""
    shown = corpus.clean(texts.shown, languages=how.languages) if how.languages else texts.shown
    made, tests, rest = {"readable": shown}, Tests(), shown
    if how.after:
        made[BY_TIME] = corpus.split(shown, texts.unique, by="time", test_after=how.after, undated="train")
        rest = corpus.part(made[BY_TIME], "train", least=1)
    split = corpus.split(rest, texts.unique, development=0.0, test=how.held_out)
    made |= {"held_out": split, "domain": corpus.part(split, "train", least=1)}
    tests[_test(BY_HASH, "domain")] = corpus.part(split, "test", least=FEWEST)
    if how.after:
        tests[_test(BY_TIME, "domain")] = corpus.part(made[BY_TIME], "test", least=FEWEST)
    general = texts.general
    if how.general_held_out < 1:
        made["general"] = corpus.split(general, texts.general_unique, development=0.0, test=how.general_held_out)
        general = corpus.part(made["general"], "test", least=FEWEST)
    else:
        made["general"] = general
    tests[_test(GENERAL, "general")] = general
    return made, tests


def _test(name: str, kind: str) -> TestSet:
    return TestSet(name=name, kind=kind, part="")


def measures(made: Mapping[str, Step], tests: Tests, texts: Literature, how: Specialisation) -> dict[str, Step]:
    """Perplexity on everything held out, the embedding figure, and completions (roles of these names).

    Args:
        made: What ``specialise`` made, and ``teach`` where there is teaching.
        tests: The documents to measure on.
        texts: What the models may see.
        how: The settings.
    """
    models: dict[Role | str, Step] = {name: made[name] for name in MODELS if name in made}
    held = tests[_test(BY_HASH, "domain")]
    figure = made["readable"] if how.figure == "all" else held
    few: dict[Role | str, Step] = {name: made[name] for name in MODELS[:2]}
    plain: dict[Role | str, Step] = {name: made[name] for name in MODELS[:3] if name in made}
    return {
        "perplexity": evaluation.perplexity(
            models, tests, max_documents=how.documents, dtype=how.dtype
        ),
        "embedding": evaluation.embedding(
            few, figure, PACKAGED, texts.retrieval, part="", max_documents=how.documents, dtype=how.dtype
        ),
        "completion": evaluation.completion(
            plain, held, part="", max_documents=how.completions, max_tokens=how.completion_tokens,
            dtype=how.dtype,
        ),
    }  # fmt: skip
