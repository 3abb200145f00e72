"""The documentation speaks of every command and option, and of none that does not exist."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from gnomon.cli.main import GROUPS, root
from gnomon.cli.session import Session

ROOT = Path(__file__).parents[2]
COMMANDS = [row[0] for _, _, rows in GROUPS for row in rows]
SHARED = {"--workspace", "--expert", "--json", "--debug"}
PAGES = sorted(path for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")] if path.is_file())
REFERENCE = ROOT / "docs" / "commands.md"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def command(name: str) -> click.Command | None:
    group = root()
    return group.get_command(click.Context(group, obj=Session()), name)


def section(name: str) -> str:
    text = REFERENCE.read_text(encoding="utf-8")
    match = re.search(rf"^### gnomon {name}\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)
    assert match, f"docs/commands.md has no section 'gnomon {name}'"
    return match[1]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_reference_describes_every_command_with_its_options(name: str) -> None:
    told, found = section(name), command(name)
    assert found is not None
    options = {o for p in found.params if isinstance(p, click.Option) for o in p.opts if o.startswith("--")}
    for option in options - SHARED:
        assert option in told, f"{option} is not in the section of gnomon {name}"
    assert f"gnomon {name}" in told, "no example"


def test_the_reference_describes_the_shared_options() -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    for option in SHARED:
        assert f"| `{option}" in text


def shown() -> Iterator[tuple[str, str]]:
    """Every ``gnomon …`` line of a fenced block of the documentation."""
    for page in PAGES:
        for kind, block in FENCE.findall(page.read_text(encoding="utf-8")):
            for line in block.splitlines() if kind in {"", "sh", "console", "bash"} else ():
                match = re.match(r"^(?:\$ )?(?:[^#]*\| *)?(gnomon .*)$", line.strip())
                if match:
                    yield str(page.relative_to(ROOT)), match[1]


@pytest.mark.parametrize(("page", "line"), sorted(set(shown())))
def test_every_command_line_in_the_documentation_is_one_that_exists(page: str, line: str) -> None:
    words = shlex.split(line, comments=True)
    words = words[: next((i for i, word in enumerate(words) if word in {"|", ">", "&&", "2>"}), len(words))]
    if words[1].startswith("-"):
        return
    found = command(words[1])
    assert found is not None, f"{page}: there is no command {words[1]}"
    found.make_context(words[1], words[2:], obj=Session())


def test_examples_of_json_are_json() -> None:
    blocks = [block for kind, block in FENCE.findall(REFERENCE.read_text(encoding="utf-8")) if kind == "json"]
    assert len(blocks) >= 8
    for block in blocks:
        assert isinstance(json.loads(block), dict)


def test_every_page_is_reached_from_the_index_or_is_a_design_page() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs").glob("*.md"):
        assert page.name == "index.md" or f"({page.name})" in index, f"docs/index.md does not mention {page.name}"


def test_links_inside_the_documentation_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if "://" not in target and not target.startswith("mailto:"):
                assert (page.parent / target).exists(), f"{page.name} links to {target}"
