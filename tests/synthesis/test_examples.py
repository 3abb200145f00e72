"""What a model is taught: pairs as conversations, general sets beside them, all with their origin."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from choosing import accepted, leave, listing, output, pair, reasons, rows

from gnomon.core.errors import ConfigError, DataError, NotFound, OfflineError
from gnomon.core.files import content_digest, folder_files
from gnomon.core.messages import Message
from gnomon.core.records import Document, Drop, Source
from gnomon.core.settings import Settings
from gnomon.core.synthetic import Example
from gnomon.core.tables import write_table
from gnomon.llm.templated import own_template
from gnomon.synthesis import examples, general
from gnomon.synthesis import steps as synthesis
from gnomon.synthesis.conversing import SWITCH, conversation
from gnomon.synthesis.examples import ExamplesConfig, example_of
from gnomon.synthesis.general import GeneralConfig
from gnomon.synthesis.turns import NoConversation, conversation_of
from gnomon.training.packing.dialogues import lessons

STARTER = Path(general.__file__).parents[2] / "gnomon_recipes" / "starter" / "chat.jsonl"
THOUGHT = pair(7, "reasoning", thinking="7 is seven.")


# Pairs ----------------------------------------------------------------------------------------


def test_a_question_is_the_users_and_its_answer_the_assistants() -> None:
    made = example_of(accepted(pair(1), 0.9), licence="CC0-1.0")
    assert [(m.role, m.text) for m in made.messages] == [("user", pair(1).question), ("assistant", "1 pc")]
    assert (made.qa_ids, made.doc_ids) == ((pair(1).id,), ("local:d1",))
    assert (made.source, made.licence, made.kind) == ("synthetic", "CC0-1.0", "open")


def test_options_are_lettered_and_the_answer_gives_letter_and_text() -> None:
    asked, answered = (m.text for m in conversation(pair(3, "choice"), seed=1))
    letter, option = answered.split(". ")
    assert option == "3 pc"
    assert f"\n{letter}. 3 pc" in asked
    assert sorted(line[0] for line in asked.splitlines()[2:]) == list("ABCD")


def test_no_letter_is_right_more_often_than_chance_lets_it_be() -> None:
    letters = Counter(conversation(pair(i, "choice"), seed=0)[1].text[0] for i in range(2_000))
    assert set(letters) == set("ABCD")
    assert max(letters.values()) < 2_000 / 4 + 4 * (2_000 * 0.25 * 0.75) ** 0.5
    assert conversation(pair(5, "choice"), 0) != conversation(pair(5, "choice"), 1) or conversation(
        pair(6, "choice"), 0
    ) != conversation(pair(6, "choice"), 1)


def test_reasoning_is_taught_with_the_switch_on_and_without_it_off() -> None:
    on, off = (example_of(THOUGHT, state=state) for state in ("on", "off"))
    assert (on.messages[0].text, on.messages[-1].thinking) == ("thinking: on", "7 is seven.")
    assert (off.messages[0].text, off.messages[-1].thinking) == ("thinking: off", "")
    assert on.messages[-1].text == off.messages[-1].text
    assert len({on.id, off.id, example_of(THOUGHT).id}) == 3


def test_the_switch_says_what_the_chat_template_says_for_it() -> None:
    import jinja2

    template = jinja2.Environment(extensions=["jinja2.ext.loopcontrols"]).from_string(
        own_template("chatml").replace("{%- generation -%}", "").replace("{%- endgeneration -%}", "")
    )
    question = [{"role": "user", "content": "why?"}]
    for state, wanted in (("on", True), ("off", False)):
        said = template.render(messages=[{"role": "system", "content": SWITCH[state]}, *question])
        assert said == template.render(messages=question, enable_thinking=wanted)


def test_a_dialogue_keeps_its_turns_and_a_pair_all_documents_it_rests_on(tmp_path: Path) -> None:
    turns = (Message(role="user", text="Why?"), Message(role="assistant", text="Light is slow."))
    made = example_of(pair(1, "dialogue", turns=turns))
    assert made.messages[2:] == turns
    assert lessons(made.messages) == [(made.messages, False)]


def test_the_step_counts_what_it_makes_and_takes_licences_from_documents(tmp_path: Path) -> None:
    choices = [pair(i, "choice") for i in range(20, 40)]
    folder = leave(tmp_path / "in", [pair(1), THOUGHT, pair(2, "summary"), *choices])
    source = Source(kind="markdown", key="k", sha256="0", licence="CC-BY-4.0")
    document = Document(id="local:d1", title="", text="x", lang="en", source=source)
    write_table(tmp_path / "docs" / "documents" / "0.parquet", Document, [document])
    out = output(tmp_path / "out")
    kinds = ("open", "reasoning", "choice")
    counts = examples.run(
        ExamplesConfig(kinds=kinds, direct=0.5), {"pairs": folder, "documents": tmp_path / "docs"}, out
    )
    assert counts.add_up
    assert (counts.kept, counts.made, counts.dropped) == (22, {"examples": 23}, {"other_kind": 1})
    made = rows(out.path / "examples", Example)
    assert {one.licence for one in made if one.doc_ids == ("local:d1",)} == {"CC-BY-4.0"}
    assert out.metrics["switch"]["on"] == 1
    assert 4 <= out.metrics["switch"]["off"] <= 18
    assert sum(out.metrics["right_letters"].values()) == 20
    assert set(reasons(out.path).values()) == {"other_kind"}
    again = output(tmp_path / "again")
    examples.run(ExamplesConfig(kinds=kinds, direct=0.5), {"pairs": folder, "documents": tmp_path / "docs"}, again)
    assert [content_digest(f) for f in folder_files(out.path)] == [content_digest(f) for f in folder_files(again.path)]


def test_many_pairs_fill_several_files_and_none_fill_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "PAIRS_PER_FILE", 3)
    for number, files in ((0, 1), (3, 1), (7, 3)):
        folder, out = leave(tmp_path / f"{number}", [pair(i) for i in range(number)]), output(tmp_path / f"o{number}")
        examples.run(ExamplesConfig(), {"pairs": folder}, out)
        assert len(list((out.path / "examples").iterdir())) == files
        found = [one.qa_ids[0] for one in rows(out.path / "examples", Example)]
        assert found == [pair(i).id for i in range(number)]


@pytest.mark.parametrize("wrong", [{"kinds": ("riddle",)}, {"reasoning": ()}, {"reasoning": ("maybe",)}, {"direct": 2}])
def test_what_cannot_be_told_is_refused(tmp_path: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="synthesis/examples"):
        examples.run(ExamplesConfig(**wrong), {"pairs": tmp_path}, output(tmp_path / "out"))  # type: ignore[arg-type]


# Records of other people's sets ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        ({"instruction": "Add.", "input": "1+1", "output": "2"}, [("user", "Add.\n\n1+1"), ("assistant", "2")]),
        ({"question": "q", "answer": "a", "system_prompt": "s"}, [("system", "s"), ("user", "q"), ("assistant", "a")]),
        (
            {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]},
            [("user", "q"), ("assistant", "a")],
        ),
        (
            {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a\r\n\0"},
                          {"role": "user", "content": "and?"}]},
            [("user", "q"), ("assistant", "a")],
        ),
    ],
)  # fmt: skip
def test_conversations_are_read_whatever_their_fields_are_called(
    row: dict[str, object], wanted: list[tuple[str, str]]
) -> None:
    assert [(m.role, m.text) for m in conversation_of(row)] == wanted


def test_thinking_is_set_apart() -> None:
    row = {"prompt": "q", "response": "<think>\nhm\n</think>\n\nso"}
    assert conversation_of(row)[1] == Message(role="assistant", text="so", thinking="hm")
    turns = [{"role": "user", "text": "q"}, {"role": "assistant", "text": "so", "thinking": "hm"}]
    assert conversation_of({"messages": turns})[1].thinking == "hm"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"text": "no question"}, "no_answer"),
        ({"messages": []}, "no_answer"),
        ({"messages": ["q"]}, "broken_turn"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "unknown_role"),
        ({"messages": [{"role": "assistant", "content": "a"}]}, "out_of_turn"),
        ({"messages": [{"role": "user", "content": "q"}, {"role": "user", "content": "q"},
                       {"role": "assistant", "content": "a"}]}, "out_of_turn"),
        ({"prompt": "q", "response": "<think>never ends"}, "broken_turn"),
    ],
)  # fmt: skip
def test_what_cannot_be_learnt_from_has_a_reason(row: dict[str, object], reason: str) -> None:
    with pytest.raises(NoConversation) as caught:
        conversation_of(row)
    assert caught.value.reason == reason


def test_our_own_chat_set_is_read_whole(tmp_path: Path) -> None:
    out = output(tmp_path / "out")
    counts = general.run(GeneralConfig(name="gnomon-chat"), {"files": listing(tmp_path, STARTER)}, out)
    lines = [json.loads(line) for line in STARTER.read_text(encoding="utf-8").splitlines()]
    assert (counts.kept, counts.dropped) == (len(lines), {})
    made = rows(out.path / "examples", Example)
    for line, example in zip(lines, made, strict=True):
        assert [m.text for m in example.messages] == [m["text"].strip() for m in line["messages"]]
        assert [m.thinking for m in example.messages] == [m.get("thinking", "") for m in line["messages"]]
    assert out.metrics["licences"] == {"CC0-1.0": 685}
    assert {one.source for one in made} == {"gnomon-chat"}
    assert set(out.metrics["langs"]) == {"en", "ja"}


def write_set(folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    records = [
        {"id": "a", "question": "Why is the sky dark at night?", "answer": "The universe is young."},
        {"id": "b", "question": "空はなぜ青いか。", "answer": "光が散乱するから。", "licence": "CC-BY-4.0"},
        {"id": "c", "question": "Pourquoi?", "answer": "Parce que.", "langdetect": "fr"},
        {"id": "d", "question": "天空为什么是蓝色的", "answer": "因为光的散射"},
        {"id": "e", "question": "x" * 5_000, "answer": "long"},
        {"id": "a", "question": "Again?", "answer": "Yes."},
        {"id": "f", "question": "Почему?", "answer": "Потому."},
    ]
    first, second, third = folder / "a.jsonl.gz", folder / "b.parquet", folder / "c.jsonl.zst"
    first.write_bytes(gzip.compress("\n".join([*map(json.dumps, records), "{broken", "[1]"]).encode()))
    turns = [[{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]]
    pq.write_table(pa.table({"messages": turns}), second)
    packed = b"".join(json.dumps({"prompt": f"q{i}", "response": "a"}).encode() + b"\n" for i in range(3))
    third.write_bytes(zstandard.compress(packed))
    (folder / "notes.txt").write_text("hello", encoding="utf-8")
    return [first, second, third, folder / "notes.txt"]


def test_a_set_is_filtered_and_every_record_accounted_for(tmp_path: Path) -> None:
    inputs = {"files": listing(tmp_path, *write_set(tmp_path / "set"))}
    out = output(tmp_path / "out")
    counts = general.run(GeneralConfig(name="set", licence="MIT", most=4_000), inputs, out)
    assert counts.add_up
    assert counts.dropped == {
        "language": 3, "too_long": 1, "repeated_id": 1, "broken_line": 1, "not_a_record": 1, "not_jsonl": 1,
    }  # fmt: skip
    made = rows(out.path / "examples", Example)
    assert [one.id for one in made] == [
        "set:a", "set:b", "set:b.parquet#1", "set:c.jsonl.zst#1", "set:c.jsonl.zst#2", "set:c.jsonl.zst#3",
    ]  # fmt: skip
    assert Counter(one.licence for one in made) == {"MIT": 5, "CC-BY-4.0": 1}
    assert len(rows(out.path / "drops.parquet", Drop)) == sum(counts.dropped.values())
    only = general.run(GeneralConfig(name="set", licences=("CC-BY-4.0",)), inputs, output(tmp_path / "only"))
    assert only.kept == 1
    with pytest.raises(DataError, match="gives no conversation"):
        general.run(GeneralConfig(name="set", licences=("GPL",)), inputs, output(tmp_path / "none"))


def test_a_share_is_drawn_once_for_all(tmp_path: Path) -> None:
    path = tmp_path / "many.jsonl"
    lines = [json.dumps({"id": i, "prompt": f"q{i}", "response": "a"}) for i in range(400)]
    path.write_text("\n".join(lines), encoding="utf-8")
    drawn = []
    for number, share in enumerate((0.25, 0.5)):
        out = output(tmp_path / f"{number}")
        general.run(GeneralConfig(name="s", share=share), {"files": listing(tmp_path, path)}, out)
        drawn.append({one.id for one in rows(out.path / "examples", Example)})
    assert drawn[0] < drawn[1]
    assert 60 < len(drawn[0]) < 140


def test_a_killed_run_goes_on_with_the_next_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = {"files": listing(tmp_path, *write_set(tmp_path / "set"))}
    whole, cut = output(tmp_path / "whole"), output(tmp_path / "cut")
    general.run(GeneralConfig(name="set"), inputs, whole)
    real = general._shard

    def killed(config, entry, *rest):
        if entry.name.endswith(".parquet"):
            raise KeyboardInterrupt
        return real(config, entry, *rest)

    monkeypatch.setattr(general, "_shard", killed)
    with pytest.raises(KeyboardInterrupt):
        general.run(GeneralConfig(name="set"), inputs, cut)
    monkeypatch.setattr(general, "_shard", real)
    general.run(GeneralConfig(name="set"), inputs, cut)
    names = ["drops.parquet", *(f"examples/0000{i}.parquet" for i in range(3))]
    for name in names:
        assert content_digest(cut.path / name) == content_digest(whole.path / name)


def test_broken_packing_is_counted(tmp_path: Path) -> None:
    for name, data in (("a.jsonl.gz", b"\x1f\x8b\x08broken"), ("b.jsonl.zst", b"broken"), ("c.parquet", b"PAR1")):
        (tmp_path / name).write_bytes(data)
    (tmp_path / "d.jsonl").write_text('{"prompt": "q", "response": "a"}', encoding="utf-8")
    files = listing(
        tmp_path / "l", *(tmp_path / name for name in ("a.jsonl.gz", "b.jsonl.zst", "c.parquet", "d.jsonl"))
    )
    counts = general.run(GeneralConfig(name="set"), {"files": files}, output(tmp_path / "out"))
    assert (counts.kept, counts.dropped) == (1, {"unreadable": 3})


# The hub --------------------------------------------------------------------------------------

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def in_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A set as the hub's library leaves it in its cache."""
    folder = cache / "datasets--org--talks" / "snapshots" / COMMIT / "data"
    folder.mkdir(parents=True)
    (folder / "train.jsonl").write_text('{"prompt": "q", "response": "a"}', encoding="utf-8")
    (folder.parent / "README.md").write_text("---\nlicense: apache-2.0\n---\n# Talks", encoding="utf-8")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))


