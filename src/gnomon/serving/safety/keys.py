"""Keys: what lets a program or a person in where a server is reached by others.

A key is 256 random bits, so nobody can guess it and no two are alike: one plain SHA-256 of it is as good at rest as any
slow hash, which only makes up for what people choose. The file holds hashes alone; a key is shown once, when it is
made. It is read again when it has changed, so that a key made or revoked while the server runs counts at once.
"""

import hashlib
import hmac
import logging
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import filelock

from gnomon.core.errors import DataError, InputError, NotFound
from gnomon.core.files import read_json, write_json
from gnomon.core.wording import say

FILE = "keys.json"
PREFIX = "gnomon_"
"""What every key begins with, so that scanners for leaked secrets can know one."""
RANDOM_BYTES = 32
CHECK_SECONDS = 1.0
log = logging.getLogger("gnomon.serving")
_NAME = re.compile(r"[\w][\w.@ -]{0,63}")


@dataclass(frozen=True, kw_only=True)
class Key:
    """One key, without the key itself."""

    name: str
    """Who or what uses it."""
    sha256: str
    """SHA-256 of the key."""
    made: str
    """When it was made, in ISO 8601."""
    expires: str = ""
    """When it ends; empty for never."""
    revoked: str = ""
    """When it was revoked; empty when it was not."""
    used: str = ""
    """The day it was last used on; empty for never."""

    def state(self, moment: str = "") -> str:
        """``valid``, ``revoked`` or ``expired``, now or at a moment."""
        if self.revoked:
            return "revoked"
        return "expired" if self.expires and self.expires <= (moment or _moment()) else "valid"


class Keys:
    """The keys of a workspace, in one file that only its owner may read.

    Args:
        folder: The local folder of the workspace.
        clock: Seconds that only grow; tests give their own.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.path, self._clock = folder / FILE, clock
        self._valid: dict[str, Key] = {}
        self._stamp: tuple[int, int, int] | None = None
        self._looked = -CHECK_SECONDS

    def known(self) -> list[Key]:
        """Every key, the revoked ones too, in the order they were made.

        Raises:
            DataError: The file is not what this class writes.
        """
        if not self.path.exists():
            return []
        try:
            return [Key(**row) for row in read_json(self.path)["keys"]]
        except (KeyError, TypeError) as error:
            raise DataError(
                say(f"{self.path} holds no keys: {error}.", f"{self.path} は鍵のファイルではない: {error}。"),
                say("Restore it, or delete it and make new keys.", "元に戻すか、削除して鍵を作り直す。"),
            ) from error

    def any_valid(self) -> bool:
        """Whether some key opens the door now."""
        return any(key.state() == "valid" for key in self.known())

    def add(self, name: str, days: int | None = None) -> tuple[str, Key]:
        """Make a key; returns it, to be shown once, and what is kept of it.

        Args:
            name: Who or what will use it.
            days: After how many days it ends; None for never.

        Raises:
            InputError: The name is none, or a valid key has it.
        """
        if not _NAME.fullmatch(name):
            raise InputError(
                say(f"{name!r} cannot name a key.", f"{name!r} は鍵の名前に使えない。"),
                say("Use up to 64 letters, digits, and . _ - @.", "文字・数字・. _ - @ を 64 字以内で使う。"),
            )
        text = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
        ends = (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="seconds") if days is not None else ""
        key = Key(name=name, sha256=_hash(text), made=_moment(), expires=ends)
        with self._writing():
            kept = self.known()
            if any(other.name == name and other.state() == "valid" for other in kept):
                raise InputError(
                    say(f"There is a valid key {name!r} already.", f"鍵 {name!r} はすでにある。"),
                    say(f"Choose another name, or revoke it: `gnomon key revoke {name}`.",
                        f"別の名前にするか、`gnomon key revoke {name}` で失効させる。"),
                )  # fmt: skip
            self._write([*kept, key])
        return text, key

    def revoke(self, name: str) -> Key:
        """End a key for good.

        Raises:
            NotFound: No valid key has this name.
        """
        with self._writing():
            kept = self.known()
            at = next((i for i, key in enumerate(kept) if key.name == name and key.state() == "valid"), None)
            if at is None:
                names = ", ".join(key.name for key in kept if key.state() == "valid")
                raise NotFound(
                    say(f"There is no valid key {name!r}.", f"有効な鍵 {name!r} はない。"),
                    say(f"Valid keys: {names or 'none'}.", f"有効な鍵: {names or 'なし'}。"),
                )
            kept[at] = replace(kept[at], revoked=_moment())
            self._write(kept)
            return kept[at]

    def check(self, text: str) -> Key | None:
        """The valid key that a text is, None when it is none; notes the day it is used on."""
        given = _hash(text)
        self._read_again()
        found = self._valid.get(given)
        # The hash was looked up by itself, so time tells at most the hash of a key: comparing once more costs nothing.
        if found is None or not hmac.compare_digest(found.sha256, given) or found.state() != "valid":
            return None
        if found.used != _moment()[:10]:
            self._use(found)
        return found

    def still_valid(self, sha256: str) -> bool:
        """Whether a key that once opened a session still would."""
        self._read_again()
        found = self._valid.get(sha256)
        return found is not None and found.state() == "valid"

    def _read_again(self) -> None:
        now = self._clock()
        if now - self._looked < CHECK_SECONDS:
            return
        self._looked = now
        try:
            found = self.path.stat()
        except FileNotFoundError:
            self._valid, self._stamp = {}, None
            return
        stamp = (found.st_mtime_ns, found.st_ino, found.st_size)
        if stamp != self._stamp:
            self._valid, self._stamp = self._read(), stamp

    def _read(self) -> dict[str, Key]:
        """The keys by their hash; a file that cannot be read lets nobody in, and the log says so."""
        try:
            return {key.sha256: key for key in self.known()}
        except DataError as error:
            log.error("no key is valid: %s", error)
            return {}

    def _use(self, key: Key) -> None:
        """Note the day, once; a file that cannot be written is no reason to turn a reader away."""
        self._valid[key.sha256] = replace(key, used=_moment()[:10])
        try:
            with self._writing(seconds=0):
                self._write([replace(k, used=_moment()[:10]) if k.sha256 == key.sha256 else k for k in self.known()])
        except (OSError, DataError):
            return

    def _writing(self, seconds: float = 5) -> filelock.BaseFileLock:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return filelock.FileLock(f"{self.path}.lock", timeout=seconds)

    def _write(self, keys: list[Key]) -> None:
        """Written whole under a new name, which the owner alone may read from the first byte on."""
        write_json(self.path, {"keys": [asdict(key) for key in keys]})


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _moment() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
