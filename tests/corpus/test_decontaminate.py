import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from corpus_making import artifact, document, exam, output, prose
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.core.errors import ConfigError
from gnomon.core.records import Document, Drop, Item, Leak
from gnomon.core.tables import read_table
from gnomon.corpus.decontaminate import DecontaminateConfig, run
from gnomon.corpus.letters import letters_of
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output

EXAM = [
    Item(
        id="long", prompt="Which property of a pulsating variable lets its distance be read off without a parallax?",
        choices=("The period of its brightness", "The colour of its faintest phase", "Its position on the sky", "The width of its lines"),
        targets=(0,),
    ),
    Item(id="short", prompt="What causes the tides?", choices=("The Moon", "The wind", "Salt", "Volcanoes"), targets=(0,)),
    Item(
        id="numbers", prompt="A lens of 250 mm focal length is used with an eyepiece of 10 mm. What is the magnification?",
        choices=("25", "2500", "0.04", "260"), targets=(0,),
    ),
    Item(
        id="statements", prompt="Which of the following is true?",
        choices=("Comets shine by burning their own ice", "Most asteroids orbit between Mars and Jupiter", "The Sun has no magnetic field"),
        targets=(1,),
    ),
    Item(
        id="ja", prompt="球状星団の年齢を決めるのに使われるのはどの図か。",
        choices=("色等級図", "速度曲線", "光度曲線", "電波の地図"), targets=(0,), lang="ja",
    ),
    Item(id="ja-short", prompt="潮汐の原因は何か。", choices=("月の重力", "風の力", "海の塩", "火山の熱"), targets=(0,), lang="ja"),
    Item(
        id="open", prompt="Zodiacal light",
        reference="A faint cone of light along the ecliptic after dusk or before dawn, made by sunlight that dust between the planets scatters.",
    ),
]  # fmt: skip


def asked(item: Item, order: list[int], labels: str) -> str:
    lines = [f"{label}. {item.choices[i]}" for label, i in zip(labels, order, strict=False)]
    answer = " ".join(item.choices[i] for i in item.targets) or item.reference
    return "\n".join([item.prompt, *lines, f"Answer: {answer}"])


def plain(item: Item, r: random.Random) -> str:
    return asked(item, list(range(len(item.choices))), "ABCDEF")


def shuffled(item: Item, r: random.Random, labels: str = "ABCDEF") -> str:
    return asked(item, r.sample(range(len(item.choices)), len(item.choices)), labels)


def renumbered(text: str, r: random.Random) -> str:
    return re.sub(r"\d+(\.\d+)?", lambda m: str(round(r.uniform(1, 5000), r.randrange(3))), text)


DISGUISES: dict[str, Callable[[Item, random.Random], str]] = {
    "verbatim": plain,
    "upper case": lambda item, r: plain(item, r).upper(),
    "mixed case": lambda item, r: "".join(c.upper() if r.random() < 0.5 else c.lower() for c in plain(item, r)),
    "no spaces": lambda item, r: re.sub(r"\s", "", plain(item, r)),
    "spaces inside words": lambda item, r: "".join(
        c + " \n"[r.randrange(2)] * (r.random() < 0.2) for c in plain(item, r)
    ),
    "other numbers": lambda item, r: renumbered(plain(item, r), r),
    "options in another order": shuffled,
    "options in another order under Japanese letters": lambda item, r: shuffled(item, r, "アイウエオカ"),
    "full width": lambda item, r: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in plain(item, r)),
    "question and answer only": lambda item, r: (
        f"{item.prompt} {' '.join(item.choices[i] for i in item.targets)}{item.reference}"
    ),
    "everything at once": lambda item, r: re.sub(r"\s+", "   ", renumbered(shuffled(item, r), r).upper()),
}


def decontaminated(folder: Path, documents: list[Document], items: list[Item]) -> tuple[Counts, list[Leak], Output]:
    out = output(folder / "out")
    inputs = {"documents": artifact(folder / "in", documents), "items": exam(folder / "exam", items)}
    counts = run(DecontaminateConfig(), inputs, out)
    assert counts.add_up
    return counts, list(read_table(out.path / "leaks.parquet", Leak)), out


