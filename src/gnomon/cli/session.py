"""The session: what every command is told, whichever it is.

Four options are the same everywhere (``--workspace``, ``--expert``, ``--json``, ``--debug``); a
command receives them as one ``Session``, so that none can forget one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gnomon.core.wording import say

if TYPE_CHECKING:
    from gnomon.core.records import Expert
    from gnomon.runs.workspace import Workspace

DEFAULT_WORKSPACE = "./.gnomon"
WORKSPACE_VARIABLE = "GNOMON_WORKSPACE"
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(kw_only=True)
class Session:
    """One invocation of ``gnomon``."""

    url: str = DEFAULT_WORKSPACE
    """The workspace: a folder or an address."""
    name: str = ""
    """The expert asked for; empty for the newest."""
    json: bool = False
    """Print exactly one JSON object on stdout."""
    debug: bool = False
    """Show tracebacks."""

    def workspace(self) -> Workspace:
        """Open the workspace; it need not exist yet."""
        from gnomon.runs.workspace import Workspace

        return Workspace(self.url)

    def expert(self, workspace: Workspace) -> Expert:
        """Open the expert.

        Raises:
            NotFound: The workspace has none of this name, or none at all.
        """
        from gnomon.runs.experts import open_expert

        return open_expert(workspace, self.name)


def command(en: str, ja: str) -> Callable[[Callable[..., Any]], click.Command]:
    """A command whose function takes the session first; its help text comes in both languages."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        passing = click.pass_obj(function)
        for option in reversed(_options()):
            passing = option(passing)
        settings = {"help_option_names": ["-h", "--help"]}
        made = click.command(help=say(en, ja), context_settings=settings)(passing)
        made.params.sort(key=lambda param: param.name in _FIELDS)
        return made

    return decorate


def _options() -> list[Callable[[F], F]]:
    def keep(ctx: click.Context, option: click.Parameter, value: Any) -> None:
        session = ctx.find_object(Session)
        if session is not None and value is not None:
            setattr(session, _FIELDS[str(option.name)], value)

    shared: dict[str, Any] = {"callback": keep, "expose_value": False, "is_eager": True}
    return [
        click.option("--workspace", metavar="DIR", default=DEFAULT_WORKSPACE, envvar=WORKSPACE_VARIABLE,
                     show_default=True, show_envvar=True, **shared,
                     help=say("Where everything is kept: a folder or an address.", "保存先のフォルダまたはアドレス。")),
        click.option("--expert", metavar="NAME", **shared,
                     help=say("Which expert; the newest when not given.", "どのエキスパートか。省略時は最新。")),
        click.option("--json", is_flag=True, **shared,
                     help=say("Print one JSON object and nothing else.", "JSON オブジェクトをひとつだけ出力する。")),
        click.option("--debug", is_flag=True, **shared,
                     help=say("Show the traceback of an error.", "エラーの詳細（トレースバック）を表示する。")),
    ]  # fmt: skip


_FIELDS = {"workspace": "url", "expert": "name", "json": "json", "debug": "debug"}
