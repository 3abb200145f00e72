import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
from papers import PAPERS, build, ids, recipe, record_of

from gnomon.core.errors import CorruptArtifact
from gnomon.knowledge import store
from gnomon.knowledge.library import Library
from gnomon.knowledge.opening import open_table, storage_options
from gnomon.knowledge.store import ROW_HASH, Layout, StorePlace, check, sweep, sync, with_hashes
from gnomon.runs import Workspace, run
from gnomon.runs.experts import open_expert
from gnomon.runs.verify import Finding, verify

SCHEMA = pa.schema([(ROW_HASH, pa.string()), ("name", pa.string()), ("size", pa.int64())])
CHILD = """
import json, os, signal, sys
from gnomon.runs import Workspace, run
import papers, lancedb.table
from gnomon.knowledge import store

def dying(owner, name, nth):
    real, calls = getattr(owner, name), [0]
    def call(*args, **kwargs):
        calls[0] += 1
        if calls[0] == nth:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **kwargs)
    setattr(owner, name, call)

folder, where, nth = sys.argv[1], sys.argv[2], int(sys.argv[3])
owners = {"add": lancedb.table.LanceTable, "create_index": lancedb.table.LanceTable}
if where != "nowhere":
    dying(owners.get(where, store), where, nth)
run(papers.recipe(json.loads(sys.stdin.read()), shard=2), Workspace(folder))
"""


def layout(**changes: object) -> Layout:
    return Layout(schema=SCHEMA, hashed=("name", "size"), index=lambda table: None, **changes)


def rows(*names: str, size: int = 1) -> list[pa.Table]:
    return [with_hashes([{"name": name, "size": size}], SCHEMA, ("name", "size")) for name in names]


def place(folder: Path) -> StorePlace:
    return StorePlace(key="s", url=str(folder / "s"))


def held(where: StorePlace, tag: str = "") -> list[str]:
    table = open_table(where, tag)
    return sorted(table.to_arrow()["name"].to_pylist())


def child(folder: Path, papers: object, where: str = "nowhere", nth: int = 1) -> subprocess.Popen[bytes]:
    """Another process that builds, and dies when ``where`` is called for the nth time."""
    described = json.dumps(papers)
    given = folder.with_suffix(f".{len(described)}.json")
    given.write_text(described)
    with given.open("rb") as stdin, folder.with_suffix(".log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-c", CHILD, str(folder), where, str(nth)], stdin=stdin, stderr=log,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        )  # fmt: skip


def test_a_store_holds_exactly_what_is_wanted_and_old_tags_keep_what_they_held(tmp_path: Path) -> None:
    where = place(tmp_path)
    first = sync(where, layout(), lambda: rows("a", "b", "c"), "one")
    second = sync(where, layout(), lambda: rows("b", "c", "d"), "two")
    assert (held(where, "one"), held(where, "two")) == (["a", "b", "c"], ["b", "c", "d"])
    assert (first.rows, second.rows) == (3, 3)
    assert check(where, first) == check(where, second) == []


def test_a_digest_depends_on_the_rows_and_not_on_how_they_came(tmp_path: Path) -> None:
    straight = sync(place(tmp_path / "1"), layout(), lambda: rows("a", "b", "c"), "t")
    other = place(tmp_path / "2")
    sync(other, layout(), lambda: rows("z", "c"), "t")
    roundabout = sync(other, layout(rows_per_commit=1), lambda: rows("c", "b", "a"), "t")
    assert roundabout.digest == straight.digest
    assert sync(place(tmp_path / "3"), layout(), lambda: rows("a", "b", "c", size=2), "t").digest != straight.digest


def test_only_new_rows_are_filled(tmp_path: Path) -> None:
    filled: list[str] = []

    def fill(table: object, block: pa.Table) -> pa.Table:
        filled.extend(block["name"].to_pylist())
        return block

    where = place(tmp_path)
    sync(where, layout(fill=fill), lambda: rows("a", "b"), "one")
    sync(where, layout(fill=fill), lambda: rows("a", "b", "c"), "two")
    assert filled == ["a", "b", "c"]


def test_new_rows_are_committed_in_blocks(tmp_path: Path) -> None:
    sizes: list[int] = []

    def fill(table: object, block: pa.Table) -> pa.Table:
        sizes.append(block.num_rows)
        return block

    sync(place(tmp_path), layout(fill=fill, rows_per_commit=2), lambda: rows(*"abcde"), "t")
    assert sizes == [2, 2, 1]


