"""How hits, answers and traces look, as JSON and to a person."""

import dataclasses
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gnomon.cli.output import count, safe
from gnomon.core.answers import Answer
from gnomon.core.protocols import Hit
from gnomon.core.text import terms
from gnomon.core.wording import say

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from gnomon.knowledge.tracing import TraceResult

EXCERPT_CHARACTERS, DOCUMENTS_SHOWN = 480, 5


def hit_row(rank: int, hit: Hit) -> dict[str, Any]:
    """One hit of a search, as JSON types."""
    return {
        "rank": rank, "score": round(float(hit.score), 6), "doc_id": hit.doc_id, "title": hit.title,
        "year": hit.year, "text": hit.text, "span": dataclasses.asdict(hit.span),
    }  # fmt: skip


def show_hits(out: "Console", query: str, hits: Sequence[Hit], took: float) -> None:
    """Print hits: a title line each, and the beginning of the passage with the query's words marked."""
    from rich.padding import Padding
    from rich.text import Text

    wanted = {term for term in terms(query) if len(term) > 2 or unicodedata.east_asian_width(term[0]) == "W"}
    for rank, hit in enumerate(hits, 1):
        head = Text.assemble((f"{rank:>3}  ", "dim"), (safe(hit.title) or hit.doc_id, "bold"))
        if hit.year:
            head.append(f" ({hit.year})")
        out.print(head)
        out.print(Padding(Text(f"{safe(hit.doc_id)} · {hit.score:.3f}", style="dim"), (0, 0, 0, 5), expand=False))
        out.print(Padding(marked(excerpt(hit.text), wanted), (0, 0, 1, 5), expand=False))
    told = say(f"{len(hits)} passages in {took:.0f} ms.", f"{len(hits)} 件、{took:.0f} ms。")
    out.print(told if hits else say("Nothing was found.", "見つからなかった。"), style="dim")


def excerpt(text: str) -> str:
    """The beginning of a passage on one line, cut between words."""
    line = " ".join(safe(text).split())
    if len(line) <= EXCERPT_CHARACTERS:
        return line
    cut = line.rfind(" ", EXCERPT_CHARACTERS - 40, EXCERPT_CHARACTERS)
    return line[: cut if cut > 0 else EXCERPT_CHARACTERS].rstrip() + " …"


def marked(text: str, wanted: set[str]) -> "Text":
    """A text with the wanted terms underlined."""
    from rich.text import Text

    shown = Text(text)
    if wanted:
        import re

        shown.highlight_regex(re.compile("|".join(map(re.escape, sorted(wanted, key=len, reverse=True))), re.I), "cyan")
    return shown


# Answers -------------------------------------------------------------------------------------


def show_answer(out: "Console", answer: Answer) -> None:
    """Print an answer with its references and checks."""
    from rich.padding import Padding
    from rich.text import Text

    for claim in answer.claims:
        ids = "".join(f" [{name}]" for name in claim.citations)
        doubt = f" [?] {claim.doubt}" if claim.doubt else ""
        out.print(Text.assemble(safe(claim.text), (ids, "bold cyan"), (safe(doubt), "yellow")))
    if answer.refused:
        out.print(Text(safe(answer.text), style="yellow"))
        for near in answer.nearest:
            year = f" ({near.year})" if near.year else ""
            out.print(
                Padding(Text(f"{safe(near.title)}{year}  {safe(near.doc_id)}", style="dim"), (0, 0, 0, 2), expand=False)
            )
    out.print()
    for cited in answer.citations:
        year = f" ({cited.year})" if cited.year else ""
        authors = "; ".join(cited.authors[:3]) + (" et al." if len(cited.authors) > 3 else "")
        head = Text.assemble((f"[{cited.id}] ", "bold cyan"), safe(f"{authors}{year} "), (safe(cited.title), "italic"))
        out.print(head)
        where = f"{cited.doc_id} · {cited.span.start}–{cited.span.end}"
        out.print(Padding(Text(safe(where), style="dim"), (0, 0, 0, 5), expand=False))
    out.print(Text(_checks_line(answer), style="dim"))
    out.print(
        Text(say(f"Walk it back: gnomon lineage {answer.id}", f"出典まで遡る: gnomon lineage {answer.id}"), "dim")
    )


def _checks_line(answer: Answer) -> str:
    checks = answer.checks
    parts = [
        (say("quotes verbatim", "引用の一致"), checks.quotes_verbatim),
        (say("numbers supported", "数値の裏付け"), checks.numbers_supported),
        (say("coverage", "被覆率"), checks.coverage),
    ]
    told = " · ".join(f"{name} {'–' if share is None else format(share, '.0%')}" for name, share in parts)
    unknown = say(f"{checks.unknown_ids} unknown ids", f"不明な引用 {checks.unknown_ids}")
    voice = say(f"{answer.voice} voice", f"声: {answer.voice}")
    return f"{voice} · {told} · {unknown}"


# Traces --------------------------------------------------------------------------------------


def show_trace(out: "Console", found: "TraceResult") -> None:
    """Print the text with its verbatim spans marked, then each span, how often it occurs, and where."""
    from rich.padding import Padding
    from rich.text import Text

    from gnomon.knowledge.tracing.results import caveat

    shown = Text(safe(found.text))
    for start, end in found.highlights:
        shown.stylize("cyan", start, end)
    out.print(shown)
    out.print()
    for span in found.spans:
        out.print(Text.assemble((f"{count(span.count):>7} × ", "bold"), " ".join(safe(span.text).split())))
        ids = [document.doc_id for document in span.documents]
        out.print(Padding(Text(safe(_some(ids)), style="dim"), (0, 0, 0, 10), expand=False))
    share = format(found.coverage, ".0%")
    told = say(f"{share} of the text stands verbatim in the corpus.", f"文章の {share} が文献にそのまま現れる。")
    out.print(Text(told, style="bold"))
    out.print(Text(caveat(), style="dim"))


def _some(names: Sequence[str]) -> str:
    more = len(names) - DOCUMENTS_SHOWN
    rest = say(f" and {more} more", f" ほか {more} 件") if more > 0 else ""
    return ", ".join(names[:DOCUMENTS_SHOWN]) + rest
