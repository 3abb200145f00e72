"""LaTeX and PDF: what is read of a paper, and that both readings agree."""

from pathlib import Path

import pytest
from ingest_kit import Ingested, Word, files, ingested, pdf

from gnomon.corpus.readers.draft import Draft, Limits
from gnomon.corpus.readers.feed import Feed
from gnomon.corpus.readers.formats import BY_NAME, guarded
from gnomon.corpus.readers.latex_source import prepared
from gnomon.corpus.readers.latex_tokens import rendered

LATEX = r"""
\documentclass{aastex631} % a comment
\newcommand{\kms}{\,\mathrm{km\,s^{-1}}}
\newcommand{\name}[2][Big]{\textit{#1 #2}}
\newcommand{\spotty}{SpotCode\xspace}
\begin{document}
\title{Spots that move\thanks{money}}
\author[0000-0001-2345-6789]{Cecilia H. Payne}
\affiliation{Observatory of the Hill}
\author{G\'erard de la Tour}
\begin{abstract}
We measure 50\% of $v = 3\kms$ with \spotty and \name{Scope}.
\end{abstract}
\section{Introduction} \label{sec:intro}
Stars rotate \citep[e.g.,][]{alpha20,beta21}, as \citet{alpha20} say. See \S\ref{sec:data} and Fig.~\ref{fig:one}.\footnote{A note below.}
Second line --- of   the paragraph.
% dropped words
\subsection{Older work}\label{sec:old}
Nothing. \input{missing/numbers}
\begin{equation}\label{eq:a} E = mc^2 \end{equation}
Equation~\ref{eq:a} is known.
\section{Data}\label{sec:data}
\begin{figure}\includegraphics[width=3cm]{plot.pdf}\caption{The first plot.}\label{fig:one}\end{figure}
\begin{table}\caption{Numbers.}\begin{tabular}{ll} Star & $P$ \\ \hline A & 3 d \\ \end{tabular}\end{table}
\begin{itemize}\item one \item two\end{itemize}
\begin{verbatim}
x = 100 % 7
\end{verbatim}
\acknowledgments We thank the night.
\begin{thebibliography}{9}
\bibitem[Alpha et al.(2020)Alpha, Beta]{alpha20} Alpha, A. 2020, arXiv:2001.00001
\bibitem[Beta(2021)]{beta21} Beta, B. 2021, A Journal, 3, 4
\end{thebibliography}
\end{document}
ignored
"""


def latex(tmp_path: Path, source: str) -> Ingested:
    return ingested(tmp_path / "ws", files(tmp_path / "in", {"paper.tex": source}))


def test_latex_gives_title_authors_sections_and_references(tmp_path: Path) -> None:
    result = latex(tmp_path, LATEX)
    paper = result.only
    assert (paper.id, paper.title, paper.source.kind) == ("local:paper.tex", "Spots that move", "latex")
    assert [(a.name, a.orcid) for a in paper.biblio.authors] == [
        ("Payne, Cecilia H.", "0000-0001-2345-6789"), ("de la Tour, Gérard", ""),
    ]  # fmt: skip
    assert paper.biblio.authors[0].affiliations == ("Observatory of the Hill",)
    heads = [(s.title, s.level) for s in paper.sections]
    assert heads == [("Abstract", 1), ("Introduction", 1), ("Older work", 2), ("Data", 1), ("Acknowledgments", 1)]
    assert all(paper.text[s.start :].startswith(s.title) for s in paper.sections)
    assert [(r.key, r.doc_id) for r in paper.references] == [("alpha20", "arxiv:2001.00001"), ("beta21", "")]
    assert paper.references[1].raw == "Beta, B. 2021, A Journal, 3, 4"
    assert result.marks["local:paper.tex", "latex/missing_inputs"] == '["missing/numbers"]'


@pytest.mark.parametrize(
    "words",
    [
        r"We measure 50% of $v = 3\,\mathrm{km\,s^{-1}}$ with SpotCode and Big Scope.",
        "Stars rotate (e.g., Alpha et al. 2020; Beta 2021), as Alpha et al. (2020) say.",
        "See §2 and Fig. 1. Second line — of the paragraph.\n\nA note below.",
        "$$ E = mc^2 $$\n\nEquation 1 is known.",
        "Figure 1. The first plot.",
        "Table 1. Numbers.\n\nStar | $P$\nA | 3 d",
        "- one\n- two",
        "x = 100 % 7",
        "We thank the night.",
    ],
)
def test_latex_reads_as_it_prints(tmp_path: Path, words: str) -> None:
    assert words in latex(tmp_path, LATEX).only.text


@pytest.mark.parametrize("words", ["comment", "dropped", "ignored", "plot.pdf", "hline", "money", "\\", "@"])
def test_latex_leaves_no_machinery_in_the_text(tmp_path: Path, words: str) -> None:
    text = latex(tmp_path, LATEX).only.text.replace(r"3\,\mathrm{km\,s^{-1}}", "")
    assert words not in text


