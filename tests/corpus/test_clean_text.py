import random
import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gnomon.core.hashing import text_hash
from gnomon.core.records import Section
from gnomon.corpus.cleaning import furniture, layout
from gnomon.corpus.cleaning.characters import folded, mended
from gnomon.corpus.cleaning.config import CleanConfig
from gnomon.corpus.cleaning.latex import plain_text
from gnomon.corpus.cleaning.verdict import Draft, judge

CONFIG = CleanConfig()
NASTY = [
    "\\", "$", "{", "}", "^", "_", "~", "``", "''", "--", "\\alpha", "\\textit{", "\\'", "\\r{A}", "$z\\sim3$", "&amp;lt;",
    "&lt;", "<sub>", "</sub>", "\ud800", "\x00", "\x0c", "\r\n", "\u2028", "\u202e", "\u200b", "\ufdd0", "\u0301", "\u3099",
    "ﾊﾞ", "ｋｍ", "１２．５", "㎡", "㎞", "10⁻³", "½", "Ã©", "â€™", "مرحبا", "星", "かな", "ﬁ", "𝑧", "\n", "\n\n", "   ", "\t",
    "12", "3.5", "a", "Fig.", "Copyright 2001", "©", ". ", "\\frac{1}{2}", "\\cite{x}", "$5 million", "\\$", "\\over", "#", "- ", "`", "\n```\n",
]  # fmt: skip
TEXTS = st.lists(st.one_of(st.sampled_from(NASTY), st.text(max_size=6)), max_size=30).map("".join)


def clean(text: str, *, kind: str = "markdown", config: CleanConfig = CONFIG) -> str:
    verdict = judge(draft(text, kind=kind), config)
    return text if verdict.text is None else verdict.text


def draft(text: str, *, title: str = "", kind: str = "markdown", sections: tuple[Section, ...] = ()) -> Draft:
    return Draft(title=title, text=text, text_hash=text_hash(text), lang="und", kind=kind, sections=sections)


# LaTeX --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"$z\sim3$ and 10$^{12}$ M$_\odot$", "z∼3 and 10^12 M⊙"),
        (r"Schr{\"o}dinger, Mus\'ee, \v{S}koda, \r{A}, \'{\i}", "Schrödinger, Musée, Škoda, Å, í"),
        (r"the {\it Kepler} and \textit{Gaia} missions, $Planck$", "the Kepler and Gaia missions, Planck"),
        (r"$70{\rm km\,s^{-1}\,Mpc^{-1}}$", "70 km s^-1 Mpc^-1"),
        (r"C\,{\sc iv}, [O\,\textsc{iii}], \ion{Mg}{ii}", "C IV, [O III], Mg II"),
        (r"$^{13}$CO, $^{12}$C/$^{13}$C, H$_2$O, $\mathrm{^{12}CO_2}$", "13CO, 12C/13C, H2O, 12CO2"),
        (r"$\dot{M}$, $\dot M_{\rm BH}$, $\bar x$", "Ṁ, Ṁ_BH, x̄"),
        (r"z~3, NGC~1068, Fig.~3, 5~kpc, et~al.", "z~3, NGC 1068, Fig. 3, 5 kpc, et al."),
        ("it costs $5 million and $3 billion", "it costs $5 million and $3 billion"),
        (r"$\frac{a}{b+c}$, $\sqrt{2}$, $\sqrt{x+1}$", "a/(b+c), √2, √(x+1)"),
        (r"``quoted'' text--range 2--9", "“quoted” text–range 2–9"),
        (r"$-$30, $-3$, $<$5, $>10^{4.4}$, 5\% and 20% of it", "-30, -3, <5, >10^4.4, 5% and 20% of it"),
        (r"$5\times10^{-3}\,M_\odot\,{\rm yr}^{-1}$", "5×10^-3 M⊙ yr^-1"),
        (r"30$^\circ$, 12$^{\prime\prime}$, the 20$^{th}$ century", "30°, 12″, the 20th century"),
        (r"$0.80^{+0.02}_{-0.03}$", "0.80^+0.02_-0.03"),
        (r"$e^{-t/\tau}$ and $10^{n+1}$", "e^(-t/τ) and 10^(n+1)"),
        (r"10$^{5}$yr, $10^{12}M_\odot$, $T_{\rm eff}K$", "10^5 yr, 10^12 M⊙, T_eff K"),
        (r"$\Delta v$, $\alpha\beta$, $\log M_*$", "Δv, αβ, log M*"),
        (r"10\,000 stars", "10\u2009000 stars"),
        (r"a path C:\new\data and a regex \d+", r"a path C:\new\data and a regex \d+"),
        (r"as \cite{Rubin1970} found", "as [Rubin1970] found"),
        (r"\Euclid\ will, \rev{soon}, see", "Euclid will, soon, see"),
        (r"$\stackrel{<}{\sim}$ 5, \lsim 3", "≲ 5, ≲ 3"),
        ("plain {braces}, a_b, x^2 and 50% stay", "plain {braces}, a_b, x^2 and 50% stay"),
        (
            r"$\chi_{\rm red}^{2}$, $0.12~{\rm \mu m}$, $\mu m_p$, {\rm eV}\,$^2$ and",
            "χ_red^2, 0.12 μm, μ m_p, eV ^2 and",
        ),
        (r"$\sin^22\theta$, $2s^22p^4$, ${5}{18}$, 17{,}000", "sin^2 2θ, 2s^2 2p^4, 5 18, 17,000"),
        (r"20$\,$erg$\,$s$^{-1}$, $25\,$kpc, $ x $ y, yr{$^{-1}$}", "20 erg s^-1, 25 kpc, x y, yr^-1"),
        (
            r"C$_2$4668, $10^37$ erg, $^12$CO, \unit[60]{cm}, 2$\unicode{x2013}$3",
            "C2 4668, 10^37 erg, 12CO, 60 cm, 2–3",
        ),
        ("推定値$x_i$の総和と分散$\\sigma^2$は", "推定値x_iの総和と分散σ^2は"),
        (r"$z$~3, $\sigma$~600 km/s, $\lesssim$~0.1 pc, $R=$~40", "z~3, σ~600 km/s, ≲ 0.1 pc, R= 40"),
        (r"(~$10^4$ K), of~$10^5$ K, \ce{^13C}", "(~10^4 K), of 10^5 K, 13C"),
        ("E_M~t^-2, C~IV, M~dwarf, a~b", "E_M~t^-2, C IV, M dwarf, a~b"),
        ("H_{2}O and 10^{-3}", "H2O and 10^-3"),
    ],
)
def test_latex_is_read_as_its_author_meant_it(written: str, read: str) -> None:
    assert plain_text(written) == read
    assert plain_text(read) == read


