import dataclasses
import itertools
import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
from evaluation_kit import output
from hypothesis import given
from hypothesis import strategies as st
from report_kit import NAMES, build
from test_report import EVIL, LIMITS, read, record

from gnomon.core.errors import ConfigError
from gnomon.core.files import read_json, write_json
from gnomon.core.records import ModelRef
from gnomon.core.tables import write_table
from gnomon.evaluation import steps
from gnomon.evaluation.report.facts import gather
from gnomon.evaluation.report.make import ReportConfig, run
from gnomon.evaluation.report.models.axes import (
    Axis,
    inverted,
    next_step,
    percents,
    plain,
    scientific,
    short,
    signed,
    tick_words,
)
from gnomon.evaluation.report.models.charts import Frame, Point, apart, cloud
from gnomon.evaluation.report.models.curves import POINT, thinned
from gnomon.evaluation.report.models.gain import change
from gnomon.evaluation.report.models.gathering import Shown, gather_models
from gnomon.evaluation.report.models.measured import quantile
from gnomon.evaluation.report.models.pedigree import parameters
from gnomon.evaluation.report.page import page
from gnomon.llm.weights import write_ref
from gnomon.runs.output import SilentMeter
from gnomon.runs.record import Record
from gnomon.training.curve import CurveRow

Build = tuple[dict[str, Path], dict[str, Record]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Build:
    return build(tmp_path_factory.mktemp("models"))


def model_facts(made: Build, **shown: int) -> dict[str, Any]:
    found = gather_models(*made, Shown(**shown))
    assert found is not None
    return found


def whole_page(made: Build, model: dict[str, Any] | None = None) -> str:
    facts = gather("Test", *made, LIMITS, SilentMeter())
    return page({**facts, "model": model or model_facts(made)})


# Facts ---------------------------------------------------------------------------------------


def test_a_build_without_models_has_no_facts_about_models_and_an_unchanged_page(tmp_path: Path) -> None:
    inputs, records = {"clean": tmp_path}, {"clean": record("corpus/clean", 3, 3)}
    assert gather_models(inputs, records) is None
    html = page(gather("Test", {}, records, LIMITS, SilentMeter()))
    assert "--c-spec" not in html
    assert "pedigree" not in html


def test_the_pedigree_puts_children_below_the_model_they_were_made_from(made: Build) -> None:
    rows = model_facts(made)["pedigree"]
    assert [(row["model"], row["depth"], row["parents"]) for row in rows] == [
        ("base", 0, []), ("specialised", 1, ["base"]), ("control", 1, ["base"]), ("embedder", 0, []),
    ]  # fmt: skip
    assert rows[0]["parameters"] == 5_192_544
    assert [row["stage"] for row in rows] == ["adopt", "cpt", "cpt", ""]


def test_a_parent_that_is_not_among_the_steps_is_named_from_the_pedigree(made: Build) -> None:
    inputs, records = {"mine": made[0]["specialised"]}, {"mine": made[1]["specialised"]}
    (row,) = model_facts((inputs, records))["pedigree"]
    assert (row["parents"], row["outside"]) == ([], ["toy/base"])


def test_models_keep_the_name_under_which_they_were_measured_whatever_their_step_is_called(made: Build) -> None:
    inputs, records = dict(made[0]), dict(made[1])
    for name in NAMES:
        inputs[f"model:{name}-of-mine"], records[f"model:{name}-of-mine"] = inputs.pop(name), records.pop(name)
    assert [row["model"] for row in model_facts((inputs, records))["pedigree"]] == [*NAMES, "embedder"]


def test_another_model_under_a_measured_name_is_not_mixed_up_with_it(made: Build, tmp_path: Path) -> None:
    write_ref(tmp_path, ModelRef(name="toy/stranger", revision="sha256:other", kind="base"))
    inputs = {**made[0], "control": tmp_path}
    names = [
        row["model"] for row in model_facts((inputs, {**made[1], "control": record("training/cpt", 1, 1)}))["pedigree"]
    ]
    assert "control (toy/stranger)" in names
    assert "control" in names


def test_an_artifact_given_under_two_names_is_told_once(made: Build) -> None:
    inputs, records = {**made[0], "again": made[0]["base"]}, {**made[1], "again": made[1]["base"]}
    assert len(model_facts((inputs, records))["pedigree"]) == 4


def test_sources_are_told_with_tokens_shares_licences_and_who_saw_them(made: Build) -> None:
    packs = model_facts(made)["tokens"]
    assert [(pack["name"], pack["used_by"]) for pack in packs] == [
        ("tokens", ["specialised"]),
        ("control_tokens", ["control"]),
    ]
    domain, general = packs[0]["sources"]
    assert (domain["name"], domain["tokens"], domain["share"], domain["repeats"]) == ("domain", 90_000, 0.9, 2.25)
    assert domain["licences"] == [("CC0-1.0", 20), ("", 4)]
    assert general["share"] == pytest.approx(0.1)


def test_the_tables_keep_the_order_of_the_models_and_name_n_and_interval(made: Build) -> None:
    facts = model_facts(made)
    domain = facts["perplexity"][0]["tests"][0]
    assert [row["model"] for row in domain["models"]] == list(NAMES)
    assert domain["documents"] == 24
    found = change(domain, "specialised", "base")
    assert found is not None
    assert found["low"] < found["value"] < found["high"] < 0
    assert [row["system"] for row in facts["completion"][0]["systems"]] == [*NAMES, "another_ending"]
    assert [row["system"] for row in facts["embedding"][0]["similarity"]["systems"]] == [
        "base",
        "specialised",
        "embedder",
    ]


def test_examples_and_pairs_are_as_many_as_asked_for(made: Build) -> None:
    facts = model_facts(made, pairs=1, examples=2)
    examples = facts["completion"][0]["examples"]
    assert len(examples) == 2
    assert [one["model"] for one in examples[0]["written"]] == list(NAMES)
    assert all(len(row["pairs"]) == 1 for row in facts["embedding"][0]["disagreements"])


def test_decontamination_of_every_body_of_text_is_counted(made: Build) -> None:
    looked = record(
        "corpus/decontaminate", 50, 47, dropped={"contaminated": 3}, metrics={"items": 9, "items_leaked": 2}
    )
    inputs, records = {**made[0], "general": made[0]["tokens"].parent}, {**made[1], "general": looked}
    facts = model_facts((inputs, records))
    assert facts["contamination"] == [
        {"step": "general", "items": 9, "leaked": 2, "taken": 50, "kept": 47, "withheld": 3}
    ]  # fmt: skip
    assert "Exam questions looked for" in whole_page(made, facts)


# Curves --------------------------------------------------------------------------------------


def curve(path: Path, losses: list[float]) -> Path:
    rows = [
        CurveRow(step=i, tokens=10 * i, loss=loss, learning_rate=0.1, gradient_norm=1.0)
        for i, loss in enumerate(losses, 1)
    ]
    write_table(path / "curve.parquet", CurveRow, rows)
    return path / "curve.parquet"


def test_thinning_a_curve_hides_no_spike(tmp_path: Path) -> None:
    found = thinned(curve(tmp_path, [2.0] * 500 + [9.0] + [2.0] * 499), 50)
    assert len(found["rows"]) == 50
    assert found["a_point"] == 20
    assert max(row[POINT.index("loss_high")] for row in found["rows"]) == 9.0
    assert max(row[POINT.index("loss")] for row in found["rows"]) < 3.0
    assert (found["steps"], found["tokens"], found["rows"][-1][0]) == (1000, 10_000, 1000)


def test_a_short_curve_is_shown_whole_and_an_empty_one_not_at_all(made: Build, tmp_path: Path) -> None:
    assert [row[POINT.index("loss")] for row in thinned(curve(tmp_path, [3.0, 2.0]), 50)["rows"]] == [3.0, 2.0]
    assert thinned(curve(tmp_path, []), 50)["rows"] == []


def test_curves_that_share_stage_and_parents_share_their_axes(made: Build) -> None:
    html = whole_page(made)
    assert html.count('class="curves"') == 1
    assert html.count('class="line s-spec"') == html.count('class="line s-ctrl"') == 3


# The page ------------------------------------------------------------------------------------


def test_the_page_is_whole_in_both_languages_and_asks_for_nothing(made: Build) -> None:
    html = whole_page(made)
    reader = read(html)
    assert not {"script", "img", "iframe", "object", "link"} & set(reader.tags)
    assert {value[0] for name, value in reader.attributes if name == "href"} == {"#"}
    assert html.count('class="en"') == html.count('class="ja"') > 150
    assert "url(" not in html
    assert "http" not in re.sub(r'http-equiv="[^"]*"', "", html)
    assert not re.search(r"(?<![a-z])(nan|inf|None)(?![a-z])", html)


def test_hostile_names_and_texts_are_only_shown(made: Build) -> None:
    facts = json.loads(json.dumps(model_facts(made)).replace("toy/", "&quot;").replace("We ", json.dumps(EVIL)[1:-1]))
    facts["roles"][1]["label"] = EVIL
    facts["tokens"][0]["sources"][0]["name"] = EVIL
    facts["perplexity"][0]["tests"][0]["label"] = EVIL
    html = whole_page(made, facts)
    assert not {"script", "img"} & set(read(html).tags)
    assert "\x1b" not in html


def test_the_control_stands_beside_the_gain_and_missing_controls_are_named(made: Build) -> None:
    html = whole_page(made)
    assert "against control" in html
    assert "There is no control here" not in html
    facts = model_facts(made)
    for row in facts["roles"] + facts["perplexity"][0]["models"]:
        row["kind"] = "specialised" if row["kind"] == "control" else row["kind"]
    facts["perplexity"][0]["tests"] = facts["perplexity"][0]["tests"][:1]
    alone = whole_page(made, facts)
    assert "There is no control here" in alone
    assert "what was forgotten is not known" in alone
    assert "Gain against forgetting" not in alone


def test_a_change_whose_interval_holds_zero_is_not_called_a_gain(made: Build) -> None:
    facts = model_facts(made)
    for row in facts["perplexity"][0]["tests"][0]["comparisons"]:
        row["perplexity_change_percent"] = {"value": -4.0, "low": -9.0, "high": 1.0, "n": 24}
    html = whole_page(made, facts)
    assert "no certain change" in html
    domain = html[html.index("Domain, held out at random") :]
    assert 'class="better"' not in domain[: domain.index("</table>")].split("<table")[0]


def test_other_tokenizers_are_compared_by_bytes_and_marked(made: Build) -> None:
    facts = model_facts(made)
    for row in facts["perplexity"][0]["tests"][0]["comparisons"]:
        row["same_tokens"] = False
    found = change(facts["perplexity"][0]["tests"][0], "specialised", "base")
    assert found is not None
    assert found["unit"] == "bits_per_byte_change_percent"
    assert "† change in bits per byte" in whole_page(made, facts)


def test_perplexity_is_never_left_to_stand_for_expertise(made: Build) -> None:
    assert "A lower perplexity is not expertise" in whole_page(made)


@pytest.mark.parametrize(
    "names", [("tokens",), ("base",), ("specialised",), ("perplexity",), ("embedding",), ("completion",)]
)
def test_any_part_may_be_missing(made: Build, names: tuple[str, ...]) -> None:
    part = {n: made[0][n] for n in names}, {n: made[1][n] for n in names}
    assert read(whole_page(part)).tags[0] == "html"


def test_two_measures_of_a_kind_are_told_apart_by_the_names_of_their_steps(made: Build) -> None:
    later = dataclasses.replace(made[1]["perplexity"], identity="f" * 32)
    both = {**made[0], "second": made[0]["perplexity"]}, {**made[1], "second": later}
    facts = model_facts(both)
    assert [row["step"] for row in facts["perplexity"]] == ["perplexity", "second"]
    assert "<h3><code>second</code></h3>" in whole_page(both, facts)


def test_files_of_before_the_order_was_kept_are_read(made: Build, tmp_path: Path) -> None:
    facts = read_json(made[0]["perplexity"] / "perplexity.json")
    del facts["order"]
    write_json(tmp_path / "perplexity.json", facts)
    found = gather_models({"perplexity": tmp_path}, {})
    assert found is not None
    assert {row["name"] for row in found["perplexity"][0]["models"]} == set(NAMES)


def test_the_step_writes_the_facts_and_the_page(made: Build, tmp_path: Path) -> None:
    out = output(tmp_path)
    out.records = made[1]
    run(ReportConfig(title="Test"), made[0], out)
    facts = json.loads((out.path / "report.json").read_text("utf-8"))
    assert facts["model"]["pedigree"][1]["ref"]["name"] == "toy/specialised"
    assert "Gain against forgetting" in (out.path / "report.html").read_text("utf-8")
    assert page(facts) == (out.path / "report.html").read_text("utf-8")


def test_times_do_not_reach_the_facts(made: Build) -> None:
    later = {
        name: dataclasses.replace(r, seconds=9.0, started="2031-01-01", code={"commit": "x"})
        for name, r in made[1].items()
    }
    assert json.dumps(model_facts(made)) == json.dumps(model_facts((made[0], later)))


def test_the_door_takes_all_that_a_recipe_made() -> None:
    with pytest.raises(ConfigError, match="points is 1"):
        steps.report({}, points=1)


# Axes and numbers ----------------------------------------------------------------------------


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.integers(2, 8))
def test_ticks_are_round_and_lie_on_the_axis(low: float, span: float, wanted: int) -> None:
    axis = Axis(low=low, high=low + span)
    ticks = axis.ticks(wanted)
    assert len(ticks) <= 2 * wanted + 2
    assert all(axis.low - 1e-6 * span <= tick <= axis.high + 1e-6 * span for tick in ticks)
    assert all(0 <= axis.place(tick) <= 1 for tick in ticks)
    assert len(tick_words(ticks)) == len(ticks)


