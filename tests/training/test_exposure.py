import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import packs
import pytest

from gnomon.core.errors import NotFound
from gnomon.core.files import write_json
from gnomon.runs import Counts, Output, Recipe, Serve, Step, Workspace, run
from gnomon.runs.workspace import RECORD
from gnomon.training import steps as training
from gnomon.training.exposure import sights, stages
from gnomon.training.packing.mixture import MixtureSource
from gnomon.training.shown import document_lineage, find_model, model_lineage

STORY = "Once a small star met a large one; they circled each other for a long, long time and then merged. "


@dataclass(frozen=True, kw_only=True)
class ToyConfig:
    """What a toy step makes."""

    kind: str
    number: int = 0


def make(config: ToyConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Documents, a tokenizer, or a "trained" model."""
    if config.kind == "tokenizer":
        packs.letters(out.path)
    elif config.kind == "model":
        write_json(out.path / "model.json", {"name": f"toy-{config.number}", "revision": "sha256:0", "kind": "base",
                                             "licence": "Apache-2.0", "parents": []})  # fmt: skip
        if "tokens" in inputs:
            facts = json.loads((inputs["tokens"] / "pack.json").read_text())
            steps = config.number or -(-facts["sequences"] // 2)
            write_json(out.path / "training.json", {"sequences_per_step": 2, "steps": steps, "tokens": 0})
            out.metrics |= {"sequences_per_step": 2, "steps": steps}
    else:
        texts = [STORY * (1 + i % 4) + f"It was number {i}." for i in range(config.number)]
        packs.shelf(
            out.path, [packs.document(i, t, title=f"Tale {i}", source=config.kind) for i, t in enumerate(texts)]
        )
    return Counts(taken=1, kept=1)


def toy(name: str, inputs: dict[str, Step] | None = None, **settings) -> Step:
    return Step(name=name, entry=f"{__name__}:make", version=1, config=ToyConfig(**settings), inputs=inputs or {})


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A base trained on ``general``, continued on two passes of ``astro`` with ``general`` as replay."""
    tokenizer = toy("training/tokenizer", kind="tokenizer")
    astro, general = toy("corpus/astro", kind="astro", number=12), toy("corpus/general", kind="general", number=20)
    first = training.pack(tokenizer, {"general": general}, context=128)
    base = toy("training/pretrain", {"tokens": first, "tokenizer": tokenizer}, kind="model", number=3)
    mixture = (MixtureSource(name="astro", repeats=2), MixtureSource(name="general", share=0.2))
    second = training.pack(base_tokenizer(tokenizer), {"astro": astro, "general": general}, context=96, sources=mixture)
    special = toy("training/cpt", {"tokens": second, "model": base}, kind="model")
    serve = Serve(name="toy", parts={"base": base, "specialised": special, "index": astro}, needed=("base",))
    made = Workspace(tmp_path / "ws")
    run(Recipe(name="toy", goals=(special,), serve=serve), made)
    return made


def base_tokenizer(step: Step) -> Step:
    return step


def address(workspace: Workspace, step: str) -> str:
    return next(r.address for r in workspace.records() if r.name == step)


def test_a_model_tells_its_stages_sources_tokens_and_licences(workspace: Workspace) -> None:
    link = model_lineage(workspace, address(workspace, "training/cpt"))
    assert (link.id, link.facts["licence"]) == ("toy-0", "Apache-2.0")
    cpt, pretrain = link.below
    assert [s.id.rpartition("/")[0] for s in (cpt, pretrain)] == ["training/cpt", "training/pretrain"]
    assert [m.id for m in cpt.below] == ["astro", "general"]
    assert cpt.below[0].facts["documents"] == 12
    assert cpt.below[0].facts["repeats"] == 2.0
    assert cpt.below[0].facts["licences"] == {"CC0-1.0": 12}
    assert cpt.facts["rows_seen"] == cpt.facts["rows"]
    assert pretrain.facts["rows_seen"] == 6 < pretrain.facts["rows"]
    (shown,) = pretrain.below
    assert 0 < shown.facts["tokens"] <= 6 * 128
    assert 0 < shown.facts["documents"] < 20


def test_a_document_is_traced_to_its_steps_passes_and_tokens_in_each_stage(workspace: Workspace) -> None:
    from gnomon.training.packed import PackedTokens

    cpt = address(workspace, "training/cpt")
    link = document_lineage(workspace, cpt, "astro-3")
    (shown,) = link.below[0].below
    assert (shown.id, shown.facts["passes"], shown.facts["source"]) == ("local:astro-3", 2, "astro")
    assert not link.below[1].below
    stage = stages(workspace, cpt)[0]
    packed = PackedTokens(stage.folder)
    for number, link in enumerate(shown.below):
        stretches = link.facts["sights"]
        covered = sorted((s["start"], s["end"]) for s in stretches)
        assert covered[0][0] == 0
        assert all(a[1] == b[0] for a, b in pairwise(covered))
        for sight in stretches:
            assert sight["step"] == sight["row"] // 2 + 1
            assert "local:astro-3" in packed.documents([sight["row"]])
        assert link.id == str(number + 1)


def test_words_of_a_document_are_traced_to_the_very_tokens(workspace: Workspace) -> None:
    cpt = address(workspace, "training/cpt")
    (shown,) = document_lineage(workspace, cpt, "local:astro-3", excerpt="It was number 3.").below[0].below
    first, last = shown.facts["tokens"]
    assert last - first == len("It was number 3.")
    assert first == 1 + len("Tale 3\n\n" + STORY * 4)
    assert all(s["start"] < last and first < s["end"] for p in shown.below for s in p.facts["sights"])
    (some,) = document_lineage(workspace, cpt, "local:astro-3", tokens=(0, 5)).below[0].below
    assert [len(p.facts["sights"]) for p in some.below] == [1, 1]
    with pytest.raises(NotFound, match="words 'a quasar' are not in what toy-0 was shown of"):
        document_lineage(workspace, cpt, "local:astro-3", excerpt="a quasar")


def test_a_document_that_came_after_the_last_step_was_not_shown(workspace: Workspace) -> None:
    pretrain = address(workspace, "training/pretrain")
    (stage,) = stages(workspace, pretrain)
    shown = [f"local:general-{i}" for i in range(20) if sights(stage, f"local:general-{i}")]
    for number in {f"local:general-{i}" for i in range(20)}.difference(shown):
        with pytest.raises(NotFound, match="never shown"):
            document_lineage(workspace, pretrain, number)
    assert 0 < len(shown) < 20
    assert len(shown) == model_lineage(workspace, pretrain).below[0].below[0].facts["documents"]


def test_models_are_found_by_role_name_address_and_identity(workspace: Workspace) -> None:
    cpt = address(workspace, "training/cpt")
    roles = {"specialised": cpt, "index": address(workspace, "corpus/astro")}
    for name in ("specialised", "toy-0", cpt, cpt[:25], cpt.rpartition("/")[2][:8]):
        assert find_model(workspace, name, roles) == cpt
    for name in ("index", "toy-9", "corpus/astro", "abc", ""):
        assert find_model(workspace, name, roles) is None


def test_after_gc_of_the_tokens_the_records_still_tell_the_mixture(workspace: Workspace) -> None:
    from gnomon.runs.gc import TOMBSTONES
    from gnomon.runs.lineage import tombstone_name

    cpt = address(workspace, "training/cpt")
    tokens = stages(workspace, cpt)[0].tokens
    workspace.save(TOMBSTONES, tombstone_name(tokens.address), {"record": tokens.to_row(), "deleted": "now"})
    workspace.delete(tokens.address)
    assert not (workspace.local / "runs" / tokens.address / RECORD).exists()
    stage = model_lineage(workspace, cpt).below[0]
    assert (stage.facts["kept"], stage.below[0].facts["documents"]) == (False, 12)


@pytest.fixture
def gnomon(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    from gnomon.cli.main import main

    monkeypatch.setenv("GNOMON_WORKSPACE", workspace.url)
    monkeypatch.setenv("COLUMNS", "160")

    def call(*words: str):
        capsys.readouterr()
        code = main(list(words))
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_the_command_prints_it_for_people_and_for_programs(gnomon) -> None:
    code, out, _ = gnomon("lineage", "specialised")
    assert code == 0
    assert "model toy-0" in out
    assert "12 documents" in out
    assert "2 passes" in out
    assert "CC0-1.0 12" in out
    code, out, _ = gnomon("lineage", "specialised", "--document", "local:astro-3")
    assert "shown local:astro-3  as astro, twice" in out
    assert "step " in out
    code, out, _ = gnomon("lineage", "base", "--json")
    assert json.loads(out)["below"][0]["facts"]["steps"] == 3


def test_the_command_refuses_half_a_question(gnomon) -> None:
    assert gnomon("lineage", "specialised", "--text", "star")[0] == 2
    code, _, err = gnomon("lineage", "index", "--document", "local:astro-3")
    assert (code, "is no model" in err) == (2, True)
    assert gnomon("lineage", "specialised", "--document", "local:astro-3", "--tokens", "5..2")[0] == 2
    code, _, err = gnomon("lineage", "specialised", "--document", "local:other")
    assert (code, "never shown local:other" in err) == (2, True)


def test_a_document_is_walked_back_as_before_and_names_its_rows(gnomon) -> None:
    code, out, _ = gnomon("lineage", "local:astro-3", "--json")
    link = json.loads(out)
    assert (code, link["kind"], link["facts"]["state"]) == (0, "document", "in the library")
    packed = next(b for b in link["below"] if b["id"].startswith("training/pack"))
    assert packed["facts"]["outcome"] == "packed"
    assert packed["facts"]["passes"] == 2
    assert "packed for training: passes 2, rows " in gnomon("lineage", "local:astro-3")[1]


def test_not_being_drawn_for_one_mixture_is_no_loss_when_another_holds_the_document(
    gnomon, workspace: Workspace
) -> None:
    from gnomon.core.records import Drop
    from gnomon.core.tables import read_table

    folder = stages(workspace, address(workspace, "training/cpt"))[0].folder
    left = next(read_table(folder / "drops.parquet", Drop)).doc_id
    link = json.loads(gnomon("lineage", left, "--json")[1])
    outcomes = {b["facts"]["outcome"] for b in link["below"] if b["id"].startswith("training/pack")}
    assert outcomes == {"packed", "dropped"}
    assert (link["facts"]["state"], "models" in link["facts"]) == ("in the library", False)
