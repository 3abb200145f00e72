"""A field of small papers in a few topics, and a BERT of a few thousand parameters to tune on it."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gnomon.core.records import Author, Biblio, Document, ModelRef, Reference, Source
from gnomon.core.settings import ModelPlace, Settings
from gnomon.core.tables import write_table
from gnomon.llm import bert_graph
from gnomon.llm.hub import folder_revision
from gnomon.llm.tuned import Note, write_note
from gnomon.runs import Counts, FileSet, Output, Step

TOPICS = {
    "dust": ("dust grain shell cold infrared", "carbon silicate emission cloud ice"),
    "pulsar": ("pulsar spin timing glitch radio", "magnet neutron period beam signal"),
    "halo": ("halo matter dark cusp profile", "lensing simulation mass density cluster"),
    "comet": ("comet tail coma nucleus orbit", "water gas rotation sublimation jet"),
    "flare": ("flare solar loop corona burst", "plasma magnetic reconnection wave heating"),
    "planet": ("planet transit atmosphere star radius", "giant spectrum water vapour temperature"),
}
EACH = 12


@dataclass(frozen=True, kw_only=True)
class FieldConfig:
    seed: int = 0


def papers(seed: int = 0) -> list[Document]:
    """Papers whose titles share no word with the texts of their topic: only tuning can tell that they belong together."""
    rng, made = random.Random(seed), []
    for topic, (title_words, text_words) in TOPICS.items():
        for number in range(EACH):
            name = f"local:{topic}{number}"
            title = " ".join(rng.sample(title_words.split(), 3)) + f" {number}"
            text = " ".join(rng.choice(text_words.split()) for _ in range(12))
            cited = [f"local:{topic}{rng.randrange(EACH)}" for _ in range(2)] if number > 2 else []
            made.append(Document(
                id=name, title=title, text=text, lang="en", source=Source(kind="test", key=name, sha256="0"),
                biblio=Biblio(authors=(Author(name=f"Author, {'ABC'[number % 3]}. {topic}"),)),
                references=tuple(Reference(key=c, doc_id=c) for c in dict.fromkeys(cited)),
            ))  # fmt: skip
    return made


def write(config: FieldConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    made = papers(config.seed)
    write_table(out.path / "documents" / "00000.parquet", Document, made)
    return Counts(taken=len(made), kept=len(made))


def field() -> Step:
    return Step(name="corpus/field", entry="tiny_field:write", version=1, config=FieldConfig())


def listed(path: Path, text: str) -> FileSet:
    path.write_text(text, encoding="utf-8")
    return FileSet.scan([path])


def tiny_bert(folder: Path) -> ModelRef:
    """A BERT with a vocabulary of this field, as a model folder with a note."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, BertTokenizerFast

    words = sorted({w for pair in TOPICS.values() for part in pair for w in part.split()})
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words, *map(str, range(EACH))]
    vocabulary = {word: i for i, word in enumerate(names)}
    made = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    torch.manual_seed(7)
    config = BertConfig(
        vocab_size=len(names), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=64,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    BertTokenizerFast(tokenizer_object=made).save_pretrained(folder)
    write_note(folder, Note(graph=bert_graph.VERSION, window=32, languages=("en",)))
    return ModelRef(name="tiny", revision=folder_revision(folder), kind="embedder/onnx-fp32", licence="Apache-2.0")


def machine(folder: Path, cache: Path) -> Settings:
    return Settings(cache=str(cache), threads=1, offline=True, models={"tiny": ModelPlace(url=folder.as_uri())})
