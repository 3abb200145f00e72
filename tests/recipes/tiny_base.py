"""A stand-in base of a few thousand parameters, and small texts of our own to continue it on."""

import json
import random
from pathlib import Path
from typing import Any

THINGS = "dust gas comets coronae quasars bulges pulsars haloes exoplanets novae spectra filaments".split()
DEEDS = "cool rotate brighten fragment pulsate recede flare collapse drift fade expand settle".split()
DAILY = "bread rivers clocks gardens letters bridges ovens ladders markets coats lamps ferries".split()
USES = "rise mend carry open wait freeze cross rest sell lean light cost".split()
HOW = "slowly early twice again nightly seldom below above within 12 450 1987".split()


def prose(seed: int, things: list[str] = THINGS, deeds: list[str] = DEEDS, sentences: int = 12) -> str:
    """Plain English of our own."""
    r = random.Random(seed)
    return " ".join(
        f"The {r.choice(things)} {r.choice(deeds)} {r.choice(HOW)} and then the {r.choice(things)} {r.choice(deeds)}."
        for _ in range(sentences)
    )


def domain(path: Path, number: int = 40, **more: Any) -> Path:
    """Notes with dates from 2001 on, as JSON lines."""
    rows = [
        {"id": f"note-{i}", "title": f"On the {THINGS[i % len(THINGS)]} of field {i}", "text": prose(i),
         "year": 2001 + i % 20, "lang": "en", "licence": "CC0-1.0", **more}
        for i in range(number)
    ]  # fmt: skip
    return lines(path, rows)


def general(path: Path, number: int = 15) -> Path:
    """Texts about daily things."""
    rows = [
        {"id": f"day-{i}", "title": f"Day {i}", "text": prose(900 + i, DAILY, USES), "lang": "en"}
        for i in range(number)
    ]
    return lines(path, rows)


def lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def base(folder: Path, context: int = 64, architecture: str = "llama") -> Path:
    """A folder of random weights with a tokenizer of bytes that knows the marks of turns."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast, set_seed

    turns = ["<|im_start|>", "<|im_end|>"]
    special = ["<s>", "</s>", "<pad>", *turns]
    vocabulary = {name: i for i, name in enumerate([*special, *sorted(pre_tokenizers.ByteLevel.alphabet())])}
    made = Tokenizer(models.BPE(vocabulary, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    marks = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, additional_special_tokens=turns, **marks)
    config = AutoConfig.for_model(
        architecture, vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=context, bos_token_id=0, eos_token_id=1,
        pad_token_id=2, tie_word_embeddings=True,
    )  # fmt: skip
    set_seed(0)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "README.md").write_text("---\nlicense: cc0-1.0\n---\nRandom weights.\n", encoding="utf-8")
    return folder
