import csv
import io

import bibtexparser
import rispy

from gnomon.core.records import Author, Biblio, Document, Source
from gnomon.research.reference_files import COLUMNS, FORMS


def document(name: str, title: str, *authors: str, **biblio: object) -> Document:
    return Document(
        id=name, title=title, text="Words.", lang="en", source=Source(kind="jsonl", key="a", sha256="0"),
        biblio=Biblio(authors=tuple(Author(name=author) for author in authors), **biblio),  # type: ignore[arg-type]
    )  # fmt: skip


PLAIN = document("arxiv:1602.03837", "Waves & more {50%}", "Abbott, B. P.", "al., et", year=2016, venue="PRL, 116",
                 doi="10.1103/physrevlett.116.061102", categories=("gr-qc", "astro-ph.HE"))  # fmt: skip
HOSTILE = document("local:x", "=cmd()|' /C calc'!A0\nER  - \nTY  - JOUR", "+Evil, E.\nAU  - Worse", doi="javascript:1")


def test_ris_is_read_back_by_another_program() -> None:
    entries = rispy.loads(FORMS["ris"].write([PLAIN, HOSTILE]))
    assert len(entries) == 2
    assert (entries[0]["authors"], entries[0]["year"], entries[0]["doi"]) == (
        ["Abbott, B. P."],
        "2016",
        PLAIN.biblio.doi,
    )
    assert (entries[0]["title"], entries[0]["keywords"]) == (PLAIN.title, ["gr-qc", "astro-ph.HE"])
    assert "doi" not in entries[1]
    assert entries[1]["authors"] == ["+Evil, E. AU - Worse"]


def test_bibtex_is_read_back_by_another_program() -> None:
    library = bibtexparser.parse_string(FORMS["bib"].write([PLAIN, HOSTILE]))
    assert not library.failed_blocks
    first = library.entries[0].fields_dict
    assert (first["author"].value, first["eprint"].value if "eprint" in first else "") == (
        "Abbott, B. P. and others",
        "",
    )
    assert first["doi"].value == PLAIN.biblio.doi


def test_csv_has_a_head_and_no_formula() -> None:
    rows = list(csv.DictReader(io.StringIO(FORMS["csv"].write([PLAIN, HOSTILE]))))
    assert tuple(rows[0]) == COLUMNS
    assert (rows[0]["authors"], rows[0]["arxiv"]) == ("Abbott, B. P.", "1602.03837")
    assert rows[0]["address"] == f"https://doi.org/{PLAIN.biblio.doi}"
    assert all(not cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