def test_an_open_brace_or_dollar_stays_as_it_stands() -> None:
    for text in (r"\textit{never closed", "a $ sign", "x^{", "}{", "\\", "$$"):
        assert plain_text(text) == text


# Characters ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("ｋｍ ＡＢＣ １２３", "km ABC 123"), ("３．１４ １，０００ －５", "3.14 1,000 -5"), ("ﾊﾞｰｽﾄ", "バースト"), ("ﬁeld", "field"),
        ("㎞ ㌘ ℃", "km グラム °C"), ("5 µm", "5 μm"), ("𝑧 = 𝟑", "z = 3"), ("Ⅱ型", "II型"), ("a\u00adb\u200bc", "abc"),
        ("\u202ehidden\u202c", "hidden"), ("e\u0301", "é"), ("Å", "Å"),
    ],
)  # fmt: skip
def test_forms_that_mean_the_same_are_folded(written: str, read: str) -> None:
    assert folded(written) == read


@pytest.mark.parametrize(
    "text", ["10⁻³", "m²", "㎡", "2½", "①", "ℓ", "ℏ", "ℝ", "！？、。「」", "神", "10\u2009000", "3～5", "−5"]
)
def test_forms_whose_folding_would_change_the_meaning_are_kept(text: str) -> None:
    assert folded(text) == text


@pytest.mark.parametrize(
    ("broken", "mends"),
    [
        ("cafÃ©", "café"), ("itâ€™s", "it’s"), ("z &lt; 3 &amp; x", "z < 3 & x"), ("a\x00b\x07", "ab"), ("a\r\nb", "a\nb"),
        ("\ud83d\ude00", "😀"), ("\ud800", "\ufffd"), ("page\x0cpage", "page\n\npage"),
    ],
)  # fmt: skip
def test_broken_encodings_are_mended(broken: str, mends: str) -> None:
    assert mended(broken) == mends


@pytest.mark.parametrize("text", ["z < 3 and x > 2", "the Ã state", "“quotes”", "O'Brien", "naïve", "Ａ"])
def test_what_is_not_broken_is_not_mended(text: str) -> None:
    assert mended(text) == text


# Layout and furniture -----------------------------------------------------------------------


