"""Documents, outputs, tokenizers and tiny models for the tests of tokenizer, adopt and preflight."""

import random
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gnomon.core.files import write_json
from gnomon.core.records import Biblio, Document, Source
from gnomon.core.settings import Settings
from gnomon.core.tables import write_table
from gnomon.runs.output import Output, StorePlace
from gnomon.runs.sources import FileSet
from gnomon.training.tokenizer import TokenizerConfig, run

THINGS = "dust gas comets coronae quasars bulges pulsars haloes exoplanets novae spectra filaments".split()
DEEDS = "cool rotate brighten fragment pulsate recede flare collapse drift fade expand settle".split()
HOW = "slowly early twice again nightly seldom below above within 12 450 1987".split()
JAPANESE = "星は夜空に見える。銀河の中心には重い天体がある。光は遠くから届き、時間がかかる。"


def prose(seed: int, sentences: int = 20) -> str:
    """Plain English of our own."""
    r = random.Random(seed)
    return " ".join(
        f"The {r.choice(THINGS)} {r.choice(DEEDS)} {r.choice(HOW)} and don't {r.choice(DEEDS)}."
        for _ in range(sentences)
    )


def document(key: str, text: str, **more: Any) -> Document:
    source = Source(kind="text", key=key, sha256="0" * 64, licence=more.pop("licence", ""))
    biblio = Biblio(categories=more.pop("categories", ()))
    return Document(id=key, title="", text=text, lang=more.pop("lang", "en"), source=source, biblio=biblio, **more)


def shelf(folder: Path, documents: Iterable[Document]) -> Path:
    write_table(folder / "documents" / "0000.parquet", Document, documents)
    return folder


def english(folder: Path, documents: int = 12) -> Path:
    return shelf(folder, (document(f"local:{i}", prose(i), categories=("astro-ph.GA",)) for i in range(documents)))


def output(folder: Path, settings: Settings | None = None) -> Output:
    (folder / "data").mkdir(parents=True, exist_ok=True)
    return Output(
        path=folder / "data", shards=folder / "shards", identity="test", settings=settings or Settings(threads=1),
        place=lambda key: StorePlace(key=key, url=str(folder / key)), cache_path=folder / "cache.sqlite",
        locks=folder / "locks",
    )  # fmt: skip


def trained(folder: Path, inputs: Mapping[str, Path], **settings: Any) -> Output:
    """Run the tokenizer step; its artifact is ``folder / "data"``."""
    out = output(folder)
    run(TokenizerConfig(**{"vocab_size": 400, **settings}), inputs, out)
    return out


def model_folder(folder: Path, tokenizer: Path, model_type: str = "llama", **settings: Any) -> Path:
    """A model of a few thousand random weights with a trained tokenizer, as ``save_pretrained`` leaves it."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    opened = AutoTokenizer.from_pretrained(str(tokenizer))
    values = {
        "vocab_size": len(opened), "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2,
        "num_attention_heads": 2, "num_key_value_heads": 1, "max_position_embeddings": 64,
    }  # fmt: skip
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(model_type, **values | settings))
    model.save_pretrained(folder)
    opened.save_pretrained(folder)
    return folder


def listing(folder: Path, file: Path) -> Path:
    """The listing of a folder's files, as a step finds its sources."""
    write_json(file, FileSet.scan([folder]).to_row())
    return file
