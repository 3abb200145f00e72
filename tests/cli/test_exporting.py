"""``gnomon export`` writes a model as others take it; ``gnomon push`` sends it only when told to."""

import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hub_double import Hub, hub
from huggingface_hub import HfApi

from gnomon.core.records import ModelRef
from gnomon.llm.templated import own_template
from gnomon.llm.weights import write_ref
from gnomon.training.export import push as pushing
from gnomon.training.export.card import Facts, card
from gnomon_recipes.bases import NANO_FILES, NANO_FOLDER

sys.path.insert(0, str(Path(__file__).parents[1] / "recipes"))

import tiny_base

TOKEN = "hf_only_for_tests"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The nano base, as a folder of a user's own; it states its licence in its card."""
    folder = tmp_path_factory.mktemp("weights") / "nano"
    folder.mkdir()
    for name in NANO_FILES:
        (folder / name).write_bytes((NANO_FOLDER / name).read_bytes())
    (folder / "chat_template.jinja").write_text(own_template("chatml"), encoding="utf-8")
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n", encoding="utf-8")
    return folder


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    return tiny_base.domain(tmp_path / "held.jsonl", number=4)


def test_a_folder_of_weights_is_exported_and_its_gguf_files_are_measured(
    gnomon: Any, weights: Path, texts: Path, tmp_path: Path
) -> None:
    words = ("export", weights, "--gguf", "f16,q4_0", "--measure", texts, "--languages", "en,ja")
    done = gnomon(*words, "--to", tmp_path / "out" / "nano", "--json")
    assert done.code == 0, done.err
    names = {file["name"] for file in done.row["files"]}
    assert {"README.md", "Modelfile", "gguf.json", "model.safetensors", "nano-f16.gguf", "nano-q4_0.gguf"} <= names
    assert done.row["gguf"]["documents"] == 4
    assert set(done.row["gguf"]["files"]) == {"nano-f16.gguf", "nano-q4_0.gguf"}
    folder = Path(done.row["folder"])
    assert folder == tmp_path / "out" / "nano"
    assert {p.name for p in folder.iterdir()} == names
    assert "- ja" in (folder / "README.md").read_text(encoding="utf-8")
    again = gnomon(*words)
    assert again.code == 0
    for told in ("nano-q4_0.gguf", "perplexity", "Measured on 4 held-out documents"):
        assert told in again.out


def test_a_place_that_is_taken_and_a_kind_that_is_not_are_refused(gnomon: Any, weights: Path, tmp_path: Path) -> None:
    taken = gnomon("export", weights, "--to", tmp_path)
    assert (taken.code, "exists already" in taken.err) == (2, True)
    unknown = gnomon("export", weights, "--gguf", "q9_9")
    assert (unknown.code, "q9_9" in unknown.err, "q8_0" in unknown.err) == (2, True, True)


def test_a_model_that_is_not_there_is_named(gnomon: Any, papers: Path) -> None:
    gnomon("build", papers)
    done = gnomon("export", "nobody")
    assert (done.code, "nobody" in done.err) == (2, True)


def test_the_experts_model_takes_what_is_known_of_it_along(monkeypatch: pytest.MonkeyPatch) -> None:
    from gnomon.cli import examining, exporting, recipes
    from gnomon.evaluation import steps as evaluation
    from gnomon.evaluation.heldout import TestSet
    from gnomon.runs import FileSet, Recipe, Serve
    from gnomon.training import steps as training

    base = training.adopt("a/base", revision="1")
    tokens = training.pack(base, base)
    more = training.pack(base, base, context=64)
    tuned = training.sft(training.cpt(base, more, name="cpt"), tokens, name="tuned")
    test = evaluation.items(FileSet(files=()))
    everyday, domain = TestSet(name="everyday", kind="general"), TestSet(name="by_time")
    made = evaluation.perplexity({"base": base, "tuned": tuned}, {everyday: base, domain: test})
    unmade = evaluation.perplexity({"base": base, "tuned": tuned}, {domain: test}, seed=1)
    other = evaluation.perplexity({"base": base}, {domain: test})
    parts = {"base": base, "tuned": tuned}
    recipe = Recipe(name="r", goals=(made, unmade, other), serve=Serve(name="e", parts=parts))
    monkeypatch.setattr(examining, "expert_steps", lambda *_: parts)
    monkeypatch.setattr(recipes, "again", lambda *_: recipe)
    expert = SimpleNamespace(arguments="{}", name="e")
    workspace = SimpleNamespace(names=lambda _: ["e"], record=lambda address: address in {made.address, other.address})
    session = SimpleNamespace(name="", expert=lambda _: expert)
    for name in ("", "e", "tuned"):
        step = exporting.export_step(session, workspace, name, {"quants": "q8_0", "documents": (), "languages": "en"})
        given = {key: found.address for key, found in step.inputs.items()}
        wanted = {"model": tuned, "tokens:sft": tokens, "tokens:cpt": more, "measure:0": made, "held_out": test}
        assert given == {key: found.address for key, found in wanted.items()}


# Pushing -------------------------------------------------------------------------------------


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    return written(tmp_path / "export", "Apache-2.0")


