"""Teaching: a specialised model learns to answer, is merged with an instruct model, and sits an exam.

The second half of AstroSage (de Haan et al., arXiv 2411.09012; 70B: arXiv 2505.17592), for every recipe alike.
Questions are written about the documents that models may see, and judged; what is nearly the same, or gives an exam
question away, is left out. A share of the documents gives no training questions: theirs are the *development exam*, by
which one of several merges is chosen. The exam whose result is reported has no part in any choice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gnomon.core.records import ModelRef
from gnomon.corpus import steps as corpus
from gnomon.evaluation import steps as evaluation
from gnomon.evaluation.exam.arms import Arm, Paper, standard_arms
from gnomon.evaluation.roles import Role
from gnomon.runs import FileSet, Step
from gnomon.synthesis import steps as synthesis
from gnomon.training import steps as training
from gnomon.training.packing.mixture import PIECES, MixtureSource
from gnomon_recipes.specialise import GENERAL, MODELS

QUESTIONS, CHAT = "questions", "chat"
DEVELOPMENT, EXAM = "development", "exam"
TUNED, INSTRUCT = "tuned", "instruct"


@dataclass(frozen=True, kw_only=True)
class Blend:
    """One candidate for the merge of the tuned model with the instruct model."""

    name: str
    """Its name in the tables."""
    method: str = "linear"
    """As in ``MergeConfig``."""
    tuned: float = 0.75
    """Weight of the tuned model; the instruct model has the rest."""
    density: float = 1.0
    """``ties``, ``dare_ties``: share of each model's changes that is kept."""
    seed: int = 0
    """``dare_ties``: what is dropped."""


@dataclass(frozen=True, kw_only=True)
class Teaching:
    """How a specialised model is taught and examined."""

    name: str
    """Name of the model that comes out."""
    writer: ModelRef | None = None
    """The model that writes questions; None for the extractive writer."""
    judges: tuple[ModelRef, ...] = ()
    """Models that judge them, beside the judge without a model."""
    peers: tuple[ModelRef, ...] = ()
    """Models of ``gnomon.toml`` that sit the exam too, writing their answers."""
    write: Mapping[str, Any] = field(default_factory=dict)
    """Fields of ``WriteConfig``."""
    select: Mapping[str, Any] = field(default_factory=dict)
    """Fields of ``SelectConfig``."""
    languages: tuple[str, ...] = ("en", "ja")
    """Languages of questions and conversations."""
    held_out: float = 0.1
    """Share of the documents whose questions make the development exam."""
    passes: float = 1.0
    """Passes over the questions."""
    chat: float = 0.3
    """Part of all tokens that is general conversations, 0 to 1."""
    replay: float = 0.0
    """Part of all tokens that is plain general text."""
    context: int = 1_024
    """Tokens a row."""
    train: Mapping[str, Any] = field(default_factory=dict)
    """Fields of ``TrainConfig`` besides the name."""
    prefer: Mapping[str, Any] | None = None
    """Fields of ``PreferenceConfig``; None for no preference training."""
    blends: tuple[Blend, ...] = (Blend(name="linear-75"),)
    """The merges to choose from."""
    mode: str = "letter"
    """How models answer the exam."""
    exam: Mapping[str, Any] = field(default_factory=dict)
    """Other fields of ``ExamConfig``."""
    dtype: str = "float32"
    """Precision of the models while they are measured."""


@dataclass(frozen=True, kw_only=True)
class Lessons:
    """What is taught with."""

    items: Step | None = None
    """Exam questions that nothing a model learns from may give away."""
    papers: Mapping[Paper | str, Step] = field(default_factory=dict)
    """The exams that are sat: steps that leave items, all of them among ``items``."""
    instruct: Step | None = None
    """The general partner of the merge; None for no merge."""
    chat: Mapping[str, Step] = field(default_factory=dict)
    """General conversations that are mixed with the questions, by set."""
    held_chat: Mapping[str, Step] = field(default_factory=dict)
    """General conversations to measure on, by set."""
    labels: FileSet | None = None
    """What people said of pairs on the audit page; sets the judge's threshold."""
    library: Mapping[str, Step] = field(default_factory=dict)
    """``index`` and ``vectors`` for the open-book arms."""


