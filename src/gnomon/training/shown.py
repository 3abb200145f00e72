"""Shown: what a model was shown, as a lineage that a person can read: a tree of links.

``model_lineage`` answers "what", ``document_lineage`` "was it shown this document, and when".
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow.compute as pc

from gnomon.core.errors import NotFound
from gnomon.core.tables import read_batches
from gnomon.core.wording import say
from gnomon.runs.lineage import Link, known_record
from gnomon.runs.record import Record
from gnomon.runs.workspace import Workspace
from gnomon.training.exposure import (
    CHOOSE,
    PIECES,
    Sight,
    Stage,
    is_model,
    overlapping,
    parents_of,
    sights,
    stages,
    stream_of,
    tokens_of_excerpt,
)
from gnomon.training.lessons import PREFERENCES, behind_mixture
from gnomon.training.naming import facts_of, name_of

MERGE = "training/merge"
MODEL, EXAM = "model", "exam"

_PREFIXES = ("", "arxiv:", "local:")
_SHORTEST = 6
"""Digits of an identity that are enough to name it."""


def model_lineage(workspace: Workspace, address: str) -> Link:
    """What a model was shown: its stages down the pedigree, their sources, documents, tokens and licences.

    A merge names the models it was made of with their weights, each with its own stages below it; a model that was
    chosen names the candidates with the figures that decided.
    """
    record = _known(workspace, address)
    below = tuple(_behind(workspace, record))
    return Link(kind="model", id=name_of(workspace, record), facts=facts_of(workspace, record), below=below)


def _behind(workspace: Workspace, record: Record) -> Iterator[Link]:
    """How a model was made, and what it was made from."""
    if record.name == CHOOSE:
        yield _choice_link(record)
        for chosen in parents_of(workspace, record):
            yield from _behind(workspace, chosen)
    elif record.name == MERGE:
        yield _merge_link(workspace, record)
    else:
        yield from _trained(workspace, record)


def _choice_link(record: Record) -> Link:
    """The candidates, and the figure of each."""
    chosen, scores = record.metrics["chosen"], record.metrics["scores"]
    facts = {"chosen": chosen, "candidates": len(scores), "metric": record.config["metric"],
             "paper": record.config["paper"], "exam": record.inputs[EXAM]}  # fmt: skip
    candidates = (
        Link(kind="candidate", id=name, facts={"score": scores[name], "chosen": name == chosen,
                                               "step": record.inputs[f"{MODEL}:{name}"]})
        for name in record.config["candidates"]
    )  # fmt: skip
    return Link(kind="choice", id=record.address, facts=facts, below=tuple(candidates))


def _merge_link(workspace: Workspace, record: Record) -> Link:
    """What was merged, in which weights; below it the models, down to where they come from."""
    weights = {str(name): float(weight) for name, weight in record.config["weights"]}
    names = dict.fromkeys([*weights, *([record.config["base"]] if record.config.get("base") else [])])
    below = []
    for name in names:
        link = model_lineage(workspace, record.inputs[f"{MODEL}:{name}"])
        known = {"weight": weights[name]} if name in weights else {"merge_base": True}
        below.append(replace(link, facts={**link.facts, **known}))
    how = {key: record.config[key] for key in ("method", "base", "density", "seed", "dtype") if key in record.config}
    return Link(kind="merge", id=record.address, facts={**how, "weights": weights}, below=tuple(below))


def _trained(workspace: Workspace, record: Record) -> Iterator[Link]:
    """A model's own stage, then the stages or models it started from."""
    own = [stage for stage in stages(workspace, record.address) if stage.model.address == record.address]
    for stage in own:
        yield _stage_link(stage, list(_mixture(workspace, stage)))
    if PREFERENCES in record.inputs:
        yield _preference_link(workspace, record)
    for parent in parents_of(workspace, record):
        before = list(_behind(workspace, parent))
        flat = bool(before) and before[0].kind == "stage"
        if flat:
            yield from before
        else:
            yield Link(kind="model", id=name_of(workspace, parent), facts=facts_of(workspace, parent),
                       below=tuple(before))  # fmt: skip


