"""Heavy libraries enter late; importing Gnomon does nothing but silence telemetry."""

import json
import subprocess
import sys

HEAVY = ["torch", "transformers", "lance", "lancedb", "daft", "infini_gram", "sentence_transformers", "scipy",
         "onnxruntime", "pypdfium2", "pandas", "ray"]  # fmt: skip


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_help_answers_without_a_heavy_library() -> None:
    code = (
        "import sys, json, contextlib\n"
        "from gnomon.cli.main import main\n"
        "with contextlib.suppress(SystemExit): main(['--help'])\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    out = run(code)
    assert "build" in out
    assert not set(HEAVY) & set(json.loads(out.splitlines()[-1]))


def test_importing_gnomon_switches_telemetry_off_before_anything_else() -> None:
    out = run("import gnomon, os, sys, json; print(json.dumps([dict(os.environ), sorted(sys.modules)]))")
    environment, modules = json.loads(out)
    assert environment["DO_NOT_TRACK"] == "1"
    assert environment["DAFT_ANALYTICS_ENABLED"] == "0"
    assert environment["RAY_USAGE_STATS_ENABLED"] == "0"
    assert environment["HF_HUB_DISABLE_TELEMETRY"] == "1"
    assert not set(HEAVY) & set(modules)


def test_planning_a_recipe_imports_nothing_heavy(tmp_path) -> None:
    code = (
        "import sys, json, contextlib\n"
        "from gnomon.cli.main import main\n"
        f"with contextlib.suppress(SystemExit): main(['plan', 'quickstart', '--workspace', {str(tmp_path)!r}])\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    assert not set(HEAVY) & set(json.loads(run(code).splitlines()[-1]))
