"""Shown: what a model was shown, as a lineage that a person can read: a tree of links.

``model_lineage`` answers "what", ``document_lineage`` "was it shown this document, and when".
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from gnomon.core.errors import NotFound
from gnomon.core.files import read_json
from gnomon.core.tables import read_batches
from gnomon.core.wording import say
from gnomon.llm.weights import REF_FILE
from gnomon.runs.lineage import Link, known_record, upstream
from gnomon.runs.record import Record
from gnomon.runs.workspace import Workspace
from gnomon.training.exposure import (
    PIECES,
    Sight,
    Stage,
    folder_of,
    is_model,
    overlapping,
    sights,
    stages,
    stream_of,
    tokens_of_excerpt,
)

_PREFIXES = ("", "arxiv:", "local:")
_SHORTEST = 6
"""Digits of an identity that are enough to name it."""


def model_lineage(workspace: Workspace, address: str) -> Link:
    """What a model was shown: its stages down the pedigree, their sources, documents, tokens and licences."""
    record = _known(workspace, address)
    below = [_stage_link(stage, list(_mixture(stage))) for stage in stages(workspace, address)]
    return Link(
        kind="model",
        id=_name(workspace, record),
        facts=_facts(workspace, record),
        below=(*below, *_starts(workspace, address)),
    )


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
        raise _never(_name(workspace, record), doc_id, excerpt if seen_anywhere else "")
    return Link(kind="model", id=_name(workspace, record), facts=_facts(workspace, record), below=tuple(below))


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


def _mixture(stage: Stage) -> Iterator[Link]:
    """One link a source, with what was seen of it."""
    whole = stage.seen == stage.rows
    shown = None if whole or stage.folder is None else _shown(stage)
    for name, source in sorted(stage.tokens.metrics["sources"].items()):
        facts = {key: source[key] for key in ("documents", "tokens", "repeats", "licences")}
        if not whole:
            facts["tokens"], facts["documents"] = shown.get(name, (0, 0)) if shown is not None else (None, None)
        yield Link(kind="mixture", id=name, facts=facts)


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


def _starts(workspace: Workspace, address: str) -> Iterator[Link]:
    """The models of the pedigree whose training is not known here: adopted ones."""
    trained = {stage.model.address for stage in stages(workspace, address)}
    for record in reversed(upstream(workspace, [address])):
        if is_model(record) and record.address not in {address, *trained}:
            yield Link(kind="model", id=_name(workspace, record), facts=_facts(workspace, record))


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
    named = [r for r in models if _name(workspace, r) == name]
    return max(named, key=lambda r: (r.started, r.address)).address if named else None


def _known(workspace: Workspace, address: str) -> Record:
    record = known_record(workspace, address)
    if record is None:
        raise NotFound(say(f"There is no model {address}.", f"モデル {address} はない。"))
    return record


def _facts(workspace: Workspace, record: Record) -> dict[str, Any]:
    folder = folder_of(workspace, record)
    ref = read_json(folder / REF_FILE) if folder is not None else {}
    known = {key: ref[key] for key in ("revision", "kind", "licence", "parents") if ref.get(key)}
    return {"step": record.address, "here": folder is not None, **known}


def _name(workspace: Workspace, record: Record) -> str:
    folder = folder_of(workspace, record)
    return str(read_json(folder / REF_FILE)["name"]) if folder is not None else record.address


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