def _preference_link(workspace: Workspace, record: Record) -> Link:
    """A stage of preference training, and the steps behind what was preferred."""
    metrics, address = record.metrics, record.inputs[PREFERENCES]
    facts = {"steps": metrics.get("steps"), "preferences": metrics.get("pairs"), "tokens": metrics.get("tokens"),
             "context": metrics.get("context")}  # fmt: skip
    source = Link(kind="mixture", id=PREFERENCES, facts={"preferences": metrics.get("pairs")},
                  below=behind_mixture(workspace, address))  # fmt: skip
    return Link(kind="stage", id=record.address, facts=facts, below=(source,))


def document_lineage(
    workspace: Workspace, address: str, doc_id: str, *, tokens: tuple[int, int] | None = None, excerpt: str = ""
) -> Link:
    """When a model was shown a document: the optimizer steps, passes and tokens of each stage.

    Args:
        workspace: Where the artifacts are.
        address: The model.
        doc_id: The document, with or without ``arxiv:`` or ``local:``.
        tokens: Only these tokens of its stream: first, and one past the last.
        excerpt: Only the tokens of these words.

    Raises:
        NotFound: No stage was shown the document, or the excerpt is not in it.
    """
    record = _known(workspace, address)
    below, seen_anywhere = [], False
    for stage in stages(workspace, address):
        name, seen = _first_known(stage, doc_id)
        seen_anywhere |= bool(seen)
        wanted = _excerpt_tokens(workspace, stage, seen, excerpt) if excerpt else tokens
        found = [] if excerpt and wanted is None else overlapping(seen, *(wanted or (0, 1 << 62)))
        below.append(_stage_link(stage, [_document_link(name, found, wanted)] if found else []))
    if not any(link.below for link in below):
        raise _never(name_of(workspace, record), doc_id, excerpt if seen_anywhere else "")
    return Link(kind="model", id=name_of(workspace, record), facts=facts_of(workspace, record), below=tuple(below))


def _first_known(stage: Stage, doc_id: str) -> tuple[str, list[Sight]]:
    for prefix in _PREFIXES:
        seen = sights(stage, prefix + doc_id)
        if seen:
            return prefix + doc_id, seen
    return doc_id, []


def _excerpt_tokens(workspace: Workspace, stage: Stage, seen: list[Sight], excerpt: str) -> tuple[int, int] | None:
    from gnomon.training.packing.streams import open_encoder

    tokenizer = stage.tokens.inputs.get("tokenizer", "")
    if not seen or workspace.record(tokenizer) is None:
        return None
    encoder = open_encoder(workspace.artifact(tokenizer), workspace.settings)
    return tokens_of_excerpt(encoder.tokenizer.decode, stream_of(stage, seen), excerpt)


def _document_link(doc_id: str, seen: list[Sight], wanted: tuple[int, int] | None) -> Link:
    passes = defaultdict(list)
    for sight in seen:
        passes[sight.repeat].append(sight)
    below = [
        Link(kind="pass", id=str(repeat + 1), facts={
            "steps": sorted({s.step for s in some}),
            "sights": [{name: getattr(s, name) for name in ("step", "row", "offset", "start", "end")} for s in some],
        })
        for repeat, some in sorted(passes.items())
    ]  # fmt: skip
    facts = {"source": seen[0].source, "text_hash": seen[0].text_hash, "passes": len(passes),
             "steps": sorted({s.step for s in seen})}  # fmt: skip
    facts |= {"tokens": list(wanted)} if wanted is not None else {}
    return Link(kind="shown", id=doc_id, facts=facts, below=tuple(below))


