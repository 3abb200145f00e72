"""``bench/specialist.py`` on small texts: what is held out, what the control gets, and the whole of it once."""

import json
import sys
from pathlib import Path

import pytest
import tiny_base

from gnomon_recipes import nano_base

BENCH = str(Path(__file__).parents[2] / "bench")
SHARES = {"development": 0.25, "test": 0.25}


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(BENCH)
    import specialist

    monkeypatch.setattr(specialist, "HELD_OUT", SHARES)
    monkeypatch.setattr(nano_base, "HELD_OUT", {"abstracts": SHARES, "books": SHARES})
    yield specialist
    for name in ("specialist", "specialist_tables"):
        sys.modules.pop(name, None)


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    question = {"id": "q-1", "question": "Which lamp is lit at noon?", "choices": ["none", "each"], "answer": "A"}
    base = tiny_base.base(tmp_path / "base", context=1_024)
    books = tiny_base.lines(
        tmp_path / "books.jsonl",
        [{"id": f"book-{i}", "title": f"Book {i}", "text": tiny_base.prose(70 + i, tiny_base.DAILY, tiny_base.USES),
          "lang": "en"} for i in range(24)],
    )  # fmt: skip
    return [
        "--workspace", str(tmp_path / "ws"), "--base", str(base), "--retrieval", "",
        "--domain", str(tiny_base.domain(tmp_path / "domain.jsonl", 80)),
        "--abstracts", str(tiny_base.general(tmp_path / "abstracts.jsonl", 24)), "--books", str(books),
        "--exam", str(tiny_base.lines(tmp_path / "exam.jsonl", [question])),
        "--dates", "2014-12-31", "2017-12-31",
    ]  # fmt: skip


def planned(bench, arguments: list[str], *more: str):
    asked = bench.parsed([*arguments, *more])
    files = bench.files_of(asked)
    return asked, files, bench.parts(files, bench.base_of(asked), tuple(asked.dates))


def above(step) -> dict:
    """A step and all that it rests on, by address."""
    found = {step.address: step}
    for parent in step.inputs.values():
        found |= above(parent)
    return found


def test_choices_never_open_the_test_parts(bench, arguments) -> None:
    asked, _, found = planned(bench, arguments, "--control")
    made = bench.choice(found, [bench.Arm(replay=0.25, rate=1e-3)], asked)
    opened = {s.config.part for s in above(made["perplexity"]).values() if s.name == "corpus/part"}
    assert opened == {"train", "development"}


def test_general_text_is_held_out_as_it_was_from_the_base(bench, arguments) -> None:
    _, files, found = planned(bench, arguments)
    rows = {"abstracts": files.abstracts.to_row(), "books": files.books.to_row()}
    split = {name: step.address for name, step in nano_base.sources(rows).items()}
    for name in split:
        test = next(step for key, step in found.test.items() if key.name == name)
        assert test.inputs["split"].address == split[name]
        assert split[name] in above(found.general[name])


def test_the_control_gets_as_many_tokens_and_none_of_the_domain(bench, arguments) -> None:
    _, _, found = planned(bench, arguments)
    arm = bench.Arm(replay=0.1, rate=1e-3)
    own = bench.specialised(found, arm)
    control = bench.control(found, arm, own["tokens"])
    assert control["control_tokens"].inputs["like"].address == own["tokens"].address
    assert bench.DOMAIN not in control["control_tokens"].inputs
    assert control["control"].config.learning_rate == own["specialised"].config.learning_rate


def test_more_than_one_choice_cannot_be_final(bench, arguments) -> None:
    with pytest.raises(SystemExit):
        bench.parsed([*arguments, "--final", "--replay", "0", "0.1"])


@pytest.mark.timeout(300)
def test_the_final_run_measures_all_three_models_on_every_test_part(bench, arguments, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    few = ["--final", "--replay", "0.25", "--documents", "6", "--completions", "2", "--report", str(out)]
    report = bench.main([*arguments, *few])
    assert json.loads(out.read_text())["parts"] == "test"
    assert set(report["perplexity"]["tests"]) == {"by_hash", "by_time", "abstracts", "books"}
    assert set(report["perplexity"]["models"]) == {"base", "specialised", "control"}
    trained = {name: row["tokens"] for name, row in report["trained"].items()}
    assert trained["control"] == pytest.approx(trained["specialised"], rel=0.2)
    assert set(report["packed"]["control_tokens"]) == {"abstracts", "books"}
    assert all(set(row) == {"change_percent", "at_most", "holds"} for row in report["verdict"].values())
