import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import tokens_making as making

from gnomon.core.errors import ConfigError, DataError, OfflineError
from gnomon.core.settings import ModelPlace, Settings
from gnomon.llm.hub import folder_revision
from gnomon.llm.weights import read_ref, weights_of
from gnomon.runs import Recipe, Workspace
from gnomon.runs import run as run_recipe
from gnomon.runs.output import Output
from gnomon.runs.sources import FileSet
from gnomon.training import steps
from gnomon.training.adopt import AdoptConfig, card_licence, run
from gnomon.training.wholeness import model_facts, tokenizer_facts

CARD = "---\nlicense: {}\nlanguage: en\n---\n# A small model\n"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    made = making.trained(folder / "t", {"notes": making.english(folder / "s")})
    model = making.model_folder(folder / "model", made.path / "tokenizer")
    (model / "README.md").write_text(CARD.format("apache-2.0"))
    (model / "code.py").write_text("raise SystemExit")
    return model


@pytest.fixture
def copy(base: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(base, tmp_path / "copy"))


def adopt(folder: Path, place: Path, documents: Path | None = None, **settings: Any) -> Output:
    place.mkdir(parents=True, exist_ok=True)
    out = making.output(place)
    inputs = {"files": making.listing(folder, place / "files.json")} | ({"notes": documents} if documents else {})
    counts = run(AdoptConfig(**{"name": "small", **settings}), inputs, out)
    assert counts.add_up
    return out


def edit(folder: Path, name: str = "config.json", **values: Any) -> None:
    row = json.loads((folder / name).read_text()) | values
    (folder / name).write_text(json.dumps({k: v for k, v in row.items() if v is not None}))


def test_a_local_folder_becomes_a_model_artifact(base: Path, tmp_path: Path) -> None:
    out = adopt(base, tmp_path, making.english(tmp_path / "notes", 2))
    ref = read_ref(out.path)
    assert (ref.name, ref.kind, ref.licence, ref.parents) == ("small", "base", "apache-2.0", ())
    assert ref.revision == folder_revision(out.path / "model")
    assert weights_of(out.path, Settings(offline=True)).name_or_folder == str(out.path / "model")
    assert not (out.path / "model" / "code.py").exists()
    assert out.metrics["licence"] == {"name": "apache-2.0", "from": "card", "note": ""}
    assert out.metrics["model"]["model_type"] == "llama"
    assert out.metrics["fertility"]["sources"]["notes"]["n"] == 2
    from transformers import AutoModelForCausalLM

    loaded = AutoModelForCausalLM.from_pretrained(str(out.path / "model"), local_files_only=True)
    assert sum(p.numel() for p in loaded.parameters()) == out.metrics["model"]["parameters"]


def test_the_copy_does_not_follow_a_later_change_of_the_folder(copy: Path, tmp_path: Path) -> None:
    out = adopt(copy, tmp_path / "a")
    before = folder_revision(out.path / "model")
    with (copy / "model.safetensors").open("r+b") as file:
        file.seek(-4, 2)
        file.write(b"\1\2\3\4")
    assert folder_revision(out.path / "model") == before


def test_the_step_runs_in_a_recipe_and_is_the_same_wherever_the_folder_lies(
    base: Path, copy: Path, tmp_path: Path
) -> None:
    one, two = (steps.adopt("small", FileSet.scan([folder])) for folder in (base, copy))
    assert one.identity == two.identity
    workspace = Workspace(tmp_path / "w")
    record = run_recipe(Recipe(name="toy", goals=(one,)), workspace)[one.address]
    assert record.counts.kept == len(list(base.iterdir())) - 1
    assert record.counts.dropped == {"not_of_the_model": 1}
    assert read_ref(workspace.artifact(one.address)).name == "small"


def test_a_file_changed_since_it_was_listed_is_refused(copy: Path, tmp_path: Path) -> None:
    listing = making.listing(copy, tmp_path / "files.json")
    edit(copy, note="changed")
    with pytest.raises(DataError, match=r"config\.json is not the file that was listed"):
        run(AdoptConfig(name="small"), {"files": listing}, making.output(tmp_path / "o"))


def test_a_hub_model_leaves_its_name_and_commit_only(base: Path, tmp_path: Path) -> None:
    revision = folder_revision(base)
    place = Settings(offline=True, models={"nobody/small": ModelPlace(url=base.as_uri())})
    out = making.output(tmp_path, place)
    run(AdoptConfig(name="nobody/small", revision=revision), {}, out)
    assert sorted(p.name for p in out.path.iterdir()) == ["model.json"]
    ref = read_ref(out.path)
    assert (ref.name, ref.revision, ref.licence) == ("nobody/small", revision, "apache-2.0")
    with pytest.raises(OfflineError):
        run(AdoptConfig(name="nobody/other", revision="0" * 40), {}, making.output(tmp_path / "o", place))


