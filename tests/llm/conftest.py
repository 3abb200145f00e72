"""One cache of model graphs and tiny models for all tests of a session, since making them is the slow part."""

import functools
from collections.abc import Callable

import language_models
import pytest

from gnomon.core.settings import Settings
from gnomon.llm.local import LocalModel, load_local


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(cache=str(tmp_path_factory.mktemp("cache")), threads=2, offline=True)


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., LocalModel]:
    """Gives the tiny model of a kind, read from its folder; one of each for all tests of a session."""

    @functools.cache
    def get(kind: str = "llama", *, bos: bool = True, batch_tokens: int = 0) -> LocalModel:
        folder = language_models.save(tmp_path_factory.mktemp("model"), kind, bos)
        return load_local(folder, Settings(offline=True), batch_tokens=batch_tokens)

    return get
