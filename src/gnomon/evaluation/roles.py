"""Roles: the models of one comparison, each in the part it plays.

A *role* is a name in the tables (``base``, ``specialised``) and a *kind* that says what the
comparison with it shows. A ``control`` was trained on equally many tokens of general text, so
that "more training" is not sold as "more domain". Models are opened one at a time: two large
ones need not fit into memory together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gnomon.core.errors import ConfigError
from gnomon.core.files import read_json
from gnomon.core.hashing import plain
from gnomon.core.protocols import resolve
from gnomon.core.records import ModelRef
from gnomon.core.settings import Settings
from gnomon.llm.local import LocalModel, load_local
from gnomon.llm.tokens import load_tokens
from gnomon.llm.weights import weights_of, weights_of_ref
from gnomon.runs.step import Step

KINDS = ("base", "specialised", "control", "general")
LOCAL = "gnomon.llm.local:load_local"
SCORER = "gnomon.evaluation.roles:load_scorer"
PREFIX = "model:"
LogProbs = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Role:
    """One model of a comparison."""

    name: str
    """Its name in the tables; its artifact is ``inputs["model:NAME"]`` unless there is a ``ref``."""
    kind: str
    """``base`` (what was continued), ``specialised``, ``control`` (the base, trained on equally many tokens of
    general text) or ``general`` (any other model, for scale)."""
    label: str = ""
    """What a reader is told about it, empty for its name."""
    ref: ModelRef | None = None
    """A model of the hub or of ``gnomon.toml`` that no step made; None for an artifact."""


Models = Mapping[Role | str, Step | ModelRef]
"""What the door of this room takes: steps that leave a model, or references to models that no step made."""


class Scorer(Protocol):
    """A model that says how likely each token of a text is (``gnomon.llm.local.LocalModel`` is one)."""

    ref: ModelRef
    """Which model it is."""
    context: int
    """Most tokens it reads at once."""
    eos: int | None
    """Its end-of-document token, None when its tokenizer has none."""

    def encode(self, text: str, bos: bool = True) -> list[int]:  # noqa: FBT001  (the shape of LocalModel)
        """The tokens of a text, after [BOS] where the tokenizer has one and it is asked for."""
        ...

    def decode(self, ids: Sequence[int]) -> str:
        """The text of some tokens."""
        ...

    def token_log_probs(self, ids: Sequence[Sequence[int]], stride: int | None) -> list[LogProbs]:
        """Natural-log probabilities of every token after the first of each sequence."""
        ...


class LocalScorer:
    """Local weights as a ``Scorer``.

    Args:
        model: The weights.
        eos: The end-of-document token of their tokenizer.
    """

    def __init__(self, model: LocalModel, eos: int | None) -> None:
        self.ref, self.context, self.eos = model.ref, model.context, eos
        self.encode, self.decode, self.token_log_probs = model.encode, model.decode, model.token_log_probs


def load_scorer(source: Path | ModelRef, settings: Settings, *, dtype: str = "float32") -> LocalScorer:
    """A model artifact, or a model by reference, as a ``Scorer``; errors as ``gnomon.llm.local.load_local``."""
    model = load_local(source, settings, dtype=dtype)
    weights = weights_of_ref(source, settings) if isinstance(source, ModelRef) else weights_of(source, settings)
    return LocalScorer(model, load_tokens(weights).eos)


def check_roles(roles: Sequence[Role], reference: str, step: str) -> None:
    """Refuse roles that cannot be compared.

    Raises:
        ConfigError: A kind is unknown, a name is used twice, or the reference is none of them.
    """
    names = [role.name for role in roles]
    for role in roles:
        if role.kind not in KINDS:
            raise ConfigError(
                f"{step}: the model {role.name!r} has the kind {role.kind!r}.", f"Kinds: {', '.join(KINDS)}."
            )
    if len(set(names)) != len(names) or not names:
        raise ConfigError(f"{step}: models = {names}.", "Give at least one, and every name once.")
    if reference not in names:
        raise ConfigError(
            f"{step}: the reference {reference!r} is none of the models {', '.join(names)}.",
            "Set reference to the name of the model that the others are compared with.",
        )


def role_of(key: Role | str) -> Role:
    """The role of a bare name: a name that is a kind has that kind, any other is ``specialised``."""
    if isinstance(key, Role):
        return key
    return Role(name=key, kind=key if key in KINDS else "specialised")


def roles_and_steps(models: Models) -> tuple[tuple[Role, ...], dict[str, Step]]:
    """The roles of some models, and the steps that leave them, by the name of their input."""
    roles, steps = [], {}
    for key, model in models.items():
        role = role_of(key)
        if isinstance(model, ModelRef):
            role = replace(role, ref=model)
        else:
            steps[PREFIX + role.name] = model
        roles.append(role)
    return tuple(roles), steps


def open_model(role: Role, inputs: Mapping[str, Path], loader: str, settings: Settings, **how: Any) -> Any:
    """Load the model of a role through the loader that a config names."""
    return resolve(loader)(role.ref or inputs[PREFIX + role.name], settings, **how)


def facts_of(role: Role, inputs: Mapping[str, Path]) -> dict[str, Any]:
    """What is known of a role without loading its model: its part, its pedigree, how it was trained."""
    facts: dict[str, Any] = {"kind": role.kind, "label": role.label or role.name}
    if role.ref is not None:
        facts["ref"] = plain(role.ref)
    folder = inputs.get(PREFIX + role.name)
    for name, file in (("ref", "model.json"), ("training", "training.json")):
        if folder is not None and (folder / file).is_file():
            facts[name] = read_json(folder / file)
    return facts