def test_a_model_comes_from_one_place(base: Path, tmp_path: Path) -> None:
    for settings in ({"name": ""}, {"revision": "0" * 40}):
        with pytest.raises(ConfigError, match="one model, from one place"):
            adopt(base, tmp_path / "a", **settings)
    with pytest.raises(ConfigError, match="one model, from one place"):
        run(AdoptConfig(name="nobody/small"), {}, making.output(tmp_path / "o"))


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("# no heading", ""), (CARD.format("llama3.1"), "llama3.1"), (CARD.format("[mit, apache-2.0]"), "mit"),
        ("---\nlicense: other\nlicense_name: qwen\n---\n", "qwen"), ("---\nlicense: : [\n---\n", ""),
    ],
)  # fmt: skip
def test_the_licence_is_read_from_the_card(tmp_path: Path, card: str, licence: str) -> None:
    (tmp_path / "README.md").write_text(card)
    assert card_licence(tmp_path / "README.md") == licence
    assert card_licence(tmp_path / "missing.md") == ""


def test_a_missing_licence_is_said_and_a_stated_one_wins(copy: Path, tmp_path: Path) -> None:
    assert adopt(copy, tmp_path / "a", licence="mit").metrics["licence"]["from"] == "config"
    (copy / "README.md").unlink()
    licence = adopt(copy, tmp_path / "b").metrics["licence"]
    assert licence["name"] == ""
    assert "states no licence" in licence["note"]


def test_a_truncated_weight_file_is_named(copy: Path, tmp_path: Path) -> None:
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"model\.safetensors: [\d,]+ bytes.*again"):
        adopt(copy, tmp_path / "a")
    weights.write_bytes(b"")
    with pytest.raises(DataError, match=r"model\.safetensors: 0 bytes"):
        adopt(copy, tmp_path / "b")


def test_a_missing_shard_or_tensor_is_named(copy: Path, tmp_path: Path) -> None:
    index = copy / "model.safetensors.index.json"
    (copy / "model.safetensors").rename(copy / "model-1.safetensors")
    with pytest.raises(DataError, match=r"holds no model\.safetensors"):
        adopt(copy, tmp_path / "none")
    index.write_text(json.dumps({"weight_map": {"a": "model-2.safetensors"}}))
    with pytest.raises(DataError, match=r"model-2\.safetensors: it is missing"):
        adopt(copy, tmp_path / "a")
    index.write_text(json.dumps({"weight_map": {"a": "model-1.safetensors"}}))
    with pytest.raises(DataError, match="it lacks a"):
        adopt(copy, tmp_path / "b")
    index.write_text("{")
    with pytest.raises(DataError, match="index"):
        adopt(copy, tmp_path / "c")


def test_pickled_weights_are_refused_with_the_cure(copy: Path, tmp_path: Path) -> None:
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    with pytest.raises(DataError, match="save_pretrained"):
        adopt(copy, tmp_path / "a")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"model_type": "astro_net"}, r"architecture 'astro_net', which transformers [\d.]+ does not know.*Update"),
        ({"model_type": "t5", "architectures": None}, "a t5, which is no causal language model"),
        ({"model_type": "bert", "architectures": ["BertForMaskedLM"]}, "a BertForMaskedLM, which is no causal"),
        ({"model_type": None}, "cannot be read as a model's configuration"),
        ({"num_hidden_layers": "two"}, "transformers refuses"),
        ({"vocab_size": 100}, "400 ids, the model's embedding 100 rows"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(
    copy: Path, tmp_path: Path, values: dict[str, Any], message: str
) -> None:
    edit(copy, **values)
    with pytest.raises(DataError, match=message):
        adopt(copy, tmp_path / "a")


def test_an_unknown_architecture_is_told_in_japanese_too(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(copy, model_type="astro_net")
    monkeypatch.setenv("GNOMON_LANG", "ja")
    with pytest.raises(DataError, match=r"'astro_net' を transformers .* は知らない"):
        adopt(copy, tmp_path / "a")


def test_a_tokenizer_that_cannot_work_is_refused(copy: Path, tmp_path: Path) -> None:
    edit(copy, "tokenizer_config.json", eos_token=None)
    with pytest.raises(DataError, match="no EOS token"):
        adopt(copy, tmp_path / "a")
    (copy / "tokenizer.json").write_text("{")
    with pytest.raises(DataError, match="cannot be opened"):
        adopt(copy, tmp_path / "b")
    (copy / "tokenizer.json").unlink()
    with pytest.raises(DataError, match=r"tokenizer"):
        adopt(copy, tmp_path / "c")


def test_a_folder_of_papers_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "one.md").write_text("dust")
    with pytest.raises(DataError, match=r"None of the 1 files is a config\.json"):
        adopt(tmp_path / "papers", tmp_path / "a")


def test_facts_come_from_headers_and_configurations(base: Path, copy: Path) -> None:
    facts = model_facts(base)
    assert (facts.model_type, facts.vocabulary, facts.context) == ("llama", 400, 64)
    assert tokenizer_facts(base).differs == ""
    edit(copy, model_type="qwen2")
    assert tokenizer_facts(copy).differs, "transformers has rules of its own for qwen2"
