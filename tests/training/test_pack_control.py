"""A control is packed to as many tokens as what it is compared with."""

from pathlib import Path

import packs
import pytest

from gnomon.core.errors import ConfigError
from gnomon.training.packing.mixture import MixtureSource


def test_a_pack_like_another_has_as_many_tokens_of_its_own_documents(tmp_path: Path) -> None:
    tokenizer = packs.letters(tmp_path / "tokenizer")
    domain = packs.shelf(tmp_path / "domain", [packs.document(i, "ab" * 40, source="domain") for i in range(30)])
    general = packs.shelf(tmp_path / "general", [packs.document(i, "cde" * 10, source="general") for i in range(7)])
    first, *_ = packs.pack(tmp_path / "first", tokenizer, {"domain": domain}, context=32)
    only = (MixtureSource(name="general", weight=1.0),)
    made, counts, out = packs.pack(
        tmp_path / "second", tokenizer, {"general": general, "like": first}, context=32, sources=only
    )
    wanted = 30 * (80 + 2)
    assert abs(out.metrics["tokens"] - wanted) <= 16, "half a document of 32 tokens"
    assert out.metrics["sources"]["general"]["repeats"] == pytest.approx(wanted / (7 * 32), rel=0.02)
    assert counts.kept == 7
    assert {piece.source for piece in packs.pieces(made)} == {"general"}


def test_what_it_is_like_is_no_source_and_needs_weights(tmp_path: Path) -> None:
    tokenizer = packs.letters(tmp_path / "tokenizer")
    documents = packs.shelf(tmp_path / "a", [packs.document(i, "ab" * 40) for i in range(9)])
    first, *_ = packs.pack(tmp_path / "first", tokenizer, {"a": documents}, context=32)
    with pytest.raises(ConfigError, match="budget"):
        packs.pack(tmp_path / "second", tokenizer, {"a": documents, "like": first}, context=32)
