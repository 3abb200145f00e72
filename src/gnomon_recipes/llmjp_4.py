"""The ``llmjp_4`` recipe: a Japanese and English model from nothing, in LLM-jp-4's three phases.

1. *Pre-training*, the stable part of warm-up-stable-decay: 3e-4, Adam 0.9/0.95/1e-8, weight decay 0.1, clip 1.0, rows
   of 4,096, batch 512 (the public settings of the 8B's first phase).
2. *Mid-training*, its decay branch: 3e-4 -> 3e-5 on 40 % of the base corpus and 60 % instruction pre-training data.
3. *Context extension* by the RoPE base: 1,024 -> 4,096 at ``laptop``, 4,096 -> 65,536 at ``cluster``.

The shapes are those of the cards, dense and mixture of experts, with small twins for a laptop. Not found by us, and
so choices: the length of the phases, the learning rate and data of the extension, the RoPE base after it, the settings
of the mixture (those of the dense model are used), and everything at ``laptop``. Documents are deduplicated per source;
LLM-jp then does it again over all of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gnomon.corpus import steps as corpus
from gnomon.evaluation import steps as evaluation
from gnomon.evaluation.heldout import TestSet
from gnomon.evaluation.roles import Role
from gnomon.runs import Recipe, Serve, Step
from gnomon.training import steps as training
from gnomon.training.context import ExtendConfig
from gnomon.training.packing.mixture import MixtureSource
from gnomon.training.shapes import LLMJP_4_8B, LLMJP_4_8B_TWIN, LLMJP_4_32B_A3B, LLMJP_4_32B_A3B_TWIN, Shape
from gnomon_recipes import arguments as given

SCALES = ("laptop", "node", "cluster")
FILES = ("corpus", "instructions", "exam")
ARGUMENTS = (
    "corpus", "exam", "instructions", "middle_tokens", "name", "long_tokens", "scale", "shape", "tokens", "vocabulary",
    "weights",
)  # fmt: skip
SHAPES = ("dense", "moe")
INSTRUCTIONS = "instructions"
BASE_SHARE = 0.4
"""Of the decay branch; the rest is instruction pre-training data (published)."""
WARMUP_STEPS = 2_000
"""Published, of a run of millions of steps."""
PEAK, FINAL = 3e-4, 0.1
"""Learning rate, and its end as a share of it (published)."""
TRAIN = {"betas": (0.9, 0.95), "epsilon": 1e-8, "weight_decay": 0.1, "clip": 1.0}
"""Published; also the defaults of ``TrainConfig``, stated here so that a default cannot change them."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """What one scale of the recipe is."""

    shapes: Mapping[str, Shape]
    """By name: ``dense`` and ``moe``."""
    vocabulary: int
    """Tokens of the vocabulary."""
    batch: int
    """Rows of a step."""
    longer: int
    """Context after the extension."""
    longer_batch: int
    """Rows of a step of the extension."""
    peak: float = PEAK
    """Peak learning rate."""
    precision: str = "bfloat16"
    """Of the matrix products."""


FULL = {"dense": LLMJP_4_8B, "moe": LLMJP_4_32B_A3B}
TWINS = {"dense": LLMJP_4_8B_TWIN, "moe": LLMJP_4_32B_A3B_TWIN}
SIZES = {
    "laptop": Size(
        shapes=TWINS, vocabulary=8_192, batch=16, longer=4_096, longer_batch=4, peak=3e-3, precision="float32"
    ),
    "node": Size(shapes=FULL, vocabulary=196_608, batch=512, longer=16_384, longer_batch=128),
    "cluster": Size(shapes=FULL, vocabulary=196_608, batch=512, longer=65_536, longer_batch=32),
}


def recipe(arguments: Mapping[str, Any]) -> Recipe:
    """Sources of text and of instructions to a base with a long context.

    Args:
        arguments: ``corpus`` (files, or files by the name of their source) and ``instructions`` (JSONL of questions
            and answers), as ``FileSet`` rows; ``weights`` (of the sources, by name; without them each is shown once),
            ``tokens`` (of pre-training, with weights), ``middle_tokens`` and ``long_tokens`` (of the other phases;
            without them the instructions once), ``shape`` (``dense`` or ``moe``),
            ``vocabulary``, ``exam`` (questions), ``scale``, ``name``.

    Raises:
        ConfigError: An argument is unknown, missing or of another type.
    """
    given.check(arguments, ARGUMENTS, SCALES, "llmjp_4")
    size = SIZES[arguments.get("scale", SCALES[0])]
    made = sources(arguments)
    made |= train(made, arguments, size)
    roles: dict[Role | str, Step] = {
        Role(name="base", kind="base", label="pre-trained"): made["base"],
        Role(name="middle", kind="specialised", label="mid-trained"): made["middle"],
        Role(name="long", kind="specialised", label="with a long context"): made["long"],
    }
    made["perplexity"] = evaluation.perplexity(roles, tests(made), max_documents=1_000)
    name = given.word(arguments, "name", "llmjp-4")
    made["report"] = evaluation.report(dict(made), title=name)
    serve = Serve(name=name, parts=made, needed=("base",))
    return Recipe(
        name="llmjp_4", goals=(made["perplexity"], made["report"]), serve=serve, arguments=dict(arguments)
    )  # fmt: skip


def sources(arguments: Mapping[str, Any]) -> dict[str, Step]:
    """The documents of each source, deduplicated as LLM-jp does, decontaminated and split (roles ``split.NAME``)."""
    given.needed_files(arguments, INSTRUCTIONS, "llmjp_4")
    texts = given.named_files(arguments, "corpus") or {"corpus": given.needed_files(arguments, "corpus", "llmjp_4")}
    exam = given.file_set(arguments, "exam")
    made: dict[str, Step] = {"items": evaluation.items(exam)} if exam is not None else {}
    read = {name: corpus.clean(corpus.ingest(files)) for name, files in texts.items()}
    asked = given.named_files(arguments, INSTRUCTIONS)[INSTRUCTIONS]
    read[INSTRUCTIONS] = corpus.clean(corpus.instructions(asked))
    for name, documents in read.items():
        unique = corpus.dedup(documents, "questions" if name == INSTRUCTIONS else "llm-jp")
        shown = corpus.decontaminate(unique, made["items"]) if exam is not None else unique
        made[f"split.{name}"] = corpus.split(shown, unique, development=0.0, test=0.05)
    return made


def train(made: Mapping[str, Step], arguments: Mapping[str, Any], size: Size) -> dict[str, Step]:
    """Tokenizer, tokens and model of each of the three phases."""
    parts = {
        key.removeprefix("split."): corpus.part(step, "train", least=1) for key, step in made.items() if "." in key
    }
    texts = {name: step for name, step in parts.items() if name != INSTRUCTIONS}
    shape = size.shapes[given.word(arguments, "shape", "dense", SHAPES)]
    tokenizer = training.tokenizer(parts, vocab_size=int(given.number(arguments, "vocabulary", size.vocabulary)))
    first = training.pack(tokenizer, texts, context=shape.context, allow_short=True, **_mixture(texts, arguments))
    stable = {"schedule": "wsd", "decay": 0.0, "warmup": _warmup(arguments, shape, size), "shape": shape}
    how = {**TRAIN, "learning_rate": size.peak, "batch": size.batch, "precision": size.precision}
    base = training.pretrain(first, tokenizer, name=_name(arguments, "base"), **how, **stable)
    second = training.pack(base, parts, context=shape.context, allow_short=True, **_branch(texts, arguments))
    falling = {"schedule": "wsd", "warmup": 0.0, "decay": 1.0, "final": FINAL}
    middle = training.midtrain(base, second, name=_name(arguments, "middle"), **how, **falling)
    third = training.pack(
        middle, parts, context=size.longer, allow_short=True, **_branch(texts, arguments, "long_tokens", 1)
    )
    last = {"learning_rate": size.peak * FINAL, "batch": size.longer_batch, "schedule": "constant", "warmup": 0.05}
    longer = training.midtrain(
        middle, third, name=_name(arguments, "long"), extend=ExtendConfig(context=size.longer), **(how | last)
    )
    return {
        "tokenizer": tokenizer, "tokens": first, "base": base, "middle_tokens": second, "middle": middle,
        "long_tokens": third, "long": longer,
    }  # fmt: skip


def tests(made: Mapping[str, Step]) -> dict[TestSet | str, Step]:
    """Held-out documents of every source; instructions are what the decay branch is for."""
    return {
        TestSet(
            name=key.removeprefix("split."), kind="domain" if INSTRUCTIONS in key else "general", part=""
        ): corpus.part(step, "test", least=1)
        for key, step in made.items()
        if key.startswith("split.")
    }


def _name(arguments: Mapping[str, Any], phase: str) -> str:
    return f"gnomon/{given.word(arguments, 'name', 'llmjp-4')}-{phase}"


def _mixture(texts: Mapping[str, Step], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Every source once, or so many tokens in the proportion of the weights."""
    weights = arguments.get("weights") or {}
    if not weights:
        return {}
    if not isinstance(weights, Mapping) or set(weights) != set(texts):
        raise given.wrong("weights", weights, f"a weight for each of {', '.join(texts)}")
    budget = int(given.number(arguments, "tokens", 0))
    return {
        "sources": tuple(MixtureSource(name=n, weight=given.number(weights, n, 0)) for n in texts),
        "budget": budget,
    }


def _branch(
    texts: Mapping[str, Step], arguments: Mapping[str, Any], key: str = "middle_tokens", seed: int = 0
) -> dict[str, Any]:
    """The 40/60 mixture: of a number of tokens, or with the instructions once and the corpus beside them."""
    budget, each = int(given.number(arguments, key, 0)), BASE_SHARE / len(texts)
    if budget:
        mixed = [MixtureSource(name=n, weight=each) for n in texts]
        mixed.append(MixtureSource(name=INSTRUCTIONS, weight=1 - BASE_SHARE))
        return {"sources": tuple(mixed), "budget": budget, "seed": seed}
    once = [MixtureSource(name=n, share=each) for n in texts]
    return {"sources": (*once, MixtureSource(name=INSTRUCTIONS, repeats=1.0)), "seed": seed}


def _warmup(arguments: Mapping[str, Any], shape: Shape, size: Size) -> float:
    """The published warm-up as a share of the steps, where their number is known; else a fiftieth."""
    steps = given.number(arguments, "tokens", 0) / (shape.context * size.batch)
    return min(0.1, WARMUP_STEPS / steps) if steps else 0.02
