"""Rails: the lines that join models to those they were made from, drawn beside a list of them.

Every model is a row; its line comes down from its first parent, and lines of other parents run into it. A column is a
*lane*. What is drawn is stretched to the height of its row, so rows may be as high as their text.
"""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from gnomon.serving.facts.pedigree import Relative

WIDE = 18
"""Width of a lane in pixels."""


class Row(BaseModel):
    """A model with the lines beside it."""

    model_config = ConfigDict(frozen=True)

    model: Relative
    """The model."""
    x: int
    """Where in pixels its mark stands."""
    above: tuple[str, ...]
    """Paths of the lines in the upper half of the row, in a square of ``width`` by 100."""
    below: tuple[str, ...]
    """The same in its lower half, and through it."""
    lanes: int
    """How many lanes there are."""
    width: int
    """Their pixels."""


def rails(models: Sequence[Relative]) -> list[Row]:
    """The models of the main line in an order in which each follows its parents, with their lines."""
    known = {model.role: model for model in models if model.main}
    order = _ordered(known)
    lanes = _lanes(order, known)
    last = {role: max([order.index(child) for child in known if role in known[child].parents] or [order.index(role)])
            for role in order}  # fmt: skip
    return [_row(at, order, known, lanes, last) for at in range(len(order))]


def _ordered(known: dict[str, Relative]) -> list[str]:
    """Each model after its parents, the longest line first and unbroken."""
    found: list[str] = []

    def visit(role: str) -> None:
        parents = sorted((p for p in known[role].parents if p in known), key=lambda p: (-known[p].depth, p))
        for parent in parents:
            visit(parent)
        if role not in found:
            found.append(role)

    for role in sorted(known, key=lambda role: (-known[role].depth, role)):
        visit(role)
    return found


def _lanes(order: Sequence[str], known: dict[str, Relative]) -> dict[str, int]:
    """A child goes on in the lane of its parent of most generations, unless a sibling already does."""
    found: dict[str, int] = {}
    continued: set[str] = set()
    for role in order:
        parents = sorted((p for p in known[role].parents if p in found), key=lambda p: (found[p], p))
        heir = next((parent for parent in parents if parent not in continued), None)
        found[role] = found[heir] if heir else max(found.values(), default=-1) + 1
        continued.update(parents)
    return found


def _row(at: int, order: Sequence[str], known: dict[str, Relative], lanes: dict[str, int], last: dict[str, int]) -> Row:
    role = order[at]
    model, own = known[role], _x(lanes[role])
    above = [f"M{_x(lanes[p])} 0C{_x(lanes[p])} 30 {own} 20 {own} 50" for p in model.parents if p in lanes]
    through = [f"M{_x(lanes[other])} 0V100" for other in order[:at] if last[other] > at]
    below = [f"M{own} 50V100"] if last[role] > at else []
    many = max(lanes.values()) + 1
    return Row(model=model, x=own, above=tuple(above), below=(*through, *below), lanes=many,
               width=many * WIDE)  # fmt: skip


def _x(lane: int) -> int:
    return WIDE * lane + WIDE // 2
