"""Arms and papers: who sits an exam, in which way, and which questions it is made of.

An *arm* is one way of answering: a model in one mode, closed or open book; a solver without a model; or *chance*,
which is computed. A *paper* is one set of questions. *Modes* of a model: ``letter`` (the most probable letter),
``option`` (the most probable text of an option), ``generate`` (it writes its answer).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gnomon.core.errors import ConfigError
from gnomon.core.wording import say
from gnomon.evaluation.roles import Role

KINDS = ("chance", "model", "solver")
MODES = ("letter", "option", "generate")
STYLES = ("json", "mmlu")
DEV_SPLITS = ("dev", "few_shot")
"""Splits that serve examples and are never scored."""
CHANCE, SOLVER = "chance", "solver"
OPEN = " · open book"
"""Ending of the name of an arm with the library at hand."""


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One way of answering.

    Raises:
        ConfigError: Kind, mode or style are unknown, or do not go together.
    """

    name: str
    """Its name in the tables."""
    kind: str = "model"
    """``model``, ``solver`` (the entry of the config, no model needed) or ``chance``."""
    model: str = ""
    """Name of the role whose model it is; empty for the other kinds."""
    mode: str = "letter"
    """How a model answers: ``letter``, ``option`` or ``generate``; of no meaning for the other kinds."""
    style: str = "json"
    """Form of the letter prompt: ``json`` (AstroMLab-1's, up to ``{"ANSWER": "``) or ``mmlu`` (``Answer:``)."""
    chat: bool = True
    """Whether a model that writes its answer is spoken to as a chat; False continues plain text, as base models do."""
    open_book: bool = False
    """Whether passages of the library stand before the question."""
    several: bool = False
    """Whether a solver can name several right options; a question that has several is not asked of one that cannot."""
    label: str = ""
    """What a reader is told about it, empty for its name."""

    def __post_init__(self) -> None:
        for name, value, known in (
            ("kind", self.kind, KINDS),
            ("mode", self.mode, MODES),
            ("style", self.style, STYLES),
        ):
            if value not in known:
                raise _wrong(f"{name} = {value!r}", f"{', '.join(known)}", self.name)
        if (self.kind == "model") != bool(self.model):
            raise _wrong(
                f"kind = {self.kind!r}, model = {self.model!r}", "a role's name for kind model only", self.name
            )
        if self.kind == "chance" and self.open_book:
            raise _wrong("open_book = True", "False: chance reads nothing", self.name)

    @property
    def names_several(self) -> bool:
        """Whether it can say that several options are right."""
        return self.several if self.kind == "solver" else self.kind == "chance" or self.mode == "generate"

    @property
    def hangs_on_order(self) -> bool:
        """Whether the order of the options can change its answer, so that several orders have to be asked."""
        return self.kind == "model" and self.mode != "option"

    @property
    def way(self) -> str:
        """Its mode, empty for what has none."""
        return self.mode if self.kind == "model" else ""


@dataclass(frozen=True, kw_only=True)
class Paper:
    """One set of questions.

    Raises:
        ConfigError: Its split is one that is never scored.
    """

    name: str
    """Its name in the tables; its artifact is ``inputs["items:NAME"]``, its examples ``inputs["dev:NAME"]``."""
    label: str = ""
    """What a reader is told about it, empty for its name."""
    general: bool = False
    """Whether it tells general ability, before and after; only models sit it, closed book, and chance."""
    single: bool = False
    """Whether only questions with one right option are asked."""
    max_items: int = 0
    """Most questions, chosen by seed; 0 takes all."""
    split: str = ""
    """The only split that is asked, such as ``test``; empty asks every one but ``dev``."""

    def __post_init__(self) -> None:
        if self.split in DEV_SPLITS:
            raise ConfigError(
                say(f"exam: the paper {self.name!r} has split = {self.split!r}.",
                    f"exam: 試験 {self.name!r} の split = {self.split!r} は採点できない。"),
                say("Examples are never scored: name another split, or leave it empty.",
                    "例題は採点しない。別の split を指定するか空にする。"),
            )  # fmt: skip

    def sat_by(self, arm: Arm) -> bool:
        """Whether an arm sits it."""
        return not self.general or (arm.kind != "solver" and not arm.open_book)


def standard_arms(roles: Sequence[Role], *, mode: str = "letter", library: bool = False) -> tuple[Arm, ...]:
    """Chance, then every model closed book; with a library the solver, and every model with the library at hand.

    Args:
        roles: The models.
        mode: How they answer.
        library: Whether there is one.
    """
    arms = [Arm(name=CHANCE, kind="chance")]
    if library:
        arms.append(Arm(name=SOLVER, kind="solver", open_book=True))
    for role in roles:
        arms.append(Arm(name=role.name, model=role.name, mode=mode))
        if library:
            arms.append(Arm(name=role.name + OPEN, model=role.name, mode=mode, open_book=True))
    return tuple(arms)


def check_exam(roles: Sequence[Role], arms: Sequence[Arm], papers: Sequence[Paper]) -> None:
    """Refuse an exam that cannot be held.

    Raises:
        ConfigError: There are no arms or papers, a name is used twice, or an arm's model is none of the roles.
    """
    for what, names in (
        ("models", [role.name for role in roles]),
        ("arms", [arm.name for arm in arms]),
        ("exams", [paper.name for paper in papers]),
    ):
        if len(set(names)) != len(names) or (not names and what != "models"):
            raise ConfigError(
                say(f"exam: {what} = {names}.", f"exam: {what} = {names}。"),
                say("Give at least one, and every name once.", "一つ以上を、重複しない名前で指定する。"),
            )
    known = [role.name for role in roles]
    for arm in arms:
        if arm.model and arm.model not in known:
            raise _wrong(f"model = {arm.model!r}", f"{', '.join(known)}", arm.name)


def _wrong(what: str, wanted: str, arm: str) -> ConfigError:
    return ConfigError(
        say(f"exam: the arm {arm!r} has {what}.", f"exam: アーム {arm!r} の {what} は使えない。"),
        say(f"Wanted: {wanted}.", f"条件: {wanted}。"),
    )
