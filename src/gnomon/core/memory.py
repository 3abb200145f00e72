"""Memory of the C library: keep large blocks between steps of heavy work, and give them back when it is done.

glibc maps every block above a threshold afresh, and the kernel fills it with zeros. A model on a processor asks for the
same hundreds of megabytes in every step, so a third to a half of the time goes into zeros (``docs/design/log.md``).
"""

import contextlib
import ctypes
import gc
from collections.abc import Iterator

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4
"""Parameters of ``mallopt``."""
_KEEPING = {_MMAP_MAX: 0, _TRIM_THRESHOLD: 2**31 - 1}
_AFTERWARDS = {_MMAP_MAX: 65_536, _MMAP_THRESHOLD: 32 * 2**20, _TRIM_THRESHOLD: 64 * 2**20}
"""Where glibc's own thresholds end up in a process that frees large blocks; once set by hand they no longer move."""


@contextlib.contextmanager
def kept_memory() -> Iterator[None]:
    """Ask glibc not to give large blocks back to the system meanwhile, and to give them all back at the end.

    Other C libraries have no such switch, and are left as they are.
    """
    library = _glibc()
    if library is None:
        yield
        return
    _set(library, _KEEPING)
    try:
        yield
    finally:
        _set(library, _AFTERWARDS)
        gc.collect()
        library.malloc_trim(0)


def _set(library: ctypes.CDLL, values: dict[int, int]) -> None:
    for parameter, value in values.items():
        library.mallopt(parameter, value)


def _glibc() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL("libc.so.6")
    except OSError:
        return None
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
