"""What every page has to keep to, read from the templates and modules themselves."""

import re
from pathlib import Path

import pytest

import gnomon.serving.web

HERE = Path(gnomon.serving.web.__file__).parent
TEMPLATES = sorted((HERE / "templates").rglob("*.html"))
MODULES = sorted((HERE / "static").rglob("*.js"))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_needs_nothing_that_the_policy_forbids(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)", text), "an inline script"
    assert not re.search(r"<style\b", text), "an inline style sheet"
    assert not re.search(r"<[a-z][^>{]*\sstyle=", text), "an inline style"
    assert not re.search(r"<[a-z][^>{]*\son[a-z]+=", text), "an inline handler"
    assert not re.search(r"""<(?!a\b)[a-z]+\b[^>]*\b(?:src|href|action)=["']?(?:https?:)?//""", text), (
        "something from elsewhere"
    )


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_form_that_posts_holds_its_token(path: Path) -> None:
    for form in re.findall(r"<form\b.*?</form>", path.read_text(encoding="utf-8"), re.DOTALL):
        if re.search(r"method=[\"']?post", form, re.IGNORECASE):
            assert "form_field(request)" in form


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_nothing_is_marked_safe_in_a_template(path: Path) -> None:
    assert not re.search(r"\|\s*safe\b", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_a_module_runs_no_text_and_fetches_nothing_from_elsewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\b(?:eval|Function)\(|document\.write", text)
    assert not re.search(r"https?://(?!www\.w3\.org/)", text), "something from elsewhere"
