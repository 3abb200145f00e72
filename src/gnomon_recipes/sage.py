"""The recipe of the AstroSage series, by size: what ``astrosage_8b`` and ``astrosage_70b`` share.

Published: continued pre-training on papers of the field; questions written by one model about them and judged by
another; fine-tuning on those beside general instruction data, summaries and metadata; a merge with the instruct model
of the same family (arXiv 2411.09012, 2505.17592). Each recipe's module says which values are published. Learning
rates, batches, passes and the threshold of the judges were not found by us: they are choices, named in ``Size``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gnomon.core.errors import ConfigError
from gnomon.core.records import ModelRef
from gnomon.core.wording import say
from gnomon.evaluation import steps as evaluation
from gnomon.evaluation.exam.arms import Paper
from gnomon.runs import FileSet, Recipe, Step
from gnomon.synthesis import steps as synthesis
from gnomon_recipes import arguments as given
from gnomon_recipes.bases import NANO, NANO_INSTRUCT, adopted
from gnomon_recipes.library import STARTER, indexed, model, read, served
from gnomon_recipes.specialise import Specialisation
from gnomon_recipes.teach import CHAT, EXAM, Blend, Lessons, Teaching, conversations

SCALES = ("laptop", "node", "cluster")
FILES = ("files", "general", "chat", "exam", "general_exam", "labels")
MODELS = ("base", "instruct")
LANGUAGES = ("en",)
"""Of questions and conversations: the series is English."""
ARGUMENTS = (
    "after", "base", "chat", "chat_sets", "context", "exam", "files", "general", "general_exam", "held_out",
    "instruct", "judges", "labels", "name", "passes", "peers", "prefer", "questions", "removed", "scale",
    "train", "usd_per_hour", "writer",
)  # fmt: skip
"""``train`` are settings of the continued pre-training."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """What one scale of the series is."""

    base: str
    """The base when none is given; a hub name still needs its commit."""
    instruct: str
    """Its instruct model, the partner of the merge."""
    context: int
    """Tokens a row."""
    passes: float
    """Passes over the papers."""
    replay: float
    """Part of the tokens of continued pre-training that is general text."""
    train: Mapping[str, Any]
    """Fields of ``TrainConfig`` of the continued pre-training."""
    tune: Mapping[str, Any]
    """Fields of ``TrainConfig`` of the fine-tuning."""
    chat: float
    """Part of the tokens of the fine-tuning that is general conversations."""
    prefer: Mapping[str, Any] = field(default_factory=dict)
    """Fields of ``PreferenceConfig``, where preferences are trained on."""
    tune_passes: float = 1.0
    """Passes over the questions."""
    plain: float = 0.0
    """Part of the tokens of the fine-tuning that is plain general text."""
    kinds: tuple[str, ...] = ()
    """Kinds of questions; empty for all that the writer knows."""
    mode: str = "letter"
    """How models answer the exam."""
    exam: Mapping[str, Any] = field(default_factory=dict)
    """Other fields of ``ExamConfig``."""
    dtype: str = "bfloat16"
    """Precision of the models while they are measured."""


LAPTOP = Size(
    base=NANO, instruct=NANO_INSTRUCT, context=1_024, passes=1.0, replay=0.5, chat=0.3, tune_passes=3.0, plain=0.1,
    train={"learning_rate": 2e-3, "batch": 16, "warmup": 0.05, "precision": "bfloat16"},
    tune={"learning_rate": 1e-3, "batch": 4, "warmup": 0.05, "precision": "bfloat16"},
    prefer={"learning_rate": 5e-5, "batch": 8}, mode="option", exam={"orders": 1, "passage_characters": 1_500},
    dtype="float32",
)  # fmt: skip
"""Nano throughout, the extractive writer and the judge without a model. The first pre-training values are
``astrollama``'s, chosen on development data; the rest are choices."""


@dataclass(frozen=True, kw_only=True)
class Sage:
    """One member of the series."""

    name: str
    """The recipe's name."""
    title: str
    """Name of the model that comes out, unless another is given."""
    sizes: Mapping[str, Size]
    """By scale."""
    blends: Mapping[str, tuple[Blend, ...]]
    """The merges to choose from, by scale."""
    sets: tuple[str, ...]
    """General instruction data of the published model, as the hub names it."""


def build(sage: Sage, arguments: Mapping[str, Any]) -> Recipe:
    """Papers to an expert with its exam.

    Args:
        sage: Which member of the series.
        arguments: ``files`` (papers) and ``exam`` (questions); ``general_exam`` (questions on other fields, sat before
            and after, for models above chance on them); ``general`` (plain text for replay, control and
            forgetting) and ``chat`` (general conversations), those of the starter when not given at ``laptop``;
            ``chat_sets`` (sets of the hub, NAME@COMMIT); ``scale``; ``base`` and ``instruct`` (see ``bases``);
            ``writer`` and ``judges`` (names of ``gnomon.toml``; without them rules write and judge); ``labels``
            (files of the audit page); ``peers`` (models of ``gnomon.toml`` that sit the exam too) and
            ``usd_per_hour`` (price of the machine), for the chart of cost; ``prefer`` (``yes`` for preference
            training, which the series is not known to have had); ``questions`` (most questions of each exam, drawn by
            hash; 0 for all); ``after``, ``held_out``, ``context``, ``passes``, ``train``, ``removed`` and ``name`` as
            in the ``library`` recipe.

    Raises:
        ConfigError: An argument is unknown, missing or of another type; or a hub model has no commit.
    """
    given.check(arguments, ARGUMENTS, SCALES, sage.name)
    scale = arguments.get("scale", SCALES[0])
    size, name = sage.sizes[scale], given.word(arguments, "name", sage.title)
    made, papers = _library(sage, arguments)
    made |= indexed(made["dedup"], name)
    base = arguments.get("base") or _named(size.base)
    partner = adopted(arguments.get("instruct") or _named(size.instruct), kind="instruct")
    chat, held = conversations(_sets(sage, arguments, scale), made["items"])
    lessons = Lessons(
        items=made["items"], papers=papers, instruct=partner, chat=chat, held_chat=held,
        labels=given.file_set(arguments, "labels"), library={part: made[part] for part in ("index", "vectors")},
    )  # fmt: skip
    made |= model(
        made, _files(arguments, "general", scale), base, specialisation(name, size, arguments),
        lessons=lessons, teaching=teaching(name, size, sage.blends[scale], arguments),
    )  # fmt: skip
    if (usd := given.number(arguments, "usd_per_hour", 0)) or arguments.get("peers"):
        made["cost"] = evaluation.cost_chart(made["exam"], usd_per_hour=usd or None)
    return served(sage.name, name, made, arguments)


