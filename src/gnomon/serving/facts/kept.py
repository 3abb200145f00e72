"""Kept: what is worked out once for an open expert and told many times.

An expert never changes while it is open: what is counted over the whole of it, or read of one of its documents, stays
true until it is closed.
"""

from collections.abc import Callable
from threading import Lock
from typing import TypeVar, cast
from weakref import WeakKeyDictionary

from gnomon.research.opened import OpenExpert

T = TypeVar("T")
_shelves: WeakKeyDictionary[OpenExpert, dict[str, object]] = WeakKeyDictionary()
_locks: WeakKeyDictionary[OpenExpert, dict[str, Lock]] = WeakKeyDictionary()
_lock = Lock()


def kept(opened: OpenExpert, name: str, make: Callable[[], T]) -> T:
    """What was made for an expert under a name, made now if it was not; one thread makes it, its other readers wait.

    Args:
        opened: The expert.
        name: What it is, once in the program.
        make: Makes it.
    """
    with _lock:
        shelf = _shelves.setdefault(opened, {})
        lock = _locks.setdefault(opened, {}).setdefault(name, Lock())
    with lock:
        if name not in shelf:
            shelf[name] = make()
        return cast("T", shelf[name])


class Recent(dict[str, T]):
    """The latest so many of something, by name; safe from several threads.

    Args:
        most: How many are kept.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most, self._writing = most, Lock()

    def put(self, name: str, value: T) -> T:
        """Keep one; the one that came first goes when there are too many. Returns it."""
        with self._writing:
            while len(self) >= self._most and name not in self:
                del self[next(iter(self))]
            self[name] = value
        return value
