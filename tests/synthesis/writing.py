"""Documents, steps and workspaces for tests of the writers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnomon.core.errors import DataError
from gnomon.core.records import Author, Biblio, Document, Drop, Source
from gnomon.core.synthetic import QA
from gnomon.core.tables import read_table, write_table
from gnomon.llm.chat import ChatOptions, Conversation, Reply
from gnomon.llm.fakes import Scripted
from gnomon.runs import Counts, Output, Recipe, Record, Step, Workspace, run

M31 = (
    "By 1917 Vesto Slipher had measured the radial velocities of 25 spiral nebulae at the Lowell Observatory in Arizona."
    " In 1924 Edwin Hubble found that the Andromeda nebula holds Cepheids, which placed it far outside the Milky Way."
    " It lies farther away than anybody thought."
    " The Andromeda nebula approaches the Sun at a speed of about 300 km/s."
    " Walter Baade showed in 1944 that the bulge of NGC 205 can be resolved into red stars."
    " The nebula M31 holds about 450 globular clusters."
)
DISTANCES = (
    "The Large Magellanic Cloud recedes from the Sun at about 262 km/s."
    " In 1929 Milton Humason reported that NGC 7619 recedes at 3779 km/s."
    " Fritz Zwicky argued in 1933 that the Coma cluster holds unseen matter, with speeds near 1000 km/s."
    " NGC 4565 turns at 250 km/s, and NGC 1068 shows broad lines."
    " Knut Lundmark observed 22 globular clusters around the Milky Way in 1931."
    " The survey of 1952 counted 119 globular clusters, and that of 1961 found 83 globular clusters."
)
SUNSPOTS = (
    "太陽黒点の磁場は最大で約2900ガウスに達した。"
    "1918年に、平山清次は軌道の似た小惑星の集まりを族と名づけた。"
    "これは大きな発見であった。"
    "木星の磁場は赤道で約4ガウスである。"
    "パルサーCP 1919の周期は約1.337秒と求められた。"
)


def document(doc_id: str, text: str, lang: str, title: str = "", year: int = 1950, **more: Any) -> Document:
    biblio = Biblio(authors=(Author(name="Doe, J."),), year=year, venue="Journal, 1, 2", categories=("astro-ph.GA",))
    source = Source(kind="markdown", key=doc_id, sha256="0" * 64)
    return Document(id=doc_id, title=title, text=text, lang=lang, source=source, biblio=biblio, **more)


class Narrow(Scripted):
    """A model that reads so many characters and, as local weights do, refuses all that it is given with a longer one.

    Args:
        reply: What it says.
        width: Characters of a last turn that it reads.
    """

    def __init__(self, reply: str, width: int) -> None:
        super().__init__(lambda _: reply)
        self.width = width

    def chat(self, conversations: Sequence[Conversation], options: ChatOptions) -> list[Reply]:
        """The reply, for each.

        Raises:
            DataError: One of them is too long.
        """
        if any(len(turns[-1].text) > self.width for turns in conversations):
            raise DataError(f"A text is longer than {self.width}.")
        return super().chat(conversations, options)


DOCUMENTS = (
    document("local:m31", M31, "en", "Notes on the Andromeda nebula"),
    document("local:speeds", DISTANCES, "en", "Speeds of nebulae"),
    document("local:spots", SUNSPOTS, "ja", "黒点と小惑星"),
)


@dataclass(frozen=True, kw_only=True)
class ShelfConfig:
    ids: tuple[str, ...] = tuple(d.id for d in DOCUMENTS)
    per_file: int = 2


def shelve(config: ShelfConfig, inputs: Mapping[str, Path], out: Output) -> Counts:
    chosen = [d for d in DOCUMENTS if d.id in config.ids]
    for start in range(0, len(chosen), config.per_file):
        part = chosen[start : start + config.per_file]
        write_table(out.path / "documents" / f"{start:04d}.parquet", Document, part)
    return Counts(taken=len(chosen), kept=len(chosen))


def shelf(**settings: Any) -> Step:
    return Step(name="toy/shelf", entry="writing:shelve", version=1, config=ShelfConfig(**settings))


def make(step: Step, folder: Path) -> tuple[Record, Path]:
    workspace = Workspace(folder)
    record = run(Recipe(name="toy", goals=(step,)), workspace)[step.address]
    return record, workspace.artifact(step.address)


def pairs_of(folder: Path) -> list[QA]:
    return list(read_table(folder / "pairs.parquet", QA))


def drops_of(folder: Path) -> list[Drop]:
    return list(read_table(folder / "drops.parquet", Drop))