def _library(sage: Sage, arguments: Mapping[str, Any]) -> tuple[dict[str, Step], dict[Paper | str, Step]]:
    """What is read, with every exam's questions kept from models; and the exams."""
    files, exam = given.needed_files(arguments, "files", sage.name), given.needed_files(arguments, "exam", sage.name)
    general, most = given.file_set(arguments, "general_exam"), int(given.number(arguments, "questions", 0))
    made = read(files, exam.joined(general) if general else exam, arguments)
    made["exam_items"] = evaluation.items(exam)
    papers: dict[Paper | str, Step] = {Paper(name=EXAM, max_items=most): made["exam_items"]}
    if general:
        made["general_items"] = evaluation.items(general)
        papers[Paper(name="general", general=True, max_items=most)] = made["general_items"]
    return made, papers


def _sets(sage: Sage, arguments: Mapping[str, Any], scale: str) -> dict[str, Step]:
    """General conversations: files, and sets of the hub at their commits."""
    named = given.words(arguments, "chat_sets")
    found: dict[str, Step] = {}
    if not named or arguments.get("chat"):
        found[CHAT] = synthesis.general(_files(arguments, CHAT, scale, sage.sets), name=CHAT, langs=LANGUAGES)
    for entry in named:
        name, _, revision = entry.rpartition("@")
        if not name:
            raise given.wrong("chat_sets", entry, f"NAME@COMMIT; published: {', '.join(sage.sets)}")
        found[name.replace("/", "--")] = synthesis.general(name=name, revision=revision, langs=LANGUAGES)
    return found


def specialisation(name: str, size: Size, arguments: Mapping[str, Any]) -> Specialisation:
    """How the base is continued."""
    nano = size.base == NANO
    return Specialisation(
        name=f"gnomon/{name}-cpt", train=given.training(arguments, size.train),
        context=int(given.number(arguments, "context", size.context)),
        passes=given.number(arguments, "passes", size.passes), replay=size.replay,
        after=given.word(arguments, "after", ""), held_out=given.number(arguments, "held_out", 0.05),
        languages=LANGUAGES if nano else (), documents=1_000, completions=20 if nano else 100, dtype=size.dtype,
    )  # fmt: skip


def teaching(name: str, size: Size, blends: tuple[Blend, ...], arguments: Mapping[str, Any]) -> Teaching:
    """How it is taught and examined."""
    writer, prefer = given.word(arguments, "writer", ""), given.word(arguments, "prefer", "no", ("no", "yes"))
    return Teaching(
        name=f"gnomon/{name}", writer=_role(writer) if writer else None,
        judges=tuple(_role(judge) for judge in given.words(arguments, "judges")),
        peers=tuple(_role(peer) for peer in given.words(arguments, "peers")),
        write={"kinds": size.kinds} if writer and size.kinds else {}, languages=LANGUAGES, passes=size.tune_passes,
        chat=size.chat, replay=size.plain, context=int(given.number(arguments, "context", size.context)),
        train=size.tune, prefer=size.prefer if prefer == "yes" else None, blends=blends,
        mode=size.mode, exam=size.exam, dtype=size.dtype,
    )  # fmt: skip


def _role(name: str) -> ModelRef:
    return ModelRef(name=name, kind="instruct")


def _named(model: str) -> str:
    """The scale's own model.

    Raises:
        ConfigError: It is of the hub, so its commit has to be given.
    """
    if model in (NANO, NANO_INSTRUCT):
        return model
    what = "instruct" if "nstruct" in model else "base"
    raise ConfigError(
        say(f"The model {model} has no revision.", f"モデル {model} に revision がない。"),
        say(f"Name the commit you mean: --set {what}={model}@COMMIT, or a folder: --set {what}=FOLDER.",
            f"コミットを指定する: --set {what}={model}@コミット。フォルダなら --set {what}=フォルダ。"),
    )  # fmt: skip


def _files(arguments: Mapping[str, Any], name: str, scale: str, published: Sequence[str] = ()) -> FileSet:
    """General text or conversations: given, or at ``laptop`` the starter's."""
    found = given.file_set(arguments, name)
    if found is not None:
        return found
    if scale == SCALES[0]:
        return FileSet.scan([STARTER / f"{name}.jsonl"])
    sets = f", or --set {name}_sets=NAME@COMMIT of the hub (published: {', '.join(published)})" if published else ""
    raise given.wrong(name, None, f"files of {name}{sets}; only at laptop does the starter's set stand in")
