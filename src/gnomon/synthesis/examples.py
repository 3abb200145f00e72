"""The step ``synthesis/examples``: pairs as the conversations a model is fine-tuned on.

Each example names its pair and documents, so what a model was taught can be walked back to the words it rests on.
General sets come from ``synthesis/general``; a mixture of both is a matter of ``training/pack``.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gnomon.core.errors import ConfigError
from gnomon.core.hashing import hash_place
from gnomon.core.records import Drop
from gnomon.core.synthetic import KINDS, QA, Example
from gnomon.core.tables import TableWriter
from gnomon.core.wording import say
from gnomon.runs.counts import Counts
from gnomon.runs.output import Output
from gnomon.synthesis.conversing import SWITCH, conversation, shuffled
from gnomon.synthesis.passing import DROPS, EXAMPLES, pair_drop, read_licences, read_pairs

SOURCE = "synthetic"
OTHER_KIND = "other_kind"
PAIRS_PER_FILE = 20_000


@dataclass(frozen=True, kw_only=True)
class ExamplesConfig:
    """How pairs are told."""

    kinds: tuple[str, ...] = ()
    """Kinds wanted, of ``core.synthetic.KINDS``; empty for all."""
    reasoning: tuple[str, ...] = ("on", "off")
    """States of the switch in which a pair with a chain of reasoning is taught, one example each: ``on`` and ``auto``
    with the chain, ``off`` without."""
    direct: float = 0.1
    """Share of the other pairs that say ``thinking: off``, so that the switch is not a sign of hard questions."""
    seed: int = 0
    """Of the order of options, and of that share."""


def run(config: ExamplesConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    """Write ``examples/`` of ``inputs["pairs"]``, with the licences of ``inputs["documents"]`` where those are given.

    Raises:
        ConfigError: A kind or a state of the switch is unknown.
    """
    _check(config)
    licences = read_licences(inputs["documents"]) if "documents" in inputs else {}
    kinds, letters, states, kept, made = Counter[str](), Counter[int](), Counter[str](), 0, 0
    reasons = Counter[str]()
    with TableWriter(out.path / DROPS, Drop) as drops:
        for number, part in enumerate(_parts(inputs["pairs"])):
            with TableWriter(out.path / EXAMPLES / f"{number:05}.parquet", Example) as writer:
                for pair in part:
                    if config.kinds and pair.kind not in config.kinds:
                        drops.write(pair_drop(pair, OTHER_KIND, pair.kind))
                        reasons[OTHER_KIND] += 1
                        continue
                    for state in states_of(pair, config):
                        writer.write(example_of(pair, config.seed, state, licences.get(pair.doc_id, "")))
                        states[state] += 1
                    kept, kinds[pair.kind] = kept + 1, kinds[pair.kind] + 1
                    letters.update([shuffled(pair, config.seed).index(pair.answer)] if pair.choices else [])
                made += writer.rows
    out.metrics |= {"kinds": dict(sorted(kinds.items())), "switch": dict(sorted(states.items())),
                    "right_letters": {"ABCDEFGHIJ"[place]: n for place, n in sorted(letters.items())}}  # fmt: skip
    return Counts(taken=kept + reasons.total(), kept=kept, dropped=dict(reasons), made={"examples": made})


def states_of(pair: QA, config: ExamplesConfig) -> tuple[str, ...]:
    """The states of the switch in which a pair is taught."""
    if pair.thinking:
        return config.reasoning
    return ("off",) if hash_place(f"{config.seed}\0direct\0{pair.id}") < config.direct else ("auto",)


def example_of(pair: QA, seed: int = 0, state: str = "auto", licence: str = "") -> Example:
    """A pair as a conversation that names it.

    Args:
        pair: The pair.
        seed: Of the order of options.
        state: Of the reasoning switch.
        licence: Of the document.
    """
    documents = dict.fromkeys(evidence.span.doc_id for evidence in pair.evidence)
    return Example(
        id=pair.id if state == "auto" else f"{pair.id}#{state}", messages=conversation(pair, seed, state),
        lang=pair.lang, kind=pair.kind, source=SOURCE, licence=licence, qa_ids=(pair.id,), doc_ids=tuple(documents),
    )  # fmt: skip


def _parts(folder: Path) -> Iterator[Iterator[QA]]:
    """The pairs, a file's worth at a time, each read as it is written; one empty part when there are none."""
    rows = read_pairs(folder)
    first = next(rows, None)
    yield from [iter(())] if first is None else ()
    while first is not None:
        yield _some(first, rows)
        first = next(rows, None)


def _some(first: QA, rows: Iterator[QA]) -> Iterator[QA]:
    yield first
    for _, pair in zip(range(PAIRS_PER_FILE - 1), rows, strict=False):
        yield pair


def _check(config: ExamplesConfig) -> None:
    problems = {
        f"kinds = {config.kinds}": not set(config.kinds) <= set(KINDS),
        f"reasoning = {config.reasoning}": not config.reasoning
        or not set(config.reasoning) <= set(SWITCH)
        or len(set(config.reasoning)) < len(config.reasoning),
        f"direct = {config.direct}": not 0 <= config.direct <= 1,
    }
    for problem, holds in problems.items():
        if holds:
            raise ConfigError(
                say(f"synthesis/examples: {problem}.", f"synthesis/examples の設定が使えない: {problem}。"),
                say(f"Kinds: {', '.join(KINDS)}; reasoning: {', '.join(SWITCH)}, each at most once; 0 <= direct <= 1.",
                    f"kinds は {'、'.join(KINDS)}、reasoning は {'、'.join(SWITCH)} を各一度まで、0 <= direct <= 1。"),
            )  # fmt: skip
