"""The model card: what a model is, what it was made from, what that asks of those who pass it on, and its limits.

Written from records, never by hand: a figure that nobody measured is not in it. Its front matter is what the hub's
``ModelCardData`` makes of it, so that the hub reads licence, languages and parents.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gnomon.core.records import ModelRef
from gnomon.training.export.measured import rows_of

HUB_LICENCES = frozenset({
    "apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "cc0-1.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0",
    "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "llama2", "llama3", "llama3.1", "llama3.2", "llama3.3", "llama4", "gemma",
    "openrail", "odc-by",
})  # fmt: skip
"""Licences the hub knows by these names; any other is ``other``, with its name."""

_SWITCH = (
    "It thinks first when the system message begins with `thinking: on`, and answers at once after `thinking: off`"
    " (`enable_thinking` of its chat template)."
)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a card is written from."""

    ref: ModelRef
    """The model."""
    languages: tuple[str, ...] = ()
    """ISO 639-1 codes."""
    purpose: str = ""
    """What it is for, in a sentence."""
    limits: str = ""
    """What it cannot do, in a sentence."""
    duties: tuple[str, ...] = ()
    """What licences of parents and data ask for."""
    sources: Mapping[str, Mapping[str, Any]] | None = None
    """Facts of each source of tokens, as ``training/pack`` left them."""
    training: Mapping[str, Any] | None = None
    """What ``training.json`` says."""
    merge: Mapping[str, Any] | None = None
    """What ``merge.json`` says."""
    measures: Sequence[tuple[str, str, str]] = ()
    """(what, on what, value with interval and n) of each measure."""
    files: Sequence[tuple[str, int]] = ()
    """(name, bytes) of the files that are exported."""
    quantised: Mapping[str, Any] | None = None
    """What ``gguf.json`` says: the cost of each quantisation."""
    chats: bool = False
    """Whether it answers conversations."""
    seconds: float = 0.0
    """Time its last step took."""
    watts: float = 0.0
    """Power the machine drew, as the user states it; 0 when not known."""


def card(facts: Facts) -> str:
    """The card of a model, front matter and all.

    Raises:
        MissingExtra: huggingface_hub is not installed.
    """
    parts = [
        f"---\n{front_matter(facts)}\n---",
        f"# {facts.ref.name}\n\n{facts.purpose or 'Made with Gnomon.'}",
        _naming(facts), _pedigree(facts), _data(facts), _training(facts), _duties(facts), _measures(facts),
        _quantised(facts), _use(facts), _cost(facts),
        f"## Limits\n\n{facts.limits or 'Not examined beyond the figures above; check what it says.'}",
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part) + "\n"


def front_matter(facts: Facts) -> str:
    """The card's metadata as YAML, through huggingface_hub's own class."""
    from huggingface_hub import ModelCardData

    known = facts.ref.licence.lower()
    licence: dict[str, Any] = {"license": known} if known in HUB_LICENCES else {"license": "other"}
    if licence["license"] == "other":
        licence["license_name"] = known or "not-stated"
    data = ModelCardData(
        **licence, language=list(facts.languages) or None, library_name="transformers",
        pipeline_tag="text-generation", base_model=list(facts.ref.parents) or None,
        tags=["gnomon", facts.ref.kind, *(["mergekit", "merge"] if facts.merge else [])],
    )  # fmt: skip
    return str(data.to_yaml())


def _naming(facts: Facts) -> str:
    return "**Built with Llama.**" if any("Built with Llama" in duty for duty in facts.duties) else ""


def _pedigree(facts: Facts) -> str:
    lines = [f"- revision: `{facts.ref.revision}`", f"- licence: {facts.ref.licence or 'not stated'}"]
    if facts.ref.parents:
        lines.append(f"- made from: {', '.join(facts.ref.parents)}")
    if facts.merge:
        weights = ", ".join(
            f"{m['model']} {m.get('parameters', {}).get('weight', '')}".strip() for m in facts.merge["models"]
        )
        lines.append(f"- merged by mergekit, {facts.merge['merge_method']}: {weights}")
    return "## Pedigree\n\n" + "\n".join(lines)


