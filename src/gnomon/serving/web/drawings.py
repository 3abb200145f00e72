"""Drawings of the build report on pages of this server: the same functions draw both.

A page's policy forbids style attributes, so drawings are made ``for_reader``: their places are classes of one style
sheet, which this module serves. Its rules hold inside ``.drawn`` only: no name of a drawing meets one of a page.
"""

import hashlib
from collections.abc import Callable
from functools import cache
from typing import ParamSpec

import markupsafe
from fastapi import APIRouter, Response

from gnomon.core.wording import language
from gnomon.evaluation.report.markup import Markup, drawing_rules, for_reader, place_rules
from gnomon.serving.web.pages import YEAR_SECONDS

P = ParamSpec("P")
router = APIRouter(include_in_schema=False)
PATH = "/drawings.css"


@router.get(PATH)
async def rules() -> Response:
    """The style sheet of drawings; what its address names never changes."""
    kept = {"Cache-Control": f"public, max-age={YEAR_SECONDS}, immutable"}
    return Response(_rules(), media_type="text/css", headers=kept)


def rules_address() -> str:
    """The address of the style sheet, with the hash of its content."""
    return f"{PATH}?v={hashlib.blake2b(_rules().encode(), digest_size=6).hexdigest()}"


def drawn(make: Callable[P, Markup], *args: P.args, **kwargs: P.kwargs) -> markupsafe.Markup:
    """A drawing for the reader of a request; empty where there is nothing to draw.

    Args:
        make: Draws it; markup of the report is escaped by construction.
        *args: What it is given.
        **kwargs: The same by name.
    """
    with for_reader(language()):
        return markupsafe.Markup(make(*args, **kwargs))


def place(share: float | None, letter: str = "w") -> str:
    """The class that makes something so wide (or puts it there), as a share from 0 to 1.

    Args:
        share: From 0 to 1.
        letter: ``w`` for a width, ``l`` for a distance from the left, ``t`` from the top.
    """
    return f"{letter}{round(1000 * min(max(share or 0.0, 0.0), 1.0))}"


@cache
def _rules() -> str:
    return f".drawn{{\n{drawing_rules()}{place_rules()}}}\n"
