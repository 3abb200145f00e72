"""What the home page tells: the library, the models, the exam's headline, how fresh it all is, and what to try."""

from collections.abc import Sequence

from pydantic import Field

from gnomon.research.opened import OpenExpert
from gnomon.serving.facts.corpus import Corpus, Frozen, corpus
from gnomon.serving.facts.exam import Arm, roles, sitting
from gnomon.serving.facts.freshness import Freshness, freshness
from gnomon.serving.facts.pedigree import Relative, pedigree
from gnomon.serving.facts.tries import Tries, tries

OWN = ("final", "preferred", "tuned", "specialised")
"""The model that an expert is about: the first of these that it has."""


class Headline(Frozen):
    """What an exam found, in four lines."""

    sitting: str = Field(description="Role of the exam.")
    paper: str = Field(description="What the paper is called.")
    items: int = Field(description="Questions that were put.")
    chance: float | None = Field(description="What guessing gives.")
    lines: tuple[Arm, ...] = Field(description="The best arm, the solver, the expert's own model, the base.")
    best: str = Field(description="The arm with the highest accuracy.")


class Home(Frozen):
    """The expert at a glance."""

    name: str = Field(description="The expert.")
    recipe: str = Field(description="The recipe that made it.")
    library: Corpus = Field(description="What it reads.")
    models: tuple[Relative, ...] = Field(description="Its models; none of a library alone.")
    exam: Headline | None = Field(description="What its exam found; null when none was held.")
    fresh: Freshness = Field(description="How fresh it is.")
    tries: Tries = Field(description="What to try.")


def home(opened: OpenExpert) -> Home:
    """The facts of the home page."""
    return Home(
        name=opened.expert.name, recipe=opened.expert.recipe, library=corpus(opened), models=pedigree(opened),
        exam=headline(opened), fresh=freshness(opened), tries=tries(opened),
    )  # fmt: skip


def headline(opened: OpenExpert) -> Headline | None:
    """The first paper on the field of the first exam that proves something; None without one."""
    for role in roles(opened):
        held = sitting(opened, role)
        papers = [paper for paper in held.papers if not paper.general]
        if not held.choosing and papers:
            paper = papers[0]
            scored = [arm for arm in paper.arms if arm.accuracy is not None and arm.kind != "chance"]
            chance = next((arm.chance for arm in scored), None)
            return Headline(sitting=role, paper=paper.label, items=paper.items, chance=chance, best=_best(scored),
                            lines=_lines(scored, paper.base))  # fmt: skip
    return None


def _best(arms: Sequence[Arm]) -> str:
    return max(arms, key=_accuracy).name if arms else ""


def _lines(arms: Sequence[Arm], base: str) -> tuple[Arm, ...]:
    """The best arm, the solver, the expert's own model with its book and without, and the base, the best first."""
    own = next((role for role in OWN if any(arm.model == role for arm in arms)), "")
    chosen = [
        *sorted(arms, key=_accuracy)[-1:],
        *(arm for arm in arms if arm.kind == "solver" or arm.name == base or (own and arm.model == own)),
    ]
    return tuple(sorted({arm.name: arm for arm in chosen}.values(), key=_accuracy, reverse=True))


def _accuracy(arm: Arm) -> float:
    return arm.accuracy.value if arm.accuracy is not None else -1.0