def written(folder: Path, licence: str) -> Path:
    folder.mkdir()
    (folder / "README.md").write_text(card(Facts(ref=ModelRef(name="m", licence=licence))), encoding="utf-8")
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "odd [1].json").write_text("{}", encoding="utf-8")
    (folder / ".hidden").write_text("secret", encoding="utf-8")
    (folder / "half.gguf.partial").write_text("half", encoding="utf-8")
    write_ref(folder, ModelRef(name="m", licence=licence))
    return folder


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    with hub() as found:
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", found.url)
        monkeypatch.setattr(pushing, "hub_api", lambda: HfApi(endpoint=found.url, token=TOKEN))
        yield found


SENT = ["README.md", "model.json", "model.safetensors", "odd [1].json"]


def test_nothing_is_sent_unless_asked(gnomon: Any, exported: Path, server: Hub) -> None:
    done = gnomon("push", exported, "--repo", "org/m", "--json")
    assert (done.code, done.row["pushed"], done.row["url"], done.row["licence"]) == (0, False, None, "apache-2.0")
    assert [file["name"] for file in done.row["files"]] == SENT
    assert server.asked == []
    told = gnomon("push", exported, "--repo", "org/m")
    assert "Nothing was sent" in told.out
    assert "--yes" in told.out


def test_what_was_shown_is_what_is_sent_privately_first(gnomon: Any, exported: Path, server: Hub) -> None:
    done = gnomon("push", exported, "--repo", "org/m", "--yes", "--json")
    assert done.code == 0, done.err
    assert done.row["url"] == f"{server.url}/org/m/commit/{'1' * 40}"
    assert sorted(server.files) == SENT
    assert server.files["model.safetensors"] == b"weights"
    assert server.created[0]["visibility"] == "private"
    assert server.tokens == {f"Bearer {TOKEN}"}
    assert TOKEN not in done.out + done.err


def test_a_public_repository_is_asked_for(gnomon: Any, exported: Path, server: Hub) -> None:
    assert gnomon("push", exported, "--repo", "org/m", "--yes", "--public").code == 0
    assert server.created[0]["visibility"] == "public"


@pytest.mark.parametrize(
    ("status", "code", "told"), [(401, 2, "hf auth login"), (403, 2, "write"), (400, 3, "refused")]
)
def test_a_hub_that_refuses_is_told_of(
    status: int, code: int, told: str, gnomon: Any, exported: Path, server: Hub
) -> None:
    server.status = status
    done = gnomon("push", exported, "--repo", "org/m", "--yes")
    assert (done.code, told in done.err) == (code, True), done.err


def test_without_a_token_or_a_network_it_says_so(
    gnomon: Any, exported: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{probe.getsockname()[1]}"
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    monkeypatch.setattr(pushing, "hub_api", lambda: HfApi(endpoint=nowhere))
    done = gnomon("push", exported, "--repo", "org/m", "--yes")
    assert (done.code, "HF_TOKEN" in done.err) == (2, True)
    monkeypatch.setattr(pushing, "hub_api", lambda: HfApi(endpoint=nowhere, token=TOKEN))
    done = gnomon("push", exported, "--repo", "org/m", "--yes")
    assert (done.code, "cannot be reached" in done.err) == (3, True), done.err
    (tmp_path / "ws").mkdir(exist_ok=True)
    (tmp_path / "ws" / "gnomon.toml").write_text("offline = true\n", encoding="utf-8")
    done = gnomon("push", exported, "--repo", "org/m", "--yes")
    assert (done.code, "offline = true" in done.err) == (2, True), done.err


@pytest.mark.parametrize(
    ("licence", "repo", "told"),
    [
        ("", "org/m", "no licence"),
        ("CC-BY-ND-4.0", "org/m", "forbids passing changed versions on"),
        ("llama3.1", "org/m", "begin with 'Llama'"),
        ("Apache-2.0", "m", "ORGANISATION/NAME"),
        ("Apache-2.0", "org/a b", "ORGANISATION/NAME"),
        ("Apache-2.0", "org/a--b", "ORGANISATION/NAME"),
    ],
)
def test_what_must_not_be_published_is_refused_before_anything_is_sent(
    licence: str, repo: str, told: str, gnomon: Any, server: Hub, tmp_path: Path
) -> None:
    done = gnomon("push", written(tmp_path / "export", licence), "--repo", repo, "--yes")
    assert (done.code, told in done.err) == (2, True), done.err
    assert server.asked == []


def test_a_llama_named_as_its_licence_wants_may_go(gnomon: Any, server: Hub, tmp_path: Path) -> None:
    done = gnomon("push", written(tmp_path / "export", "llama3.1"), "--repo", "org/Llama-m", "--json")
    assert (done.code, json.loads(done.out)["licence"]) == (0, "llama3.1")


def test_a_folder_that_is_no_export_is_refused(gnomon: Any, tmp_path: Path) -> None:
    done = gnomon("push", tmp_path / "nowhere", "--repo", "org/m")
    assert (done.code, "gnomon export" in done.err) == (2, True)
