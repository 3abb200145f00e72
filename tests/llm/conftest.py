"""One cache of model graphs for all tests of a session, since making them is the slow part."""

import pytest

from gnomon.core.settings import Settings


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(cache=str(tmp_path_factory.mktemp("cache")), threads=2, offline=True)