def test_rows_that_got_in_twice_are_made_anew(tmp_path: Path) -> None:
    where = place(tmp_path)
    sync(where, layout(), lambda: rows("a", "b"), "one")
    open_table(where).add(rows("a")[0])
    assert sync(where, layout(), lambda: rows("a", "b"), "two").rows == 2
    assert held(where, "two") == ["a", "b"]


def test_a_store_that_cannot_hold_what_is_wanted_is_named(tmp_path: Path) -> None:
    def lose(table: object, block: pa.Table) -> pa.Table:
        return block.slice(1)

    with pytest.raises(CorruptArtifact, match="holds 0 rows, wanted 1"):
        sync(place(tmp_path), layout(fill=lose), lambda: rows("a"), "t")


def test_a_store_of_another_shape_is_made_anew(tmp_path: Path) -> None:
    where = place(tmp_path)
    sync(where, layout(), lambda: rows("a"), "one")
    wider = pa.schema([*SCHEMA, ("more", pa.string())])
    changed = Layout(schema=wider, hashed=("name", "size"), index=lambda table: None)
    block = with_hashes([{"name": "b", "size": 1, "more": "x"}], wider, ("name", "size"))
    sync(where, changed, lambda: [block], "two")
    assert (held(where, "one"), held(where, "two")) == (["a"], ["b"])


def test_versions_without_a_tag_are_freed_and_a_sweep_frees_those_no_longer_needed(tmp_path: Path) -> None:
    where = place(tmp_path)
    for name in ("one", "two", "three"):
        sync(where, layout(rows_per_commit=1), lambda name=name: rows("a", name), name)
    versions = len(open_table(where).list_versions())
    assert versions <= 4
    sweep(where, ["three"])
    assert list(open_table(where).tags.list()) == ["three"]
    assert held(where, "three") == ["a", "three"]
    assert len(open_table(where).list_versions()) <= 2


def test_old_tags_do_not_hinder_an_update_a_week_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = place(tmp_path)
    first = sync(where, layout(), lambda: rows("a"), "one")
    for file in (tmp_path / "s").rglob("*"):
        os.utime(file, (0, 0))
    sync(where, layout(), lambda: rows("b"), "two")
    assert check(where, first) == []


def test_the_files_of_a_version_are_all_it_needs(tmp_path: Path) -> None:
    workspace, _ = build(tmp_path / "w")
    build(tmp_path / "w", PAPERS[1:])
    first = record_of(workspace, "knowledge/index")
    last = record_of(workspace, "knowledge/index", PAPERS[1:])
    for record in (first, last):
        for use in record.stores:
            source, target = Path(workspace.place(use.key).url), tmp_path / record.identity / use.key
            for name, _ in use.files:
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                (target / name).write_bytes((source / name).read_bytes())
            copy = StorePlace(key=use.key, url=str(target))
            assert check(copy, use) == []
            if use.key.endswith("passages"):
                found = open_table(copy, use.tag).search("gravity", query_type="fts", fts_columns="en").to_arrow()
                assert found["doc_id"].to_pylist() == ["local:pulsar"]


def test_a_flipped_byte_in_any_file_of_a_version_is_found(tmp_path: Path) -> None:
    workspace, _ = build(tmp_path)
    chance = random.Random(7)
    records = [r for r in workspace.records() if r.stores]
    assert [r.name for r in records] == ["knowledge/index", "knowledge/vectors"]
    for use in (use for record in records for use in record.stores):
        where = workspace.place(use.key)
        assert len(use.files) >= 4
        for name, _ in use.files:
            file = Path(where.url) / name
            sound = file.read_bytes()
            at = chance.randrange(len(sound))
            file.write_bytes(sound[:at] + bytes([sound[at] ^ 1]) + sound[at + 1 :])
            assert check(where, use) == [f"changed: {name}"]
            file.unlink()
            assert check(where, use) == [f"missing: {name}"]
            file.write_bytes(sound)
        assert check(where, use) == []


def test_verify_finds_a_store_that_is_damaged(tmp_path: Path) -> None:
    workspace, _ = build(tmp_path)
    (data,) = (tmp_path / "stores" / "vectors").rglob("data/*.lance")
    data.write_bytes(b"x" + data.read_bytes()[1:])
    found = [f for f in verify(workspace) if isinstance(f, Finding)]
    assert [f.problem for f in found] == [f"changed: rows.lance/data/{data.name}"]


