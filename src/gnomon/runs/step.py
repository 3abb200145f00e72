"""Steps and recipes: inert descriptions of work.

A ``Step`` says *what* is to be made: a name, the entry that makes it (a string, so planning
imports nothing heavy), its settings and the steps it reads. Its *identity* is the hash of
exactly that, and the address of its artifact. A ``Recipe`` is the steps one wants, and the
``Serve`` that points an expert at some of them.
"""

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from gnomon.core.errors import ConfigError
from gnomon.core.hashing import canonical_json, plain
from gnomon.runs.sources import FileSet

IDENTITY_BYTES = 16


@dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """One piece of work. Equal identities mean equal results."""

    name: str
    """``room/verb``, for instance ``"corpus/dedup"``."""
    entry: str
    """``"package.module:function"`` with the signature ``run(config, inputs, out) -> Counts``."""
    version: int
    """Raised when the entry's results change for the same settings."""
    config: Any
    """A frozen dataclass of settings: what, never where."""
    inputs: Mapping[str, "Step"] = field(default_factory=dict)
    """The steps whose artifacts it reads, by the name under which the entry finds them."""
    sources: Mapping[str, FileSet] = field(default_factory=dict)
    """The files it reads, by the name under which the entry finds their listing."""
    estimate: str = ""
    """Entry of a function ``(config, documents, size) -> Estimate`` that ``plan`` asks, or empty."""
    asks: str = ""
    """Of a step that asks models: entry of a function ``(config, Known) -> Estimate | None`` with its calls, or empty;
    ``plan`` asks it in place of ``estimate``, because calls hang on what the inputs hold."""

    def __post_init__(self) -> None:
        parameters = getattr(type(self.config), "__dataclass_params__", None)
        if parameters is None or not parameters.frozen:
            raise ConfigError(f"Step {self.name}: its config is {self.config!r}, wanted a frozen dataclass.")

    @cached_property
    def identity(self) -> str:
        """BLAKE2b of name, version, chosen settings and input identities, as hex."""
        described = {
            "name": self.name,
            "version": self.version,
            "settings": chosen(self.config),
            "inputs": {name: step.identity for name, step in self.inputs.items()},
            "sources": {name: files.identity for name, files in self.sources.items()},
        }
        data = canonical_json(described).encode("utf-8", "surrogatepass")
        return hashlib.blake2b(data, digest_size=IDENTITY_BYTES).hexdigest()

    @property
    def address(self) -> str:
        """Where its artifact lives inside ``<workspace>/runs``."""
        return f"{self.name}/{self.identity}"

    @property
    def settings_key(self) -> str:
        """Hash of name, version and chosen settings alone: the key of its per-document cache."""
        data = canonical_json([self.name, self.version, chosen(self.config)])
        return hashlib.blake2b(data.encode(), digest_size=8).hexdigest()


def chosen(config: Any) -> dict[str, Any]:
    """The settings of a config that differ from their defaults, as JSON types."""
    values = plain(config, type(config).__name__)
    return {f.name: values[f.name] for f in dataclasses.fields(config) if values[f.name] != _default(f)}


def _default(setting: dataclasses.Field[Any]) -> Any:
    if setting.default is not dataclasses.MISSING:
        return plain(setting.default)
    if setting.default_factory is not dataclasses.MISSING:
        return plain(setting.default_factory())
    return dataclasses.MISSING


@dataclass(frozen=True, kw_only=True)
class Serve:
    """Which steps an expert is served from."""

    name: str
    """The expert's name."""
    parts: Mapping[str, Step]
    """Steps by role: ``index``, ``vectors``, ``trace``, ``report``…"""
    needed: tuple[str, ...] = ("index",)
    """Roles without which the expert cannot be opened; once they are made it is published, and
    the rest fills in behind it."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What is wanted, and how it is served."""

    name: str
    """The recipe's name, as ``gnomon run`` knows it."""
    goals: tuple[Step, ...]
    """The steps wanted, in the order in which they should be made where there is a choice."""
    serve: Serve | None = None
    """The expert to publish."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """What the recipe was called with, as JSON types, so that it can be called again."""

    def steps(self) -> list[Step]:
        """Every step the goals rest on, each after its inputs, without repeats."""
        ordered: dict[str, Step] = {}
        for goal in self.goals:
            for step in _upstream(goal):
                ordered.setdefault(step.identity, step)
        return list(ordered.values())


def _upstream(step: Step) -> Iterator[Step]:
    for name in sorted(step.inputs):
        yield from _upstream(step.inputs[name])
    yield step
