"""Conversations in rows: what the assistant says is learnt, token by token, and nothing else is."""

from pathlib import Path

import numpy as np
import packs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.core.errors import ConfigError, CorruptArtifact
from gnomon.core.files import content_digest, folder_files
from gnomon.core.messages import Message
from gnomon.core.records import Drop
from gnomon.core.synthetic import Example
from gnomon.core.tables import read_table
from gnomon.training.encoding import open_tokenizer
from gnomon.training.packed import NO_TARGET, PackedTokens
from gnomon.training.packing.dialogues import lessons

WORDS = st.text(st.sampled_from("abc de<|im_end|>\nf銀"), min_size=1, max_size=14).filter(str.strip)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packs.turns(tmp_path_factory.mktemp("tokenizer"))


def example(number: int, *texts: str, thinking: tuple[str, ...] = (), system: str = "") -> Example:
    turns = [Message(role=("user", "assistant")[i % 2], text=text) for i, text in enumerate(texts)]
    for place, thought in enumerate(thinking):
        spoken = turns[2 * place + 1]
        turns[2 * place + 1] = Message(role="assistant", text=spoken.text, thinking=thought)
    turns = [Message(role="system", text=system), *turns] if system else turns
    return Example(id=f"e-{number}", messages=tuple(turns), lang="en", kind="open", source="t", licence="CC0-1.0")


def learnt(packed: PackedTokens, decode) -> dict[int, list[str]]:
    """The learnt text of each piece, by row."""
    rows = packed.rows(range(len(packed)))
    found: dict[int, list[str]] = {}
    for row, start, length in rows.segments.tolist():
        here = rows.labels[row, start : start + length]
        found.setdefault(row, []).append(decode([i for i in here.tolist() if i != NO_TARGET]))
    return found


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=3), min_size=1, max_size=6), st.integers(0, 3))
def test_loss_is_on_what_the_assistant_says_and_nowhere_else(tmp_path_factory, tokenizer, dialogues, seed) -> None:
    folder = tmp_path_factory.mktemp("pack")
    examples = [example(i, *(text for pair in pairs for text in pair)) for i, pairs in enumerate(dialogues)]
    artifact, counts, out = packs.pack(
        folder / "out",
        tokenizer,
        {"chat": packs.conversations(folder / "chat", examples)},
        context=320,
        seed=seed,
        allow_short=True,
    )
    packed = PackedTokens(artifact)
    made = open_tokenizer(tokenizer / "tokenizer")
    texts = sorted(text for row in learnt(packed, made.decode).values() for text in row)
    assert texts == sorted("".join(f"{answer}<|im_end|>" for _, answer in pairs) for pairs in dialogues)
    assert out.metrics["targets"] == packed.rows(range(len(packed))).targets
    assert counts.kept == len(examples)


def test_documents_and_conversations_share_rows_and_each_is_learnt_in_its_way(tmp_path: Path, tokenizer: Path) -> None:
    inputs = {
        "chat": packs.conversations(tmp_path / "chat", [example(0, "why?", "so", system="Be brief.")]),
        "text": packs.shelf(tmp_path / "text", [packs.document(0, "the gas falls inward")]),
    }
    artifact, _, _ = packs.pack(tmp_path / "out", tokenizer, inputs, context=200, allow_short=True)
    packed = PackedTokens(artifact)
    (texts,) = learnt(packed, open_tokenizer(tokenizer / "tokenizer").decode).values()
    assert sorted(texts) == ["so<|im_end|>", "the gas falls inward</s>"]


def test_the_loss_of_packed_conversations_is_that_of_each_alone(tmp_path: Path, tokenizer: Path) -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    examples = [example(i, "why" * (i + 1), "so" * (i + 2), "and?", "then") for i in range(5)]
    artifact, _, _ = packs.pack(
        tmp_path / "out", tokenizer, {"chat": packs.conversations(tmp_path / "chat", examples)}, context=256
    )
    packed = PackedTokens(artifact)
    torch.manual_seed(1)
    model = LlamaForCausalLM(LlamaConfig(
        vocab_size=300, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
    )).eval()  # fmt: skip
    rows = packed.rows(range(len(packed)))

    def total(ids: np.ndarray, labels: np.ndarray) -> tuple[float, int]:
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor(ids)[None]).logits[0, :-1]
        wanted = torch.tensor(labels[1:])
        loss = torch.nn.functional.cross_entropy(logits, wanted, ignore_index=NO_TARGET, reduction="sum")
        return loss.item(), int((wanted != NO_TARGET).sum())

    alone = [total(rows.ids[r, s : s + n], rows.labels[r, s : s + n]) for r, s, n in rows.segments.tolist()]
    ids, positions = (torch.tensor(values).reshape(1, -1) for values in (rows.ids, rows.positions))
    with torch.inference_mode():
        logits = model(input_ids=ids, position_ids=positions, use_cache=False).logits[0, :-1]
    labels = torch.tensor(rows.labels).reshape(-1)[1:]
    together = torch.nn.functional.cross_entropy(logits, labels, ignore_index=NO_TARGET, reduction="sum").item()
    assert together == pytest.approx(sum(loss for loss, _ in alone), abs=1e-3)
    assert sum(count for _, count in alone) == rows.targets


