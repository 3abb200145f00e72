"""Lineages: anything of a workspace led back to where it came from, whatever kind of thing its id names.

A model tells what it was shown, and when; everything else is walked back along the chain behind an expert, then along
whatever else the workspace holds.
"""

from gnomon.core.errors import NotFound
from gnomon.core.records import Expert
from gnomon.core.wording import say
from gnomon.runs.lineage import Chain, Link, expert_chain, whole_chain
from gnomon.runs.walk import walk
from gnomon.runs.workspace import Workspace


def walk_back(workspace: Workspace, name: str, expert: Expert | None, *, elsewhere: bool = True) -> Link:
    """Lead an id back to its source.

    Args:
        workspace: Where everything is kept.
        name: A model (its role in the expert, its name or address), document, chunk, answer, pair, example, question,
            step or file.
        expert: Whose chain is looked at first, if any.
        elsewhere: Whether to look at the rest of the workspace, too.

    Raises:
        NotFound: Nothing has this id; the hint names the nearest ids.
    """
    from gnomon.training.lessons import learners
    from gnomon.training.shown import find_model, model_lineage

    address = find_model(workspace, name, dict(expert.parts) if expert else {})
    if address is not None:
        return model_lineage(workspace, address)
    chains: list[Chain] = [expert_chain(workspace, expert)] if expert else []
    return walk(workspace, [*chains, *([whole_chain(workspace)] if elsewhere else [])], name, learners(workspace))


def shown_to(
    workspace: Workspace, name: str, expert: Expert | None, document: str, *, tokens: tuple[int, int] | None = None,
    excerpt: str = "",
) -> Link:  # fmt: skip
    """When a model was shown a document.

    Args:
        workspace: Where everything is kept.
        name: The model.
        expert: Whose roles name models, if any.
        document: The document.
        tokens: Only these tokens of it.
        excerpt: Only these words of it.

    Raises:
        NotFound: There is no such model, or it was never shown the document.
    """
    from gnomon.training.shown import document_lineage, find_model

    address = find_model(workspace, name, dict(expert.parts) if expert else {})
    if address is None:
        raise NotFound(
            say(f"{name!r} is no model of this workspace.", f"{name!r} というモデルはこの作業場所にない。"),
            say("Give a model's role in the expert (base, specialised), its name or its address; `gnomon show`"
                " lists them.",
                "エキスパートでの役割（base、specialised）、名前、アドレスのいずれかを指定する。"
                "`gnomon show` で一覧できる。"),
        )  # fmt: skip
    return document_lineage(workspace, address, document, tokens=tokens, excerpt=excerpt)
