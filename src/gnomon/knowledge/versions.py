"""Versions: which files a tagged version of a store consists of, so that each can be verified."""

import hashlib
from collections.abc import Iterator
from typing import Any

from gnomon.core.hashing import READ_BYTES
from gnomon.knowledge.opening import TABLE, dataset
from gnomon.runs.output import StorePlace


def version_files(place: StorePlace, tag: str) -> list[str]:
    """Every file that a tagged version consists of, relative to the store, in order."""
    data = dataset(place, tag)
    fs, root = filesystem(place)
    base = f"{root}/{TABLE}.lance"
    names = {f"_refs/tags/{tag}.json", _manifest(fs, base, data.version)}
    for fragment in data.get_fragments():
        names.update(f"data/{file.path}" for file in fragment.data_files())
        deletions = fragment.metadata.deletion_file
        if deletions is not None:
            names.add(deletions.path(fragment.fragment_id))
    for index in data.describe_indices():
        for segment in index.segments:
            names.update(_inside(fs, base, f"_indices/{segment.uuid}"))
    names.update(_transaction(fs, base, data.version))
    return sorted(f"{TABLE}.lance/{name}" for name in names)


def filesystem(place: StorePlace) -> tuple[Any, str]:
    """The store's file system, without remembered listings: Lance has written since they were made."""
    fs, root = place.filesystem()
    fs.invalidate_cache()
    return fs, root


def _manifest(fs: Any, base: str, version: int) -> str:
    """The manifest of a version: numbered backwards in new tables, so that the newest is listed first."""
    backwards = f"_versions/{2**64 - 1 - version:020d}.manifest"
    return backwards if fs.exists(f"{base}/{backwards}") else f"_versions/{version}.manifest"


def _transaction(fs: Any, base: str, version: int) -> list[str]:
    manifest: bytes = fs.cat_file(f"{base}/{_manifest(fs, base, version)}")
    return [name for name in _inside(fs, base, "_transactions") if name.rsplit("/", 1)[-1].encode() in manifest]


def _inside(fs: Any, base: str, folder: str) -> list[str]:
    start = len(base) + 1
    found = fs.find(f"{base}/{folder}") if fs.exists(f"{base}/{folder}") else []
    return sorted(str(path)[start:] for path in found)


def hashed_files(place: StorePlace, tag: str) -> Iterator[tuple[str, str]]:
    """The files of a tagged version with their SHA-256."""
    fs, root = filesystem(place)
    for name in version_files(place, tag):
        yield name, object_sha256(fs, f"{root}/{name}")


def object_sha256(fs: Any, path: str) -> str:
    """The SHA-256 of an object, read in pieces."""
    state = hashlib.sha256()
    with fs.open(path, "rb") as file:
        while piece := file.read(READ_BYTES):
            state.update(piece)
    return state.hexdigest()