@given(st.floats(1e-9, 1e9))
def test_a_step_is_the_next_round_number(least: float) -> None:
    step = next_step(least)
    assert least * (1 - 1e-6) <= step <= 2.6 * least
    head = step / 10 ** math.floor(math.log10(step) + 1e-9)
    assert min(abs(head - round_one) for round_one in (1, 2, 2.5, 5, 10)) < 1e-6


@given(st.lists(st.floats(0, 1), max_size=8).map(sorted))
def test_labels_beside_a_plot_do_not_touch_and_keep_their_order(places: list[float]) -> None:
    found = apart(places, 0.085)
    assert all(b - a >= 0.085 - 1e-9 for a, b in itertools.pairwise(found))
    assert not found or max(found) <= 1.0 + 1e-9


def test_a_change_turned_round_is_the_change_the_other_way() -> None:
    turned = inverted({"value": -20.0, "low": -50.0, "high": 25.0, "n": 3})
    assert (turned["value"], turned["low"], turned["high"]) == (
        pytest.approx(25.0),
        pytest.approx(-20.0),
        pytest.approx(100.0),
    )


@given(st.lists(st.integers(0, 50), min_size=1, max_size=30).filter(any), st.floats(0.01, 0.99))
def test_a_quantile_has_its_share_of_the_histogram_below(histogram: list[int], part: float) -> None:
    value = quantile(histogram, 0.0, float(len(histogram)), part)
    at = min(int(value), len(histogram) - 1)
    below = sum(histogram[:at]) + histogram[at] * (value - at)
    assert below == pytest.approx(part * sum(histogram), abs=1e-6 * sum(histogram) + 1e-6)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (plain(1234.5), "1\u202f234"), (plain(0.01234), "0.0123"), (plain(-3.14159), "\u22123.14"), (plain(0), "0"),
        (signed(-32.54), "\u221232.5\u202f%"), (signed(0.001), "0.00\u202f%"), (short(2_250_000), "2.25\u00a0M"),
        (short(1000), "1\u00a0k"), (short(512), "512"), (scientific(1e-3), "10⁻³"),
        (scientific(2.5e-5), "2.5\u00a0×\u00a010⁻⁵"), (percents([-10.0, 0.0, 10.0])[2], "+10\u202f%"),
    ],
)  # fmt: skip
def test_numbers_are_written_as_a_person_reads_them(words: str, wanted: str) -> None:
    assert words == wanted