def test_a_hub_set_is_named_by_commit_and_carries_the_licence_of_its_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_cache(tmp_path / "hub", monkeypatch)
    out = output(tmp_path / "out")
    out.settings = Settings(offline=True)
    counts = general.run(GeneralConfig(name="org/talks", revision=COMMIT), {}, out)
    assert (counts.kept, counts.dropped) == (1, {})
    (made,) = rows(out.path / "examples", Example)
    assert (made.id, made.source, made.licence) == ("org/talks:data/train.jsonl#1", "org/talks", "apache-2.0")


def test_a_hub_set_that_is_not_here_is_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_cache(tmp_path / "hub", monkeypatch)
    out = output(tmp_path / "out")
    config = GeneralConfig(name="org/other", revision=COMMIT)
    with pytest.raises(NotFound, match="org/other"):
        general.run(config, {}, out)
    out.settings = Settings(offline=True)
    with pytest.raises(OfflineError, match="org/other"):
        general.run(config, {}, out)


def test_a_set_comes_from_one_place(tmp_path: Path) -> None:
    files = {"files": listing(tmp_path, STARTER)}
    for config, inputs in (
        (GeneralConfig(name="x"), {}),
        (GeneralConfig(name="x", revision=COMMIT), files),
        (GeneralConfig(name="x", share=0.0), files),
        (GeneralConfig(name="x", least=9, most=8), files),
    ):
        with pytest.raises(ConfigError, match="synthesis/general"):
            general.run(config, inputs, output(tmp_path / "out"))
    assert synthesis.general(name="a", revision="1").identity != synthesis.general(name="a", revision="2").identity
