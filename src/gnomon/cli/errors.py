"""Errors at the door: one place that turns whatever happened into words and an exit code.

A person gets the message and its cure on stderr; ``--debug`` adds the traceback; with ``--json``
stdout still holds exactly one object, ``{"error": {"kind", "message", "hint"}}``.
"""

import os
import sys
from collections.abc import Callable
from typing import Any

import click

from gnomon.cli.session import Session
from gnomon.core.errors import GnomonError
from gnomon.core.wording import say

DONE, FINDING, WRONG_INPUT, RUN_FAILED, INTERRUPTED = 0, 1, 2, 3, 130


def guarded(action: Callable[[], Any], session: Session) -> int:
    """Run an action; returns the exit code, whatever it raised."""
    try:
        code = action()
        sys.stdout.flush()
        return code if isinstance(code, int) else DONE
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except BrokenPipeError:
        _close_stdout()
        return DONE
    except (KeyboardInterrupt, click.Abort):
        return _interrupted(session)
    except click.ClickException as error:
        return _usage(error, session)
    except GnomonError as error:
        _tell(type(error).__name__, error.message, error.hint, session)
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the last door: whatever comes, a person gets words
        _tell(type(error).__name__, _unexpected(error), _report_hint(session), session)
        return RUN_FAILED


def _interrupted(session: Session) -> int:
    told = say("Interrupted. What was finished is kept; the same command goes on from there.",
               "中断した。終わった分は残っている。同じコマンドで続きから再開する。")  # fmt: skip
    _tell("Interrupted", told, "", session)
    return INTERRUPTED


def _usage(error: click.ClickException, session: Session) -> int:
    context = getattr(error, "ctx", None)
    hint = ""
    if context is not None:
        hint = say(f"See `{context.command_path} --help`.", f"`{context.command_path} --help` を参照。")
    _tell("UsageError", error.format_message(), hint, session)
    return WRONG_INPUT


def _unexpected(error: Exception) -> str:
    return say(
        f"Something went wrong that Gnomon did not expect: {type(error).__name__}: {error}",
        f"予期しないことが起きた: {type(error).__name__}: {error}",
    )


def _report_hint(session: Session) -> str:
    if session.debug:
        return ""
    return say(
        "Run the command again with --debug and report what it prints.",
        "--debug を付けて再実行し、その出力を報告してほしい。",
    )


def _tell(kind: str, message: str, hint: str, session: Session) -> None:
    from gnomon.cli.output import print_json, safe

    if session.debug and sys.exc_info()[0] is not None:
        import traceback

        traceback.print_exc()
    head = say("Error:", "エラー:") if kind != "Interrupted" else ""
    print(f"{click.style(head, fg='red', bold=True)} {safe(message)}".strip(), file=_stderr())
    if hint:
        print(safe(hint), file=_stderr())
    if session.json:
        print_json({"error": {"kind": kind, "message": message, "hint": hint}})


def _stderr() -> Any:
    """Stderr, without colour when nobody looks at it."""
    return sys.stderr if sys.stderr.isatty() else _Plain()


class _Plain:
    """Stderr without styling."""

    def write(self, text: str) -> int:
        """Write text with its styling taken off."""
        return sys.stderr.write(click.unstyle(text))

    def flush(self) -> None:
        """Flush stderr."""
        sys.stderr.flush()


def _close_stdout() -> None:
    """The reader has gone; keep the interpreter from complaining about it when it ends."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        return
