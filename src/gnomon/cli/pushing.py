"""``push``: an exported model, sent to the hub when told to; otherwise only what would be sent is printed."""

from pathlib import Path
from typing import Any

import click

from gnomon.cli.output import console, print_json, safe, size
from gnomon.cli.session import Session, command
from gnomon.core.wording import say


@command(
    "Send an exported model to the hub. Without --yes only what would be sent is printed.",
    "書き出したモデルをハブに公開する。--yes がなければ、送る内容を表示するだけ。",
)
@click.argument("folder", metavar="FOLDER")
@click.option("--repo", required=True, metavar="ORG/NAME", help=say("Where to.", "公開先。"))
@click.option(
    "--public",
    is_flag=True,
    help=say(
        "Let everybody read a repository that is made for it; private when not given.",
        "新しく作るリポジトリを公開にする。省略時は非公開。",
    ),
)
@click.option("--yes", is_flag=True, help=say("Really send it.", "実際に送る。"))
def push(session: Session, folder: str, repo: str, **how: bool) -> int:
    """Print what would be sent, or send it."""
    from gnomon.training.export.push import hub_api, plan_upload
    from gnomon.training.export.push import push as send

    upload = plan_upload(Path(folder).expanduser(), repo)
    row: dict[str, Any] = {
        "repo": upload.repo, "licence": upload.licence, "bytes": upload.bytes, "pushed": how["yes"], "url": None,
        "files": [{"name": name, "bytes": number} for name, number in upload.files],
    }  # fmt: skip
    if how["yes"]:
        row["url"] = send(upload, session.workspace().settings, hub_api(), private=not how["public"])
    if session.json:
        print_json(row)
        return 0
    out = console()
    for file in row["files"]:
        out.print(f"{safe(file['name'])}  {size(file['bytes'])}")
    told = f"{len(upload.files)} files, {size(upload.bytes)}, {safe(upload.licence)}"
    if how["yes"]:
        out.print(say(f"Sent to {repo}: {told}. {row['url']}", f"{repo} に送った: {told}。{row['url']}"))
    else:
        out.print(say(f"Nothing was sent. --yes would send to {repo}: {told}.",
                      f"何も送っていない。--yes を付けると {repo} に送る: {told}。"))  # fmt: skip
    return 0
