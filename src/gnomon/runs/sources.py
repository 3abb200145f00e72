"""Sources: files enter a recipe by what they hold, never by where they lie.

A ``FileSet`` is a manifest of names and SHA-256 sums (its identity) together with the places
where the files are now (not part of its identity). Files that cannot even be opened are listed
with a reason, so that nothing a user pointed at is passed over in silence.
"""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gnomon.core.errors import DataError
from gnomon.core.hashing import combined_hash, file_sha256
from gnomon.core.wording import say

HIDDEN = (".", "__MACOSX", "Thumbs.db")


@dataclass(frozen=True, kw_only=True)
class FileEntry:
    """One file of a set."""

    name: str
    """Its name inside the set, with ``/`` between folders."""
    sha256: str
    """Of its bytes."""
    bytes: int
    """Its size."""
    path: str
    """Where it is now; not part of the set's identity."""


@dataclass(frozen=True, kw_only=True)
class FileSet:
    """The files under some folders, by content."""

    files: tuple[FileEntry, ...]
    """In order of name."""
    left_out: tuple[tuple[str, str], ...] = ()
    """(name, reason) of what could not be opened."""

    @property
    def identity(self) -> str:
        """Hash of names and contents, and of what was left out."""
        parts = [part for f in self.files for part in (f.name, f.sha256)]
        return combined_hash([*parts, "left out", *(part for pair in self.left_out for part in pair)])

    def to_row(self) -> dict[str, Any]:
        """As JSON types, places included."""
        files = [[f.name, f.sha256, f.bytes, f.path] for f in self.files]
        return {"files": files, "left_out": [list(pair) for pair in self.left_out]}

    @staticmethod
    def from_row(row: dict[str, Any]) -> "FileSet":
        """The set that ``to_row`` described."""
        files = (FileEntry(name=n, sha256=s, bytes=b, path=p) for n, s, b, p in row["files"])
        return FileSet(files=tuple(files), left_out=tuple((n, r) for n, r in row["left_out"]))

    def joined(self, other: "FileSet") -> "FileSet":
        """The files of both; where names are the same, the other's with a number before them."""
        taken, more = {f.name for f in self.files}, list[FileEntry]()
        for entry in other.files:
            number, name = 2, entry.name
            while name in taken:
                number, name = number + 1, f"{number}/{entry.name}"
            taken.add(name)
            more.append(replace(entry, name=name))
        files = sorted((*self.files, *more), key=lambda entry: entry.name)
        return FileSet(files=tuple(files), left_out=tuple(sorted({*self.left_out, *other.left_out})))

    @staticmethod
    def scan(paths: Sequence[Path | str]) -> "FileSet":
        """List and hash the files at some paths; folders are walked, links followed once.

        Raises:
            DataError: One of the paths does not exist.
        """
        files: dict[str, FileEntry] = {}
        left_out: dict[str, str] = {}
        for path in (Path(p) for p in paths):
            if not path.exists():
                raise DataError(
                    say(
                        f"There is no file or folder {str(path)!r}.", f"{str(path)!r} というファイルもフォルダもない。"
                    ),
                    say("Check the spelling, or give another path.", "綴りを確かめるか、別のパスを指定する。"),
                )
            for name, file in _walk(path):
                entry = _entry(_free_name(name, path, files), file) if file else "link_loop"
                if isinstance(entry, FileEntry):
                    files[entry.name] = entry
                else:
                    left_out[name] = entry
        ordered = tuple(files[name] for name in sorted(files))
        return FileSet(files=ordered, left_out=tuple(sorted(left_out.items())))


def _free_name(name: str, root: Path, taken: dict[str, FileEntry]) -> str:
    """The name; where another folder holds the same one, with this folder's name before it, and a number if need be."""
    if name not in taken:
        return name
    named = f"{(root if root.is_dir() else root.parent).resolve().name}/{name}"
    number, free = 2, named
    while free in taken:
        free, number = f"{number}/{named}", number + 1
    return free


def _entry(name: str, file: Path) -> FileEntry | str:
    try:
        info = file.stat()
        if not stat.S_ISREG(info.st_mode):
            return "not_a_file"
        return FileEntry(name=name, sha256=file_sha256(file), bytes=info.st_size, path=str(file.resolve()))
    except PermissionError:
        return "no_permission"
    except OSError as error:
        return "link_loop" if error.errno == errno.ELOOP else "unreadable"


def _walk(path: Path) -> Iterator[tuple[str, Path | None]]:
    """Names and paths of the files under a path; no path for a folder link that leads back up."""
    if not path.is_dir():
        yield path.name, path
        return
    seen = {path.resolve()}
    for folder, folders, names in os.walk(path, followlinks=True):
        here = Path(folder)
        folders[:] = sorted(d for d in folders if not d.startswith(HIDDEN))
        for name in list(folders):
            real = (here / name).resolve()
            if real in seen:
                folders.remove(name)
                yield (here / name).relative_to(path).as_posix(), None
            seen.add(real)
        for name in sorted(n for n in names if not n.startswith(HIDDEN)):
            yield (here / name).relative_to(path).as_posix(), here / name
