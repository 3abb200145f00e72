"""Pages: how a template becomes a response in the reader's language and colours.

A template says every phrase in both languages beside each other, ``{{ t("Search", "検索") }}``, as the code does.
Language and theme come from the address (``?lang=ja``), then from the reader's cookie, then from what the browser
prefers; one that an address names is remembered.
"""

import hashlib
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from gnomon.core.wording import LANGUAGES, language, say
from gnomon.serving.house import house_of
from gnomon.serving.problems import Problem
from gnomon.serving.safety.entry import admitted, signed_in
from gnomon.serving.safety.forms import form_field
from gnomon.serving.web.formats import FILTERS
from gnomon.serving.web.markdown import markdown

HERE = Path(__file__).parent
THEMES = ("auto", "light", "dark")
YEAR_SECONDS = 31_536_000
NOBODYS = SimpleNamespace(name="Gnomon")
"""What a page shows of the expert to whoever has not been let in: nothing, not even its name."""
NAVIGATION = (
    ("/ask", "Ask", "質問"), ("/search", "Search", "検索"), ("/trace", "Trace", "出どころ"),
    ("/corpus", "Corpus", "文献"), ("/exam", "Exam", "試験"), ("/playground", "Playground", "試用"),
)  # fmt: skip
"""(address, name, its Japanese) of every page of the bar."""


def page(request: Request, template: str, /, status: int = 200, **told: Any) -> HTMLResponse:
    """A template, rendered for the reader of a request.

    Args:
        request: Whose language and theme it is.
        template: Its file below ``templates``.
        status: The HTTP status.
        **told: What it shows.
    """
    lang, theme = language(), _chosen_theme(request)
    text = environment().get_template(template).render(
        request=request, lang=lang, theme=theme, navigation=NAVIGATION if admitted(request) else (),
        here=request.url.path, expert=house_of(request).opened.expert if admitted(request) else NOBODYS,
        signed_in=signed_in(request), address=_address(request), **told,
    )  # fmt: skip
    response = HTMLResponse(text, status, {"Content-Language": lang, "Vary": "Accept-Language, Cookie"})
    for name, known in (("lang", LANGUAGES), ("theme", THEMES)):
        asked = request.query_params.get(name, "")
        if asked in known:
            response.set_cookie(name, asked, max_age=YEAR_SECONDS, samesite="lax")
    return response


def error_page(request: Request, problem: Problem) -> Response:
    """A problem as a page."""
    response = page(request, "problem.html", status=problem.status, problem=problem)
    response.headers.update(problem.headers)
    return response


def _chosen_theme(request: Request) -> str:
    found = request.query_params.get("theme") or request.cookies.get("theme") or ""
    return found if found in THEMES else "auto"


def _address(request: Request) -> Any:
    """A function from changed query parameters to this page's address; None takes a parameter away."""

    def changed(**values: Any) -> str:
        url = request.url.include_query_params(**{k: v for k, v in values.items() if v is not None})
        url = url.remove_query_params([key for key, value in values.items() if value is None])
        return f"{url.path}?{url.query}" if url.query else url.path

    return changed


@cache
def environment() -> Environment:
    """The templates."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=select_autoescape(default=True), trim_blocks=True,
        lstrip_blocks=True, undefined=StrictUndefined,
    )  # fmt: skip
    made.globals |= {"t": say, "static": static_address, "form_field": form_field, "markdown": markdown}
    made.filters |= FILTERS
    return made


@cache
def static_address(name: str) -> str:
    """The address of a file below ``static``, with the hash of its content: what it names never changes."""
    content = (HERE / "static" / name).read_bytes()
    return f"/static/{name}?v={hashlib.blake2b(content, digest_size=6).hexdigest()}"
