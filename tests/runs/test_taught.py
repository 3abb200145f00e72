"""Pairs, examples and exam questions are walked back to the words they rest on, and on to what became of them."""

from pathlib import Path

import pytest
import taught_kit as kit

from gnomon.runs.documents import document_lineage
from gnomon.runs.lineage import Chain, Link, whole_chain
from gnomon.runs.taught import state_words
from gnomon.runs.walk import walk


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    return whole_chain(kit.workspace(tmp_path_factory.mktemp("taught")))


def looked_up(chain: Chain, name: str) -> Link:
    return walk(chain.workspace, [chain], name)


def steps(link: Link) -> dict[str, str]:
    found = {b.id.rpartition("/")[0]: b.facts["outcome"] for b in link.below if b.kind == "step"}
    return dict(reversed(found.items()))


def below(link: Link, kind: str) -> list[Link]:
    return [b for b in link.below if b.kind == kind]


def test_a_pair_leads_to_its_quote_its_document_and_the_steps_that_wrote_and_judged_it(chain: Chain) -> None:
    link = looked_up(chain, kit.TAUGHT.id)
    assert (link.kind, link.facts["state"], link.facts["writer"]) == ("pair", "taught", "toy-writer")
    (evidence,) = below(link, "evidence")
    assert (evidence.facts["quote"], evidence.facts["verbatim"]) == (kit.QUOTE, True)
    (document,) = evidence.below
    assert (document.id, document.below[-1].kind) == (kit.NOVA.id, "source")
    assert steps(link) == {
        "synthesis/write": "written", "synthesis/judge": "judged", "synthesis/select": "kept",
        "synthesis/examples": "taught", "synthesis/preferences": "preferred", "training/pack": "packed",
    }  # fmt: skip


def test_a_pair_carries_every_verdict_with_judge_score_reason_and_call(chain: Chain) -> None:
    verdict, *_ = looked_up(chain, kit.TAUGHT.id).facts["verdicts"]
    assert verdict == {"judge": "toy-judge", "criterion": "correctness", "score": 5.0,
                       "reason": "The passage says so.", "call": "call:8"}  # fmt: skip


def test_a_pair_that_was_left_out_says_where_and_why(chain: Chain) -> None:
    link = looked_up(chain, kit.POOR.id)
    assert link.facts["state"] == "left out by synthesis/select: low_correctness"
    assert state_words(link.facts["state"]) == "left out: judged not correct enough (synthesis/select)"
    (dropped,) = [b for b in link.below if b.facts.get("outcome") == "dropped"]
    assert (dropped.facts["reason"], dropped.facts["detail"]) == ("low_correctness", "1.00 < 4.00")


def test_a_drop_of_another_pair_of_the_same_document_is_not_its_own(chain: Chain) -> None:
    assert "dropped" not in steps(looked_up(chain, kit.TAUGHT.id)).values()


def test_a_document_keeps_its_place_when_pairs_of_it_are_left_out(chain: Chain) -> None:
    link = document_lineage(chain, kit.NOVA.id)
    assert link is not None
    assert "dropped" not in steps(link).values()
    asked = next(b for b in link.below if b.id.startswith("synthesis/select"))
    assert asked.facts == {
        "outcome": "asked", "pairs_here": [kit.TAUGHT.id, kit.ASKED.id], "left_out": {"low_correctness": 1},
    }  # fmt: skip
    assert "models" not in link.facts


def test_an_example_leads_to_its_pair_and_through_it_to_the_document(chain: Chain) -> None:
    link = looked_up(chain, kit.LESSON.id)
    assert (link.kind, link.facts["source"], link.facts["qa_ids"]) == ("example", "synthetic", [kit.TAUGHT.id])
    assert [turn["role"] for turn in link.facts["messages"]] == ["user", "assistant"]
    (pair,) = below(link, "pair")
    assert [d.id for e in below(pair, "evidence") for d in e.below] == [kit.NOVA.id]
    assert steps(link) == {"synthesis/examples": "made", "training/pack": "packed"}
    assert looked_up(chain, f"example:{kit.LESSON.id}") == link


def test_an_example_of_a_general_set_leads_to_the_file_it_was_read_from(chain: Chain) -> None:
    link = looked_up(chain, "chat:hello")
    assert (link.facts["licence"], steps(link)) == (
        "CC0-1.0", {"synthesis/general": "read", "training/pack": "packed"},
    )  # fmt: skip
    assert [source.id for source in below(link, "source")] == ["chat.jsonl"]


def test_a_preference_leads_to_its_pair_with_both_answers(chain: Chain) -> None:
    link = looked_up(chain, kit.BETTER.id)
    assert (link.kind, link.facts["chosen"], link.facts["rejected"]) == ("preference", "Less than a week", "A century")
    assert [pair.id for pair in below(link, "pair")] == [kit.TAUGHT.id]


def test_a_question_tells_what_each_arm_answered_in_every_order(chain: Chain) -> None:
    (exam,) = below(looked_up(chain, "q-1"), "exam")
    assert (exam.facts["paper"], exam.facts["arms"], exam.facts["right"]) == ("exam", 2, 0)
    mute, tuned = exam.below
    assert (mute.id, mute.facts["score"], mute.facts["reasons"]) == ("mute", None, ["truncated"])
    assert (tuned.facts["score"], [order["chosen"] for order in tuned.facts["orders"]]) == (0.5, [[1], [0]])
    assert tuned.facts["log_prob"] == pytest.approx(-0.3132617)  # log softmax of (-2, -1) at the second


def test_a_question_names_the_documents_it_kept_from_models(chain: Chain) -> None:
    link = looked_up(chain, "q-1")
    (leak,) = below(link, "leak")
    assert (leak.id, leak.facts["outcome"], leak.facts["score"]) == (kit.LEAKY.id, "dropped", 0.9)
    assert leak.facts["step"].startswith("corpus/decontaminate/")
    assert [row["passage"] for row in link.facts["leaks"]] == [kit.LEAKY.text[:20]]


def test_a_pair_that_became_a_question_tells_the_answers_to_it(chain: Chain) -> None:
    link = looked_up(chain, kit.ASKED.id)
    assert (link.facts["targets"], steps(link)["synthesis/items"]) == ([1], "examined")
    (exam,) = below(link, "exam")
    assert (exam.facts["paper"], exam.facts["right"]) == ("development", 1)


def test_a_pair_whose_document_is_gone_still_shows_its_quote(tmp_path: Path) -> None:
    workspace = kit.workspace(tmp_path)
    for record in workspace.records():
        if record.name.startswith("corpus/"):
            workspace.delete(record.address)
    (evidence,) = below(looked_up(whole_chain(workspace), kit.TAUGHT.id), "evidence")
    assert (evidence.facts["verbatim"], evidence.below) == (None, ())
