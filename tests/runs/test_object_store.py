"""The same recipe, unchanged, on a workspace in an object store (moto speaks the S3 protocol)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import toys

from gnomon.core.errors import CorruptArtifact, RunError
from gnomon.core.records import Document
from gnomon.core.settings import Settings
from gnomon.core.tables import read_table
from gnomon.runs import Workspace, run
from gnomon.runs.experts import open_expert
from gnomon.runs.verify import Finding, verify

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def settings(endpoint: str, tmp_path: Path) -> Settings:
    return Settings(
        cache=str(tmp_path / "cache"),
        storage={"endpoint_url": endpoint, "key": "test", "secret": "test", "region": "us-east-1"},
    )


@pytest.fixture
def url(settings: Settings, request: pytest.FixtureRequest) -> str:
    import s3fs

    bucket = "b" + str(sum(map(ord, request.node.name)))
    s3fs.S3FileSystem(endpoint_url=settings.storage["endpoint_url"], key="test", secret="test").mkdir(bucket)
    return f"s3://{bucket}/workspace"


def test_a_recipe_gives_the_same_content_in_an_object_store(url: str, settings: Settings, tmp_path: Path) -> None:
    local = run(toys.recipe(), Workspace(tmp_path / "local"))
    remote = run(toys.recipe(), Workspace(url, settings))
    assert [(a, r.digest) for a, r in local.items()] == [(a, r.digest) for a, r in remote.items()]
    assert open_expert(Workspace(url, settings)).name == "toy"


def test_another_machine_reads_what_was_made(url: str, settings: Settings, tmp_path: Path) -> None:
    run(toys.recipe(), Workspace(url, settings))
    elsewhere = Workspace(url, Settings(cache=str(tmp_path / "other"), storage=settings.storage))
    folder = elsewhere.artifact(toys.recipe().goals[0].address)
    assert len(list(read_table(folder / "documents", Document))) == 9
    assert [f for f in verify(elsewhere) if isinstance(f, Finding)] == []


def test_the_first_of_two_machines_to_finish_wins(url: str, settings: Settings, tmp_path: Path) -> None:
    first = run(toys.recipe(), Workspace(url, settings))
    other = Workspace(url, Settings(cache=str(tmp_path / "other"), storage=settings.storage))
    step = toys.make_step()
    late = first[step.address]
    work = other.local / "work"
    work.mkdir(parents=True)
    for file in late.files:
        (work / file.name).parent.mkdir(exist_ok=True, parents=True)
        (work / file.name).write_bytes((Workspace(url, settings).artifact(step.address) / file.name).read_bytes())
    import dataclasses

    published = other.publish(dataclasses.replace(late, folder="data-late"), work)
    assert published.folder == late.folder != "data-late"


def test_a_changed_object_is_found_on_download_and_by_verify(url: str, settings: Settings, tmp_path: Path) -> None:
    workspace = Workspace(url, settings)
    record = run(toys.recipe(), workspace)[toys.recipe().goals[0].address]
    path = f"{workspace.root}/runs/{record.address}/{record.folder}/drops.parquet"
    data = bytearray(workspace.fs.cat_file(path))
    data[7] ^= 1
    workspace.fs.pipe_file(path, bytes(data))
    elsewhere = Workspace(url, Settings(cache=str(tmp_path / "other"), storage=settings.storage))
    with pytest.raises(CorruptArtifact, match="drops"):
        elsewhere.artifact(record.address)
    assert [(f.place, f.problem) for f in verify(elsewhere) if isinstance(f, Finding)] == [("drops.parquet", "changed")]


def test_an_unreachable_store_is_a_clear_error(tmp_path: Path) -> None:
    settings = Settings(cache=str(tmp_path), storage={"endpoint_url": "http://127.0.0.1:9", "key": "a", "secret": "b"})
    with pytest.raises(RunError, match="s3://nowhere/x cannot be read"):
        run(toys.recipe(), Workspace("s3://nowhere/x", settings))
