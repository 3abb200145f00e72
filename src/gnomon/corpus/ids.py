"""Ids: one stable name for a work, whoever mentions it.

``arxiv:2401.01234`` and ``arxiv:hep-th/9301042`` for what arXiv numbers, without version, prefix or
address; ``local:ID`` for everything else.
"""

import re
import unicodedata

from gnomon.core.records import Biblio

_ARCHIVES = (
    "acc-phys adap-org alg-geom ao-sci astro-ph atom-ph bayes-an chao-dyn chem-ph cmp-lg comp-gas cond-mat cs"
    " dg-ga funct-an gr-qc hep-ex hep-lat hep-ph hep-th math math-ph mtrl-th nlin nucl-ex nucl-th patt-sol physics"
    " plasm-ph q-alg q-bio quant-ph solv-int supr-con"
).split()
_NEW = r"\d{2}(?:0[1-9]|1[0-2])\.\d{4,5}"
_OLD = rf"(?:{'|'.join(_ARCHIVES)})(?:\.[A-Z]{{2}})?/\d{{2}}(?:0[1-9]|1[0-2])\d{{3}}"
_PREFIX = r"(?:(?:https?://)?(?:www\.|export\.)?arxiv\.org/(?:abs|pdf|html|e-print|src)/|oai:arxiv\.org:|10\.48550/arxiv\.|arxiv:)?"
_ARXIV = re.compile(rf"{_PREFIX}({_NEW}|{_OLD})(?:v\d+)?(?:\.pdf)?(?:\s*\[[^\]]*\])?", re.IGNORECASE)
_FILE = re.compile(rf"(?:arxiv[-_ .]?)?({_NEW}|(?:{'|'.join(_ARCHIVES)})[-_]?\d{{7}})(?:v\d+)?", re.IGNORECASE)
_STAMP = re.compile(rf"arXiv:\s?({_NEW}|{_OLD})(?:v\d+)?\s+\[", re.IGNORECASE)
_DOI = re.compile(r"10\.\d{4,9}/[^\s\"<>{}|\\^`]+")


def arxiv_id(text: str) -> str:
    """The bare arXiv id that a string is, in any of its usual writings; empty when it is none."""
    match = _ARXIV.fullmatch(text.strip())
    return _bare(match[1]) if match else ""


def arxiv_id_of_file(stem: str) -> str:
    """The arXiv id that a file is named after (``2401.01234v2``, ``hep-th9301042``); empty when none."""
    match = _FILE.fullmatch(stem)
    if not match:
        return ""
    found = match[1].lower()
    return found if "." in found else re.sub(r"[-_]?(\d{7})$", r"/\1", found)


def arxiv_stamp(text: str) -> str:
    """The arXiv id stamped on a first page (``arXiv:2401.01234v2 [astro-ph.CO]``); empty when none."""
    match = _STAMP.search(text)
    return _bare(match[1]) if match else ""


def _bare(found: str) -> str:
    """Lower case, and the old form without its subject class (``math.GT/0309136`` is ``math/0309136``)."""
    return re.sub(r"\.[a-z]{2}/", "/", found.lower())


def arxiv_date(identifier: str) -> str:
    """Year and month of a bare arXiv id as ``YYYY-MM``."""
    digits = identifier.rpartition("/")[2][:4]
    year = int(digits[:2])
    return f"{1900 + year if year > 90 else 2000 + year}-{digits[2:]}"


def bare_doi(text: str) -> str:
    """The DOI in a string, lower case, without address; empty when there is none."""
    match = _DOI.search(text)
    return match[0].rstrip(".,;)]").lower() if match else ""


def document_id(own: str) -> str:
    """The id of a document whose record, citation key or file is called ``own``."""
    found = arxiv_id(own)
    if found:
        return f"arxiv:{found}"
    name = unicodedata.normalize("NFC", " ".join(own.split()))
    return name if name.startswith("local:") else f"local:{name}"


def work_id(own: str, biblio: Biblio) -> str:
    """The id of a bibliographic entry: its arXiv id when it states one, else its key."""
    return f"arxiv:{biblio.arxiv}" if biblio.arxiv else document_id(own)
