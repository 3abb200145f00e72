"""Running lm-evaluation-harness in a process of its own, and what can go wrong with it."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from gnomon.core.errors import ConfigError, MissingExtra, RunError
from gnomon.core.files import read_json, write_json
from gnomon.core.records import ModelRef
from gnomon.core.settings import Settings
from gnomon.core.wording import say
from gnomon.evaluation.harness.child import UNKNOWN
from gnomon.evaluation.harness.config import LmEvalConfig
from gnomon.llm.weights import Weights, weights_of, weights_of_ref
from gnomon.runs.sources import FileSet

CHILD = "gnomon.evaluation.harness.child"
TAIL = 1_500
"""Characters of the log that a message shows."""


def check_installed() -> None:
    """Refuse to begin without the harness.

    Raises:
        MissingExtra: lm-eval is not installed.
    """
    if importlib.util.find_spec("lm_eval") is None:
        raise MissingExtra("lm_eval", "harness", "Running lm-evaluation-harness")


def weights_for(source: Path | ModelRef, settings: Settings) -> Weights:
    """The weights the harness loads.

    Raises:
        ConfigError: The model is an endpoint.
        NotFound: There is no such model.
    """
    if not isinstance(source, ModelRef):
        return weights_of(source, settings)
    place = settings.models.get(source.name)
    if place is not None and place.url.startswith("http"):
        raise ConfigError(
            say(f"lm_eval runs weights, and {source.name!r} is an endpoint ({place.url}).",
                f"lm_eval は重みを読み込むが、{source.name!r} はエンドポイントである ({place.url})。"),
            say("Call `lm_eval --model local-completions` for it, or use evaluation.exam.",
                "`lm_eval --model local-completions` を使うか、evaluation.exam を使う。"),
        )  # fmt: skip
    return weights_of_ref(source, settings)


def include(files: FileSet | None, folder: Path) -> Path | None:
    """The task files of a source laid out in a folder, as the harness reads them; None without any."""
    if files is None:
        return None
    shutil.rmtree(folder, ignore_errors=True)
    for file in files.files:
        place = folder / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file.path, place)
    return folder


def request(weights: Weights, config: LmEvalConfig, tasks: Path | None, settings: Settings) -> dict[str, Any]:
    """What the process is asked."""
    how = {name: getattr(config, name) for name in ("shots", "limit", "batch", "chat", "bootstrap", "seed")}
    model = {"pretrained": weights.name_or_folder, "dtype": config.dtype, "trust_remote_code": False}
    return {
        "model": model, "tasks": list(config.tasks), "include": str(tasks) if tasks else None, "how": how,
        "threads": settings.num_threads,
    }  # fmt: skip


def run_child(asked: dict[str, Any], result: Path, settings: Settings) -> dict[str, Any]:
    """What the harness found.

    Args:
        asked: The request.
        result: Where the process leaves its result; its log stands beside it.
        settings: The machine; ``offline`` closes the hub to the process.

    Raises:
        ConfigError: There is no such task.
        RunError: The harness failed.
    """
    result.parent.mkdir(parents=True, exist_ok=True)
    write_json(result.with_suffix(".request.json"), asked)
    log = result.with_suffix(".log")
    with log.open("wb") as out:
        done = subprocess.run(
            [sys.executable, "-m", CHILD, str(result.with_suffix(".request.json").resolve()), str(result.resolve())],
            stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False,
            env=_environment(settings), cwd=asked["include"] or result.parent,
        )  # fmt: skip
    if done.returncode or not result.is_file():
        raise _failed(log, settings)
    found: dict[str, Any] = read_json(result)
    if UNKNOWN in found:
        near = ", ".join(found["near"]) or "-"
        raise ConfigError(
            say(f"lm-eval has no task {', '.join(found[UNKNOWN])}.",
                f"lm-eval にタスク {', '.join(found[UNKNOWN])} はない。"),
            say(f"Names that come near: {near}. See also `lm_eval ls tasks`.",
                f"近い名前: {near}。`lm_eval ls tasks` も参照。"),
        )  # fmt: skip
    return found


def _environment(settings: Settings) -> dict[str, str]:
    # The package may be used from a source tree: the process finds it where this one did.
    paths = [str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", "")]
    own = {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "TOKENIZERS_PARALLELISM": "false", "PYTHONHASHSEED": "0"}
    if settings.offline:
        own |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_EVALUATE_OFFLINE": "1"}
    return {**os.environ, **own}


def _failed(log: Path, settings: Settings) -> RunError:
    tail = log.read_text(encoding="utf-8", errors="replace")[-TAIL:].strip()
    hint = say("The log is " + str(log) + ".", f"ログ: {log}。")
    if settings.offline:
        hint += say(" offline = true: data sets of the hub have to be in its cache.",
                    " offline = true のため、ハブのデータはキャッシュになければならない。")  # fmt: skip
    return RunError(say(f"lm-eval failed: …{tail}", f"lm-eval が失敗した: …{tail}"), hint)
