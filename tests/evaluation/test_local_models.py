"""The three steps with real weights: tiny, random, made here."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evaluation_kit import document, documents, output

from gnomon.core.files import write_json
from gnomon.core.hashing import plain
from gnomon.core.records import Document, ModelRef
from gnomon.core.settings import Settings
from gnomon.core.tables import read_table
from gnomon.core.text import document_text
from gnomon.evaluation import completion, perplexity
from gnomon.evaluation.completion import CompletionConfig
from gnomon.evaluation.embedding import step as embedding
from gnomon.evaluation.embedding.step import EmbeddingConfig
from gnomon.evaluation.heldout import TestSet
from gnomon.evaluation.perplexity import PerplexityConfig
from gnomon.evaluation.perplexity_facts import DocumentPerplexity
from gnomon.evaluation.roles import load_scorer, role_of

CONTEXT, TOKENS = 96, 300
FAKE = ModelRef(name="fake-hash-64", revision="2", kind="embedder/fake")


def model_artifact(folder: Path, seed: int, spread: float = 0.3) -> Path:
    """A model artifact; with no spread the head is zero and every token equally likely."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
    from transformers.utils import logging

    logging.disable_progress_bar()
    made = Tokenizer(models.BPE())
    made.pre_tokenizer, made.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=TOKENS, special_tokens=["<s>", "</s>"], initial_alphabet=alphabet, show_progress=False
    )
    made.train_from_iterator([d.text for d in papers()], trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, bos_token="<s>", eos_token="</s>")
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=24, num_hidden_layers=1, num_attention_heads=2,
        max_position_embeddings=CONTEXT, initializer_range=spread or 0.1, bos_token_id=0, eos_token_id=1,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    if not spread:
        torch.nn.init.zeros_(model.lm_head.weight)
    model.save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    write_json(folder / "model.json", plain(ModelRef(name=folder.name, revision=str(seed), kind="base")))
    return folder


def papers() -> list[Document]:
    texts = [
        "The comet brightened for 12 nights. Its tail pointed away from the Sun and faded late in March.",
        "A small telescope saw 40 meteors. " + "Most of them were faint and slow, and fell towards the north. " * 12,
        "銀河の回転は速い。中心には大きな質量がある。観測は三年続いた。",
        "Dust hides the star. It is seen in the infrared at 10 microns, where Vega is bright.",
    ]
    return [
        document(f"local:{i}", text, title=f"Note {i}", categories=("astro-ph.GA",)) for i, text in enumerate(texts)
    ]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    return {
        "model:base": model_artifact(folder / "even", 1, spread=0.0),
        "model:specialised": model_artifact(folder / "rough", 2),
    }


@pytest.fixture
def inputs(made: dict[str, Path], tmp_path: Path) -> dict[str, Path]:
    return {**made, "documents:held": documents(tmp_path / "held", papers())}


def measure(inputs: dict[str, Path], folder: Path, **settings: Any) -> tuple[dict[str, Any], list[DocumentPerplexity]]:
    roles = (role_of("base"), role_of("specialised"))
    config = PerplexityConfig(models=roles, tests=(TestSet(name="held"),), draws=20, **settings)
    out = output(folder)
    perplexity.run(config, inputs, out)
    facts = json.loads((out.path / "perplexity.json").read_text())["tests"]["held"]
    return facts, list(read_table(out.path / "documents_perplexity.parquet", DocumentPerplexity))


def test_weights_that_know_nothing_have_the_perplexity_of_their_vocabulary(
    inputs: dict[str, Path], tmp_path: Path
) -> None:
    facts, rows = measure(inputs, tmp_path)
    assert facts["models"]["base"]["perplexity"]["value"] == pytest.approx(TOKENS, rel=1e-4)
    assert facts["models"]["base"]["not_lossless"] == 0
    assert facts["comparisons"][0]["perplexity_change_percent"]["value"] > 0
    model = load_scorer(inputs["model:base"], Settings())
    by_id = {d.id: d for d in papers()}
    for row in rows:
        text = document_text(by_id[row.doc_id].title, by_id[row.doc_id].text)
        assert row.tokens == len(model.encode(text))  # [BOS] is not scored, [EOS] is
        assert row.bytes == len(text.encode())


def test_every_figure_is_what_the_weights_say_token_by_token(inputs: dict[str, Path], tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    _, rows = measure(inputs, tmp_path)
    model = AutoModelForCausalLM.from_pretrained(inputs["model:specialised"] / "model")
    scorer = load_scorer(inputs["model:specialised"], Settings())
    short = papers()[0]
    ids = torch.tensor([[*scorer.encode(f"{short.title}\n\n{short.text}"), 1]])
    assert ids.shape[1] <= CONTEXT
    with torch.no_grad():
        loss = model(ids, labels=ids).loss.item()
    row = next(r for r in rows if r.model == "specialised" and r.doc_id == short.id)
    assert row.log_likelihood == pytest.approx(-loss * row.tokens, rel=1e-4)
    assert row.end_log_likelihood is not None


def test_the_stride_changes_only_documents_longer_than_the_context(inputs: dict[str, Path], tmp_path: Path) -> None:
    found = [measure(inputs, tmp_path / str(stride), stride=stride)[1] for stride in (0, 8, CONTEXT - 1)]
    changed = [
        max(abs((a.log_likelihood or 0) - (b.log_likelihood or 0)) for b in others)
        for a, *others in zip(*found, strict=True)
        if a.model == "specialised"
    ]
    tokens = [row.tokens for row in found[0] if row.model == "specialised"]
    for difference, size in zip(changed, tokens, strict=True):
        assert (difference > 1e-3) == (size + 1 > CONTEXT)


def test_bits_per_byte_do_not_depend_on_the_batch(inputs: dict[str, Path], tmp_path: Path) -> None:
    one, many = (measure(inputs, tmp_path / str(n), shard=n)[0]["models"] for n in (1, 64))
    for name in one:
        assert one[name]["bits_per_byte"]["value"] == pytest.approx(many[name]["bits_per_byte"]["value"], rel=1e-6)


def test_hidden_states_of_real_weights_are_compared(inputs: dict[str, Path], tmp_path: Path) -> None:
    roles = (role_of("base"), role_of("specialised"))
    config = EmbeddingConfig(models=roles, documents=TestSet(name="held"), embedder=FAKE, draws=20)
    out = output(tmp_path)
    embedding.run(config, inputs, out)
    found = json.loads((out.path / "embedding.json").read_text())
    assert found["similarity"]["pairs"] == 6
    assert found["models"]["specialised"]["ref"]["name"] == "rough"
    for row in found["similarity"]["systems"].values():
        assert sum(row["histogram"]) == 6
        assert math.isfinite(row["mean"]["value"])


def test_real_weights_continue_a_text_the_same_way_twice(inputs: dict[str, Path], tmp_path: Path) -> None:
    roles = (role_of("base"), role_of("specialised"))
    config = CompletionConfig(
        models=roles, documents=TestSet(name="held"), max_tokens=12, least_ending=3, title=False, draws=20, shard=2
    )
    written = []
    for name in ("a", "b"):
        completion.run(config, inputs, output(tmp_path / name))
        rows = read_table(tmp_path / name / "data" / "completions.parquet", completion.CompletionScore)
        written.append([(r.model, r.doc_id, r.completion, r.tokens) for r in rows])
    assert written[0] == written[1]
    tokens = [row[3] for row in written[0] if row[0] == "specialised"]
    assert len(tokens) == 4
    assert 0 < np.mean(tokens) <= 12
