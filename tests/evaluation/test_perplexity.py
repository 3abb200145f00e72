import json
import math
from pathlib import Path
from typing import Any

import pytest
from evaluation_kit import VOCABULARY, ByteModel, byte_artifact, document, documents, output

from gnomon.core.errors import ConfigError, DataError
from gnomon.core.records import Document, Drop
from gnomon.core.tables import read_table
from gnomon.evaluation import perplexity
from gnomon.evaluation.heldout import TestSet
from gnomon.evaluation.perplexity import PerplexityConfig, run, token_stream
from gnomon.evaluation.perplexity_facts import DocumentPerplexity, length_group
from gnomon.evaluation.roles import Role, role_of
from gnomon.evaluation.steps import perplexity as perplexity_step
from gnomon.runs.counts import Counts

LOADER = "evaluation_kit:load_bytes"
MODELS: dict[str, dict[str, Any]] = {"base": {}, "specialised": {"liked": "stellar dust"}}


def papers(n: int = 30, word: str = "stars", **biblio: Any) -> list[Document]:
    return [
        document(f"local:{word}{i}", f"{word} " * (3 + i % 7), title=f"On {word} {i}", year=2000 + i % 3,
                 categories=("astro-ph.GA" if i % 2 else "astro-ph.CO",), **biblio)
        for i in range(n)
    ]  # fmt: skip


def measured(
    folder: Path,
    models: dict[str, dict[str, Any]] = MODELS,
    tests: dict[TestSet, list[Document]] | None = None,
    **settings: Any,
) -> tuple[Counts, dict[str, Any], list[DocumentPerplexity]]:
    tests = tests or {TestSet(name="astronomy"): papers()}
    inputs = {f"model:{name}": byte_artifact(folder / "models" / name, **how) for name, how in models.items()}
    for test, items in tests.items():
        inputs[f"documents:{test.name}"] = documents(folder / "held" / test.name, items, test.part)
    config = PerplexityConfig(
        **{"models": tuple(map(role_of, models)), "tests": tuple(tests), "loader": LOADER, "draws": 100, **settings}
    )
    out = output(folder)
    counts = run(config, inputs, out)
    assert counts.add_up
    facts = json.loads((out.path / "perplexity.json").read_text())
    return counts, facts, list(read_table(out.path / "documents_perplexity.parquet", DocumentPerplexity))


def test_the_perplexity_of_a_uniform_model_is_the_size_of_its_vocabulary(tmp_path: Path) -> None:
    _, facts, rows = measured(tmp_path)
    found = facts["tests"]["astronomy"]["models"]["base"]
    assert found["perplexity"]["value"] == pytest.approx(VOCABULARY, rel=1e-5)
    assert found["perplexity"]["low"] == pytest.approx(VOCABULARY, rel=1e-5)
    tokens, size = (sum(getattr(r, name) for r in rows if r.model == "base") for name in ("tokens", "bytes"))
    assert tokens == size + 30  # one end token a document
    assert found["bits_per_byte"]["value"] == pytest.approx(math.log2(VOCABULARY) * tokens / size, rel=1e-5)


def test_a_model_that_expects_the_domain_wins_and_the_interval_says_so(tmp_path: Path) -> None:
    general = TestSet(name="plain", kind="general")
    tests = {TestSet(name="astronomy"): papers(), general: papers(word="books")}
    models = {"base": {}, "specialised": {"liked": "stars"}, "control": {"liked": "books"}}
    _, facts, _ = measured(tmp_path, models, tests)

    def change(test: str, model: str, against: str) -> dict[str, Any]:
        rows = facts["tests"][test]["comparisons"]
        return next(r["perplexity_change_percent"] for r in rows if (r["model"], r["against"]) == (model, against))

    assert change("astronomy", "specialised", "base")["high"] < 0
    assert change("astronomy", "control", "specialised")["low"] > 0
    assert change("plain", "control", "specialised")["high"] < 0
    assert facts["models"]["control"]["kind"] == "control"
    assert facts["tests"]["plain"]["kind"] == "general"
    for test in facts["tests"].values():
        assert all(row["same_tokens"] for row in test["comparisons"])


