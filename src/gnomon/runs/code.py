"""Code: which code made an artifact, as far as a record can tell.

Code is not part of an identity, or every refactoring would remake the world. A record holds its
hash all the same: ``plan`` says when it changed, and shards left by other code are not trusted.
"""

import ast
import functools
import hashlib
import importlib.metadata
import importlib.util
import re
import subprocess
from pathlib import Path
from typing import Any


@functools.cache
def entry_hash(entry: str) -> str:
    """Hash of the sources of an entry's module and of the modules it imports from its own package.

    Nothing is imported to find out. Empty when the module cannot be found.
    """
    first = entry.partition(":")[0]
    found: dict[str, bytes] = {}
    waiting = [first]
    while waiting:
        name = waiting.pop()
        path = _source(name)
        if path is not None and name not in found:
            found[name] = path.read_bytes()
            package = ".".join(first.split(".")[:2])
            waiting += [n for n in _imported(found[name]) if n.startswith(package + ".")]
    if not found:
        return ""
    state = hashlib.blake2b(digest_size=8)
    for name in sorted(found):
        state.update(name.encode() + b"\0" + found[name])
    return state.hexdigest()


def _source(module: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        return None
    return Path(spec.origin)


def _imported(source: bytes) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names


@functools.cache
def code_version() -> dict[str, Any]:
    """Git commit and dirty flag of the checkout Gnomon runs from; empty when installed."""
    here = Path(__file__).parent
    try:
        head = _git(here, "rev-parse", "HEAD")
        return {"commit": head, "dirty": bool(_git(here, "status", "--porcelain", "--", "."))}
    except (OSError, subprocess.SubprocessError):
        return {}


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()


@functools.cache
def package_versions() -> dict[str, str]:
    """Versions of Gnomon and of every installed package it requires, by name."""
    try:
        required = importlib.metadata.requires("gnomon") or []
    except importlib.metadata.PackageNotFoundError:
        return {}
    names = {re.split(r"[ ;<>=!~\[(]", line, maxsplit=1)[0] for line in required}
    found = {}
    for name in sorted({"gnomon", *names}):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