def test_hard_wrapped_lines_are_joined_and_lists_are_not() -> None:
    wrapped = (
        "The spectrum of this star was taken at three places in the\n"
        "sky, over two years, and shows lines that no other star of X-\n"
        "ray binaries shows."
    )
    assert "\n" not in layout.unwrapped(wrapped)
    assert "of X-ray" in layout.unwrapped(wrapped)
    for kept in (
        "- one item of a list which is long enough\n- and another one that is as long",
        "short\nlines",
        "| a | b |\n| 1 | 2 |",
    ):
        assert layout.unwrapped(kept) == kept


def test_japanese_lines_are_joined_without_a_space() -> None:
    lines = "銀河の回転曲線は外側でも平らであり、目に見える星とガスだ\nけでは説明できないことが知られている。"
    assert layout.unwrapped(lines) == lines.replace("\n", "")


@pytest.mark.parametrize(
    "line",
    ["- 12 -", "Page 3 of 9", "© 2019 The Authors", "arXiv:2401.01234v2 [astro-ph.GA] 3 Jan 2024", "All rights reserved.",
     "Draft version May 3, 2011", "無断転載を禁じます。", "Downloaded from https://example.org by guest"],
)  # fmt: skip
def test_page_furniture_is_removed(line: str) -> None:
    assert furniture.without_furniture(f"One sentence.\n{line}\nAnother.", pages=False) == "One sentence.\nAnother."


@pytest.mark.parametrize(
    "line",
    ["12", "We copy the right method.", "(c) the third case", "The page has 3 figures.", "Published values agree."],
)
def test_what_only_resembles_furniture_is_kept(line: str) -> None:
    text = f"One sentence.\n{line}\nAnother."
    assert furniture.without_furniture(text, pages=False) == text


def test_running_heads_and_page_numbers_are_removed_from_pages_only() -> None:
    body = "\n".join(f"Sentence number {chr(97 + i % 26)}{i} of the page says something new." for i in range(30))
    text = "\n".join(f"Payne: Stellar Atmospheres {n}\n{body.replace('page', f'page {n}')}\n{n}" for n in range(1, 7))
    cleaned = furniture.without_furniture(text, pages=True).split("\n")
    assert sum(line.startswith("Payne") for line in cleaned) == 1
    assert not any(line.strip().isdigit() for line in cleaned)
    assert furniture.without_furniture(text, pages=False) == text


def test_a_copyright_notice_at_the_end_of_an_abstract_goes() -> None:
    text = "A sentence that says what was found. " * 12 + "It is new."
    assert clean(text + " Copyright 2004 Some Publisher. All rights reserved.") == text


def test_a_text_that_stands_there_twice_is_kept_once() -> None:
    text = (
        "The first sentence says one thing about dust. " * 3 + "The second one says another thing about gas in discs."
    )
    assert clean(f"{text}\n{text}") == clean(text)


# Laws ---------------------------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.sampled_from(["markdown", "pdf", "arxiv", "text"]))
@example("&amp;amp;lt;$x$", "markdown")
@example("\\\\textit{\\\\alpha}", "markdown")
@example("\\$5 and \\$x_{1}$", "markdown")
def test_cleaning_a_cleaned_text_changes_nothing(text: str, kind: str) -> None:
    once = clean(text, kind=kind)
    assert clean(once, kind=kind) == once
    once.encode("utf-8")


PROSE = st.lists(
    st.one_of(
        st.from_regex(r"[a-zA-Z]{1,9}[,.;:]?", fullmatch=True),
        st.from_regex(r"[<>~±=−+-]?[0-9]{1,5}(\.[0-9]{1,4})?(%|°|″|⁻³|²)?", fullmatch=True),
        st.sampled_from(["km/s", "M⊙", "km s^-1", "10⁻³", "α", "x_1", "10^12", "z<3", "1e-5", "NGC 1068", "3×10^8"]),
    ),
    min_size=1, max_size=40,
).map(" ".join)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(PROSE)
def test_every_number_and_unit_of_a_text_without_markup_survives(text: str) -> None:
    assert re.findall(r"\S+", clean(text)) == re.findall(r"\S+", text)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["$%s$", "$x=%s$", "$10^{%s}$", "%s\\,km", "\\textbf{%s}", "$\\sim%s$", "%s~kpc",
                                           "\\mathrm{%s}", "$M_{%s}$", "$%s\\pm0.1$"]),
                          st.integers(0, 99999) | st.decimals(0, 999, places=3)), min_size=1, max_size=12))  # fmt: skip