def teach(made: Mapping[str, Step], lessons: Lessons, how: Teaching) -> dict[str, Step]:
    """The steps from a specialised model to an expert that sat its exam.

    Args:
        made: Holds ``base``, ``specialised``, ``domain`` (the documents that are asked about) and, for replay,
            ``general_train``.
        lessons: What is taught with.
        how: The settings.

    Returns:
        Steps by role: ``written`` to ``questions`` (pairs, by what was done to them), ``lessons`` (examples),
        ``sft_tokens``, ``tuned``, ``preferred``, the merges, ``final``, ``answers`` and ``exam``.
    """
    found = _questions(made, lessons, how)
    found |= _tuned(made, found, lessons, how)
    best = found.get("preferred", found[TUNED])
    if lessons.instruct is not None:
        found[INSTRUCT] = lessons.instruct
        found |= _merged(made, found, best, how)
    else:
        found["final"] = best
    return found | _examined({**made, **found}, lessons, how)


def conversations(
    sets: Mapping[str, Step], items: Step | None, held_out: float = 0.1
) -> tuple[dict[str, Step], dict[str, Step]]:
    """General conversations without those that give an exam question away: (to learn from, to measure on).

    Args:
        sets: ``synthesis.general`` steps by the name of their set.
        items: Exam questions.
        held_out: Share of the conversations to measure on.
    """
    shown, held, shares = {}, {}, {"development": held_out, "test": 0.0}
    for name, read in sets.items():
        clean = read
        if items is not None:
            clean = synthesis.surviving(read, corpus.decontaminate(synthesis.as_documents(read), items))
        shown[name] = synthesis.part(clean, "train", **shares)
        held[name] = synthesis.part(clean, DEVELOPMENT, **shares)
    return shown, held


def _questions(made: Mapping[str, Step], lessons: Lessons, how: Teaching) -> dict[str, Step]:
    """Pairs, written, judged, chosen, freed of copies and of exam questions, and parted."""
    documents, items = made["domain"], lessons.items
    written = synthesis.write(documents, how.writer, **{"langs": how.languages, **how.write})
    tested = (*_adopted(made["base"], lessons.instruct), *how.peers) if how.judges else ()
    judged = synthesis.judge(written, documents, how.judges, under_test=tested)
    selected = synthesis.select(judged, lessons.labels, **how.select)
    unique = corpus.dedup(synthesis.as_documents(selected), "questions")
    clean = corpus.decontaminate(unique, items) if items is not None else unique
    pairs = synthesis.surviving(selected, clean)
    shares = {"development": how.held_out, "test": 0.0, "salt": QUESTIONS, "least": 1}
    found = {
        "written": written, "judged": judged, "selected": selected, "unique_questions": unique, QUESTIONS: pairs,
        "shown_questions": synthesis.part(pairs, "train", **shares), "audit": synthesis.audit(judged, documents),
    }  # fmt: skip
    if _chooses(lessons, how):
        held = synthesis.part(pairs, DEVELOPMENT, **shares)
        found["development_items"] = synthesis.items(held, options=4, least=1)
    return found


def _chooses(lessons: Lessons, how: Teaching) -> bool:
    """Whether there are several merges to choose from."""
    return lessons.instruct is not None and len(how.blends) > 1


def _adopted(*steps: Step | None) -> tuple[ModelRef, ...]:
    """The models that steps adopt: the expert is made of them, so none of them may judge what it learns."""
    configs = [step.config for step in steps if step is not None and step.name == "training/adopt"]
    return tuple(ModelRef(name=one.name, revision=one.revision, kind=one.kind) for one in configs)


