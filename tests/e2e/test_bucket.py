"""The quickstart, unchanged, on a workspace in an object store (moto speaks the S3 protocol)."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from runs_of import ALONE

from gnomon.runs import Workspace


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def settings_home(endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("s3home")
    (home / "gnomon.toml").write_text(
        f'[storage]\nendpoint_url = "{endpoint}"\nkey = "test"\nsecret = "test"\nregion = "us-east-1"\n'
    )
    return home


@pytest.mark.timeout(300)
def test_the_quickstart_in_a_bucket_holds_what_the_local_one_does(
    quickstart: Path, gnomon, endpoint: str, settings_home: Path
) -> None:
    import s3fs

    s3fs.S3FileSystem(endpoint_url=endpoint, key="test", secret="test").mkdir("papers")
    url = "s3://papers/gnomon"
    home = {"HOME": str(settings_home)}
    gnomon(*ALONE, "--workspace", url, **home)
    found = json.loads(gnomon("search", "cosmic microwave background", "--json", "--workspace", url, **home).stdout)
    assert len(found["hits"]) == 10
    answer = json.loads(gnomon("ask", "Who found pulsars?", "--json", "--workspace", url, **home).stdout)
    assert not answer["refused"]
    assert "lineage" not in gnomon("verify", "--workspace", url, **home).stderr
    from gnomon.core.settings import Settings

    storage = {"endpoint_url": endpoint, "key": "test", "secret": "test", "region": "us-east-1"}
    remote = Workspace(url, Settings(storage=storage, cache=str(settings_home / "cache")))
    assert {r.address: r.digest for r in remote.records()} == {
        r.address: r.digest for r in Workspace(quickstart).records()
    }
