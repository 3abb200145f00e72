"""Orders: the places at which the options of a question stand.

A model that likes the letter C scores well where C is right. So options are shuffled, by seed and item, and then
*rotated*: over as many orders as there are options every option stands once at every place, and a liking for a letter
cancels out (Zheng et al. 2024, arXiv 2309.03882, show how strong it is). What a solver is given is *blinded*: it holds
nothing from which the right option could be read.
"""

import random
from dataclasses import replace

from gnomon.core.hashing import combined_hash
from gnomon.core.records import Item

Order = tuple[int, ...]
"""Which option of the item stands at each place."""


def orders(item: Item, number: int, seed: int) -> list[Order]:
    """The orders in which an item is asked; the first ones are the same for any number.

    Args:
        item: The item; only its id and its number of options count.
        number: How many; 0 for one an option, which balances places exactly.
        seed: Of the shuffling.
    """
    options = len(item.choices)
    found: list[Order] = []
    for turn in range(number or options):
        lap, shift = divmod(turn, options)
        row = list(range(options))
        random.Random(int(combined_hash([str(seed), str(lap), item.id])[-15:], 16)).shuffle(row)
        found.append((*row[shift:], *row[:shift]))
    return found


def presented(item: Item, order: Order) -> Item:
    """The item as a solver sees it: its options in order, and nothing that tells the right one."""
    options = tuple(item.choices[option] for option in order)
    return replace(item, choices=options, targets=(), reference="", evidence="", origin="")
