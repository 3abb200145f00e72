"""Reference lists: made from records by code, and safe whatever a record holds."""

import warnings

import pytest
from shelf import Shelf

from gnomon.core.answers import Citation
from gnomon.core.records import Author, Biblio, Document, Source, Span
from gnomon.research.ask import answer
from gnomon.research.references import Place, as_bibtex, as_markdown, as_text, place_of, references

HUBBLE = Document(
    id="local:hubble-1929",
    title="A relation between distance and radial velocity among extra-galactic nebulae",
    text="In 1929 Edwin Hubble compared distances and velocities of 24 galaxies.",
    lang="en",
    source=Source(kind="jsonl", key="x", sha256=""),
    biblio=Biblio(authors=(Author(name="Hubble, E."),), year=1929, doi="10.1073/pnas.15.3.168", venue="PNAS, 15, 168"),
)
ODD = Document(
    id="arxiv:2401.01234",
    title="100% of $x_i$ & {braces} [R9] <script> \\input{x}\nnext",
    text="Some text.",
    lang="en",
    source=Source(kind="arxiv", key="x", sha256=""),
    biblio=Biblio(
        authors=tuple(Author(name=n) for n in ("Ångström, A.", "Research and Development Team")), year=1929,
        doi='javascript:alert("1")', arxiv="2401.01234",
    ),
)  # fmt: skip


def cite(name: str, document: Document) -> Citation:
    authors = tuple(a.name for a in document.biblio.authors)
    span = Span(doc_id=document.id, text_hash=document.text_hash, start=0, end=4)
    return Citation(id=name, doc_id=document.id, title=document.title, authors=authors, year=document.biblio.year,
                    quote=document.text[:4], span=span)  # fmt: skip


ENTRIES = references([cite("R1", HUBBLE), cite("R2", ODD), cite("R3", HUBBLE)], {d.id: d for d in (HUBBLE, ODD)})


def test_quotes_of_one_document_share_an_entry() -> None:
    assert [entry.ids for entry in ENTRIES] == [("R1", "R3"), ("R2",)]
    assert as_text(ENTRIES).splitlines()[0] == (
        "[R1][R3] Hubble, E. (1929). A relation between distance and radial velocity among extra-galactic nebulae."
        " PNAS, 15, 168. https://doi.org/10.1073/pnas.15.3.168."
    )


def test_only_well_formed_identifiers_become_addresses() -> None:
    assert ENTRIES[1].address == "https://arxiv.org/abs/2401.01234"
    assert "javascript" not in as_text(ENTRIES) + as_bibtex(ENTRIES)


def test_an_id_in_a_title_is_no_citation() -> None:
    assert "R9" not in as_text(ENTRIES) + as_bibtex(ENTRIES)


def test_markdown_escapes_what_a_record_holds() -> None:
    shown = as_markdown(answer("How many galaxies did Edwin Hubble compare in 1929?", Shelf([HUBBLE, ODD])), ENTRIES)
    assert "24 galaxies. [R1]" in shown
    assert "<script>" not in shown
    assert "## References" in shown


def test_bibtex_can_be_read_back() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import bibtexparser

        library = bibtexparser.parse_string(as_bibtex(ENTRIES))
    assert library.failed_blocks == []
    assert [entry.key for entry in library.entries] == ["Hubble1929", "Angstrom1929"]
    assert library.entries[0]["doi"] == "10.1073/pnas.15.3.168"
    assert [library.entries[0][name] for name in ("journal", "volume", "pages")] == ["PNAS", "15", "168"]
    assert library.entries[1]["archiveprefix"] == "arXiv"
    assert library.entries[1]["author"] == "Ångström, A. and Research {and} Development Team"
    assert r"100\% of \$x\_i\$ \& \{braces\}" in library.entries[1]["title"]


@pytest.mark.parametrize(
    ("venue", "place"),
    [
        ("Nature, 217, 709", Place("Nature", "217", "", "709")),
        ("JCAP, 2025(02), 021", Place("JCAP", "2025", "02", "021")),
        ("The Astrophysical Journal Letters, 951, L8-L12", Place("The Astrophysical Journal Letters", "951", "", "L8", "L12")),
        ("Annales de la Société, A47, 49", Place("Annales de la Société", "A47", "", "49")),
        ("Harvard Observatory Monographs, 1", Place("Harvard Observatory Monographs, 1")),
        ("Proceedings of a meeting, Tokyo, 1981", Place("Proceedings of a meeting, Tokyo, 1981")),
        ("", Place("")),
    ],
)  # fmt: skip
def test_a_venue_is_taken_apart_only_where_it_is_plain_what_its_parts_are(venue: str, place: Place) -> None:
    assert place_of(venue) == place


def test_keys_are_unique() -> None:
    twin = Document(id="local:twin", title="T", text="t", lang="en", source=HUBBLE.source, biblio=HUBBLE.biblio)
    assert "Hubble1929-2" in as_bibtex(references([cite("R1", HUBBLE), cite("R2", twin)], {}))


def test_a_missing_document_leaves_a_plain_entry() -> None:
    assert "doi.org" not in as_text(references([cite("R1", HUBBLE)], {}))
