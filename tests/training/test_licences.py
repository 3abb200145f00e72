from pathlib import Path

import pytest
import tokens_making as making

from gnomon.core.errors import ConfigError
from gnomon.training.licences import TERMS, UNKNOWN, examine, licence_counts, licence_key, terms_of
from gnomon.training.preflight import check_licences


@pytest.mark.parametrize(
    ("stated", "key"),
    [
        ("Apache-2.0", "apache"), ("Apache License 2.0", "apache"), ("MIT", "mit"), ("BSD-3-Clause", "bsd"),
        ("CC0", "cc0"), ("CC0-1.0", "cc0"), ("cc-by-4.0", "cc-by"), ("CC BY-SA 3.0", "cc-by-sa"),
        ("CC-BY-NC-SA-4.0", "cc-by-nc-sa"), ("Creative Commons BY-NC 4.0", "cc-by-nc"),
        ("http://creativecommons.org/licenses/by-nc-nd/4.0/", "cc-by-nc-nd"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "cc0"), ("public domain (US)", "public-domain"),
        ("http://arxiv.org/licenses/nonexclusive-distrib/1.0/", "arxiv-nonexclusive-distrib"),
        ("llama3.1", "llama3.1"), ("Llama 2 Community License", "llama2"), ("Meta-Llama-3", "llama3"),
        ("gemma", "gemma"), ("ODC-BY-1.0", "odc-by"), ("ODbL 1.0", "odbl"), ("AGPL-3.0", "agpl"), ("qwen", "qwen"),
        ("mitten-1.0", "mitten"), ("", ""),
    ],
)  # fmt: skip
def test_a_licence_is_recognised_however_it_is_written(stated: str, key: str) -> None:
    assert licence_key(stated) == key
    assert (terms_of(stated) is UNKNOWN) == (key not in TERMS)


def test_free_and_attributed_sources_conflict_with_nothing() -> None:
    found = examine(
        {"base": "apache-2.0"}, {"notes": "CC0", "book": "CC BY 4.0"}, licence="apache-2.0", use="commercial"
    )
    assert not found.problems
    assert [duty.split(" (")[0] for duty in found.duties] == ["base", "book"]


@pytest.mark.parametrize(
    ("parents", "data", "settings", "problem"),
    [
        ({"base": "cc-by-nc-4.0"}, {}, {"use": "commercial"}, "base .*forbids commercial"),
        ({}, {"notes": "CC BY-NC 4.0"}, {"use": "commercial"}, "notes .*forbids commercial"),
        ({"base": "cc-by-nd-4.0"}, {}, {}, "cannot be trained"),
        ({"a": "llama3.1", "b": "gemma"}, {}, {}, r"b \(gemma\) \+ a \(llama3.1\)|a \(llama3.1\) \+ b \(gemma\)"),
        ({"base": "llama3.1"}, {}, {"licence": "apache-2.0"}, "to be apache-2.0"),
        ({"base": "apache-2.0"}, {"chat": "llama3"}, {}, "may not train"),
    ],
)
def test_a_conflict_of_licences_is_refused_with_names_and_cure(
    parents: dict[str, str],
    data: dict[str, str],
    settings: dict[str, str],
    problem: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ConfigError, match=problem) as caught:
        check_licences(parents, data, **settings)
    assert "another base" in caught.value.hint
    monkeypatch.setenv("GNOMON_LANG", "ja")
    with pytest.raises(ConfigError, match=r"ライセンスの衝突"):
        check_licences(parents, data, **settings)


def test_what_is_allowed_in_research_is_a_duty_there() -> None:
    duties = check_licences({"base": "cc-by-nc-4.0"}, {"wiki": "CC BY-SA 3.0", "paper": "cc-by-nd-4.0", "blog": ""})
    text = "\n".join(duties)
    for wanted in ("base (cc-by-nc-4.0): no commercial use", "wiki (CC BY-SA 3.0): passages", "paper (cc-by-nd-4.0): changed",
                   "blog (no licence stated): read"):  # fmt: skip
        assert wanted in text


def test_a_llama_child_is_told_how_to_be_named() -> None:
    assert any("'Llama'" in duty for duty in check_licences({"base": "llama3.1"}, {}, name="Astro-8B"))
    named = check_licences({"base": "llama3.1"}, {}, name="Llama-Astro-8B", licence="llama3.1")
    assert not any("begin with" in duty for duty in named)
    assert check_licences({"base": "llama3.1", "chat": "llama3.3"}, {}), "one family, no conflict"


def test_an_unknown_use_is_refused() -> None:
    with pytest.raises(ConfigError, match="research, commercial"):
        check_licences({}, {}, use="fun")


def test_licences_of_documents_are_counted(tmp_path: Path) -> None:
    licences = ["CC0", "", "CC0", "CC BY 4.0"]
    shelf = making.shelf(tmp_path, [making.document(f"local:{i}", "x", licence=s) for i, s in enumerate(licences)])
    assert licence_counts(shelf) == {"": 1, "CC BY 4.0": 1, "CC0": 2}
