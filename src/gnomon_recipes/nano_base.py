"""The ``nano_base`` recipe: a small base model from nothing, without the domain.

The laptop twin of a pre-training: public-domain books and the abstracts of other fields, cleaned,
deduplicated, packed, one pass. What came out of it on our data ships as ``gnomon_recipes/nano/base``;
the values below are the winners of the sweeps in its card.
"""

from collections.abc import Mapping
from typing import Any

from gnomon.core.errors import ConfigError
from gnomon.corpus import steps as corpus
from gnomon.runs import FileSet, Recipe, Step
from gnomon.training import steps as training
from gnomon.training.packing.mixture import MixtureSource
from gnomon.training.shapes import Shape

ARGUMENTS = ("abstracts", "books", "scale", "withheld")
FILES = ("abstracts", "books")
SHAPE = Shape(layers=6, hidden=224, intermediate=608, heads=4, kv_heads=2, context=1_024, tie_embeddings=True)
VOCABULARY = 8_192
HELD_OUT = {"abstracts": {"development": 0.02, "test": 0.03}, "books": {"development": 0.05, "test": 0.05}}
"""Shares kept for measuring; books are few, so more of them."""


def recipe(arguments: Mapping[str, Any]) -> Recipe:
    """A base model from books and abstracts.

    Args:
        arguments: ``books`` and ``abstracts`` (``FileSet`` rows), ``withheld`` (ids of abstracts that an exam needs
            unseen).

    Raises:
        ConfigError: An argument is unknown or missing.
    """
    for key in arguments:
        if key not in ARGUMENTS:
            raise ConfigError(f"Unknown recipe argument {key!r}.", f"Known: {', '.join(ARGUMENTS)}.")
    for key in ("abstracts", "books"):
        if key not in arguments:
            raise ConfigError(f"The nano_base recipe needs {key}.", "Name their files.")
    data = sources(arguments)
    model = train(data)
    return Recipe(name="nano_base", goals=(model,), arguments=dict(arguments))


def sources(arguments: Mapping[str, Any]) -> dict[str, Step]:
    """The split documents of each source."""
    withheld = tuple(arguments.get("withheld", ()))
    made = {}
    for name in ("abstracts", "books"):
        documents = corpus.ingest(FileSet.from_row(arguments[name]))
        if withheld:
            documents = corpus.withhold(documents, ids=withheld)
        unique = corpus.dedup(corpus.clean(documents))
        made[name] = corpus.split(unique, unique, **HELD_OUT[name])
    return made


def train(split: Mapping[str, Step]) -> Step:
    """The tokenizer, the rows and the model."""
    shown = {name: corpus.part(step, "train") for name, step in split.items()}
    tokenizer = training.tokenizer(shown, vocab_size=VOCABULARY)
    mixture = (MixtureSource(name="abstracts", repeats=1.0), MixtureSource(name="books", repeats=0.4))
    tokens = training.pack(tokenizer, shown, context=SHAPE.context, sources=mixture)
    return training.pretrain(
        tokens,
        tokenizer,
        name="gnomon/nano-base",
        shape=SHAPE,
        learning_rate=1.5e-3,
        batch=4,
        schedule="wsd",
        precision="bfloat16",
        licence="Apache-2.0",
    )