def _data(facts: Facts) -> str:
    if not facts.sources:
        return ""
    rows = [
        f"| {name} | {', '.join(filter(None, its.get('licences', {}))) or 'not stated'} | {its['documents']:,} |"
        f" {its['tokens']:,} | {its['repeats']:.2f} |"
        for name, its in facts.sources.items()
    ]
    return "\n".join(
        ["## Data", "", "| source | licences | documents | tokens | passes |", "|---|---|--:|--:|--:|", *rows]
    )


def _training(facts: Facts) -> str:
    if not facts.training:
        return ""
    its = facts.training
    if its.get("objective") == "dpo":
        return _preferring(its)
    loss = f", last loss {its['loss']:.3f} nats a token" if its.get("loss") is not None else ""
    return (
        f"## Training\n\n{its['tokens']:,} targets in {its['steps']:,} steps of {its['sequences_per_step']} rows of"
        f" {its['context']:,} tokens{loss}."
    )


def _preferring(its: Mapping[str, Any]) -> str:
    held = its.get("held_out")
    apart = (
        f" Of {held['n']:,} pairs held out, the wanted answer is rewarded more in {held['accuracy']:.1%}, by"
        f" {held['margin']:.3f} in the mean."
        if held else ""
    )  # fmt: skip
    return (
        f"## Training\n\nDirect preference optimisation (beta {its['beta']:g}) on {its['pairs']:,} pairs of answers, in"
        f" {its['steps']:,} steps of {its['sequences_per_step']}; at its end the loss is {its['loss']:.3f}.{apart}"
    )


def _quantised(facts: Facts) -> str:
    if not facts.quantised:
        return ""
    rows = [f"| {' | '.join(row)} |" for row in rows_of(facts.quantised)]
    return "\n".join([
        "## What quantisation costs", "",
        f"Perplexity per token on {facts.quantised['documents']:,} held-out documents ({facts.quantised['tokens']:,}"
        " tokens), each file read back; 95 % intervals.",
        "", "| file | MB | perplexity | change, % |", "|---|--:|--:|--:|", *rows,
    ])  # fmt: skip


def _duties(facts: Facts) -> str:
    if not facts.duties:
        return ""
    return "## What licences ask for\n\n" + "\n".join(f"- {duty}" for duty in facts.duties)


def _measures(facts: Facts) -> str:
    if not facts.measures:
        return "## Measured\n\nNothing was measured."
    rows = [f"| {what} | {where} | {value} |" for what, where, value in facts.measures]
    return "\n".join(["## Measured", "", "| what | on | value |", "|---|---|--:|", *rows])


def _use(facts: Facts) -> str:
    name = facts.ref.name
    lines = ["## Use", "", "```bash", f"vllm serve {name}" + (" --reasoning-parser deepseek_r1" if facts.chats else "")]
    files = [file for file, _ in facts.files if file.endswith(".gguf")]
    if files:
        lines += [f"llama-cli -m {files[0]}", f"ollama create {name.rpartition('/')[2]} -f Modelfile"]
    lines.append("```")
    if facts.chats:
        lines += ["", _SWITCH]
    if facts.files:
        lines += ["", "| file | bytes |", "|---|--:|", *(f"| {file} | {size:,} |" for file, size in facts.files)]
    return "\n".join(lines)


def _cost(facts: Facts) -> str:
    if not facts.seconds:
        return ""
    said = f"The last training step took {facts.seconds / 3600:.2f} hours."
    if facts.watts:
        said += f" At {facts.watts:,.0f} W, as its makers state, that is {facts.watts * facts.seconds / 3.6e6:.3f} kWh."
    return f"## Cost\n\n{said} Carbon depends on where the power came from, which is not known here."
