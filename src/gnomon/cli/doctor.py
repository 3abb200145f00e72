"""``doctor``: is this machine fit for the work, and is this workspace?

Each check is a function that returns ``Check``: a state, what was found, and the cure. A warning
is something to know; a problem is something that will stop a build.
"""

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gnomon.cli.errors import DONE, FINDING
from gnomon.cli.output import console, print_json, safe, size
from gnomon.cli.session import Session, command
from gnomon.core.errors import GnomonError
from gnomon.core.quiet import TELEMETRY_OFF
from gnomon.core.wording import say

OK, WARNING, PROBLEM = "ok", "warning", "problem"
LOW_DISK_BYTES, LOW_MEMORY_BYTES = 5_000_000_000, 4_000_000_000
EXTRAS = ("corpus", "knowledge", "embed", "s3")
MARKS = {OK: ("✓", "green"), WARNING: ("!", "yellow"), PROBLEM: ("✗", "red")}


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    name: str
    """What was looked at."""
    state: str
    """``ok``, ``warning`` or ``problem``."""
    value: str
    """What was found."""
    hint: str = ""
    """The cure, when there is something to cure."""


@command(
    "Check this machine and this workspace: Python, packages, disk, memory, settings, telemetry, object store, GPU;"
    " exit code 1 when something will stop a build.",
    "この環境と作業場所（Python、パッケージ、ディスク、メモリ、設定、通信の遮断、オブジェクトストア、GPU）を点検する。"
    "妨げになる問題があれば終了コード 1。",
)
def doctor(session: Session) -> int:
    """Print every check."""
    from rich.text import Text

    checks = [check for look in CHECKS for check in look(session)]
    worst = any(check.state == PROBLEM for check in checks)
    if session.json:
        rows = [{"name": c.name, "state": c.state, "value": c.value, "hint": c.hint} for c in checks]
        print_json({"checks": rows, "problems": sum(check.state == PROBLEM for check in checks)})
        return FINDING if worst else DONE
    out = console()
    for check in checks:
        mark, style = MARKS[check.state]
        out.print(Text.assemble((f"{mark} ", style), f"{check.name:<14} ", safe(check.value)))
        if check.hint:
            out.print(Text(f"                 {safe(check.hint)}", style="dim"))
    return FINDING if worst else DONE


def _python(session: Session) -> Iterator[Check]:
    version = platform.python_version()
    good = sys.version_info >= (3, 11)
    hint = "" if good else say("Gnomon needs Python 3.11 or newer.", "Python 3.11 以上が必要。")
    yield Check(name="Python", state=OK if good else PROBLEM, value=f"{version} ({sys.prefix})", hint=hint)


def _packages(session: Session) -> Iterator[Check]:
    """Every package Gnomon requires, extra by extra, against the versions tested together."""
    try:
        required = importlib.metadata.requires("gnomon") or []
    except importlib.metadata.PackageNotFoundError:
        yield Check(
            name="gnomon", state=WARNING, value=say("not installed", "未インストール"), hint="pip install gnomon"
        )
        return
    for extra in ("", *EXTRAS):
        names = [_name(line) for line in required if _extra(line) == extra]
        names = [name for name in names if name != "gnomon"]
        missing = [name for name in names if _version(name) is None]
        found = ", ".join(f"{name} {_version(name)}" for name in names if name not in missing)
        label = f"[{extra}]" if extra else say("packages", "パッケージ")
        if missing:
            command_line = f"pip install 'gnomon[{extra}]'" if extra else "pip install gnomon"
            told = say(f"missing: {', '.join(missing)}", f"不足: {', '.join(missing)}")
            yield Check(name=label, state=WARNING if extra else PROBLEM, value=told, hint=command_line)
        else:
            yield Check(name=label, state=OK, value=found)


def _name(requirement: str) -> str:
    return re.split(r"[ ;<>=!~\[(]", requirement, maxsplit=1)[0]


