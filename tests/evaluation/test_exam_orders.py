from collections import Counter
from dataclasses import replace

from exam_kit import SECRET, item
from hypothesis import given
from hypothesis import strategies as st

from gnomon.core.exams import Output
from gnomon.evaluation.exam.orders import orders, presented
from gnomon.evaluation.exam.scoring import score

OPTIONS = st.integers(2, 8)


@given(OPTIONS, st.integers(0, 20), st.integers(0, 3))
def test_as_many_orders_as_options_put_every_option_once_at_every_place(options: int, number: int, seed: int) -> None:
    rows = orders(item(number, options), 0, seed)
    assert len(rows) == options
    for place in range(options):
        assert sorted(row[place] for row in rows) == list(range(options))


@given(OPTIONS, st.integers(1, 20), st.integers(1, 20), st.integers(0, 3))
def test_the_first_orders_are_the_same_for_any_number(options: int, few: int, more: int, seed: int) -> None:
    one = item(7, options)
    assert orders(one, few, seed) == orders(one, few + more, seed)[:few]
    assert orders(one, few, seed) == orders(replace(one, prompt="other"), few, seed)


@given(OPTIONS, st.integers(0, 5), st.data())
def test_what_is_chosen_and_scored_comes_back_to_the_options_it_was_said_of(
    options: int, seed: int, data: st.DataObject
) -> None:
    one = item(3, options)
    chosen = data.draw(st.lists(st.sampled_from(one.choices), min_size=1, max_size=options, unique=True))
    scores = {text: -float(len(text)) - number for number, text in enumerate(one.choices)}
    for order in orders(one, 0, seed):
        shown = presented(one, order)
        said = Output(
            chosen=tuple(shown.choices.index(text) for text in chosen),
            log_probs=tuple(scores[text] for text in shown.choices),
        )
        found = score(one, order, said, "arm").output
        assert {one.choices[i] for i in found.chosen} == set(chosen)
        assert dict(zip(one.choices, found.log_probs, strict=True)) == scores


@given(OPTIONS, st.integers(0, 5))
def test_a_presented_item_holds_its_options_and_nothing_that_tells_the_right_one(options: int, seed: int) -> None:
    one = item(4, options)
    for order in orders(one, 0, seed):
        shown = presented(one, order)
        assert sorted(shown.choices) == sorted(one.choices)
        assert shown.targets == ()
        assert SECRET not in repr(shown)


def test_other_seeds_and_items_give_other_orders_and_right_options_move() -> None:
    first = Counter(orders(item(n, targets=(0,)), 1, 0)[0].index(0) for n in range(400))
    assert set(first) == {0, 1, 2, 3}
    assert max(first.values()) < 140
    assert any(orders(item(n), 1, 0) != orders(item(n), 1, 1) for n in range(5))
