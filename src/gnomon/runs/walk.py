"""The walk: given any id, find out what it is and lead it back to its source.

Ids tell themselves apart by their shape (``answer:…``, ``DOC#0-120@1f2e3d4c``, ``room/verb/identity``); what has no
shape of its own is looked for as a pair, an example, a document, a file, a question, a step and a model. A pair comes
first, because the examples, questions and documents made of it may carry its id.
"""

import difflib
import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from gnomon.core.answers import Answer, Citation
from gnomon.core.errors import NotFound
from gnomon.core.tables import from_row
from gnomon.core.wording import say
from gnomon.runs.documents import known_ids
from gnomon.runs.entries import Learners, example, pair
from gnomon.runs.lineage import Chain, Link, chain_of
from gnomon.runs.questions import question
from gnomon.runs.walker import Walker
from gnomon.runs.workspace import Workspace

ANSWERS = "answers"
_CHUNK_ID = re.compile(r"^(?P<doc>.+)#(?P<start>\d+)-(?P<end>\d+)@(?P<hash>[0-9a-f]+)$")


def nobody(names: Sequence[str]) -> Sequence[Link]:
    """The ``Learners`` of a workspace whose models are not asked about."""
    return ()


def walk(workspace: Workspace, chains: Sequence[Chain], name: str, learners: Learners = nobody) -> Link:
    """Lead any id back to its source.

    Args:
        workspace: Where answers are kept.
        chains: Where to look, the likeliest first: the expert's chain, then the whole workspace.
        name: A document, chunk, answer, pair, example, question, step, file or model.
        learners: Says who learnt a pair or an example.

    Raises:
        NotFound: Nothing has this id; the hint names the nearest ids.
    """
    answer = load_answer(workspace, name)
    if answer is not None:
        return answer_lineage(Walker(chain_of(workspace, answer.parts) if answer.parts else chains[0]), answer)
    for chain in chains:
        walker = Walker(chain)
        ways: list[Callable[[str], Link | None]] = [
            walker.step if name.count("/") in (1, 2) else _nothing,
            walker.chunk if _CHUNK_ID.match(name) else _nothing,
            partial(pair, walker, learners=learners), partial(example, walker, learners=learners),
            walker.document, walker.file, partial(question, walker), walker.step, walker.model,
        ]  # fmt: skip
        for way in ways:
            link = way(name)
            if link is not None:
                return link
    raise _not_found(chains, name)


def _nothing(name: str) -> Link | None:
    return None


def answer_lineage(walker: Walker, answer: Answer) -> Link:
    """An answer's lineage: its claims, their citations, and what those rest on."""
    cited = {citation.id: _citation(walker, citation) for citation in answer.citations}
    claims = [
        Link(kind="claim", id=str(number), facts={"text": claim.text},
             below=tuple(cited[name] for name in claim.citations if name in cited))
        for number, claim in enumerate(answer.claims, 1)
    ]  # fmt: skip
    facts = {"question": answer.question, "text": answer.text, "voice": answer.voice, "refused": answer.refused}
    return Link(kind="answer", id=answer.id, facts=facts, below=tuple(claims))


def _citation(walker: Walker, citation: Citation) -> Link:
    facts: dict[str, Any] = walker.quoted(citation.span, citation.quote)
    facts |= {"doc_id": citation.doc_id, "title": citation.title, "year": citation.year}
    chunk = walker.chunk_around(citation.span)
    return Link(kind="citation", id=citation.id, facts=facts, below=() if chunk is None else (chunk,))


def load_answer(workspace: Workspace, name: str) -> Answer | None:
    """A saved answer, under its id with or without ``answer:``."""
    row = workspace.load(ANSWERS, answer_name(name)) if re.fullmatch(r"(answer:)?[\w:-]+", name) else None
    return None if row is None else from_row(Answer, row)


def answer_name(answer_id: str) -> str:
    """The name under which an answer is saved: its id without what a file name cannot hold."""
    return answer_id.removeprefix("answer:").replace(":", "-")


def _not_found(chains: Sequence[Chain], name: str) -> NotFound:
    known = {doc_id for chain in chains for doc_id in known_ids(chain)}
    near = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.6)
    near += [doc_id for doc_id in sorted(known) if name in doc_id and doc_id not in near][: 3 - len(near)]
    hint = say("Nearest: ", "近いもの: ") + ", ".join(near) if near else say(
        "Give the id of a document, chunk, answer, pair, example, question, step, file or model; `gnomon search` shows"
        " ids.",
        "文書・チャンク・回答・対・学習例・問題・ステップ・ファイル・モデルの ID を指定する。"
        "ID は `gnomon search` でわかる。",
    )  # fmt: skip
    return NotFound(say(f"Nothing here has the id {name!r}.", f"{name!r} という ID のものはない。"), hint)
