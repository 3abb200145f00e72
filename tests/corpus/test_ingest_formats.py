"""Each format, on a small file of our own."""

import gzip
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from ingest_kit import Ingested, files, ingested

ARXIV_DUMP = {
    "id": "0704.0001", "submitter": "A Person", "authors": "C. Bal\\'azs and E. L. Berger",
    "title": "Pairs of\n  photons", "comments": "37 pages", "journal-ref": "Phys.Rev.D76:013009,2007",
    "doi": "10.1103/PhysRevD.76.013009", "report-no": None, "categories": "hep-ph astro-ph.CO",
    "license": "http://arxiv.org/licenses/x/", "abstract": "  We count pairs of photons\nat colliders.\n",
    "versions": [{"version": "v1", "created": "Mon, 2 Apr 2007 19:18:42 GMT"}, {"version": "v2", "created": "x"}],
    "update_date": "2008-11-26", "authors_parsed": [["Balázs", "C.", ""], ["Berger", "E. L.", "Jr.", "Argonne"]],
}  # fmt: skip


def one(tmp_path: Path, name: str, data: bytes | str) -> Ingested:
    return ingested(tmp_path / "ws", files(tmp_path / "in", {name: data}))


def test_a_record_of_the_arxiv_dump_keeps_every_fact(tmp_path: Path) -> None:
    result = one(
        tmp_path, "dump.json", json.dumps(ARXIV_DUMP) + "\n" + json.dumps({**ARXIV_DUMP, "id": "hep-th/9301042v3"})
    )
    paper = result.documents["arxiv:0704.0001"]
    assert (paper.title, paper.text) == ("Pairs of photons", "We count pairs of photons\nat colliders.")
    facts = paper.biblio
    assert [a.name for a in facts.authors] == ["Balázs, C.", "Berger, E. L., Jr."]
    assert facts.authors[1].affiliations == ("Argonne",)
    assert (facts.date, facts.year, facts.arxiv) == ("2007-04-02", 2007, "0704.0001")
    assert (facts.doi, facts.venue) == ("10.1103/physrevd.76.013009", "Phys.Rev.D76:013009,2007")
    assert facts.categories == ("hep-ph", "astro-ph.CO")
    assert (paper.source.kind, paper.source.key) == ("arxiv", "dump.json#0")
    assert paper.source.licence == "http://arxiv.org/licenses/x/"
    assert paper.source.url == "https://arxiv.org/abs/0704.0001"
    assert result.marks["arxiv:0704.0001", "column/update_date"] == '"2008-11-26"'
    assert "arxiv:hep-th/9301042" in result.documents


def test_columns_that_mean_nothing_here_become_marks(tmp_path: Path) -> None:
    row = {
        "id": "n1",
        "text": "Words.",
        "lang": "en",
        "licence": "CC0-1.0",
        "mood": {"level": 3},
        "seen": True,
        "none": None,
    }
    result = one(tmp_path, "a.jsonl", json.dumps(row))
    assert result.only.lang == "en"
    assert result.only.source.licence == "CC0-1.0"
    assert result.marks == {("local:n1", "column/mood"): '{"level":3}', ("local:n1", "column/seen"): "true"}


@pytest.mark.parametrize("packing", ["", ".gz", ".zst"])
def test_packed_and_plain_files_give_the_same_texts(tmp_path: Path, packing: str) -> None:
    data = b'{"id": "x", "title": "T", "abstract": "Sky."}\n'
    pack = {"": bytes, ".gz": gzip.compress, ".zst": zstandard.compress}[packing]
    assert one(tmp_path, f"a.jsonl{packing}", pack(data)).only.text == "Sky."


def test_parquet_and_csv_give_what_jsonl_gives(tmp_path: Path) -> None:
    row = {
        "id": "k",
        "title": "Dust",
        "text": 'Grains, "small" ones.\nTwo lines.',
        "authors": "Payne, C. H.; van der Waals, J.",
        "date": "1925-05-01",
    }
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([row]), out)
    quoted = ",".join('"' + value.replace('"', '""') + '"' for value in row.values())
    variants = {"a.parquet": out.getvalue(), "a.csv": ",".join(row) + "\n" + quoted + "\n", "a.jsonl": json.dumps(row)}
    found = [one(tmp_path / name, name, data).only for name, data in variants.items()]
    assert len({(d.id, d.title, d.text, d.biblio) for d in found}) == 1
    assert [a.name for a in found[0].biblio.authors] == ["Payne, C. H.", "van der Waals, J."]
    assert found[0].biblio.date == "1925-05-01"


def test_a_broken_row_of_a_csv_costs_that_row(tmp_path: Path) -> None:
    result = one(tmp_path, "a.csv", "id,text\n1,good\n2,too,many\n3,fine\n")
    assert set(result.documents) == {"local:1", "local:3"}
    assert result.reasons == {"file:a.csv#1": "broken_line"}
    assert "line 3" in result.drops[0].detail


def test_an_abstract_beside_a_text_becomes_its_first_section(tmp_path: Path) -> None:
    row = {"id": "b", "title": "T", "abstract": "In short.", "text": "At length."}
    document = one(tmp_path, "a.jsonl", json.dumps(row)).only
    assert [document.text[s.start : s.end] for s in document.sections] == ["Abstract\n\nIn short.\n\n", "At length."]


