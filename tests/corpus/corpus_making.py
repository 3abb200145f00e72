"""Documents, items and outputs for the tests of this room, written for them."""

import random
from collections.abc import Iterable
from pathlib import Path

from gnomon.core.records import Biblio, Document, Item, Source
from gnomon.core.settings import Settings
from gnomon.core.tables import write_table
from gnomon.runs.output import Output, StorePlace

_SUBJECTS = (
    "dust",
    "gas",
    "a comet",
    "the corona",
    "a quasar",
    "the bulge",
    "a pulsar",
    "the halo",
    "an exoplanet",
    "a nova",
)
_VERBS = ("cools", "rotates", "brightens", "fragments", "pulsates", "recedes", "flares", "collapses", "drifts", "fades")
_MEANS = (
    "spectra",
    "timing",
    "imaging",
    "models",
    "polarimetry",
    "counts",
    "catalogues",
    "simulations",
    "maps",
    "archives",
)


def prose(seed: int, sentences: int = 10) -> str:
    """Plain text of our own that shares no long run with another seed's."""
    r = random.Random(seed)
    return " ".join(
        f"With {r.choice(_MEANS)} of run {r.randrange(10**6)} we see that {r.choice(_SUBJECTS)} {r.choice(_VERBS)}"
        f" {r.choice(('slowly', 'early', 'twice', 'again', 'at night'))} near field {chr(97 + r.randrange(26)) * 2}{r.randrange(99)}."
        for _ in range(sentences)
    )


def document(key: str, text: str, title: str = "", **biblio: object) -> Document:
    return Document(
        id=key, title=title, text=text, lang="en", source=Source(kind="text", key=key, sha256="0" * 64),
        biblio=Biblio(**biblio),  # type: ignore[arg-type]
    )  # fmt: skip


def artifact(folder: Path, documents: Iterable[Document], name: str = "part.parquet") -> Path:
    write_table(folder / "documents" / name, Document, documents)
    return folder


def exam(folder: Path, items: Iterable[Item]) -> Path:
    write_table(folder / "items.parquet", Item, items)
    return folder


def output(folder: Path) -> Output:
    folder.mkdir(parents=True, exist_ok=True)
    return Output(
        path=folder / "data", shards=folder / "shards", identity="test", settings=Settings(threads=1),
        place=lambda key: StorePlace(key=key, url=str(folder / key)), cache_path=folder / "cache.sqlite",
        locks=folder / "locks",
    )  # fmt: skip
