"""Markdown of models: parsed without HTML, then sanitised with a short list, because neither alone is enough.

What a model writes was shaped by documents that anybody may have written. So there is no HTML in it, there are no
pictures (the address of one can carry away what the model was told), links lead out and say nothing of where they come
from, and headings stand below those of the page.
"""

from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

LONGEST = 50_000
"""Characters that are read as Markdown; a longer text is shown as it is."""
HEADINGS_BELOW = 2
TAGS = {
    "p", "br", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "h3", "h4", "h5", "h6", "hr", "a",
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
ATTRIBUTES: dict[str, set[str]] = {"*": set(), "a": {"href"}, "ol": {"start"}}
SCHEMES = {"http", "https", "mailto"}
REL = "nofollow noopener noreferrer"


def markdown(text: str) -> Markup:
    """A text as HTML that may stand in a page."""
    import nh3

    if len(text) > LONGEST:
        return Markup("<pre>") + escape(text) + Markup("</pre>")
    parser = _parser()
    tokens = parser.parse(text)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, int(token.tag[1]) + HEADINGS_BELOW)}"
    made = parser.renderer.render(tokens, parser.options, {})
    return Markup(
        nh3.clean(made, tags=TAGS, attributes=ATTRIBUTES, url_schemes=SCHEMES, link_rel=REL, url_relative="deny")
    )


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    return MarkdownIt("js-default", {"html": False, "linkify": False, "maxNesting": 20}).disable("image")