def test_bits_per_byte_compare_tokenizers_that_perplexity_cannot(tmp_path: Path) -> None:
    models: dict[str, dict[str, Any]] = {"base": {"liked": "star"}, "wide": {"liked": "star", "width": 2}}
    _, facts, _ = measured(tmp_path, models, end=False)
    found = facts["tests"]["astronomy"]
    base, wide = found["models"]["base"], found["models"]["wide"]
    assert wide["perplexity"]["value"] > 2 * base["perplexity"]["value"]
    assert wide["bits_per_byte"]["value"] == pytest.approx(base["bits_per_byte"]["value"], rel=1e-4)
    (change,) = found["comparisons"]
    assert not change["same_tokens"]
    assert change["perplexity_change_percent"]["value"] == pytest.approx(0, abs=0.1)


def test_figures_do_not_depend_on_how_many_documents_are_scored_at_once(tmp_path: Path) -> None:
    _, facts, rows = measured(tmp_path / "one", shard=1)
    _, again, others = measured(tmp_path / "many", shard=13)
    assert facts == again
    assert rows == others


def test_long_documents_are_scored_in_portions_that_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = measured(tmp_path / "whole")
    monkeypatch.setattr(perplexity, "CHARACTERS_AT_ONCE", 90)
    assert measured(tmp_path / "parts") == whole


def test_every_model_reads_the_same_characters_and_a_cut_document_has_no_end(tmp_path: Path) -> None:
    _, _, rows = measured(tmp_path, max_characters=30)
    cut = [row for row in rows if row.end_log_likelihood is None]
    assert {row.characters for row in cut} == {30}
    assert all(row.characters <= 30 and row.tokens == row.bytes + (row not in cut) for row in rows)
    assert len(rows) > len(cut) > 0


def test_a_choice_of_documents_is_seeded_counted_and_kept_when_the_corpus_grows(tmp_path: Path) -> None:
    few = {TestSet(name="astronomy"): papers(30)}
    more = {TestSet(name="astronomy"): papers(33)}
    counts, facts, rows = measured(tmp_path / "a", tests=few, max_documents=10)
    _, _, grown = measured(tmp_path / "b", tests=more, max_documents=10)
    _, _, other = measured(tmp_path / "c", tests=few, max_documents=10, seed=1)
    assert (counts.taken, counts.kept, dict(counts.dropped)) == (30, 10, {"not_chosen": 20})
    assert facts["tests"]["astronomy"]["dropped"] == {"not_chosen": 20}
    assert len(list(read_table(tmp_path / "a" / "data" / "drops.parquet", Drop))) == 20
    ids, later, otherwise = ({r.doc_id for r in found} for found in (rows, grown, other))
    assert len(ids & later) >= 7
    assert ids != otherwise


def test_a_killed_run_keeps_what_it_scored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = measured(tmp_path / "whole", shard=7)
    seen: list[str] = []
    score = perplexity.score

    def dying(model: Any, items: Any, config: Any, names: Any) -> Any:
        if len(seen) == 6:
            raise KeyboardInterrupt
        seen.append(names[1])
        return score(model, items, config, names)

    monkeypatch.setattr(perplexity, "score", dying)
    with pytest.raises(KeyboardInterrupt):
        measured(tmp_path / "killed", shard=7)
    first = len(seen)
    seen.clear()
    monkeypatch.setattr(perplexity, "score", lambda *a: (seen.append(a[3][1]), score(*a))[1])
    assert measured(tmp_path / "killed", shard=7) == whole
    assert (first, seen) == (6, ["specialised"] * 4)


