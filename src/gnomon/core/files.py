"""Files: atomic writing, and content digests that do not depend on the order of rows.

A *content digest* says what an artifact holds, not how its bytes are laid out: for Parquet the
hash of its sorted logical rows, for anything else the hash of its bytes.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gnomon.core.errors import DataError
from gnomon.core.hashing import HASH_PREFIX, READ_BYTES


def write_atomic(path: Path, data: bytes | str) -> None:
    """Write a whole file so that a reader sees the old content or the new, never a part."""
    raw = data.encode("utf-8") if isinstance(data, str) else data
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name + ".", suffix=".partial")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any) -> None:
    """Write a value as readable JSON, atomically."""
    write_atomic(path, json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        DataError: The file is missing or not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is not readable JSON: {error}.") from error


_row_json = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
).encode


def rows_digest(rows: Iterable[Any]) -> str:
    """The digest of a multiset of rows: 16 bytes of memory a row, order does not matter.

    A row is of JSON types already, as Arrow gives it; ``canonical_json`` would walk it again in Python.
    """
    hashes = sorted(
        hashlib.blake2b(_row_json(row).encode("utf-8", "surrogatepass"), digest_size=16).digest() for row in rows
    )
    state = hashlib.blake2b(digest_size=16)
    for item in hashes:
        state.update(item)
    return HASH_PREFIX + state.hexdigest()


def content_digest(path: Path) -> str:
    """The content digest of one file."""
    if path.suffix == ".parquet":
        from gnomon.core.tables import read_batches

        return rows_digest(row for batch in read_batches(path) for row in batch.to_pylist())
    state = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while piece := file.read(READ_BYTES):
            state.update(piece)
    return HASH_PREFIX + state.hexdigest()


def folder_files(folder: Path) -> list[Path]:
    """Every finished file below a folder, in order of its relative name."""
    found = (p for p in folder.rglob("*") if p.is_file() and p.suffix not in {".partial", ".lock"})
    return sorted(found, key=lambda p: p.relative_to(folder).as_posix())
