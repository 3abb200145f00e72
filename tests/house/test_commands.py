"""The list of commands and options is pinned: a new one is a decision, not an accident.

After a decision, run ``python tests/house/test_commands.py`` to write the list anew.
"""

import json
from pathlib import Path

import click
import pytest

from gnomon.cli.main import GROUPS, root
from gnomon.cli.session import Session

GOLDEN = Path(__file__).with_name("commands.json")
COMMANDS = [row[0] for _, _, rows in GROUPS for row in rows]
MOST_COMMANDS, MOST_OPTIONS = 24, 12


def surface() -> dict[str, list[str]]:
    """Every command with its arguments and options, as a user types them."""
    group = root()
    context = click.Context(group, obj=Session())
    found = {"": sorted(name for param in group.params for name in param.opts)}
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found[name] = [shape(param) for param in command.params]
    return found


def shape(param: click.Parameter) -> str:
    """``--k -k`` for an option, ``QUERY...`` for an argument, with its choices and default."""
    if isinstance(param, click.Argument):
        return (param.metavar or str(param.name).upper()) + ("" if param.nargs == 1 else "...")
    choices = f" {'|'.join(param.type.choices)}" if isinstance(param.type, click.Choice) else ""
    default = f" = {param.default}" if isinstance(param.default, str | int) and param.default not in ("", False) else ""
    return " ".join(param.opts) + choices + default


def test_commands_and_options_are_those_that_were_agreed() -> None:
    assert surface() == json.loads(GOLDEN.read_text(encoding="utf-8"))


def test_there_are_few_enough_to_remember() -> None:
    assert len(COMMANDS) <= MOST_COMMANDS
    assert max(len(options) for options in surface().values()) <= MOST_OPTIONS


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_takes_the_shared_options_and_explains_itself(name: str) -> None:
    group = root()
    context = click.Context(group, obj=Session())
    command = group.get_command(context, name)
    assert command is not None
    assert command.help
    options = {opt for param in command.params for opt in param.opts}
    assert {"--workspace", "--expert", "--json", "--debug"} <= options
    assert all(p.help for p in command.params if isinstance(p, click.Option))


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(surface(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
