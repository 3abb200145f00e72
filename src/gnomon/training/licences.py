"""Licences: what the terms of weights and texts allow, and what they ask of a model made from them.

An explicit table, so that a person can read and dispute each line; it is a reminder, not legal advice.
*Parents* are weights that the new model is made from; *data* is text that it was shown. Weights made from
weights are a derivative work of them; whether weights are a derivative of a text is open in most countries, so
terms of a text give duties and notes where terms of a parent forbid.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc

from gnomon.core.tables import read_batches
from gnomon.core.wording import say

USES = ("research", "commercial")


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What a licence allows and asks for."""

    kind: str
    """``public-domain``, ``permissive``, ``attribution``, ``share-alike``, ``non-commercial``, ``no-derivatives``,
    ``community`` (a maker's own terms) or ``unknown``."""
    commercial: bool = True
    """Whether commercial use is allowed."""
    derivatives: bool = True
    """Whether changed versions may be passed on."""
    family: str = ""
    """Derivatives must carry this family of licences; empty when they may carry another."""
    naming: str = ""
    """What the name of a model made from it must begin with."""
    teaches: bool = True
    """Whether what such a model wrote may train models of other families."""
    credit: bool = True
    """Whether the makers must be named."""


_FREE = Terms(kind="public-domain", credit=False)
_PERMISSIVE = Terms(kind="permissive")
_BY = Terms(kind="attribution")
_SA = Terms(kind="share-alike", family="cc-by-sa")
_NC = Terms(kind="non-commercial", commercial=False)
_NC_SA = Terms(kind="non-commercial", commercial=False, family="cc-by-nc-sa")
_ND = Terms(kind="no-derivatives", derivatives=False)
_NC_ND = Terms(kind="no-derivatives", commercial=False, derivatives=False)
_OLD_LLAMA = Terms(kind="community", family="llama", teaches=False)
_LLAMA = Terms(kind="community", family="llama", naming="Llama")
_RAIL = Terms(kind="community", family="openrail")
UNKNOWN = Terms(kind="unknown")

TERMS: dict[str, Terms] = {
    "cc0": _FREE, "pddl": _FREE, "public-domain": _FREE, "unlicense": _FREE, "wtfpl": _FREE,
    "apache": _PERMISSIVE, "mit": _PERMISSIVE, "bsd": _PERMISSIVE, "isc": _PERMISSIVE, "zlib": _PERMISSIVE,
    "cc-by": _BY, "odc-by": _BY, "cdla-permissive": _BY,
    "cc-by-sa": _SA, "odbl": Terms(kind="share-alike", family="odbl"), "gfdl": Terms(kind="share-alike", family="gfdl"),
    "gpl": Terms(kind="share-alike", family="gpl"), "agpl": Terms(kind="share-alike", family="gpl"),
    "lgpl": Terms(kind="share-alike", family="gpl"),
    "cc-by-nc": _NC, "cc-by-nc-sa": _NC_SA, "cc-by-nd": _ND, "cc-by-nc-nd": _NC_ND,
    "llama2": _OLD_LLAMA, "llama3": _OLD_LLAMA, "llama3.1": _LLAMA, "llama3.2": _LLAMA, "llama3.3": _LLAMA,
    "llama4": _LLAMA, "gemma": Terms(kind="community", family="gemma"),
    "qwen": Terms(kind="community", family="qwen"),
    "qwen-research": Terms(kind="non-commercial", commercial=False, family="qwen"),
    "mrl": Terms(kind="non-commercial", commercial=False, family="mrl"),
    "openrail": _RAIL, "openrail++": _RAIL, "bigscience-openrail-m": _RAIL, "bigscience-bloom-rail-1.0": _RAIL,
    "creativeml-openrail-m": _RAIL, "bigcode-openrail-m": _RAIL,
    "arxiv-nonexclusive-distrib": Terms(kind="unknown"),
}  # fmt: skip
"""Terms by the key that ``licence_key`` gives. Versions of one licence share a line unless their terms differ."""

_CC_ADDRESS = re.compile(r"creativecommons\.org/(?:licenses/([a-z-]+)|publicdomain/(zero|mark))")
_VERSION = re.compile(r"[- ]v?\d+(?:\.\d+)*(?:[- ].*)?$")
_ALIASES = (
    (r"cc[- ]?0|cc[- ]zero|creative commons zero", "cc0"), (r"public[- ]domain|pdm|cc-pdm", "public-domain"),
    (r"apache|asl", "apache"), (r"mit|x11", "mit"), (r"(?:\d-clause[- ])?bsd", "bsd"),
    (r"odc[- ]by|open data commons attribution", "odc-by"), (r"odbl|odc-odbl", "odbl"),
    (r"gfdl|gnu free documentation", "gfdl"), (r"agpl", "agpl"), (r"lgpl", "lgpl"), (r"gpl", "gpl"),
)  # fmt: skip


def licence_key(licence: str) -> str:
    """The line of ``TERMS`` that a licence's name or address means; its own lower-case name when there is none."""
    text = " ".join(licence.lower().replace("_", "-").split())
    address = _CC_ADDRESS.search(text)
    if address:
        mark = {"zero": "cc0", "mark": "public-domain"}
        return mark[address.group(2)] if address.group(2) else f"cc-{address.group(1)}"
    if "arxiv.org/licenses/nonexclusive" in text:
        return "arxiv-nonexclusive-distrib"
    if text in TERMS:
        return text
    if match := re.match(r"(?:cc|creative commons)[- ](by(?:[- ](?:nc|nd|sa))*)\b", text):
        return "cc-" + match.group(1).replace(" ", "-")
    if match := re.match(r"(?:meta[- ])?llama[- ]?([234](?:\.\d)?)", text):
        return f"llama{match.group(1)}"
    for pattern, key in _ALIASES:
        if re.match(rf"(?:{pattern})(?![a-z])", text):
            return key
    return _VERSION.sub("", text)


