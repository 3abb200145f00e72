import pytest
from markupsafe import Markup

from gnomon.serving.web.maths import LONGEST, mathml, runs


def shown(text: str) -> list[tuple[str, bool]]:
    return [(run.text, run.math is not None) for run in runs(text)]


def test_expressions_between_their_signs_become_mathml_and_words_stay_words() -> None:
    assert shown(r"mass $M_\odot$ or $$E=mc^2$$ or \(a\) or \[b\].") == [
        ("mass ", False), (r"$M_\odot$", True), (" or ", False), ("$$E=mc^2$$", True), (" or ", False), (r"\(a\)", True),
        (" or ", False), (r"\[b\]", True), (".", False),
    ]  # fmt: skip
    assert 'display="block"' in str(runs("$$x$$")[0].math)
    assert 'display="inline"' in str(runs("$x$")[0].math)
    assert shown("10$^{12}$ years") == [("10", False), ("$^{12}$", True), (" years", False)]


@pytest.mark.parametrize(
    "text", ["costs $5 million and $10 million", r"price \$5 and \$6", "one $ alone", "", "$$", "$ a $"]
)
def test_amounts_and_lonely_signs_are_no_mathematics(text: str) -> None:
    assert "".join(run.text for run in runs(text)) == text
    assert not any(run.math for run in runs(text))


@pytest.mark.parametrize(
    "latex", [r"\frac{a", r"\unknown{x}", "x^2^3", "{" * 200, "", "x" * (LONGEST + 1), r"\left( \frac12", "^", r"\msun"]
)
def test_what_cannot_be_read_stays_as_it_was_written(latex: str) -> None:
    assert mathml(latex) is None
    assert "".join(run.text for run in runs(f"a ${latex}$ b")) == f"a ${latex}$ b"


@pytest.mark.parametrize(
    "latex",
    [r"\text{<img src=x onerror=alert(1)>}", r"\href{javascript:alert(1)}{x}", r"\style{color:red}{x}", r"\color{red}{x}",
     r"x<script>alert(1)</script>", r"\mathrm{&lt;script&gt;}", r"\class{a}{x}", r"\text{\" onclick=\"alert(1)}"],
)  # fmt: skip
def test_nothing_hostile_gets_through(latex: str) -> None:
    made = mathml(latex)
    if made is None:
        return
    assert isinstance(made, Markup)
    bare = str(made).replace(str(Markup.escape(latex)), "")
    for sign in ("<img", "<script", "href", "style=", "onclick", "onerror=", "mathcolor", "class="):
        assert sign not in bare or "&lt;" in bare
    assert "<img" not in str(made)
    assert "<script" not in str(made)
    assert "href=" not in bare


def test_letters_of_alphabets_are_letters() -> None:
    assert "ℝ" in str(mathml(r"\mathbb{R}"))
    assert "ℒ" in str(mathml(r"\mathcal{L}"))
    assert "∼" in str(mathml(r"\sim 3"))


def test_a_mark_never_cuts_an_expression_and_a_window_reaches_to_its_end() -> None:
    text = "before $a+b$ after"
    assert [(run.text, run.marked) for run in runs(text, [(3, 9)])] == [
        ("bef", False), ("ore ", True), ("$a+b$", True), (" after", False),
    ]  # fmt: skip
    assert "".join(run.text for run in runs(text, window=(0, 9))) == "before $a+b$"
    assert [run.start for run in runs(text, [(3, 9)])] == [0, 3, 7, 12]


def test_pieces_of_a_text_show_each_expression_once() -> None:
    text = "one $a$ two.\n\nthree $b$ four $$c\n\nd$$ five"
    pieces = [(0, 14), (14, 36), (36, len(text))]
    assert "".join(run.text for piece in pieces for run in runs(text, window=piece)) == text