def test_a_record_of_other_rows_is_found(tmp_path: Path) -> None:
    import dataclasses

    where = place(tmp_path)
    use = sync(where, layout(), lambda: rows("a", "b"), "one")
    assert check(where, dataclasses.replace(use, rows=3)) == ["changed: 2 rows, 3 recorded"]
    assert check(where, dataclasses.replace(use, digest="b2:0")) == ["changed: its rows are not those recorded"]


POINTS = [
    ("add", 1),
    ("add", 2),
    ("create_index", 2),
    ("_tidy", 2),
    ("_set_tag", 2),
    ("clean", 2),
    ("hashed_files", 3),
]


def test_a_run_killed_at_every_kind_of_moment_ends_with_the_digests_of_one_that_was_not(tmp_path: Path) -> None:
    undisturbed, _ = build(tmp_path / "sound", shard=2)
    killed = tmp_path / "killed"
    for where, nth in POINTS:
        process = child(killed, PAPERS, where, nth)
        assert process.wait() == -9, (where, nth, killed.with_suffix(".log").read_text())
    workspace, library = build(killed, shard=2)
    assert {r.address: r.digest for r in workspace.records()} == {r.address: r.digest for r in undisturbed.records()}
    assert [f for f in verify(workspace) if isinstance(f, Finding)] == []
    assert ids(library.search("pulsars keep time"))[0] == "pulsar"


@pytest.mark.slow
def test_a_run_killed_at_random_moments_ends_with_the_digests_of_one_that_was_not(tmp_path: Path) -> None:
    seed = int(os.environ.get("GNOMON_KILL_SEED", time.time_ns() % 10**6))
    print(f"GNOMON_KILL_SEED={seed}")
    chance = random.Random(seed)
    many = [
        {**paper, "id": f"{paper['id']}-{i}", "text": f"{paper.get('text', '')} {i}"}
        for i in range(40)
        for paper in PAPERS
    ]
    undisturbed, _ = build(tmp_path / "sound", many, shard=2)
    killed = tmp_path / "killed"
    for _ in range(20):
        process = child(killed, many)
        time.sleep(chance.uniform(0.8, 3.5))
        process.kill()
        process.wait()
    workspace, _ = build(killed, many, shard=2)
    assert {r.address: r.digest for r in workspace.records()} == {r.address: r.digest for r in undisturbed.records()}
    assert [f for f in verify(workspace) if isinstance(f, Finding)] == []


def test_two_processes_building_into_one_library_do_each_other_no_harm(tmp_path: Path) -> None:
    both = [PAPERS, PAPERS[:-1]]
    running = [child(tmp_path / "w", papers) for papers in both]
    assert [process.wait() for process in running] == [0, 0]
    workspace = Workspace(tmp_path / "w")
    assert [f for f in verify(workspace) if isinstance(f, Finding)] == []
    for papers in both:
        run(recipe(papers, shard=2), workspace)
        library = Library.open(workspace, open_expert(workspace))
        assert library.stats()["documents"] == len(papers)


def test_options_of_an_object_store_are_told_to_lance_by_its_own_names() -> None:
    where = StorePlace(
        key="s",
        url="s3://b/s",
        options={"endpoint_url": "http://127.0.0.1:1", "key": "k", "secret": "s", "region": "r"},
    )
    assert storage_options(where) == {
        "aws_endpoint": "http://127.0.0.1:1", "aws_access_key_id": "k", "aws_secret_access_key": "s",
        "aws_region": "r", "allow_http": "true",
    }  # fmt: skip


def test_an_update_shares_the_rows_that_were_there_with_the_version_before(tmp_path: Path) -> None:
    workspace, _ = build(tmp_path, PAPERS[:4])
    build(tmp_path, PAPERS)
    before, after = record_of(workspace, "knowledge/index", PAPERS[:4]), record_of(workspace, "knowledge/index")
    assert [use.key for use in before.stores] == [use.key for use in after.stores]
    for one, two in zip(before.stores, after.stores, strict=True):
        files = [{name for name, _ in use.files if "/data/" in name} for use in (one, two)]
        assert files[0] < files[1]


def test_many_small_files_are_joined(tmp_path: Path) -> None:
    where = place(tmp_path)
    names = [f"row {i}" for i in range(store.FRAGMENTS + 4)]
    use = sync(where, layout(rows_per_commit=1), lambda: rows(*names), "one")
    assert len([name for name, _ in use.files if "/data/" in name]) == 1
    assert held(where, "one") == sorted(names)