@pytest.mark.parametrize("disguise", DISGUISES)
@settings(max_examples=3)
@given(seed=st.integers(0, 10_000))
def test_every_planted_leak_is_found_with_its_passage_and_clean_text_is_left_alone(
    disguise: str, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    r = random.Random(seed)
    documents, planted = [], dict[str, tuple[str, str]]()
    for number, item in enumerate(EXAM):
        before, after = prose(seed + 2 * number, 3), prose(seed + 2 * number + 1, 3)
        key, leak = f"local:{item.id}", DISGUISES[disguise](item, r)
        # A stem that many exams share, with one true statement, is no exam question any more.
        if disguise != "question and answer only" or item.id != "statements":
            planted[item.id] = (key, leak)
        documents += [document(key, f"{before} {leak} {after}"), document(f"local:clean-{number}", f"{before} {after}")]
    counts, leaks, _ = decontaminated(tmp_path_factory.mktemp("planted"), documents, EXAM)
    texts = {d.id: d for d in documents}
    assert {leak.span.doc_id for leak in leaks if "clean" in leak.span.doc_id} == set()
    for item_id, (key, leak_text) in planted.items():
        found = [leak for leak in leaks if (leak.item_id, leak.span.doc_id) == (item_id, key)]
        assert found, (disguise, item_id)
        start = texts[key].text.index(leak_text)
        for leak in found:
            assert leak.span.text_hash == texts[key].text_hash
            assert texts[key].text[leak.span.start : leak.span.end] == leak.passage
        best = max(found, key=lambda leak: leak.span.end - leak.span.start)
        assert start - 40 <= best.span.start < best.span.end <= start + len(leak_text) + 40
    assert counts.dropped == {"contaminated": len({leak.span.doc_id for leak in leaks})}


def test_a_document_with_a_leak_is_left_out_whole_and_says_which_question(tmp_path: Path) -> None:
    leaking = document("local:a", f"{prose(1)} {plain(EXAM[0], random.Random(0))}")
    _, [leak], out = decontaminated(tmp_path, [leaking, document("local:b", prose(2))], EXAM)
    assert (leak.item_id, leak.method) == ("long", "ngram")
    assert leak.score > 0.95
    [drop] = read_table(out.path / "drops.parquet", Drop)
    assert (drop.doc_id, drop.reason) == ("local:a", "contaminated")
    assert "long" in drop.detail
    assert [d.id for d in read_table(out.path / "documents", Document)] == ["local:b"]
    assert [d.id for d in read_table(tmp_path / "in" / "documents", Document)] == ["local:a", "local:b"]


def test_text_about_the_same_subject_is_no_leak(tmp_path: Path) -> None:
    texts = [
        "The tides are raised by the Moon; the wind and the salt of the sea have little to do with them.",
        "Among pulsating variables the period of brightness gives the luminosity, and so a distance without a parallax.",
        "Which of the following models is true cannot be said. Most asteroids orbit between Mars and Jupiter.",
        "球状星団の年齢は色等級図の折れ曲がりから決められる。速度曲線は使われない。",
        "The zodiacal light is seen after dusk along the ecliptic; it is scattered by dust.",
    ]
    documents = [document(f"local:{i}", f"{prose(i, 3)} {text}") for i, text in enumerate(texts)]
    assert decontaminated(tmp_path, documents, EXAM)[1] == []


def test_a_leak_deep_inside_a_long_document_is_found_twice_when_it_stands_there_twice(tmp_path: Path) -> None:
    question = plain(EXAM[0], random.Random(0))
    text = f"{prose(1, 300)} {question} {prose(2, 300)} {question} {prose(3, 50)}"
    _, leaks, _ = decontaminated(tmp_path, [document("local:a", text)], EXAM)
    assert [text.count(leak.passage) for leak in leaks] == [2, 2] or len(leaks) == 2
    assert abs(leaks[0].span.start - text.index(question)) < 40
    assert abs(leaks[1].span.start - text.rindex(question)) < 40


def test_a_leak_that_most_documents_hold_is_still_found(tmp_path: Path) -> None:
    question = plain(EXAM[0], random.Random(0))
    documents = [document(f"local:{i:03}", f"{prose(i, 2)} {question}") for i in range(120)]
    assert decontaminated(tmp_path, documents, EXAM)[0].dropped == {"contaminated": 120}


def test_boilerplate_that_many_questions_share_is_no_leak_of_any(tmp_path: Path) -> None:
    stem = "Which of the following statements about the object that is described above is not correct"
    endings = ["".join(random.Random(i).choices("bcdfgklmnprstvxz", k=40)) for i in range(60)]
    items = [
        Item(id=f"q{i}", prompt=f"{stem}: {e}", choices=("yes it is", "no it is not")) for i, e in enumerate(endings)
    ]
    text = f"{prose(900)} Consider which of the following statements about the object is not correct. {prose(901)}"
    assert decontaminated(tmp_path, [document("local:a", text)], items)[1] == []


def test_items_that_no_rule_can_find_are_named(tmp_path: Path) -> None:
    blind = Item(id="blind", prompt="Why?", choices=("1", "2"), targets=(0,))
    _, _, out = decontaminated(tmp_path, [document("local:a", prose(1))], [*EXAM, blind])
    assert out.metrics["items_too_short_to_find"] == ["blind"]


def test_no_items_or_no_documents_leave_everything_as_it_is(tmp_path: Path) -> None:
    counts, leaks, _ = decontaminated(tmp_path / "items", [document("local:a", prose(1)), document("local:b", "")], [])
    assert (counts.kept, leaks) == (2, [])
    assert decontaminated(tmp_path / "documents", [], EXAM)[0].taken == 0


def test_settings_that_cannot_work_are_refused() -> None:
    with pytest.raises(ConfigError, match="overlap=0"):
        DecontaminateConfig(overlap=0)


@given(st.text(max_size=60))
def test_letters_know_their_place_and_forget_case_and_spacing(text: str) -> None:
    letters = letters_of(text)
    assert len(letters.places) == len(letters.codes)
    assert list(letters.places) == sorted(set(letters.places))
    spaced = " ".join(text)
    assert re.sub("0+", "0", letters_of(spaced).string) == re.sub("0+", "0", letters.string)


_TWICE = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from test_decontaminate import EXAM, DISGUISES, decontaminated, document, prose
from gnomon.core.files import content_digest
import random
r = random.Random(3)
texts = [f"{{prose(i)}} {{DISGUISES[d](item, r)}}" for d in DISGUISES for i, item in enumerate(EXAM)]
_, _, out = decontaminated(Path({folder!r}), [document(f"local:{{i}}", t) for i, t in enumerate(texts)], EXAM)
print([content_digest(p) for p in sorted(out.path.rglob("*.parquet"))])
"""


def test_the_result_does_not_depend_on_the_hash_seed(tmp_path: Path) -> None:
    results = set()
    for seed in ("0", "4711"):
        code = _TWICE.format(tests=str(Path(__file__).parent), folder=str(tmp_path / seed))
        environment = {"PYTHONHASHSEED": seed, "OMP_NUM_THREADS": "1"}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
        results.add(done.stdout)
    assert len(results) == 1
    assert "b2:" in results.pop()
