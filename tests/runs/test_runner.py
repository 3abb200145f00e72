import json
import multiprocessing
import subprocess
import sys
from pathlib import Path

import pytest
import toys

from gnomon.core.errors import DriftError, NotFound, StepFailed
from gnomon.core.records import Document
from gnomon.core.tables import read_table
from gnomon.runs import Recipe, Step, Workspace, plan, run
from gnomon.runs.experts import open_expert, part
from gnomon.runs.runner import SilentProgress


def test_a_recipe_is_made_once_and_then_found_made(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    first = run(toys.recipe(), workspace)
    assert run(toys.recipe(), workspace) == first
    assert (tmp_path / "made.log").read_text().split() == ["0000", "0001", "0002"]


def test_a_record_holds_settings_inputs_counts_and_file_hashes(tmp_path: Path) -> None:
    recipe = toys.recipe(number=4)
    record = run(recipe, Workspace(tmp_path))[recipe.goals[0].address]
    row = json.loads((tmp_path / "runs" / record.address / "record.json").read_text())
    assert row["config"] == {"keep": "even", "lose": False}
    assert row["counts"] == {"taken": 12, "kept": 6, "dropped": {"odd": 6}, "made": {}}
    assert row["inputs"] == {"documents": toys.make_step(number=4).address}
    assert {f["name"] for f in row["files"]} == {"documents/0000.parquet", "drops.parquet"}
    assert row["packages"]["gnomon"]
    assert row["seconds"] >= 0


def test_nothing_is_published_when_counts_do_not_add_up(tmp_path: Path) -> None:
    lossy = toys.pick_step(toys.make_step(), lose=True)
    with pytest.raises(StepFailed, match="do not add up"):
        run(Recipe(name="lossy", goals=(lossy,)), Workspace(tmp_path))
    assert Workspace(tmp_path).record(lossy.address) is None


def test_a_step_that_raises_keeps_its_finished_shards(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    broken = toys.make_step(fail=True)
    with pytest.raises(StepFailed, match="broken on purpose"):
        run(Recipe(name="r", goals=(broken,)), workspace)
    assert plan(Recipe(name="r", goals=(broken,)), workspace)[0].state == "resume"
    with pytest.raises(StepFailed):
        run(Recipe(name="r", goals=(broken,)), workspace)
    assert (tmp_path / "made.log").read_text().split() == ["0000", "0001", "0002"]


def test_a_run_killed_between_its_files_and_its_record_loses_nothing(tmp_path: Path, monkeypatch) -> None:
    step = toys.make_step()
    recipe, workspace = Recipe(name="r", goals=(step,)), Workspace(tmp_path / "b")
    undisturbed = run(recipe, Workspace(tmp_path / "a"))[step.address]

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("gnomon.runs.workspace.write_json", killed)
        with pytest.raises(KeyboardInterrupt):
            run(recipe, workspace)
    assert workspace.record(step.address) is None
    record = run(recipe, workspace)[step.address]
    assert [(f.name, f.digest) for f in record.files] == [(f.name, f.digest) for f in undisturbed.files]
    assert record.counts == undisturbed.counts


def test_a_killed_run_resumes_and_ends_with_the_same_content(tmp_path: Path) -> None:
    undisturbed = run(Recipe(name="r", goals=(toys.make_step(die_after="0001"),)), died(tmp_path / "a"))
    workspace = tmp_path / "b"
    code = (
        "import toys\nfrom gnomon.runs import *\n"
        f"run(Recipe(name='r', goals=(toys.make_step(die_after='0001'),)), Workspace({str(workspace)!r}))"
    )
    killed = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent, check=False)
    assert killed.returncode == -9
    resumed = run(Recipe(name="r", goals=(toys.make_step(die_after="0001"),)), Workspace(workspace))
    assert [r.digest for r in resumed.values()] == [r.digest for r in undisturbed.values()]
    assert (workspace / "made.log").read_text().split() == ["0000", "0001", "0002"]


def died(folder: Path) -> Workspace:
    folder.mkdir()
    (folder / "died").touch()
    return Workspace(folder)


def test_shards_of_other_code_are_thrown_away(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    step = toys.make_step(fail=True)
    with pytest.raises(StepFailed):
        run(Recipe(name="r", goals=(step,)), workspace)
    (tmp_path / "runs" / step.address / "code.json").write_text('{"entry": "toys:make", "hash": "older"}')
    told: list[str] = []

    class Told(SilentProgress):
        def tell(self, step: Step, text: str) -> None:
            told.append(f"{step.name} {text}")

    with pytest.raises(StepFailed):
        run(Recipe(name="r", goals=(step,)), workspace, Told())
    assert len((tmp_path / "made.log").read_text().split()) == 6
    assert told == [f"{step.name} begins anew: what an interrupted run left was made by other code"]


def test_a_changed_default_is_refused_with_both_values(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    step = toys.make_step()
    run(Recipe(name="r", goals=(step,)), workspace)
    path = tmp_path / "runs" / step.address / "record.json"
    row = json.loads(path.read_text())
    row["config"]["number"] = 5
    path.write_text(json.dumps(row))
    with pytest.raises(DriftError, match=r"number: made with 5, default now 6.*version"):
        run(Recipe(name="r", goals=(step,)), workspace)
    assert plan(Recipe(name="r", goals=(step,)), workspace)[0].state == "drift"


def test_a_plan_says_what_would_run_and_why(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    recipe = toys.recipe()
    assert [(p.state, p.why) for p in plan(recipe, workspace)] == [("run", "not made yet"), ("run", "after documents")]
    run(Recipe(name="part", goals=(toys.make_step(),)), workspace)
    assert [p.state for p in plan(recipe, workspace)] == ["made", "run"]


def test_an_expert_points_at_its_parts_and_the_newest_is_the_default(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    recipe = toys.recipe()
    run(recipe, workspace)
    expert = open_expert(workspace)
    assert (expert.name, part(expert, "index")) == ("toy", recipe.goals[0].address)
    with pytest.raises(NotFound, match=r"no expert 'nobody'.*toy"):
        open_expert(workspace, "nobody")
    with pytest.raises(NotFound, match="has no trace"):
        part(expert, "trace")


def test_identities_and_contents_are_equal_in_two_workspaces(tmp_path: Path) -> None:
    one, two = (run(toys.recipe(), Workspace(tmp_path / name)) for name in ("one", "two"))
    assert [(a, r.digest) for a, r in one.items()] == [(a, r.digest) for a, r in two.items()]


def _run_in(folder: str) -> None:
    run(toys.recipe(number=50), Workspace(folder))


def test_two_processes_on_one_workspace_make_each_shard_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_run_in, args=(str(tmp_path),)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert (tmp_path / "made.log").read_text().split() == ["0000", "0001", "0002"]
    picked = Workspace(tmp_path).artifact(toys.recipe(number=50).goals[0].address)
    assert len(list(read_table(picked / "documents", Document))) == 75
