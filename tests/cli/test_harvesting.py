"""``oai:`` sources on the command line, against a server on this machine."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "corpus"))

from test_oai import page, record, serving

from gnomon.cli.harvesting import local_sources
from gnomon.core.errors import ConfigError
from gnomon.core.settings import Settings
from gnomon.runs import FileSet, Workspace

ABSTRACT = (
    "We measure the rotation of twelve spiral galaxies with optical spectra of ionized gas. The curves stay flat out to"
    " the last measured point, which asks for more mass than the stars and the gas can provide."
)


def test_a_list_is_harvested_once_and_then_read_from_the_workspace(tmp_path: Path) -> None:
    with serving((200, {}, page(record("2401.00001", ABSTRACT)))) as server:
        workspace = Workspace(tmp_path, Settings(oai_url=server.url))
        source = "oai:physics:astro-ph@2024-01-01..2024-01-07"
        (folder,) = local_sources([source], workspace, fetch=True)
        assert server.asked[0]["from"] == ["2024-01-01"]
        assert server.asked[0]["until"] == ["2024-01-07"]
    assert local_sources([source, "papers"], workspace, fetch=False) == [folder, "papers"]
    assert [f.name for f in FileSet.scan([folder]).files] == ["page-000000.oai.xml.gz"]


def test_a_source_of_another_form_is_refused_with_an_example(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="2026-11-01"):
        local_sources(["oai:astro-ph@yesterday"], Workspace(tmp_path), fetch=True)


def test_a_plan_fetches_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="harvested"):
        local_sources(["oai:physics:astro-ph"], Workspace(tmp_path), fetch=False)


def test_offline_forbids_a_harvest_before_any_request(tmp_path: Path) -> None:
    (tmp_path / "gnomon.toml").write_text("offline = true\n")
    from gnomon.cli.main import main

    assert main(["build", "oai:physics:astro-ph", "--workspace", str(tmp_path), "--json"]) == 2
