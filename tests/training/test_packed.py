import pickle
from pathlib import Path

import numpy as np
import packs
import pytest

from gnomon.core.errors import CorruptArtifact, DataError
from gnomon.training.packed import NO_TARGET, PackedTokens


@pytest.fixture(scope="module")
def artifact(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("packed")
    documents = [packs.document(i, "the quick brown fox jumps over it all"[: 3 + 7 * (i % 6)]) for i in range(40)]
    documents.append(packs.document(99, "a long one. " * 20))
    inputs = {"a": packs.shelf(folder / "a", documents)}
    return packs.pack(folder / "o", packs.letters(folder / "t"), inputs, context=48, window=400)[0]


def test_rows_say_where_each_piece_stands(artifact: Path) -> None:
    packed = PackedTokens(artifact)
    rows = packed.rows(range(len(packed)))
    expected_positions = np.empty_like(rows.positions)
    expected_labels = np.full_like(rows.ids, NO_TARGET)
    for number in range(len(packed)):
        end = 0
        for piece in packed.pieces([number]):
            here = slice(piece.offset, piece.offset + piece.length)
            assert piece.offset == end
            end = here.stop
            expected_positions[number, here] = np.arange(piece.length)
            silent = piece.offset + (1 if piece.start == 0 else piece.context)
            expected_labels[number, silent : here.stop] = rows.ids[number, silent : here.stop]
        expected_positions[number, end:] = np.arange(48 - end)
        assert (rows.ids[number, end:] == packed.facts["pad"]).all()
    assert (rows.positions == expected_positions).all()
    assert (rows.labels == expected_labels).all()
    assert rows.targets == packed.facts["targets"]


def test_rows_can_be_had_in_any_order(artifact: Path) -> None:
    packed = PackedTokens(artifact)
    order = [5, 0, 5, len(packed) - 1]
    some = packed.rows(order)
    for place, number in enumerate(order):
        one = packed.row(number)
        assert one.ids.shape == (48,)
        assert (some.ids[place] == one.ids).all()
        assert (some.labels[place] == one.labels).all()
        assert (some.positions[place] == one.positions).all()
        mine = some.segments[some.segments[:, 0] == place]
        assert (mine[:, 1:] == one.segments[:, 1:]).all()
    with pytest.raises(IndexError):
        packed.row(len(packed))


def test_boundaries_are_those_of_variable_length_attention(artifact: Path) -> None:
    rows = PackedTokens(artifact).rows([0, 1])
    boundaries = rows.boundaries
    assert (boundaries[0], boundaries[-1]) == (0, 96)
    pieces = {(48 * r + s, 48 * r + s + n) for r, s, n in rows.segments.tolist()}
    assert pieces <= set(zip(boundaries[:-1].tolist(), boundaries[1:].tolist(), strict=True))


def test_the_documents_of_a_bad_batch_are_named(artifact: Path) -> None:
    packed = PackedTokens(artifact)
    named = packed.documents([3, 4])
    assert named == list(dict.fromkeys(p.doc_id for p in packs.pieces(artifact) if p.sequence in (3, 4)))
    assert packed.documents(range(len(packed))).count("local:toy-99") == 1


def test_it_can_be_sent_to_another_process(artifact: Path) -> None:
    packed = PackedTokens(artifact)
    data = pickle.dumps(packed)
    assert len(data) < 1_000
    assert (pickle.loads(data).row(1).ids == packed.row(1).ids).all()


def test_a_damaged_artifact_is_refused(artifact: Path, tmp_path: Path) -> None:
    import shutil

    copy = Path(shutil.copytree(artifact, tmp_path / "copy"))
    (copy / "tokens.bin").write_bytes((copy / "tokens.bin").read_bytes()[:-2])
    with pytest.raises(CorruptArtifact, match="bytes, wanted"):
        PackedTokens(copy)
    (copy / "pack.json").write_text("{}")
    with pytest.raises(DataError, match="no token artifact"):
        PackedTokens(copy)


def test_the_loss_of_packed_rows_is_that_of_their_documents_one_by_one(artifact: Path) -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    packed = PackedTokens(artifact)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=packed.facts["vocab_size"], hidden_size=32, intermediate_size=48, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=512, attn_implementation="sdpa",
    )  # fmt: skip
    model = LlamaForCausalLM(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(0, 0.3)
        rows = packed.rows(range(8))
        ids, positions, labels = (torch.from_numpy(a) for a in (rows.ids, rows.positions, rows.labels))
        # with a cache of keys (the default outside training) transformers overlooks that rows are packed
        together = model(input_ids=ids, position_ids=positions, labels=labels, use_cache=False).loss.item()
        total, count = 0.0, 0
        for row, start, length in rows.segments.tolist():
            here = (slice(row, row + 1), slice(start, start + length))
            alone = model(input_ids=ids[here], labels=labels[here]).loss
            targets = int((labels[here] != NO_TARGET).sum())
            total, count = total + alone.item() * targets, count + targets
        mixed = model(input_ids=ids, labels=labels, use_cache=False).loss.item()
    assert together == pytest.approx(total / count, abs=1e-5)
    assert abs(mixed - together) > 1e-3  # without positions documents would see each other
