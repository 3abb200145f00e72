"""The step ``training/tune_embedder``: the packaged embedder, adapted to a field by its own titles and citations.

Pairs of texts that belong together are mined from documents and, when there is one, a citation graph;
pairs that an evaluation query has a part in are refused and counted. The model learns to find a work's
partner among others; then it is tried on works that were kept back. Only when it wins there is it the
artifact's model: else the artifact names the base, and an index that takes it is what it was before.
Everything is held in memory: some 10 KB a document.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from gnomon.core.errors import ConfigError
from gnomon.core.estimates import Estimate
from gnomon.core.files import read_json, write_json
from gnomon.core.records import Drop, ModelRef
from gnomon.core.settings import Settings
from gnomon.core.tables import write_table
from gnomon.core.wording import say
from gnomon.llm import bert_graph, minilm
from gnomon.llm.embedders import load_embedder
from gnomon.llm.hub import folder_revision
from gnomon.llm.tuned import Note, placed, write_note
from gnomon.llm.weights import MODEL_FOLDER, write_ref
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output
from gnomon.runs.sources import FileSet
from gnomon.training.curve import CurveRow
from gnomon.training.embedder.mining import Mined, mine
from gnomon.training.embedder.order import ShownPair, ordered
from gnomon.training.embedder.trainer import Lesson, open_model, train
from gnomon.training.embedder.trial import Verdict, chosen, passage, trial
from gnomon.training.embedder.works import KeptOut, Work, read_kept_out, read_works

REJECTED = "rejected"
"""The folder of a tuned model that did not win: hours of work are not thrown away."""
GRAPH, KEEP_OUT = "graph", "keep_out"
NO_QUERIES = KeptOut(ids=frozenset(), titles=frozenset())
MIXTURE: Mapping[str, float] = {"title": 1.0, "cites": 1.0, "coupling": 1.0, "author": 1.0}
"""Weights of the kinds of pairs, chosen on the development half of the citation queries."""
PAIRS_PER_SECOND = 20
BYTES_OF_A_MODEL = 120_000_000


@dataclass(frozen=True, kw_only=True)
class TuneEmbedderConfig:
    """What is learnt, and from what."""

    base: ModelRef
    """The embedder to start from: the packaged one, or a tuned one with a ``file:`` place."""
    name: str = "tuned-embedder"
    """The tuned model's name."""
    mixture: Mapping[str, float]
    """Weight of each kind of pair (``gnomon.training.embedder.mining.KINDS``)."""
    steps: int = 300
    """Optimizer steps."""
    batch: int = 64
    """Pairs a step; the others of a step are a pair's negatives."""
    learning_rate: float = 5e-5
    """Highest learning rate; it falls in a line to zero."""
    warmup: float = 0.1
    """Share of steps in which it rises."""
    weight_decay: float = 0.01
    """Of AdamW."""
    scale: float = 20.0
    """What cosine similarities are multiplied by before the softmax."""
    frozen: int = 3
    """Lower layers that stay as they are, word embeddings too; -1 trains everything."""
    window: int = 96
    """Tokens read of a text while tuning; an index reads ``index_window``."""
    index_window: int = 256
    """Tokens read of a text afterwards."""
    crowd: int = 12
    """An author with more works, or a third around which there are more, makes no pairs."""
    kept_back: float = 0.03
    """Share of works, by the hash of their id, that no pair of the tuning touches: the trial asks for them."""
    questions: int = 1_000
    """At most so many pairs are asked for in the trial, as many of each kind as there are."""
    others: int = 1_500
    """Texts of other works that stand beside the partners in the trial."""
    adopt: str = "better"
    """``better``: the artifact names the base unless the tuned model wins the trial; ``always``: it does not matter."""
    precision: str = "bfloat16"
    """``bfloat16`` (weights stay 32-bit) or ``float32``."""
    seed: int = 0
    """For the draws and for dropout."""

    def __post_init__(self) -> None:
        if self.adopt not in {"better", "always"} or self.precision not in {"bfloat16", "float32"}:
            raise ConfigError(
                f"tune_embedder: adopt = {self.adopt!r}, precision = {self.precision!r}.",
                "Use 'better' or 'always'; 'bfloat16' or 'float32'.",
            )
        if min(self.steps, self.crowd) < 1 or self.batch < 2 or not 0 < self.kept_back < 1:
            raise ConfigError(
                f"tune_embedder: steps = {self.steps}, batch = {self.batch}, crowd = {self.crowd},"
                f" kept_back = {self.kept_back}.",
                "At least one step of two pairs; kept_back between 0 and 1.",
            )


