"""Where a model artifact's weights are, and what they are called."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.core.errors import ConfigError, DataError, GnomonError, NotFound, OfflineError
from gnomon.core.records import ModelRef
from gnomon.core.settings import ModelPlace, Settings
from gnomon.llm.hub import folder_revision
from gnomon.llm.weights import read_ref, weights_of, write_ref

REF = ModelRef(name="nobody/base", revision="0" * 40, kind="base", licence="Apache-2.0", parents=("a", "b"))


def place(folder: Path, name: str = REF.name) -> Settings:
    return Settings(offline=True, models={name: ModelPlace(url=folder.as_uri())})


@given(st.builds(ModelRef, name=st.text(min_size=1), revision=st.text(), parents=st.lists(st.text()).map(tuple)))
def test_a_reference_written_is_the_reference_read(tmp_path_factory: pytest.TempPathFactory, ref: ModelRef) -> None:
    folder = tmp_path_factory.mktemp("artifact")
    try:
        json.dumps([ref.name, ref.revision, *ref.parents], ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return
    write_ref(folder, ref)
    assert read_ref(folder) == ref


def test_an_artifact_s_own_weights_come_first(tmp_path: Path) -> None:
    write_ref(tmp_path, REF)
    (tmp_path / "model").mkdir()
    weights = weights_of(tmp_path, Settings(offline=True))
    assert weights.name_or_folder == str(tmp_path / "model")
    assert weights.keywords()["local_files_only"] is True
    assert weights.keywords()["trust_remote_code"] is False


def test_an_adopted_model_is_found_in_its_place_when_the_revision_is_right(tmp_path: Path) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    (folder / "config.json").write_text("{}", encoding="utf-8")
    right = ModelRef(name=REF.name, revision=folder_revision(folder), kind="base")
    write_ref(tmp_path, right)
    assert weights_of(tmp_path, place(folder)).name_or_folder == str(folder)
    write_ref(tmp_path, REF)
    with pytest.raises(ConfigError, match="revision"):
        weights_of(tmp_path, place(folder))
    with pytest.raises(NotFound, match="not a folder"):
        weights_of(tmp_path, place(tmp_path / "nowhere"))


def test_another_chat_template_is_another_model(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    before = folder_revision(tmp_path)
    (tmp_path / "chat_template.jinja").write_text("{{ messages }}", encoding="utf-8")
    assert folder_revision(tmp_path) != before


def test_an_adopted_model_is_not_fetched_offline_and_never_without_a_revision(tmp_path: Path) -> None:
    write_ref(tmp_path, REF)
    with pytest.raises(OfflineError, match=r"nobody/base.*offline"):
        weights_of(tmp_path, Settings(offline=True))
    write_ref(tmp_path, ModelRef(name="nobody/base"))
    with pytest.raises(ConfigError, match="no revision"):
        weights_of(tmp_path, Settings())


@pytest.mark.parametrize("text", ["", "[]", '"x"', "{}", '{"name": ""}', '{"name": 3}', '{"name": "x", "odd": 1}'])
def test_a_damaged_reference_is_an_error_that_names_the_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "model.json").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"model\.json"):
        read_ref(tmp_path)


def test_a_folder_without_a_reference_is_no_model_artifact(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"model\.json"):
        read_ref(tmp_path)
    with pytest.raises(GnomonError, match=r"model\.json"):
        weights_of(tmp_path / "missing", Settings())


def test_a_model_of_the_hub_is_taken_from_the_cache_only_when_it_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub.constants

    cache = tmp_path / "cache"
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
    snapshot = cache / "models--nobody--base" / "snapshots" / REF.revision
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}", encoding="utf-8")
    write_ref(tmp_path, REF)
    with pytest.raises(OfflineError):
        weights_of(tmp_path, Settings(offline=True))
    (snapshot / "model.safetensors").write_bytes(b"")
    assert weights_of(tmp_path, Settings(offline=True)).name_or_folder == str(snapshot)
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (snapshot / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    (snapshot / "model-1.safetensors").write_bytes(b"")
    with pytest.raises(OfflineError):
        weights_of(tmp_path, Settings(offline=True))