def test_every_document_stands_in_one_group_of_each_kind(tmp_path: Path) -> None:
    _, facts, _ = measured(tmp_path, smallest_group=12)
    by = facts["tests"]["astronomy"]["by"]
    assert [g["group"] for g in by["subject"]] == ["astro-ph.CO", "astro-ph.GA"]
    assert [(g["group"], g["n"], g.get("groups")) for g in by["year"]] == [("other", 30, 3)]
    for groups in by.values():
        assert sum(g["n"] for g in groups) == 30
        assert all(set(g["changes"]) == {"specialised"} for g in groups)
    assert length_group(1024) == length_group(2047) == "1024-2047"


def test_an_unscored_document_is_counted_and_left_out_for_every_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = ByteModel.token_log_probs

    def broken(self: ByteModel, ids: Any, stride: Any) -> Any:
        values = plain(self, ids, stride)
        if self.ref.revision != "uniform":
            values[0][-1] = float("nan")
        return values

    monkeypatch.setattr(ByteModel, "token_log_probs", broken)
    _, facts, rows = measured(tmp_path, shard=30)
    found = facts["tests"]["astronomy"]
    assert found["models"]["specialised"]["unscored"] == 1
    assert found["models"]["base"]["unscored"] == 0
    assert found["models"]["base"]["perplexity"]["n"] == found["models"]["specialised"]["perplexity"]["n"] == 29
    (row,) = [r for r in rows if r.log_likelihood is None]
    assert row.reason == "not_finite"


def test_empty_documents_are_dropped_with_a_reason_and_an_empty_set_is_refused(tmp_path: Path) -> None:
    tests = {TestSet(name="astronomy"): [*papers(4), document("local:void", " \n")]}
    counts, _, _ = measured(tmp_path / "some", tests=tests)
    assert dict(counts.dropped) == {"empty": 1}
    with pytest.raises(DataError, match="no document that can be used"):
        measured(tmp_path / "none", tests={TestSet(name="astronomy"): [document("local:void", "")]})


def test_a_part_that_does_not_exist_is_named_in_the_error(tmp_path: Path) -> None:
    documents(tmp_path / "held", papers())
    config = PerplexityConfig(models=(role_of("base"),), tests=(TestSet(name="x", part="development"),), loader=LOADER)
    with pytest.raises(DataError, match="development"):
        run(config, {"documents:x": tmp_path / "held", "model:base": tmp_path}, output(tmp_path))


@pytest.mark.parametrize(
    "settings",
    [
        {"models": ()},
        {"models": (role_of("base"), role_of("base"))},
        {"models": (role_of("specialised"),)},
        {"models": (Role(name="base", kind="teacher"),)},
        {"tests": ()},
        {"tests": (TestSet(name="a", kind="both"),)},
        {"shard": 0},
    ],
)
def test_a_comparison_that_cannot_be_made_is_refused_when_it_is_described(settings: dict[str, Any]) -> None:
    sound = {"models": (role_of("base"),), "tests": (TestSet(name="a"),)}
    with pytest.raises(ConfigError):
        PerplexityConfig(**{**sound, **settings})


def test_a_document_is_read_from_its_first_byte_to_its_end_with_or_without_a_bos_token() -> None:
    model = ByteModel()
    assert token_stream(model, "ab", end=True) == [256, 97, 98, 257]
    assert token_stream(model, "ab", end=False) == [256, 97, 98]
    model.encode = lambda text, bos=True: list(text.encode())  # type: ignore[method-assign]
    assert token_stream(model, "ab", end=True) == [257, 97, 98, 257]
    model.eos = None  # type: ignore[assignment]
    with pytest.raises(DataError, match="neither"):
        token_stream(model, "ab", end=True)


def test_the_step_names_its_inputs_after_models_and_test_sets() -> None:
    from gnomon.evaluation.steps import items
    from gnomon.runs.sources import FileSet

    source = items(FileSet(files=()))
    step = perplexity_step({"base": source, "nano": source}, {"astronomy": source}, draws=10)
    assert set(step.inputs) == {"model:base", "model:nano", "documents:astronomy"}
    assert [role.kind for role in step.config.models] == ["base", "specialised"]
    assert step.identity