def _stage_link(stage: Stage, below: Sequence[Link]) -> Link:
    facts = {
        "tokens_artifact": stage.tokens.address, "steps": stage.steps, "rows_a_step": stage.rows_a_step,
        "rows": stage.rows, "rows_seen": stage.seen, "context": stage.tokens.metrics["context"],
        "tokens": sum(int(s["tokens"]) for s in stage.tokens.metrics["sources"].values()),
        "kept": stage.folder is not None,
    }  # fmt: skip
    return Link(kind="stage", id=stage.model.address, facts=facts, below=tuple(below))


def _mixture(workspace: Workspace, stage: Stage) -> Iterator[Link]:
    """One link a source, with what was seen of it."""
    whole = stage.seen == stage.rows
    shown = None if whole or stage.folder is None else _shown(stage)
    for name, source in sorted(stage.tokens.metrics["sources"].items()):
        facts = {key: source[key] for key in ("documents", "tokens", "repeats", "licences")}
        if not whole:
            facts["tokens"], facts["documents"] = shown.get(name, (0, 0)) if shown is not None else (None, None)
        behind = behind_mixture(workspace, stage.tokens.inputs.get(name, ""))
        yield Link(kind="mixture", id=name, facts=facts, below=behind)


def _shown(stage: Stage) -> dict[str, tuple[int, int]]:
    """(tokens, documents) of each source in the rows that were seen."""
    tokens: defaultdict[str, int] = defaultdict(int)
    documents: defaultdict[str, set[str]] = defaultdict(set)
    columns = ["sequence", "length", "context", "source", "doc_id"]
    for batch in read_batches(stage.folder / PIECES if stage.folder else Path(), columns):
        seen = batch.filter(pc.less(batch.column("sequence"), stage.seen))
        new = pc.subtract(seen.column("length"), seen.column("context")).to_pylist()
        names = seen.column("source").to_pylist()
        for name, count, doc_id in zip(names, new, seen.column("doc_id").to_pylist(), strict=True):
            tokens[name] += count
            documents[name].add(doc_id)
    return {name: (tokens[name], len(documents[name])) for name in tokens}


def find_model(workspace: Workspace, name: str, roles: dict[str, str]) -> str | None:
    """The address of a model by its role, address, the beginning of its identity, or its name; None without one.

    Args:
        workspace: Where to look.
        name: What was asked for.
        roles: Addresses of an expert's parts, by role.
    """
    if name in roles:
        record = known_record(workspace, roles[name])
        return record.address if record is not None and is_model(record) else None
    models = [record for record in workspace.records() if is_model(record)]
    for record in models:
        prefix = name.removeprefix(record.name + "/")
        if len(prefix) >= _SHORTEST and record.identity.startswith(prefix):
            return record.address
    named = [r for r in models if name_of(workspace, r) == name]
    return max(named, key=lambda r: (r.started, r.address)).address if named else None


def _known(workspace: Workspace, address: str) -> Record:
    record = known_record(workspace, address)
    if record is None:
        raise NotFound(say(f"There is no model {address}.", f"モデル {address} はない。"))
    return record


def _never(model: str, doc_id: str, excerpt: str) -> NotFound:
    if excerpt:
        return NotFound(
            say(f"The words {excerpt[:60]!r} are not in what {model} was shown of {doc_id}.",
                f"{model} が {doc_id} について見せられた文章に {excerpt[:60]!r} という言葉はない。"),
            say("Copy them from the document as it was cleaned: `gnomon lineage DOCUMENT`.",
                "整形後の文書の言葉をそのまま写す。`gnomon lineage 文書` を参照。"),
        )  # fmt: skip
    return NotFound(
        say(f"{model} was never shown {doc_id} in a stage made here.",
            f"{model} がここで行われた学習の段階で {doc_id} を見せられたことはない。"),
        say("`gnomon lineage MODEL` lists what it was shown; `gnomon lineage DOCUMENT` says where it was left out.",
            "`gnomon lineage モデル` は見せられたものを、`gnomon lineage 文書` は除かれた段階を示す。"),
    )  # fmt: skip
