"""Tiny random models with a real byte-level tokenizer, saved as a user's folder would be."""

import functools
from pathlib import Path
from typing import Any

TEXTS = [
    "The faint galaxy turns slowly, and its gas falls inward.",
    "A pulsar is a neutron star that keeps time better than most clocks.",
    "銀河の中心には大きな質量のブラックホールがある。",
    "Étoiles à neutrons; δ Cephei; 10⁻³ M☉ 💫",
    "We measure the redshift of 120 quasars and find no trend at all.",
]
VOCABULARY = 400
CONTEXT = 64
KINDS = ["llama", "qwen", "yarn", "sliding", "gpt2", "gemma"]


def tokenizer(bos: bool) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    special = ["<unk>", "<s>", "</s>"]
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    made.train_from_iterator(TEXTS * 3, trainer)
    marks = {"bos_token": "<s>"} if bos else {}
    return PreTrainedTokenizerFast(tokenizer_object=made, eos_token="</s>", **marks)


@functools.cache
def model(kind: str) -> Any:
    """The model itself, for plain loops; the same weights every time."""
    import torch
    import transformers as t

    size: dict[str, Any] = dict(  # noqa: C408
        vocab_size=VOCABULARY, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=CONTEXT, eos_token_id=2, bos_token_id=1, pad_token_id=None,
    )  # fmt: skip
    yarn = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": CONTEXT // 4, "rope_theta": 1e4}
    dynamic = {"rope_type": "dynamic", "factor": 4.0, "rope_theta": 1e4}
    configs = {
        "llama": lambda: t.LlamaConfig(**size),
        "qwen": lambda: t.Qwen3Config(**size, head_dim=8, tie_word_embeddings=True),
        "yarn": lambda: t.LlamaConfig(**size, rope_parameters=yarn),
        "dynamic": lambda: t.LlamaConfig(**{**size, "max_position_embeddings": 16}, rope_parameters=dynamic),
        "sliding": lambda: t.MistralConfig(**size, sliding_window=12),
        "mixture": lambda: t.MixtralConfig(**size, num_local_experts=4, num_experts_per_tok=2),
        "gemma": lambda: t.Gemma2Config(**size, head_dim=8, sliding_window=12, final_logit_softcapping=3.0),
        "gpt2": lambda: t.GPT2Config(vocab_size=VOCABULARY, n_embd=32, n_layer=2, n_head=4, n_positions=CONTEXT,
                                     bos_token_id=1, eos_token_id=2),
    }  # fmt: skip
    config = configs[kind]()
    config.initializer_range = 0.3  # so that attention matters and a random model has opinions
    torch.manual_seed(7)
    return t.AutoModelForCausalLM.from_config(config).eval()


def save(folder: Path, kind: str = "llama", bos: bool = True) -> Path:
    from transformers.utils import logging

    logging.disable_progress_bar()
    model(kind).save_pretrained(folder)
    tokenizer(bos).save_pretrained(folder)
    return folder
