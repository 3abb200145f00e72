"""Teaching, as a plan: what may reach what. No step runs here; the chain itself runs in ``tests/e2e``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tiny_base

from gnomon.core.errors import ConfigError
from gnomon.runs import FileSet, Recipe, Step
from gnomon_recipes import astrosage_8b, astrosage_70b, quickstart

RECIPES = {"8b": astrosage_8b, "70b": astrosage_70b}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("sources")
    exam = [{"id": "q1", "question": "What dims stars?", "choices": ["dust", "rain"], "answer": 0}]
    chat = [{"id": "c1", "messages": [{"role": "user", "text": "Hello?"}, {"role": "assistant", "text": "Yes."}]}]
    found = {
        "files": tiny_base.domain(folder / "domain.jsonl"), "general": tiny_base.general(folder / "general.jsonl"),
        "exam": tiny_base.lines(folder / "exam.jsonl", exam), "chat": tiny_base.lines(folder / "chat.jsonl", chat),
    }  # fmt: skip
    return {name: FileSet.scan([path]).to_row() for name, path in found.items()}


@pytest.fixture(scope="module", params=["quickstart", "8b", "70b"])
def recipe(request: pytest.FixtureRequest, sources: dict[str, Any]) -> Recipe:
    return quickstart.recipe({}) if request.param == "quickstart" else RECIPES[request.param].recipe(sources)


def part(recipe: Recipe, role: str) -> Step:
    assert recipe.serve is not None
    return recipe.serve.parts[role]


def upstream(step: Step) -> Iterator[Step]:
    yield step
    for other in step.inputs.values():
        yield from upstream(other)


def test_the_exam_that_is_reported_has_no_part_in_the_model(recipe: Recipe) -> None:
    above = {step.address for step in upstream(part(recipe, "final"))}
    assert part(recipe, "exam").address not in above
    readers = [s for s in upstream(part(recipe, "final")) if part(recipe, "items").address in
               {i.address for i in s.inputs.values()}]  # fmt: skip
    assert {step.name for step in readers} == {"corpus/decontaminate"}


def test_everything_a_model_learns_from_was_held_against_the_exam(recipe: Recipe) -> None:
    for role in ("tokens", "control_tokens", "sft_tokens"):
        for name, source in part(recipe, role).inputs.items():
            if name not in ("tokenizer", "like"):
                assert "corpus/decontaminate" in {step.name for step in upstream(source)}, f"{role}: {name}"


def test_the_development_exam_is_made_of_questions_that_nobody_learns(recipe: Recipe) -> None:
    shown, asked = part(recipe, "shown_questions"), part(recipe, "development_items").inputs["pairs"]
    assert (shown.config.part, asked.config.part) == ("train", "development")
    assert shown.inputs["pairs"] is asked.inputs["pairs"]
    assert (shown.config.development, shown.config.salt) == (asked.config.development, asked.config.salt)
    assert shown.config.salt, "documents held out of training have the lowest hashes without a salt: nothing were left"


def test_questions_are_written_about_documents_of_training_only(recipe: Recipe) -> None:
    assert part(recipe, "written").inputs["documents"] is part(recipe, "domain")


def test_every_stage_sits_the_exam_closed_and_open_book_beside_chance_and_the_solver(recipe: Recipe) -> None:
    arms = [arm.name for arm in part(recipe, "exam").config.arms]
    stages = ("base", "specialised", "instruct", "tuned", "final")
    assert arms == ["chance", "solver", *(f"{s}{book}" for s in stages for book in ("", " · open book"))]


def test_the_weight_of_the_merge_is_chosen_by_the_development_exam(recipe: Recipe) -> None:
    final = part(recipe, "final")
    assert final.name == "training/choose"
    assert final.inputs["exam"] is part(recipe, "development_exam")
    assert {step.name for name, step in final.inputs.items() if name != "exam"} == {"training/merge"}


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("scale", ["node", "cluster"])
def test_published_settings_are_kept_where_the_real_base_is(name: str, scale: str, sources: dict[str, Any]) -> None:
    size = {"8b": "8B", "70b": "70B"}[name]
    given = {**sources, "scale": scale, "writer": "w", "judges": "j,k",
             "base": f"meta-llama/Llama-3.1-{size}@abc", "instruct": f"meta-llama/Llama-3.1-{size}-Instruct@def"}  # fmt: skip
    made = RECIPES[name].recipe(given)
    (merge,) = [step for step in made.steps() if step.name == "training/merge"]
    assert merge.config.weights == (("tuned", 0.75), ("instruct", 0.25))
    assert merge.config.method == {"8b": "linear", "70b": "dare_ties"}[name]
    assert part(made, "tokens").config.context == 8_192
    kinds = part(made, "written").config.kinds
    assert ("reasoning" in kinds) == (name == "70b")
    judge = part(made, "judged").config
    assert [ref.name for ref in judge.judges] == ["j", "k"]
    assert {ref.revision for ref in judge.under_test} == {"abc", "def"}, "none of these may judge"


@pytest.mark.parametrize("name", RECIPES)
def test_a_hub_model_without_a_commit_is_refused(name: str, sources: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="COMMIT"):
        RECIPES[name].recipe({**sources, "scale": "node"})


def test_general_texts_of_the_starter_stand_in_at_laptop_only(sources: dict[str, Any]) -> None:
    few = {key: value for key, value in sources.items() if key not in ("general", "chat")}
    assert astrosage_8b.recipe(few).goals
    models = {"base": "a/b@1", "instruct": "a/c@1"}
    with pytest.raises(ConfigError, match="chat"):
        astrosage_8b.recipe({**few, **models, "scale": "node"})


def test_labels_reach_the_selection(sources: dict[str, Any], tmp_path: Path) -> None:
    labels = tiny_base.lines(tmp_path / "labels.jsonl", [{"id": "qa:1", "label": "sound"}])
    made = astrosage_8b.recipe({**sources, "labels": FileSet.scan([labels]).to_row()})
    assert "labels" in part(made, "selected").sources


def test_the_quickstart_with_another_base_and_no_partner_merges_nothing(
    sources: dict[str, Any], tmp_path: Path
) -> None:
    base = {"name": "tiny", "files": FileSet.scan([tiny_base.base(tmp_path / "tiny")]).to_row()}
    made = quickstart.recipe({"base": base})
    assert part(made, "final") is part(made, "tuned")
    assert not [step for step in made.steps() if step.name == "training/merge"]


def test_preferences_are_trained_between_tuning_and_merge_where_asked(sources: dict[str, Any]) -> None:
    made = astrosage_70b.recipe({**sources, "prefer": "yes"})
    preferred = part(made, "preferred")
    assert preferred.inputs["model"] is part(made, "tuned")
    merges = [step for step in made.steps() if step.name == "training/merge"]
    assert {step.inputs["model:tuned"].address for step in merges} == {preferred.address}
    assert "preferred" in [arm.name for arm in part(made, "exam").config.arms]


def test_a_general_exam_is_kept_out_of_what_is_learnt_and_sat_by_models_alone(sources: dict[str, Any]) -> None:
    made = astrosage_8b.recipe({**sources, "general_exam": sources["exam"]})
    domain, general = part(made, "exam").config.exams
    assert (domain.general, general.general) == (False, True)
    assert len(part(made, "items").sources["files"].files) == 2
    assert part(made, "decontaminate").inputs["items"] is part(made, "items")


def test_sets_of_the_hub_are_named_with_their_commit(sources: dict[str, Any]) -> None:
    few = {key: value for key, value in sources.items() if key != "chat"}
    made = astrosage_70b.recipe({**few, "chat_sets": "teknium/OpenHermes-2.5@abc,nvidia/other@def"})
    read = {s.config.name: s.config.revision for s in made.steps() if s.name == "synthesis/general"}
    assert read == {"teknium/OpenHermes-2.5": "abc", "nvidia/other": "def"}
    shares = {s.name: s.share for s in part(made, "sft_tokens").config.sources}
    assert shares["teknium--OpenHermes-2.5"] == shares["nvidia--other"] == pytest.approx(0.15)
    with pytest.raises(ConfigError, match="OpenHermes"):
        astrosage_70b.recipe({**few, "chat_sets": "teknium/OpenHermes-2.5"})


def test_peers_sit_the_exam_in_writing_may_not_judge_and_are_in_the_chart(sources: dict[str, Any]) -> None:
    made = astrosage_8b.recipe({**sources, "peers": "big/model", "judges": "j", "usd_per_hour": 2.5})
    arms = {arm.name: arm.mode for arm in part(made, "exam").config.arms if arm.model == "big/model"}
    assert arms == {"big/model": "generate", "big/model · open book": "generate"}
    assert "big/model" in {ref.name for ref in part(made, "judged").config.under_test}
    assert part(made, "cost").inputs["exam"] is part(made, "exam")
    assert part(made, "cost") in made.goals
