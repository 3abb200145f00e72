"""The step ``training/quantise``: a model as a GGUF file would have it, to be measured like any other model.

The weights are quantised into a GGUF file, read back by transformers' own loader and kept as float32: every evaluation
(perplexity, exam) then shows what the quantisation costs. The file itself is written by ``training/export``.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gnomon.core.records import ModelRef
from gnomon.llm.hub import folder_revision
from gnomon.llm.weights import MODEL_FOLDER, read_ref, weights_of, write_ref
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output
from gnomon.training.encoding import copy_tokenizer
from gnomon.training.export.gguf import About, check_quants, write_gguf
from gnomon.training.export.measured import open_weights
from gnomon.training.preflight import with_inherited

FILE = "quantised.gguf"
_GENERATION = "generation_config.json"


@dataclass(frozen=True, kw_only=True)
class QuantiseConfig:
    """How the weights are quantised.

    Raises:
        ConfigError: There is no such kind.
    """

    quant: str
    """Kind of GGUF file: ``f16``, ``q8_0``, ``q4_0``…"""

    def __post_init__(self) -> None:
        check_quants((self.quant,))


def run(config: QuantiseConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Quantise ``inputs["model"]``; the result is named ``NAME:QUANT``, after the model it is made from.

    Raises:
        DataError: The model cannot be written as GGUF.
        MissingExtra: gguf is not installed.
    """
    ref = read_ref(inputs["model"])
    source = Path(weights_of(inputs["model"], out.settings).name_or_folder)
    partial, target = out.shards / "quantised", out.path / MODEL_FOLDER
    shutil.rmtree(partial, ignore_errors=True)
    shutil.rmtree(target, ignore_errors=True)
    copy_tokenizer(source, partial)
    for name in ("config.json", _GENERATION):
        if (source / name).is_file():
            shutil.copyfile(source / name, partial / name)
    write_gguf(source, partial / FILE, config.quant, About(name=ref.name, licence=ref.licence))
    out.metrics["duties"] = with_inherited((), out.records)
    out.metrics["bytes"] = (partial / FILE).stat().st_size
    open_weights(partial, FILE).save_pretrained(partial / MODEL_FOLDER)
    copy_tokenizer(source, partial / MODEL_FOLDER)
    if (source / _GENERATION).is_file():
        shutil.copyfile(source / _GENERATION, partial / MODEL_FOLDER / _GENERATION)
    (partial / MODEL_FOLDER).rename(target)
    shutil.rmtree(partial)
    write_ref(out.path, ModelRef(
        name=f"{ref.name}:{config.quant}", revision=folder_revision(target), kind=ref.kind, licence=ref.licence,
        parents=(ref.name,),
    ))  # fmt: skip
    return Counts(taken=1, kept=1)