def _extra(requirement: str) -> str:
    match = re.search(r"extra\s*==\s*['\"]([\w-]+)", requirement)
    return match[1] if match else ""


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _constraints(session: Session) -> Iterator[Check]:
    """Whether the installed versions are those that were tested together; only in a checkout."""
    path = Path(__file__).parents[3] / "constraints.txt"
    if not path.is_file():
        return
    lines = (line.partition("#")[0].partition(";")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    wanted = dict(line.split("==", 1) for line in lines if "==" in line)
    other = [f"{name} {have} (tested {want})" for name, want in sorted(wanted.items())
             if (have := _version(name)) is not None and have.partition("+")[0] != want.partition("+")[0]]  # fmt: skip
    if other:
        yield Check(name="constraints", state=WARNING, value=", ".join(other[:6]),
                    hint="pip install -c constraints.txt -e .")  # fmt: skip
    else:
        yield Check(name="constraints", state=OK, value=say("every version as tested", "すべて試験済みの版"))


def _machine(session: Session) -> Iterator[Check]:
    cores = len(os.sched_getaffinity(0))
    yield Check(name=say("cores", "コア"), state=OK, value=str(cores))
    memory = _memory_bytes()
    low = memory < LOW_MEMORY_BYTES
    hint = (
        say("Builds of tens of thousands of papers need about 4 GB.", "数万件の構築には約 4 GB 必要。") if low else ""
    )
    yield Check(name=say("memory", "メモリ"), state=WARNING if low else OK, value=size(memory), hint=hint)


def _memory_bytes() -> int:
    """Memory this process may use: that of the machine, or the limit of its control group."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
    except OSError:
        limit = "max"
    return min(total, int(limit)) if limit.isdigit() else total


def _settings(session: Session) -> Iterator[Check]:
    from gnomon.core.settings import FILE_NAME, load_settings

    try:
        local = None if "://" in session.url else Path(session.url)
        settings = load_settings(local)
    except GnomonError as error:
        yield Check(name=FILE_NAME, state=PROBLEM, value=error.message, hint=error.hint)
        return
    offline = (
        say("offline", "外部接続なし")
        if settings.offline
        else say("outward calls only where configured", "設定した接続のみ")
    )
    yield Check(name=FILE_NAME, state=OK, value=offline)


def _telemetry(session: Session) -> Iterator[Check]:
    on = [name for name, value in TELEMETRY_OFF.items() if os.environ.get(name) != value]
    name = say("telemetry", "利用統計")
    if on:
        yield Check(name=name, state=PROBLEM, value=say(f"on: {', '.join(on)}", f"有効: {', '.join(on)}"))
    else:
        yield Check(name=name, state=OK, value=say("off in every library", "全ライブラリで無効"))


def _workspace(session: Session) -> Iterator[Check]:
    if "://" in session.url:
        yield from _object_store(session)
        return
    folder = Path(session.url)
    there = next(parent for parent in (folder, *folder.resolve().parents) if parent.exists())
    name = say("workspace", "作業場所")
    if not os.access(there, os.W_OK):
        yield Check(name=name, state=PROBLEM, value=say(f"{there} cannot be written", f"{there} に書けない"),
                    hint=say("Give another place with --workspace.", "--workspace で別の場所を指定する。"))  # fmt: skip
        return
    state = say("there", "あり") if folder.exists() else say("will be made", "これから作る")
    yield Check(name=name, state=OK, value=f"{session.url} ({state})")
    free = shutil.disk_usage(there).free
    low = free < LOW_DISK_BYTES
    hint = say("Free some space, or run `gnomon gc`.", "空きを増やすか `gnomon gc` を実行する。") if low else ""
    yield Check(
        name=say("disk", "ディスク"),
        state=WARNING if low else OK,
        value=say(f"{size(free)} free", f"空き {size(free)}"),
        hint=hint,
    )


def _object_store(session: Session) -> Iterator[Check]:
    """Write, read and delete a small object where the workspace is."""
    name = say("object store", "オブジェクトストア")
    try:
        workspace = session.workspace()
        probe = f"{workspace.root}/.gnomon-doctor"
        workspace.fs.pipe_file(probe, b"gnomon")
        same = workspace.fs.cat_file(probe) == b"gnomon"
        workspace.fs.rm_file(probe)
    except Exception as error:  # noqa: BLE001 - any failure of a foreign store is the finding
        yield Check(name=name, state=PROBLEM, value=f"{session.url}: {type(error).__name__}: {error}",
                    hint=say("Check [storage] in gnomon.toml.", "gnomon.toml の [storage] を確かめる。"))  # fmt: skip
        return
    yield Check(name=name, state=OK if same else PROBLEM, value=session.url)


def _gpu(session: Session) -> Iterator[Check]:
    tool = shutil.which("nvidia-smi")
    found = ""
    if tool:
        command_line = [tool, "--query-gpu=name,memory.total", "--format=csv,noheader"]
        done = subprocess.run(command_line, capture_output=True, text=True, timeout=20, check=False)
        found = "; ".join(done.stdout.split("\n")).strip("; ") if done.returncode == 0 else ""
    none = say("none; none is needed for search and answers", "なし（検索と回答には不要）")
    yield Check(name="GPU", state=OK, value=found or none)


CHECKS: tuple[Callable[[Session], Iterator[Check]], ...] = (
    _python, _packages, _constraints, _machine, _settings, _telemetry, _workspace, _gpu,
)  # fmt: skip