def run(config: TuneEmbedderConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Tune the base on ``inputs["documents"]`` and perhaps ``inputs["graph"]``, minus ``inputs["keep_out"]``.

    Returns:
        Pairs mined, kept (for tuning and for the trial), and refused by reason.

    Raises:
        ConfigError: The base is no model of this architecture.
        DataError: There are no pairs, or a list of queries cannot be read.
        TrainingError: The loss is no number, or a checkpoint cannot be written.
    """
    home = _home(config, out.settings)
    works, faults = read_works(inputs["documents"] / "documents", _files(inputs, GRAPH))
    queries = _files(inputs, KEEP_OUT)
    kept_out = read_kept_out(queries, works.values()) if queries else NO_QUERIES
    mined = mine(
        works, kept_out, [k for k, weight in config.mixture.items() if weight > 0], config.crowd, config.kept_back
    )
    shown = ordered(mined.training, config.mixture, config.steps, config.batch, config.seed)
    write_table(out.path / "pairs.parquet", ShownPair, shown)
    write_table(out.path / "drops.parquet", Drop, faults)
    curve = _tune(config, home, works, shown, out)
    write_table(out.path / "curve.parquet", CurveRow, curve)
    verdict = _try(config, works, mined, out)
    adopted = verdict.better or config.adopt == "always"
    if not adopted:
        shutil.rmtree(out.path / REJECTED, ignore_errors=True)
        (out.path / MODEL_FOLDER).rename(out.path / REJECTED)
        write_ref(out.path, config.base)
    out.metrics.update(_metrics(mined, shown, kept_out), trial=asdict(verdict), adopted=adopted)
    write_json(out.path / "training.json", out.metrics)
    used = len(mined.training) + len(mined.trial)
    lines = {"broken_line": len(faults)} if faults else {}
    return Counts(
        taken=mined.taken + len(faults), kept=used, dropped={**mined.refused, **lines}, made={"shown": len(shown)}
    )


def estimate(config: TuneEmbedderConfig, documents: int, size: int) -> Estimate:
    """What tuning takes on one processor core."""
    hours = config.steps * config.batch / PAIRS_PER_SECOND / 3600
    return Estimate(hours=hours, disk_bytes=4 * BYTES_OF_A_MODEL)


def _files(inputs: Mapping[str, Path], name: str) -> FileSet | None:
    return FileSet.from_row(read_json(inputs[name])) if name in inputs else None


def _home(config: TuneEmbedderConfig, machine: Settings) -> Path:
    if config.base.kind not in minilm.KINDS:
        raise ConfigError(
            say(f"tune_embedder: the base {config.base.name!r} is of the kind {config.base.kind!r}.",
                f"tune_embedder: 元のモデル {config.base.name!r} の種類は {config.base.kind!r}。"),
            say(f"Wanted {' or '.join(minilm.KINDS)}.", f"使える種類: {', '.join(minilm.KINDS)}。"),
        )  # fmt: skip
    return minilm.home_folder(config.base, machine)


def _tune(
    config: TuneEmbedderConfig, home: Path, works: Mapping[str, Work], shown: Sequence[ShownPair], out: Output
) -> list[CurveRow]:
    """Train, and write ``model/`` and ``model.json``; what an earlier run finished is taken from its note."""
    import torch

    torch.set_num_threads(out.settings.num_threads)
    torch.manual_seed(config.seed)
    lesson = Lesson(
        learning_rate=config.learning_rate, warmup=config.warmup, weight_decay=config.weight_decay, scale=config.scale,
        batch=config.batch, frozen=config.frozen, precision=config.precision, seed=config.seed,
        every=max(1, config.steps // 10),
    )  # fmt: skip
    model = open_model(home, config.window)
    curve = train(model, _texts(works, shown), lesson, out.shards / "checkpoints", out.meter)
    folder = out.path / MODEL_FOLDER
    model.max_seq_length = config.index_window
    model.save_pretrained(str(folder), create_model_card=False)
    write_note(folder, Note(graph=bert_graph.VERSION, window=config.index_window, languages=minilm.LANGUAGES))
    ref = ModelRef(
        name=config.name, revision=folder_revision(folder), kind=config.base.kind, licence=config.base.licence,
        parents=(config.base.name,),
    )  # fmt: skip
    write_ref(out.path, ref)
    return curve


def _texts(works: Mapping[str, Work], shown: Sequence[ShownPair]) -> list[list[tuple[str, str]]]:
    """The texts of each step: the title of one work, the whole of the other."""
    steps: dict[int, list[tuple[str, str]]] = {}
    for pair in shown:
        wanted = works[pair.wanted]
        # A work's own title is left out of its text, else the title alone would find it.
        text = wanted.text if pair.asked == pair.wanted else passage(wanted)
        steps.setdefault(pair.step, []).append((works[pair.asked].title, text))
    return [steps[number] for number in sorted(steps)]


def _try(config: TuneEmbedderConfig, works: Mapping[str, Work], mined: Mined, out: Output) -> Verdict:
    questions = chosen(mined.trial, config.questions, config.seed)
    crowd = sorted(works)[:: max(1, len(works) // config.others)]
    ref, machine = placed(out.path, out.settings)
    models = (load_embedder(config.base, out.settings), load_embedder(ref, machine))
    return trial(works, questions, crowd, models, config.seed)


def _metrics(mined: Mined, shown: Sequence[ShownPair], kept_out: KeptOut) -> dict[str, object]:
    kinds: dict[str, int] = {}
    for pair in mined.training:
        kinds[pair.kind] = kinds.get(pair.kind, 0) + 1
    return {
        "pairs": dict(sorted(kinds.items())), "pairs_shown": len(shown), "trial_pairs": len(mined.trial),
        "queries_kept_out": len(kept_out.ids),
    }  # fmt: skip