def test_a_tied_output_layer_is_no_parameter_of_its_own(tmp_path: Path) -> None:
    import numpy as np
    from safetensors.numpy import save_file

    weights = {"model.embed_tokens.weight": np.ones((7, 3)), "lm_head.weight": np.ones((7, 3)), "norm": np.ones(3)}
    save_file(weights, tmp_path / "model.safetensors")
    assert parameters(tmp_path) == 45
    write_json(tmp_path / "config.json", {"tie_word_embeddings": True})
    assert parameters(tmp_path) == 24
    assert parameters(tmp_path / "nowhere") is None


def test_the_trial_of_a_tuned_embedder_is_told_with_its_outcome(made: Build, tmp_path: Path) -> None:
    write_ref(tmp_path, ModelRef(name="tuned", revision="sha256:t", kind="embedder", parents=("general/embedder",)))
    curve(tmp_path, [2.0, 1.0])
    trial = {"questions": 40, "passages": 90, "base": 0.4, "tuned": 0.5, "low": 0.02, "high": 0.18}
    tuned = record("training/tune_embedder", 4, 4, metrics={"trial": trial, "adopted": True})
    html = whole_page(({"tuned": tmp_path}, {"tuned": tuned}))
    assert "0.400 → 0.500 [0.0200, 0.180], n = 40" in html
    assert "nats a pair" in html
    assert "general/embedder" in html


def test_a_control_that_learned_its_text_by_heart_is_named(made: Build) -> None:
    facts = model_facts(made)
    assert "learned them by heart" not in whole_page(made, facts)
    facts["tokens"][1]["sources"][0]["repeats"] = 22.5
    assert "texts 22.5 times" in whole_page(made, facts)


def test_names_of_marks_close_together_stand_on_either_side() -> None:
    def at(label: str, x: float, y: float) -> Point:
        return Point(style="s", label=label, x={"value": x, "low": None}, y={"value": y, "low": None})

    wide = Axis(low=-10, high=10)
    frame = Frame(x=wide, y=wide, x_title="", y_title="", label="", tall="square")
    drawn = str(cloud(frame, [at("upper", -5, 1), at("lower", -4, 0.5), at("far", 8, 0.5)]))
    names = dict(re.findall(r'class="name-of ([^"]*)"[^>]*>(\w+)<', drawn.replace("\n", "")))
    assert {words: "below" in classes for classes, words in names.items()} == {
        "upper": False, "lower": True, "far": False,
    }  # fmt: skip