def _tuned(made: Mapping[str, Step], found: Mapping[str, Step], lessons: Lessons, how: Teaching) -> dict[str, Step]:
    """The specialised model, tuned on questions, general conversations and plain general text."""
    taught = {"lessons": synthesis.examples(found["shown_questions"], made["domain"])}
    sources, mixture = {QUESTIONS: taught["lessons"]}, [MixtureSource(name=QUESTIONS, repeats=how.passes)]
    for name, conversed in lessons.chat.items() if how.chat else ():
        sources[name] = taught[name] = conversed
        mixture.append(MixtureSource(name=name, share=how.chat / len(lessons.chat)))
    if how.replay:
        sources[GENERAL] = made["general_train"]
        mixture.append(MixtureSource(name=GENERAL, share=how.replay, unit=PIECES))
    model = made["specialised"]
    tokens = training.pack(model, sources, context=how.context, sources=tuple(mixture), allow_short=True)
    taught |= {"sft_tokens": tokens, TUNED: training.sft(model, tokens, name=f"{how.name}-tuned", **how.train)}
    if how.prefer is not None:
        taught["preferences"] = synthesis.preferences(found["shown_questions"], found["judged"], made["domain"])
        taught["preferred"] = training.dpo(
            taught[TUNED], taught["preferences"], name=f"{how.name}-preferred", **how.prefer
        )
    return taught


def _merged(made: Mapping[str, Step], found: Mapping[str, Step], best: Step, how: Teaching) -> dict[str, Step]:
    """The merges, the development exam they sat, and the one whose right options were likeliest."""
    merges = {blend.name: _merge(blend, made, found, best, how) for blend in how.blends}
    if len(how.blends) == 1:
        return {**merges, "final": next(iter(merges.values()))}
    arms = [Arm(name=name, model=name, mode=how.mode) for name in (TUNED, *merges)]
    sitting: dict[Role | str, Step | ModelRef] = {TUNED: best}
    sitting.update(merges)
    sat = evaluation.exam(
        sitting, {Paper(name=DEVELOPMENT): found["development_items"]}, arms=arms,
        orders=how.exam.get("orders", 0), normalise="sum", dtype=how.dtype,
    )  # fmt: skip
    return {**merges, "development_exam": sat, "final": training.choose(merges, sat, paper=DEVELOPMENT)}


def _merge(blend: Blend, made: Mapping[str, Step], found: Mapping[str, Step], best: Step, how: Teaching) -> Step:
    models = {TUNED: best, INSTRUCT: found[INSTRUCT]}
    against = blend.method in ("ties", "dare_ties")
    return training.merge(
        {**models, **({"base": made["base"]} if against else {})}, name=how.name, method=blend.method,
        weights=((TUNED, blend.tuned), (INSTRUCT, round(1 - blend.tuned, 6))), base="base" if against else "",
        density=blend.density, seed=blend.seed,
    )  # fmt: skip


def _examined(made: Mapping[str, Step], lessons: Lessons, how: Teaching) -> dict[str, Step]:
    """What every stage says in the exam, closed and open book, and to general questions it was not shown."""
    stages = [name for name in MODELS if name in made and name != "control"]
    models: dict[Role | str, Any] = {_role(name): made[name] for name in stages}
    found: dict[str, Step] = {}
    if lessons.held_chat:
        found["answers"] = evaluation.answers(models, lessons.held_chat, dtype=how.dtype)
    if lessons.papers:
        library, peers = bool(lessons.library), [Role(name=ref.name, kind="general") for ref in how.peers]
        arms = standard_arms([_role(name) for name in stages], mode=how.mode, library=library)
        writing = standard_arms(peers, mode="generate", library=library)
        models.update(zip(peers, how.peers, strict=True))
        arms += tuple(arm for arm in writing if arm.model)
        found["exam"] = evaluation.exam(
            models, lessons.papers, library=lessons.library, arms=arms, dtype=how.dtype, **how.exam
        )
    return found


def _role(name: str) -> Role:
    """The part a stage plays: the instruct model was made of the base for general use."""
    kinds = {"base": "base", INSTRUCT: "general"}
    return Role(name=name, kind=kinds.get(name, "specialised"))