def test_a_thought_about_conversation_is_learnt_answer_by_answer_without_earlier_thoughts() -> None:
    turns = example(0, "a", "b", "c", "d", thinking=("hm", "well")).messages
    first, second = lessons(turns)
    assert ([m.thinking for m in first[0]], first[1]) == (["", "hm"], True)
    assert ([m.thinking for m in second[0]], second[1]) == (["", "", "", "well"], True)
    ((turns, last_only),) = lessons(example(0, "a", "b", "c", "d", thinking=("", "well")).messages)
    assert (len(turns), last_only) == (4, False)
    assert lessons((Message(role="user", text="a"),)) == []


def test_lessons_of_one_conversation_are_counted_as_one(tmp_path: Path, tokenizer: Path) -> None:
    examples = [example(i, "a", "b", "c", "d", thinking=("hm", "well")) for i in range(4)]
    artifact, counts, _ = packs.pack(
        tmp_path / "out", tokenizer, {"chat": packs.conversations(tmp_path / "chat", examples)}, context=160
    )
    assert (counts.taken, counts.kept, counts.made["pieces"]) == (4, 4, 8)
    texts = [
        t
        for row in learnt(PackedTokens(artifact), open_tokenizer(tokenizer / "tokenizer").decode).values()
        for t in row
    ]
    assert sorted(set(texts)) == ["<think>\nhm\n</think>\n\nb<|im_end|>", "<think>\nwell\n</think>\n\nd<|im_end|>"]


def test_a_conversation_longer_than_a_row_is_left_out_whole_and_counted(tmp_path: Path, tokenizer: Path) -> None:
    examples = [
        example(0, "a", "b" * 400),
        example(1, "a", "b", "c", "d" * 400, thinking=("x", "y")),
        example(2, "a", "b"),
    ]
    artifact, counts, _ = packs.pack(
        tmp_path / "out",
        tokenizer,
        {"chat": packs.conversations(tmp_path / "chat", examples)},
        context=96,
        allow_short=True,
    )
    assert counts.dropped == {"too_long": 2}
    drops = list(read_table(artifact / "drops.parquet", Drop))
    assert {drop.doc_id for drop in drops} == {"e-0", "e-1"}
    assert "of 96 tokens" in drops[0].detail


def test_a_stream_would_cut_turns(tmp_path: Path, tokenizer: Path) -> None:
    chat = packs.conversations(tmp_path / "chat", [example(0, "a", "b")])
    with pytest.raises(ConfigError, match="best-fit"):
        packs.pack(tmp_path / "out", tokenizer, {"chat": chat}, context=64, method="stream", allow_short=True)


def test_a_killed_pack_goes_on_to_the_same_content(tmp_path: Path, tokenizer: Path) -> None:
    chat = packs.conversations(tmp_path / "chat", [example(i, "why" * i, "so" * 9) for i in range(1, 40)], shards=3)
    settings = {"context": 128, "window": 600}
    whole, _, _ = packs.pack(tmp_path / "whole", tokenizer, {"chat": chat}, **settings)
    out = packs.output(tmp_path / "cut")
    for name, size in (("tokens.bin", 4 * 128 * 2 + 77), ("learnt.bin", 4 * 128 + 5)):
        (out.path / name).write_bytes(b"\1" * size)  # written after the last finished window
    again, _, _ = packs.pack(tmp_path / "cut", tokenizer, {"chat": chat}, **settings)
    digests = [[(f.name, content_digest(f)) for f in folder_files(folder)] for folder in (whole, again)]
    assert digests[0] == digests[1]


def test_a_damaged_mask_is_refused(tmp_path: Path, tokenizer: Path) -> None:
    chat = packs.conversations(tmp_path / "chat", [example(0, "a", "b" * 90)])
    artifact, _, _ = packs.pack(tmp_path / "out", tokenizer, {"chat": chat}, context=128, allow_short=True)
    (artifact / "learnt.bin").write_bytes(b"\1" * 127)
    with pytest.raises(CorruptArtifact, match=r"learnt\.bin has 127 bytes"):
        PackedTokens(artifact)