def terms_of(licence: str) -> Terms:
    """The terms of a licence; ``UNKNOWN`` for one that the table does not hold."""
    return TERMS.get(licence_key(licence), UNKNOWN)


@dataclass(frozen=True, kw_only=True, slots=True)
class Findings:
    """What the licences of parents and data mean for a model made from them."""

    problems: tuple[str, ...] = ()
    """Why it must not be made or passed on as declared, in the reader's language."""
    duties: tuple[str, ...] = ()
    """What whoever passes it on has to do or to look at."""


def examine(
    parents: Mapping[str, str], data: Mapping[str, str], *, name: str = "", licence: str = "", use: str = "research"
) -> Findings:
    """Compare the licences of parents and data with each other and with what is intended.

    Args:
        parents: Licences of the models it is made from, by their names.
        data: Licences of the texts it is shown, by source; several of one source as ``"source (licence)"``.
        name: The new model's name, for terms that ask for a beginning.
        licence: The licence it is to carry; empty when not decided.
        use: ``"research"`` or ``"commercial"``.
    """
    problems = [*_own_terms(parents, licence)]
    duties: list[str] = []
    for kind, table in (("parent", parents), ("data", data)):
        for who, its in sorted(table.items()):
            terms = terms_of(its)
            problems += _forbidden(who, its, terms, weights=kind == "parent", use=use)
            duties += _duties(who, its, terms, weights=kind == "parent", name=name)
    problems += _taught(parents, data)
    return Findings(problems=tuple(problems), duties=tuple(dict.fromkeys(duties)))


def _forbidden(who: str, licence: str, terms: Terms, *, weights: bool, use: str) -> list[str]:
    found = []
    if use == "commercial" and not terms.commercial:
        found.append(
            say(
                f"{who} ({licence}) forbids commercial use, which is declared",
                f"{who}({licence})は商用利用を禁じるが、商用と宣言されている",
            )
        )
    if weights and not terms.derivatives:
        found.append(
            say(
                f"{who} ({licence}) forbids derivatives: its weights cannot be trained further",
                f"{who}({licence})は改変を禁じるため、重みの追加学習はできない",
            )
        )
    return found


def _own_terms(parents: Mapping[str, str], licence: str) -> list[str]:
    """Parents that each want the result under their own terms, or a declared licence that is not theirs."""
    families = {terms.family: (who, its) for who, its in sorted(parents.items()) if (terms := terms_of(its)).family}
    wanted = " + ".join(f"{who} ({its})" for who, its in families.values())
    if len(families) > 1:
        return [
            say(
                f"{wanted}: each wants the result under its own licence",
                f"{wanted}: それぞれが自分のライセンスを結果に求める",
            )
        ]
    if licence and families and terms_of(licence).family not in families:
        return [
            say(
                f"the result is to be {licence}, but {wanted} passes its own licence on",
                f"結果は {licence} の予定だが、{wanted} は自分のライセンスの継承を求める",
            )
        ]
    return []


def _taught(parents: Mapping[str, str], data: Mapping[str, str]) -> list[str]:
    families = {terms_of(its).family for its in parents.values()}
    return [
        say(
            f"{who} ({its}): what such a model wrote may not train models of another family",
            f"{who}({its}): このモデルの出力で他系統のモデルを学習することは禁じられている",
        )
        for who, its in sorted(data.items())
        if not (terms := terms_of(its)).teaches and families != {terms.family}
    ]


def _duties(who: str, licence: str, terms: Terms, *, weights: bool, name: str) -> list[str]:
    found = []
    if terms.kind == "unknown":
        shown = licence or say("no licence stated", "ライセンスの記載なし")
        found.append(say(f"{who} ({shown}): read its terms", f"{who}({shown}): 条件を確かめる"))
    elif terms.credit:
        found.append(say(f"{who} ({licence}): name its makers", f"{who}({licence}): 作者を表示する"))
    if terms.family and weights:
        found.append(
            say(f"{who} ({licence}): pass that licence on", f"{who}({licence}): 同じライセンスを継承し、添付する")
        )
    elif terms.kind == "share-alike":
        found.append(
            say(
                f"{who} ({licence}): passages that the model repeats stay under it; say so in the card",
                f"{who}({licence}): モデルが再現する文章には同じ条件が及ぶ。カードに明記する",
            )
        )
    if not weights and not terms.derivatives:
        found.append(
            say(
                f"{who} ({licence}): changed text may not be passed on, so publish no packed or cleaned copy",
                f"{who}({licence}): 改変した文章は配布できない。整形済みの写しを公開しない",
            )
        )
    if terms.naming and not name.startswith(terms.naming):
        found.append(
            say(
                f"{who} ({licence}): a published name must begin with {terms.naming!r}, and show 'Built with Llama'",
                f"{who}({licence}): 公開名は {terms.naming!r} で始め、'Built with Llama' と表示する",
            )
        )
    if not terms.commercial:
        found.append(say(f"{who} ({licence}): no commercial use", f"{who}({licence}): 商用利用不可"))
    return found


def licence_counts(artifact: Path) -> dict[str, int]:
    """How many documents below ``artifact / "documents"`` state which licence (``""``: none)."""
    found: Counter[str] = Counter()
    for batch in read_batches(artifact / "documents", ["source"]):
        for row in pc.value_counts(pc.struct_field(batch.column("source"), "licence")).to_pylist():
            found[row["values"] or ""] += row["counts"]
    return dict(sorted(found.items()))
