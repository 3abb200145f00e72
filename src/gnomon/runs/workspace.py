"""The workspace: one folder, local or in an object store, that holds all artifacts.

::

    <workspace>/runs/<name>/<identity>/record.json   written last
    <workspace>/runs/<name>/<identity>/data/         the artifact's files
    <workspace>/stores/<key>/                        shared stores with tagged versions
    <workspace>/experts/<name>.json                  pointers
    <workspace>/answers/<id>.json                    answers that were given

A remote workspace is worked on through a local folder: steps write locally and are uploaded
when they are done; artifacts are downloaded once into a cache addressed by identity.
"""

import contextlib
import errno
import json
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import filelock
import fsspec

from gnomon.core.errors import CorruptArtifact, DataError, NotFound, RunError
from gnomon.core.files import write_json
from gnomon.core.hashing import bytes_hash, file_sha256
from gnomon.core.settings import Settings, load_settings
from gnomon.core.wording import say
from gnomon.runs.output import StorePlace, fs_options
from gnomon.runs.record import Record

RECORD = "record.json"


class Workspace:
    """Artifacts, stores and pointers under one URL.

    Args:
        url: A folder, or an address that ``fsspec`` knows (``s3://bucket/folder``).
        settings: The machine; read from ``gnomon.toml`` when not given.
    """

    def __init__(self, url: str | Path, settings: Settings | None = None) -> None:
        self.url = str(url)
        self.is_local = "://" not in self.url
        self.settings = settings or load_settings(Path(self.url) if self.is_local else None)
        options = {} if self.is_local else fs_options(self.settings.storage)
        self.fs, self.root = fsspec.core.url_to_fs(self.url, **options)
        key = bytes_hash(self.url.encode())[3:15]
        self.local = Path(self.root) if self.is_local else self.settings.cache_folder / f"workspace-{key}"

    # Records and artifacts -------------------------------------------------------------------

    def record(self, address: str) -> Record | None:
        """The record at an address, None when the step is not finished."""
        row = self._get(f"runs/{address}/{RECORD}")
        return None if row is None else Record.from_row(row)

    def records(self) -> list[Record]:
        """Every finished record, in order of address."""
        pattern = f"{self.root}/runs/*/*/*/{RECORD}"
        prefix = len(f"{self.root}/")
        found = (self._get(str(path)[prefix:]) for path in sorted(self.fs.glob(pattern)))
        return [Record.from_row(row) for row in found if row is not None]

    def artifact(self, address: str) -> Path:
        """The local folder with the files of a finished artifact, downloaded when remote.

        Raises:
            NotFound: The step at this address is not finished.
            CorruptArtifact: A downloaded file differs from its record.
        """
        record = self.record(address)
        if record is None:
            raise NotFound(
                say(f"There is no finished artifact {address}.", f"完成した成果物 {address} はない。"),
                say("Run the recipe that makes it.", "それを作るレシピを実行する。"),
            )
        folder = self.local / "runs" / address / record.folder
        if not self.is_local:
            self._download(record, folder)
        return folder

    def _download(self, record: Record, folder: Path) -> None:
        with self.lock(record.address):
            for file in record.files:
                target = folder / file.name
                if target.exists() and target.stat().st_size == file.bytes:
                    continue
                target.parent.mkdir(parents=True, exist_ok=True)
                partial = target.with_name(target.name + ".partial")
                source = f"{self.root}/runs/{record.address}/{record.folder}/{file.name}"
                self.fs.get_file(source, str(partial))
                if file_sha256(partial) != file.sha256:
                    partial.unlink()
                    raise CorruptArtifact(f"{source} differs from its record.", "Run `gnomon verify`.")
                partial.replace(target)

    def publish(self, record: Record, work: Path) -> Record:
        """Make a finished work folder an artifact: files first, the record last.

        Another process that finished the same step first wins; its record is returned.
        """
        if self.is_local:
            data = self.local / "runs" / record.address / record.folder
            if data.exists():
                shutil.rmtree(data)
            work.rename(data)
            write_json(data.parent / RECORD, record.to_row())
            return record
        place = f"{self.root}/runs/{record.address}/{record.folder}"
        for file in record.files:
            self.fs.put_file(str(work / file.name), f"{place}/{file.name}")
        body = json.dumps(record.to_row(), ensure_ascii=False, sort_keys=True).encode()
        try:
            self.fs.pipe_file(f"{self.root}/runs/{record.address}/{RECORD}", body, mode="create")
        except FileExistsError:
            return self.record(record.address) or record
        return record

    def reclaim(self, address: str, work: Path) -> None:
        """Make the files of an artifact that was killed before its record was written the work folder again.

        Without this the finished shards would be trusted and their files, already moved, be missing.
        """
        data = self.local / "runs" / address / "data"
        if self.is_local and data.is_dir() and self.record(address) is None:
            if work.exists():
                shutil.rmtree(work)
            data.rename(work)

    def folder_name(self) -> str:
        """The name for the data folder of a new artifact; unique where processes cannot lock."""
        return "data" if self.is_local else f"data-{uuid.uuid4().hex[:8]}"

    def delete(self, address: str) -> None:
        """Remove an artifact: its record first, so that a half-deleted one is never trusted."""
        path = f"{self.root}/runs/{address}"
        if self.fs.exists(f"{path}/{RECORD}"):
            self.fs.rm_file(f"{path}/{RECORD}")
        if self.fs.exists(path):
            self.fs.rm(path, recursive=True)
        shutil.rmtree(self.local / "runs" / address, ignore_errors=True)

    @contextlib.contextmanager
    def lock(self, address: str) -> Iterator[None]:
        """Hold a step so that no other process on this machine makes it at the same time."""
        path = self.local / "locks" / (address.replace("/", "_") + ".lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(path):
            yield

    # Stores and named documents --------------------------------------------------------------

    def place(self, key: str) -> StorePlace:
        """Where a shared store lives."""
        if self.is_local:
            return StorePlace(key=key, url=str(self.local / "stores" / key))
        return StorePlace(key=key, url=f"{self.url.rstrip('/')}/stores/{key}", options=dict(self.settings.storage))

    def save(self, kind: str, name: str, row: Any) -> None:
        """Write a small JSON document (``experts``, ``answers``), atomically."""
        if self.is_local:
            write_json(self.local / kind / f"{name}.json", row)
        else:
            self.fs.pipe_file(f"{self.root}/{kind}/{name}.json", json.dumps(row).encode())

    def load(self, kind: str, name: str) -> Any | None:
        """Read a small JSON document, None when there is none."""
        return self._get(f"{kind}/{name}.json")

    def names(self, kind: str) -> list[str]:
        """Names of the small JSON documents of a kind, sorted."""
        paths = self.fs.glob(f"{self.root}/{kind}/*.json")
        return sorted(str(path).rsplit("/", 1)[-1].removesuffix(".json") for path in paths)

    def _get(self, path: str) -> Any | None:
        try:
            data = self.fs.cat_file(f"{self.root}/{path}")
        except FileNotFoundError:
            return None
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:  # no file can have such a name
                return None
            raise RunError(
                say(f"{self.url} cannot be read: {error}.", f"{self.url} を読めない: {error}。"),
                say("Check the address, and [storage] in gnomon.toml for an object store.",
                    "アドレスと、オブジェクトストアなら gnomon.toml の [storage] を確かめる。"),
            ) from error  # fmt: skip
        try:
            return json.loads(data)
        except ValueError as error:
            raise DataError(
                f"{self.url}/{path} is not readable JSON: {error}.", "Restore the file, or delete it and run again."
            ) from error
