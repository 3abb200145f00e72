"""The shelf: passages for the questions of an open-book exam, each looked up once, as many as fit.

A model reads so many tokens and no more. Passages that do not fit are left out whole, the least fitting first, and
counted; nothing is cut in the middle, because half a sentence can say the opposite of the whole.
"""

from collections.abc import Callable, Sequence

from gnomon.core.exams import Book
from gnomon.core.records import Item

Passages = tuple[str, ...]
_Key = tuple[str, Passages]


class Shelf:
    """A book whose passages are kept for all arms of an exam.

    Args:
        book: What is looked up in.
        most: Most passages of a question.
        characters: Most characters of all of them together; 0 for no bound but the model's.
    """

    def __init__(self, book: Book, most: int, characters: int) -> None:
        self._book, self._most, self._characters = book, most, characters
        self._held: dict[_Key, Passages] = {}
        self.given = self.left_out = 0
        """Passages put before a question, and those that did not fit."""

    def look_up(self, items: Sequence[Item]) -> None:
        """Find passages for blinded items not met yet; an item is looked up in the first order it comes in."""
        new = list({_key(item): item for item in reversed(items) if _key(item) not in self._held}.values())[::-1]
        if new:
            for item, passages in zip(new, self._book.passages(new), strict=True):
                self._held[_key(item)] = tuple(passages)[: self._most]

    def fitting(self, item: Item, fits: Callable[[Passages], bool]) -> Passages:
        """The passages of an item that was looked up, as many from the first as fit."""
        found = self._held[_key(item)]
        chosen = self._short(found)
        while chosen and not fits(chosen):
            chosen = chosen[:-1]
        self.given += len(chosen)
        self.left_out += len(found) - len(chosen)
        return chosen

    def _short(self, passages: Passages) -> Passages:
        length = 0
        for number, passage in enumerate(passages):
            length += len(passage)
            if self._characters and length > self._characters:
                return passages[:number]
        return passages


def _key(item: Item) -> _Key:
    """The same for an item in any order."""
    return item.prompt, tuple(sorted(item.choices))