def test_macros_that_breed_stay_small() -> None:
    bomb = "".join(
        rf"\newcommand{{\a{chr(98 + n)}}}{{\a{chr(97 + n)}\a{chr(97 + n)}\a{chr(97 + n)}}}" for n in range(24)
    )
    assert len(prepared(r"\newcommand{\aa}{boom}" + bomb + r"\ay")) < 50_000
    assert prepared(r"\newcommand{\x}{\x\x}\x stays") == "stays"


def test_a_bibliography_beside_the_paper_says_how_its_citations_read(tmp_path: Path) -> None:
    source = r"\documentclass{article}\begin{document}\title{A title}Known \citep{k1}, unknown \citep{k2}.\bibliography{refs}\end{document}"
    bib = "@article{k1, author={Kuiper, G. and Payne, C.}, title={Old planets}, year=1951, eprint={astro-ph/9805201}}"
    paper = ingested(tmp_path / "ws", files(tmp_path / "in", {"p/a.tex": source, "p/refs.bib": bib})).only
    assert paper.text == "Known (Kuiper & Payne 1951), unknown ([k2])."
    assert paper.references[0].doc_id == "arxiv:astro-ph/9805201"
    assert paper.references[0].raw == "Kuiper, G., Payne, C. 1951. Old planets"


BODY = 10.0


def column(x: float, top: float, lines: list[str], size: float = BODY) -> list[Word]:
    return [(x, top - 12 * n, size, line) for n, line in enumerate(lines)]


def paper_pdf(*, across: bool = False) -> bytes:
    """Two pages: title, names, abstract; then two columns with running heads and page numbers."""
    left = ["*1 Introduction", "Stars with spots have been seen for a hun-", "dred years. A well-known star is the well-",
            "known Sun. It has been watched for so long", "that its cycle of eleven years is plain to all",
            "who look at the counts of its many spots in"]  # fmt: skip
    right = ["any decade. The right column goes on with it", "and ends the sentence after seven more words.",
             "*2 Data", "We use the counts of observers in nine lands,", "reduced to one scale by their common days,",
             "as is done in every study of this long record."]  # fmt: skip
    first: list[Word] = [
        (120, 720, 17, "*Spots on stars and their cycles"), (200, 695, 11, "Cecilia H. Payne, Gerard P. Kuiper"),
        (60, 670, 8, "Observatory of the Hill"), (280, 640, BODY, "*ABSTRACT"),
        (80, 620, BODY, "We count the spots of many stars and find cycles of seven to thirteen years in most of them."),
        (200, 30, 8, "1"),
    ]  # fmt: skip
    columns = [*column(60, 700, left), *column(320, 700, right)]
    if across:
        columns = sorted(columns, key=lambda word: (-word[1], word[0]))
    pages = [first]
    more = column(60, 700, ["*3 Results", "Cycles are found in every second star of the", "sample, and most are long."])
    for number, words in ((2, columns), (3, more)):
        pages.append([(200, 760, 8, "PAYNE AND KUIPER"), *words, (300, 30, 8, str(number))])
    last = [(60, 700, BODY, "*References"), *column(60, 680, ["Alpha, A. 2020, A Journal, 3, 4, with a title that is"]),
            (75, 668, BODY, "long, arXiv:2001.00001"), (60, 656, BODY, "Beta, B. 2021, Another Journal, 1, 1"),
            (60, 644, BODY, "Gamma, C. 2022, A Third Journal, 9, 9")]  # fmt: skip
    return pdf([*pages, last])


def read_pdf(tmp_path: Path, data: bytes, **limits: int) -> Draft:
    path = files(tmp_path, {"a.pdf": data}) / "a.pdf"
    (found,) = guarded(BY_NAME["pdf"], Feed("a.pdf", str(path), len(data), Limits(**limits)))
    assert isinstance(found, Draft), found
    return found


@pytest.mark.parametrize("across", [False, True])
def test_a_two_column_pdf_reads_column_by_column_without_furniture(tmp_path: Path, across: bool) -> None:
    draft = read_pdf(tmp_path, paper_pdf(across=across))
    assert draft.title == "Spots on stars and their cycles"
    assert [a.name for a in draft.biblio.authors] == ["Payne, Cecilia H.", "Kuiper, Gerard P."]
    assert "seen for a hundred years. A well-known star is the well-known Sun." in draft.text
    assert "many spots in any decade. The right column goes on" in draft.text
    assert "PAYNE AND" not in draft.text
    assert [s.title for s in draft.sections] == ["ABSTRACT", "Introduction", "Data", "Results"]
    assert all(s.title in draft.text[s.start : s.start + 60] for s in draft.sections)
    assert draft.marks["pdf/front"].startswith("Spots on stars")


def test_references_of_a_pdf_stand_apart_from_its_text(tmp_path: Path) -> None:
    draft = read_pdf(tmp_path, paper_pdf())
    assert [r.raw for r in draft.references] == [
        "Alpha, A. 2020, A Journal, 3, 4, with a title that is long, arXiv:2001.00001",
        "Beta, B. 2021, Another Journal, 1, 1",
        "Gamma, C. 2022, A Third Journal, 9, 9",
    ]
    assert draft.references[0].doc_id == "arxiv:2001.00001"
    assert "Another Journal" not in draft.text


