"""How the commands behave whatever they do: errors, languages, progress, speed."""

import importlib.metadata
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gnomon.cli import doctor, progress
from gnomon.cli.errors import guarded
from gnomon.cli.output import count, safe, seconds, size
from gnomon.cli.progress import amounts
from gnomon.cli.session import Session
from gnomon.runs.runner import run

BARE = ("torch", "transformers", "lance", "lancedb", "daft", "pyarrow", "fsspec", "numpy", "rich", "infini_gram")


def test_help_is_quick_and_imports_nothing_but_click() -> None:
    code = (
        "import sys, json\nfrom gnomon.cli.main import main\nmain(['--help'])\nprint(json.dumps(sorted(sys.modules)))"
    )
    took = []
    for _ in range(3):
        started = time.perf_counter()
        out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        took.append(time.perf_counter() - started)
    assert not set(BARE) & set(json.loads(out.splitlines()[-1]))
    assert min(took) < 0.6, "0.3 s on an idle machine"


def test_usage_errors_end_with_2_and_name_the_help(gnomon) -> None:
    done = gnomon("search", "x", "--colour")
    assert (done.code, "--colour" in done.err, "gnomon search --help" in done.err) == (2, True, True)
    assert gnomon("nonsense").code == 2
    assert gnomon("search").code == 2


def test_an_error_with_json_is_still_one_object(gnomon) -> None:
    done = gnomon("search", "star", "--json")
    assert done.code == 2
    assert set(done.row["error"]) == {"kind", "message", "hint"}
    assert done.row["error"]["kind"] == "NotFound"


def test_an_unexpected_error_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    def broken() -> int:
        raise ZeroDivisionError("by zero")

    assert guarded(broken, Session()) == 3
    said = capsys.readouterr().err
    assert "ZeroDivisionError: by zero" in said
    assert "--debug" in said
    assert "Traceback" not in said


def test_messages_are_japanese_in_a_japanese_locale(gnomon, papers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GNOMON_LANG", "ja")
    done = gnomon("build", papers)
    assert "4 件中 2 件の文書を収めた" in done.out
    assert "完全な重複" in done.out
    assert "作る" in gnomon("--help").out
    assert "エラー" in gnomon("lineage", "nobody").err


def test_the_expert_option_chooses(gnomon, papers: Path) -> None:
    gnomon("build", papers, "--name", "one")
    (papers / "alpha.txt").unlink()
    gnomon("build", papers, "--name", "two")
    assert gnomon("lineage", "local:alpha", "--expert", "one").code == 0
    assert gnomon("lineage", "local:alpha", "--expert", "two").code == 2
    done = gnomon("lineage", "local:beta", "--expert", "three")
    assert (done.code, "one, two" in done.err) == (2, True)


def test_amounts_tell_rate_and_time_left_once_they_mean_something() -> None:
    assert amounts(0, None, "", 0.0) == ""
    assert amounts(0, 4000, "documents", 0.0) == "0 of 4,000 documents"
    assert amounts(1000, 4000, "documents", 10.0) == "1,000 of 4,000 documents · 100/s · 30 s left"
    assert amounts(1, 4000, "documents", 10.0) == "1 of 4,000 documents · 0.1/s"
    assert amounts(1, 4000, "documents", 40.0) == "1 of 4,000 documents · 1.5/min"
    assert amounts(5_000_000, 10_000_000, "bytes", 5.0) == "5.0 MB of 10 MB · 1.0 MB/s · 5.0 s left"


def test_plain_progress_prints_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    meter = progress.PlainMeter("[1/2] corpus/clean")
    meter.total(100, "documents")
    meter.advance(1)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(progress, "PLAIN_EVERY_SECONDS", 0.0)
    meter.advance(49)
    assert "[1/2] corpus/clean 50 of 100 documents" in capsys.readouterr().err


def test_live_progress_shows_a_bar_and_leaves_a_line(tmp_path: Path, papers: Path) -> None:
    from rich.console import Console
    from toy_recipes import library

    from gnomon.runs import FileSet, Workspace

    console = Console(force_terminal=True, width=120, record=True, file=io.StringIO())
    live = progress.LiveProgress(console)
    with live.bars:
        run(library({"files": FileSet.scan([papers]).to_row()}), Workspace(tmp_path / "w"), live)
    text = console.export_text()
    assert "✓ [1/5] corpus/ingest  3 kept, 1 left out" in text


def test_numbers_are_told_as_a_person_reads_them() -> None:
    assert [size(n) for n in (0, 999, 1500, 25_000, 3_200_000_000)] == ["0 B", "999 B", "1.5 kB", "25 kB", "3.2 GB"]
    assert [seconds(n) for n in (0.04, 59, 125, 7300)] == ["0.0 s", "59 s", "2 min 05 s", "2 h 01 min"]
    assert count(1234567) == "1,234,567"
    assert safe("a\x1b[0m\x00b\ud800\n") == "a\ufffd[0m\ufffdb\ufffd\n"


def test_ctrl_c_ends_a_real_run_with_one_clean_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gnomon.cli.main", "run", "toy_recipes:slow", "--workspace", str(tmp_path / "ws")]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}

    usual = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job is born deaf to them
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    finally:
        signal.signal(signal.SIGINT, usual)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.strip() == "Interrupted. What was finished is kept; the same command goes on from there."


# Doctor --------------------------------------------------------------------------------------


def test_doctor_looks_at_everything(gnomon) -> None:
    done = gnomon("doctor", "--json")
    names = {check["name"] for check in done.row["checks"]}
    assert {"Python", "packages", "[corpus]", "memory", "gnomon.toml", "telemetry", "workspace", "disk", "GPU"} <= names
    assert done.code == 0
    assert "off in every library" in gnomon("doctor").out


def test_doctor_names_a_missing_extra_with_its_pip_line(gnomon, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.metadata.version

    def version(name: str) -> str:
        if name == "daft":
            raise importlib.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    check = next(c for c in gnomon("doctor", "--json").row["checks"] if c["name"] == "[corpus]")
    assert (check["state"], "daft" in check["value"], check["hint"]) == (
        "warning",
        True,
        "pip install 'gnomon[corpus]'",
    )


def test_doctor_finds_a_broken_gnomon_toml_and_ends_with_1(gnomon, tmp_path: Path) -> None:
    (tmp_path / "ws").mkdir()
    (tmp_path / "ws" / "gnomon.toml").write_text("ofline = true\n")
    done = gnomon("doctor", "--json")
    assert done.code == 1
    check = next(c for c in done.row["checks"] if c["name"] == "gnomon.toml")
    assert (check["state"], "'ofline'" in check["value"]) == ("problem", True)


def test_doctor_finds_telemetry_that_was_switched_on(gnomon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAFT_ANALYTICS_ENABLED", "1")
    check = next(c for c in gnomon("doctor", "--json").row["checks"] if c["name"] == "telemetry")
    assert (check["state"], "DAFT_ANALYTICS_ENABLED" in check["value"]) == ("problem", True)


def test_doctor_tries_an_object_store(monkeypatch: pytest.MonkeyPatch) -> None:
    (good,) = doctor._object_store(Session(url="memory://store/ws"))
    assert good.state == "ok"
    (bad,) = doctor._object_store(Session(url="nosuch://store/ws"))
    assert bad.state == "problem"
