"""The ``astrollama`` recipe: a base, continued on astronomy abstracts (Nguyen et al. 2023, arXiv 2309.06126).

Published, and kept at the scales that have a 7B base: LLaMA-2-7B, causal language modelling on arXiv astronomy
abstracts, LoRA, AdamW, three passes; completions at temperature 0.3 beside the base, of at most 1,024 tokens; the
embedding figure. Rank, learning rate, schedule, batch and row length were not found by us: the values below are
choices; the laptop's rate and replay were chosen on development data (docs/design/log.md). Whole papers from LaTeX
instead of abstracts (``text=full``, with their files) are what its authors planned.
A lower perplexity is no proof of expertise: the series scored below its own base on multiple choice (AstroMLab 2,
arXiv 2409.19750).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gnomon.core.errors import ConfigError
from gnomon.core.wording import say
from gnomon.corpus import steps as corpus
from gnomon.evaluation import steps as evaluation
from gnomon.runs import Recipe, Serve, Step
from gnomon.training.recipe import LoRA
from gnomon_recipes import arguments as given
from gnomon_recipes.bases import NANO, adopted
from gnomon_recipes.nano_base import HELD_OUT
from gnomon_recipes.specialise import Literature, Specialisation, general_documents, measures, specialise

SCALES = ("laptop", "node", "cluster")
FILES = ("files", "general", "exam", "retrieval")
MODELS = ("base",)
ARGUMENTS = (
    "after", "base", "context", "exam", "files", "general", "held_out", "method", "name", "passes", "removed", "replay",
    "retrieval", "scale", "text", "train",
)  # fmt: skip
TEXTS = ("abstracts", "full")
METHODS = ("full", "lora")
LLAMA_2_7B = "meta-llama/Llama-2-7b-hf"


@dataclass(frozen=True, kw_only=True)
class Size:
    """What one scale of the recipe is."""

    base: str
    """The base when none is given; a hub name still needs its commit."""
    method: str
    """``lora`` or ``full``."""
    passes: float
    """Passes over the abstracts."""
    batch: int
    """Rows of a step."""
    contexts: Mapping[str, int]
    """Tokens a row, by kind of text."""
    rates: Mapping[str, float]
    """Peak learning rate, by method."""
    replay: float = 0.1
    """Part of all tokens that is general text."""
    precision: str = "bfloat16"
    """Of the matrix products."""


SIZES = {
    "laptop": Size(
        base=NANO, method="full", passes=1.0, batch=16, contexts={"abstracts": 1_024, "full": 1_024},
        rates={"full": 2e-3, "lora": 2e-3}, replay=0.5, precision="bfloat16",
    ),
    "node": Size(
        base=LLAMA_2_7B, method="lora", passes=3.0, batch=64, contexts={"abstracts": 2_048, "full": 4_096},
        rates={"full": 2e-5, "lora": 3e-4},
    ),
    "cluster": Size(
        base=LLAMA_2_7B, method="full", passes=3.0, batch=256, contexts={"abstracts": 4_096, "full": 4_096},
        rates={"full": 2e-5, "lora": 3e-4},
    ),
}  # fmt: skip
"""One process at ``laptop``; at ``node`` and ``cluster`` the same recipe through the launcher of ``gnomon.toml``."""
LORA = LoRA(rank=16, alpha=32.0)
GENERAL_HELD_OUT = sum(HELD_OUT["abstracts"].values())
"""Of the general text, by hash: no more than the nano base was never shown itself."""


def recipe(arguments: Mapping[str, Any]) -> Recipe:
    """Abstracts, or papers, to a specialised model and its proof.

    Args:
        arguments: ``files`` (of the domain) and ``general`` (for replay, the control and forgetting), both ``FileSet``
            rows; ``scale``; ``base`` (see ``bases``), ``method`` (``lora`` or ``full``), ``text`` (what the files hold:
            ``abstracts`` or ``full`` papers, which get longer rows), ``passes``, ``replay`` (part of all tokens,
            default the scale's), ``after`` (hold out what is later), ``held_out`` (share by hash, default 0.05),
            ``exam`` (questions), ``retrieval`` (corpus, queries, qrels), ``context`` (tokens a row),
            ``train`` (fields of ``TrainConfig``), ``name``, ``removed``.

    Raises:
        ConfigError: An argument is unknown, missing or of another type; or a hub base has no commit.
    """
    given.check(arguments, ARGUMENTS, SCALES, "astrollama")
    files = given.needed_files(arguments, "files", "astrollama")
    general = given.needed_files(arguments, "general", "astrollama")
    exam = given.file_set(arguments, "exam")
    made: dict[str, Step] = {"ingest": corpus.ingest(files)}
    if removed := given.words(arguments, "removed"):
        made["withhold"] = corpus.withhold(made["ingest"], ids=removed)
    made["clean"] = corpus.clean(made.get("withhold", made["ingest"]))
    made["dedup"] = made["shown"] = corpus.dedup(made["clean"])
    if exam is not None:
        made["items"] = evaluation.items(exam)
        made["decontaminate"] = made["shown"] = corpus.decontaminate(made["dedup"], made["items"])
    aside, aside_unique = general_documents(general, made.get("items"))
    texts = Literature(
        shown=made.pop("shown"), unique=made["dedup"], general=aside, general_unique=aside_unique,
        retrieval=given.file_set(arguments, "retrieval"),
    )  # fmt: skip
    size = SIZES[arguments.get("scale", SCALES[0])]
    base = adopted(_base(arguments, size), {"domain": texts.shown})
    how = settings(arguments, size)
    specialised, tests = specialise(base, texts, how)
    made |= specialised | measures(specialised, tests, texts, how)
    name = given.word(arguments, "name", "astrollama")
    report = evaluation.report(made, title=name)
    proof = tuple(made[role] for role in ("perplexity", "embedding", "completion"))
    parts = {**made, "report": report}
    serve = Serve(name=name, parts=parts, needed=("specialised",))
    return Recipe(name="astrollama", goals=(*proof, report), serve=serve, arguments=dict(arguments))


def _base(arguments: Mapping[str, Any], size: Size) -> Any:
    """The base that was given, or that of the scale.

    Raises:
        ConfigError: The scale's base is of the hub and no commit was given.
    """
    base = arguments.get("base") or size.base
    if base == LLAMA_2_7B:
        raise ConfigError(
            say(f"The base {base} has no revision.", f"ベースモデル {base} に revision がない。"),
            say(f"Name the commit you mean: --set base={base}@COMMIT, or a folder: --set base=FOLDER.",
                f"コミットを指定する: --set base={base}@コミット。フォルダなら --set base=フォルダ。"),
        )  # fmt: skip
    return base


def settings(arguments: Mapping[str, Any], size: Size) -> Specialisation:
    """The settings of a scale, with what the arguments change."""
    method = given.word(arguments, "method", size.method, METHODS)
    text = given.word(arguments, "text", TEXTS[0], TEXTS)
    train = {
        "learning_rate": size.rates[method], "batch": size.batch, "schedule": "cosine", "warmup": 0.05,
        "precision": size.precision, "lora": LORA if method == "lora" else None,
    }  # fmt: skip
    return Specialisation(
        name=f"gnomon/{given.word(arguments, 'name', 'astrollama')}", train=given.training(arguments, train),
        context=int(given.number(arguments, "context", size.contexts[text])),
        passes=given.number(arguments, "passes", size.passes), replay=given.number(arguments, "replay", size.replay),
        after=given.word(arguments, "after", ""), held_out=given.number(arguments, "held_out", 0.05),
        general_held_out=GENERAL_HELD_OUT, completion_tokens=256 if size.base == NANO else 1_024,
        dtype="float32" if size.base == NANO else "bfloat16",
    )  # fmt: skip