MARKDOWN = """---
title: Notes on dust
authors: [Cecilia Payne, "Kuiper, G. P."]
year: 1951
doi: https://doi.org/10.1000/XyZ
tags: [dust, grains]
weather: rain
---
First words.

# Grains *and* ices

Text with $a_1 * b_2$ kept.

```
# no heading
```

Smaller
-------
More.
"""


def test_markdown_gives_front_matter_and_sections(tmp_path: Path) -> None:
    result = one(tmp_path, "dust.md", MARKDOWN)
    note = result.only
    assert (note.id, note.title, note.biblio.year) == ("local:dust.md", "Notes on dust", 1951)
    assert [a.name for a in note.biblio.authors] == ["Payne, Cecilia", "Kuiper, G. P."]
    assert note.biblio.doi == "10.1000/xyz"
    assert note.biblio.keywords == ("dust", "grains")
    assert [(s.title, s.level) for s in note.sections] == [("", 0), ("Grains and ices", 1), ("Smaller", 2)]
    assert all(note.text[s.start :].startswith(s.title) for s in note.sections)
    assert note.sections[-1].end == len(note.text)
    assert "$a_1 * b_2$" in note.text
    assert result.marks["local:dust.md", "column/weather"] == '"rain"'


def test_the_first_heading_of_markdown_is_its_title_where_nothing_else_says_it(tmp_path: Path) -> None:
    note = one(tmp_path, "n.md", "# The title\n\nBody.\n\n## Part\n\nEnd.\n").only
    assert (note.title, note.text) == ("The title", "Body.\n\nPart\n\nEnd.")
    assert note.text[note.sections[1].start : note.sections[1].end] == "Part\n\nEnd."


BIBTEX = r"""
@string{apj = "Astrophysical Journal"}
@article{payne25, author = {Payne, Cecilia H. and {Harvard Team} and de la Cruz, Juan and others},
  title = {Stellar {A}tmospheres of {M\'endez} and $T_\mathrm{eff}$}, year = 1925, month = may, journal = \apj, volume = 3, pages = {1--9},
  doi = {10.1086/1\_2}, abstract = {Spectra tell the temperature \& the pressure.}, note = {seen}}
@misc{new24, eprint = {2401.01234v2}, archivePrefix = {arXiv}, primaryClass = {astro-ph.CO}, title = {New}, abstract = {Fresh.}, date = {2024-01-03}}
@article{bare, title = {Nothing to read}, year = 2000}
@article{broken, title = {never closed
"""


def test_bibtex_entries_with_an_abstract_become_documents(tmp_path: Path) -> None:
    result = one(tmp_path, "lib.bib", BIBTEX)
    paper = result.documents["local:payne25"]
    assert paper.title == r"Stellar Atmospheres of Méndez and $T_\mathrm{eff}$"
    assert paper.text == "Spectra tell the temperature & the pressure."
    assert [a.name for a in paper.biblio.authors] == ["Payne, Cecilia H.", "Harvard Team", "de la Cruz, Juan"]
    assert (paper.biblio.date, paper.biblio.doi) == ("1925-05", "10.1086/1_2")
    assert paper.biblio.venue == "Astrophysical Journal, 3, 1–9"
    new = result.documents["arxiv:2401.01234"]
    assert (new.biblio.date, new.biblio.categories) == ("2024-01-03", ("astro-ph.CO",))
    assert result.marks["local:payne25", "column/note"] == '"seen"'
    assert result.reasons["file:lib.bib#2"] == "no_text"
    assert result.drops[0].excerpt == "Nothing to read"


RIS = """TY  - JOUR
ID  - kuiper51
AU  - Kuiper, Gerard P.
TI  - On the origin of the solar system
JO  - PNAS
VL  - 37
SP  - 1
EP  - 14
PY  - 1951/01/15
DO  - 10.1073/pnas.37.1.1
AB  - The planets formed from a disk.
ER  -

TY  - JOUR
TI  - Without abstract
ER  -
"""


def test_ris_entries_with_an_abstract_become_documents(tmp_path: Path) -> None:
    result = one(tmp_path, "zotero.ris", RIS)
    paper = result.only
    assert (paper.id, paper.text) == ("local:kuiper51", "The planets formed from a disk.")
    assert (paper.biblio.date, paper.biblio.venue) == ("1951-01-15", "PNAS, 37, 1-14")
    assert result.reasons == {"file:zotero.ris#1": "no_text"}


def test_a_file_without_a_known_ending_is_judged_by_what_it_holds(tmp_path: Path) -> None:
    source = files(
        tmp_path / "in",
        {
            "export": RIS,
            "records.data": '{"id": "q", "text": "Words."}\n',
            "paper": "% x\n\\documentclass{article}\\begin{document}Hello there.\\end{document}",
        },
    )
    assert set(ingested(tmp_path / "ws", source).documents) == {"local:kuiper51", "local:q", "local:paper"}


def test_citations_by_id_become_references(tmp_path: Path) -> None:
    row = {
        "id": "hubble-1929",
        "text": "Redshift grows.",
        "cites": ["leavitt-1912", "astro-ph/9805201"],
        "arxiv": "astro-ph/0001234",
    }
    document = one(tmp_path, "a.jsonl", json.dumps(row)).only
    assert document.id == "local:hubble-1929"
    assert [r.doc_id for r in document.references] == ["local:leavitt-1912", "arxiv:astro-ph/9805201"]
    assert document.biblio.arxiv == "astro-ph/0001234"
