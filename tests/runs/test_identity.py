import dataclasses
import enum
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import toys
from hypothesis import given
from hypothesis import strategies as st

from gnomon.core.errors import ConfigError
from gnomon.core.hashing import canonical_json
from gnomon.runs import FileSet, Step

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Anything:
    value: Any = None


def step(config: Any, version: int = 1, **inputs: Step) -> Step:
    return Step(name="toy/x", entry="toys:make", version=version, config=config, inputs=inputs)


def test_a_setting_left_at_its_default_is_not_part_of_the_identity() -> None:
    assert step(toys.MakeConfig()).identity == step(toys.MakeConfig(number=6)).identity


def test_settings_version_and_inputs_each_change_the_identity() -> None:
    base = step(toys.MakeConfig())
    others = [step(toys.MakeConfig(number=7)), step(toys.MakeConfig(), version=2), step(toys.MakeConfig(), a=base)]
    assert len({s.identity for s in [base, *others]}) == 4


def test_a_changed_input_changes_everything_downstream() -> None:
    first, second = toys.pick_step(toys.make_step()), toys.pick_step(toys.make_step(number=7))
    assert first.identity != second.identity


@pytest.mark.parametrize("value", [Path("/data"), print, float("nan"), object(), {1: "x"}, {"x"}])
def test_what_has_no_stable_form_is_refused_with_its_place(value: Any) -> None:
    with pytest.raises(ConfigError, match=r"Anything\.value"):
        _ = step(Anything(value=value)).identity


def test_a_config_that_can_change_is_refused() -> None:
    @dataclasses.dataclass
    class Loose:
        x: int = 1

    with pytest.raises(ConfigError, match="frozen"):
        step(Loose())


def test_enums_and_nested_settings_have_a_stable_form() -> None:
    class Colour(enum.Enum):
        RED = "red"

    assert canonical_json(Anything(value=(Colour.RED, Anything(value=1)))) == '{"value":["red",{"value":1}]}'


@given(JSON, JSON)
def test_equal_settings_and_only_those_have_equal_identities(a: Any, b: Any) -> None:
    same = canonical_json(a) == canonical_json(b)
    assert (step(Anything(value=a)).identity == step(Anything(value=b)).identity) == same


def test_identities_are_equal_in_processes_with_different_hash_seeds() -> None:
    code = "import toys; print(toys.recipe(number=4).goals[0].identity)"
    outs = {
        subprocess.run(
            [sys.executable, "-c", code], cwd=Path(__file__).parent, capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("0", "1", "77")
    }  # fmt: skip
    assert len(outs) == 1


def test_files_enter_by_content_and_not_by_place(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "note.md").write_text("Vega is a star.")
    first, second = FileSet.scan([tmp_path / "a"]), FileSet.scan([tmp_path / "b"])
    assert first.identity == second.identity
    assert FileSet.from_row(first.to_row()) == first
    (tmp_path / "b" / "note.md").write_text("Vega is a star!")
    assert FileSet.scan([tmp_path / "b"]).identity != first.identity


def test_what_cannot_be_opened_is_listed_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "good.md").write_text("text")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "up").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    found = FileSet.scan([tmp_path])
    assert [f.name for f in found.files] == ["good.md"]
    assert dict(found.left_out) == {"loop": "link_loop", "folder/up": "link_loop", "pipe": "not_a_file"}


def test_two_files_of_one_name_are_both_kept(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "note.md").write_text(name)
    found = FileSet.scan([tmp_path / "a", tmp_path / "b"])
    assert [f.name for f in found.files] == ["b/note.md", "note.md"]


def test_sets_of_files_are_joined_without_losing_one_of_the_same_name(tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "q.jsonl").write_text(name, encoding="utf-8")
    one, two, three = (FileSet.scan([tmp_path / name / "q.jsonl"]) for name in ("one", "two", "three"))
    whole = one.joined(two).joined(three)
    assert [entry.name for entry in whole.files] == ["2/q.jsonl", "3/q.jsonl", "q.jsonl"]
    assert {entry.sha256 for entry in whole.files} == {f.sha256 for s in (one, two, three) for f in s.files}
    assert one.joined(FileSet(files=())).identity == one.identity