def test_page_marks_cover_the_text_and_name_the_right_page(tmp_path: Path) -> None:
    draft = read_pdf(tmp_path, paper_pdf())
    pages = draft.marks["pdf/pages"]
    assert [a[1] for a in pages[:-1]] == [b[0] for b in pages[1:]]
    assert (pages[0][0], pages[-1][1]) == (0, len(draft.text))
    at = draft.text.index("Stars with spots")
    assert next(page for start, end, page in pages if start <= at < end) == 2


def test_line_numbers_are_left_out_and_accents_are_put_on_their_letters(tmp_path: Path) -> None:
    lines = [f"Words of line {chr(97 + n)} of the draft by M¨uller go on" for n in range(12)]
    numbers = [(40, 700 - 12 * n, 8, str(n + 31)) for n in range(12)]
    between = [(310, 700 - 12 * n, 8, str(n + 43)) for n in range(12)]
    draft = read_pdf(tmp_path, pdf([[*column(60, 700, lines), *numbers, *column(330, 700, lines), *between]]))
    assert not any(c.isdecimal() for c in draft.text)
    assert draft.text.count("by Müller go on") == 24


def test_pages_beyond_the_limit_are_counted(tmp_path: Path) -> None:
    draft = read_pdf(tmp_path, paper_pdf(), max_pdf_pages=2)
    assert draft.marks["pdf/pages_not_read"] == 2


def test_a_pdf_is_named_by_its_stamp_or_its_file_name(tmp_path: Path) -> None:
    page = [
        (60, 700, 10, "Words enough to count as a text layer of this page."),
        (60, 400, 10, "arXiv:2401.01234v2 [astro-ph.SR] 3 Jan 2024"),
    ]
    plain = page[:1]
    source = files(tmp_path / "in", {"a.pdf": pdf([page]), "2312.05678v1.pdf": pdf([plain])})
    result = ingested(tmp_path / "ws", source)
    assert set(result.documents) == {"arxiv:2401.01234", "arxiv:2312.05678"}
    assert result.documents["arxiv:2401.01234"].biblio.date == "2024-01"


def test_the_print_of_a_latex_file_is_the_same_work(tmp_path: Path) -> None:
    source = LATEX.replace("Spots that move", "Spots on stars and their cycles")
    result = ingested(tmp_path / "ws", files(tmp_path / "in", {"ms.tex": source, "ms.pdf": paper_pdf()}))
    assert result.only.id == "local:ms.tex"
    assert result.reasons == {"file:ms.pdf": "same_work"}


def test_a_bibliography_entry_and_the_pdf_it_describes_are_one_work(tmp_path: Path) -> None:
    bib = """@article{payne51, title={Spots on Stars and their Cycles}, author={Payne, Cecilia and Kuiper, Gerard},
    year=1951, journal={A Journal}, doi={10.1000/spots}, abstract={Something shorter.}}
    @article{other, title={Something else}, abstract={Another work.}, year=1960}"""
    source = files(tmp_path / "in", {"files/12/x.pdf": paper_pdf(), "library.bib": bib})
    result = ingested(tmp_path / "ws", source)
    assert set(result.documents) == {"local:payne51", "local:other"}
    paper = result.documents["local:payne51"]
    assert paper.source.kind == "pdf"
    assert (paper.biblio.year, paper.biblio.doi, paper.biblio.venue) == (1951, "10.1000/spots", "A Journal")
    assert result.reasons == {"file:library.bib#0": "same_work"}


def test_an_entry_that_the_paper_itself_cites_is_another_work(tmp_path: Path) -> None:
    title = "Spots on stars and their cycles"
    source = rf"\documentclass{{article}}\begin{{document}}\title{{{title}}}\author{{C. Payne}}We built on \citet{{joss}}.\end{{document}}"
    bib = f"@article{{joss, title={{{title}}}, author={{Payne, C.}}, year=2020, doi={{10.1000/joss}}, abstract={{The code.}}}}"
    result = ingested(tmp_path / "ws", files(tmp_path / "in", {"a.tex": source, "a.bib": bib}))
    assert set(result.documents) == {"local:a.tex", "local:joss"}
    assert result.documents["local:a.tex"].biblio.doi == ""


def test_the_text_of_real_papers_is_the_same_from_latex_and_pdf(shared: Path) -> None:
    folder = shared / "data/papers/TeamLEGWORK__LEGWORK-paper"
    words = []
    for name in ("latex", "pdf"):
        path = folder / f"ms.{'tex' if name == 'latex' else 'pdf'}"
        (draft,) = guarded(BY_NAME[name], Feed(path.name, str(path), path.stat().st_size, Limits()))
        assert isinstance(draft, Draft)
        text = rendered(draft.text, lambda key: None)[0]
        words.append({w for w in text.lower().split() if w.isalpha() and len(w) > 4})
    shared_share = len(words[0] & words[1]) / len(words[0] | words[1])
    assert shared_share > 0.9