def test_every_number_inside_markup_survives_too(parts: list[tuple[str, object]]) -> None:
    text = " ".join(pattern % number for pattern, number in parts)
    found = re.findall(r"\d+(?:\.\d+)?", clean(text))
    assert set(map(str, (number for _, number in parts))) <= set(found)


WORDS = st.text("abcdef ghi$\\{}^_~é星か\u0301ﬁ", min_size=1, max_size=12).filter(str.strip)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(WORDS, TEXTS), min_size=1, max_size=5), TEXTS)
def test_section_titles_still_stand_where_their_sections_start(parts: list[tuple[str, str]], preface: str) -> None:
    text, sections = preface, []
    for title, body in parts:
        start = len(text)
        text += f"## {title}\n{body}"
        sections.append(Section(title=title, level=1, start=start, end=len(text)))
    verdict = judge(draft(text, sections=tuple(sections)), CONFIG)
    cleaned = text if verdict.text is None else verdict.text
    assert len(verdict.sections) == len(sections)
    for section in verdict.sections:
        assert cleaned[section.start : section.end].startswith(f"## {section.title}") or not section.title
    again = judge(draft(cleaned, sections=verdict.sections), CONFIG)
    assert (again.text, again.sections) == (None, verdict.sections)


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.lists(st.tuples(st.integers(-5, 200), st.integers(-5, 200)), max_size=4))
def test_sections_that_make_no_sense_crash_nothing(text: str, places: list[tuple[int, int]]) -> None:
    sections = tuple(Section(title="x", level=1, start=a, end=b) for a, b in places)
    verdict = judge(draft(text, sections=sections), CONFIG)
    size = len(text if verdict.text is None else verdict.text)
    assert all(0 <= s.start <= s.end <= size for s in verdict.sections)


@pytest.mark.parametrize(
    "piece",
    ["star ", "x\\alpha{", "$", "\u0301", "\ud800", "مرحبا ", "星の光は", "é", "\x00", "&amp;", "<p>", "\u202e"],
)
def test_a_line_of_a_megabyte_is_cleaned_in_seconds(piece: str) -> None:
    started = time.monotonic()
    judge(draft(piece * (1_000_000 // len(piece)), title="Long"), CONFIG)
    assert time.monotonic() - started < 30


def test_code_is_left_as_it_stands() -> None:
    fenced = 'Text with $\\alpha$ and more.\n\n```c\nint main() {\n  printf("%f  \\n");  // $x$ \\"a\n}\n```\n\nAfter $\\beta$.'
    expected = fenced.replace("$\\alpha$", "α").replace("$\\beta$", "β")
    assert clean(fenced) == expected
    assert clean("Set `$HOME` and `{\\n}` to the value of $\\alpha$.") == "Set `$HOME` and `{\\n}` to the value of α."
    wrapped = "The first line of this paragraph ends where the page did, and\nthe second goes on with the value of `x^{2}` and ends."
    assert clean(wrapped) == wrapped.replace("\n", " ")
    assert clean("int f() {\n  return '\\n';\n}", kind="text") == "int f() {\n  return '\\n';\n}"


def test_two_hyphens_are_a_dash_where_tex_is_written() -> None:
    assert clean("The Landau--Zener formula.", kind="arxiv") == "The Landau–Zener formula."
    assert clean("He waited--and left.", kind="text") == "He waited--and left."
    assert clean("The $\\alpha$--effect.", kind="text") == "The α–effect."


def test_titles_are_cleaned_and_stay_one_line() -> None:
    verdict = judge(draft("x", title=" The {\\it Kepler}\n  field at $z\\sim3$ "), CONFIG)
    assert verdict.title == "The Kepler field at z∼3"


def test_what_is_switched_off_is_not_done() -> None:
    text = "cafÃ© ｋｍ $\\alpha$\n- 3 -\n"
    off = CleanConfig(encoding=False, characters=False, latex=False, furniture=False, unwrap=False)
    assert clean(text, config=off) == text.strip()


def test_the_same_text_gives_the_same_verdict_in_any_order() -> None:
    texts = [f"A study of NGC~{i} at $z\\sim{i}$ and of the gas in it." for i in range(50)]
    first = [judge(draft(t), CONFIG) for t in texts]
    chance = random.Random(3)
    order = chance.sample(range(50), 50)
    assert [judge(draft(texts[i]), CONFIG) for i in order] == [first[i] for i in order]
