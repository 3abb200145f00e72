"""Large blocks are kept while work goes on, and given back when it is done."""

import platform

import numpy as np
import psutil
import pytest

from gnomon.core.memory import kept_memory


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps and gives back on request")
def test_memory_kept_between_steps_is_given_back_at_the_end() -> None:
    process, size = psutil.Process(), 256 * 2**20
    before = process.memory_info().rss
    with kept_memory():
        block = np.ones(size, np.uint8)
        del block
        assert process.memory_info().rss > before + size // 2
    assert process.memory_info().rss < before + size // 4
