"""``serve`` and ``key``: a window over an expert for browsers and programs, and who may come in from elsewhere."""

import os
import sys
from datetime import datetime
from typing import Any

import click

from gnomon.cli.errors import INTERRUPTED
from gnomon.cli.output import console, print_json, safe, table
from gnomon.cli.session import Session, command
from gnomon.core.errors import InputError, MissingExtra
from gnomon.core.wording import say

DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8000
ACTIONS = ("add", "list", "revoke")


@command(
    "Open an expert to browsers and programs: pages, an HTTP API, and OpenAI's protocol. Ctrl-C stops it.",
    "エキスパートをブラウザとプログラムに公開する。ページ、HTTP API、OpenAI 互換 API。Ctrl-C で停止。",
)
@click.option("--host", default=DEFAULT_HOST, show_default=True, metavar="ADDRESS",
              help=say("Where to listen; any other than loopback needs a key.",
                       "待ち受けるアドレス。ループバック以外では鍵が要る。"))  # fmt: skip
@click.option("--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True,
              help=say("The port; 0 takes a free one.", "ポート。0 は空きポート。"))  # fmt: skip
@click.option("--allow-host", multiple=True, metavar="NAME",
              help=say("A name it is reached by, as behind a proxy; needs a key. May be given again.",
                       "プロキシの背後などで使われる名前。鍵が要る。繰り返し指定できる。"))  # fmt: skip
@click.option("--open/--no-open", "browse", default=False,
              help=say("Open a browser, when there is one.", "ブラウザがあれば開く。"))  # fmt: skip
@click.option("--log-queries", is_flag=True,
              help=say("Write what readers ask to the access log.", "質問文をアクセスログに残す。"))  # fmt: skip
def serve(
    session: Session, host: str, port: int, allow_host: tuple[str, ...], *, browse: bool, log_queries: bool
) -> int:
    """Serve an expert until Ctrl-C."""
    _need_extra()
    from gnomon.research.opened import OpenExpert
    from gnomon.serving.app import app
    from gnomon.serving.logs import start_logging
    from gnomon.serving.safety.keys import Keys
    from gnomon.serving.safety.policy import policy_for
    from gnomon.serving.serve import address_of, bind
    from gnomon.serving.serve import serve as run

    workspace = session.workspace()
    opened = OpenExpert(workspace, session.expert(workspace))
    policy = policy_for(host, allow_host, Keys(workspace.local), log_queries=log_queries)
    with bind(host, port) as bound:
        address = address_of(bound)
        start_logging()

        def up() -> None:
            _tell_address(session, opened.expert.name, address)
            if browse:
                _browse(address)

        ended = run(app(opened, policy=policy, kept_fresh=True), bound, up)
    code = INTERRUPTED if ended.forced else 0
    if ended.at_work:
        _leave(code)
    return code


def _need_extra() -> None:
    """Make sure that what serving needs is installed.

    Raises:
        MissingExtra: It is not.
    """
    from importlib.util import find_spec

    for package in ("fastapi", "uvicorn", "jinja2", "multipart", "prometheus_client", "nh3", "markdown_it"):
        if find_spec(package) is None:
            raise MissingExtra(package, "serve", say("Serving an expert", "エキスパートの公開"))


def _tell_address(session: Session, expert: str, address: str) -> None:
    if session.json:
        print_json({"expert": expert, "url": address, "workspace": session.url, "pid": os.getpid()})
    else:
        print(say(f"Expert {safe(expert)} is open at {address}  (Ctrl-C stops it.)",
                  f"エキスパート {safe(expert)} を公開中: {address}  （Ctrl-C で停止）"))  # fmt: skip
    sys.stdout.flush()


def _browse(address: str) -> None:
    """Open a browser beside the server; one that runs in this terminal would take it over, so it needs a screen."""
    import threading
    import webbrowser

    screen = sys.platform in {"darwin", "win32"} or any(os.environ.get(n) for n in ("DISPLAY", "WAYLAND_DISPLAY"))
    if screen:
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()


def _leave(code: int) -> None:
    """End at once: Python would wait for a model's thread, which nothing can stop; what is on disk is whole."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


@command(
    "Make, list or revoke the keys that let people and programs in where a server is reached from elsewhere.",
    "外から届くサーバーに人やプログラムを入れるための鍵を、作る・一覧する・失効させる。",
)
@click.argument("action", type=click.Choice(ACTIONS), metavar="|".join(ACTIONS))
@click.argument("name", required=False, default="")
@click.option("--days", type=click.IntRange(1, 36500),
              help=say("Let a new key end after so many days.", "新しい鍵を何日で期限切れにするか。"))  # fmt: skip
def key(session: Session, action: str, name: str, days: int | None) -> int:
    """Make, list or revoke keys."""
    from gnomon.serving.safety.keys import Keys

    keys = Keys(session.workspace().local)
    if bool(name) == (action == "list"):
        raise InputError(
            say(f"`gnomon key {action}` {'takes no name' if name else 'needs a name'}.",
                f"`gnomon key {action}` に名前は{'要らない' if name else '要る'}。"),
            say("Write `gnomon key add NAME`, `gnomon key list` or `gnomon key revoke NAME`.",
                "`gnomon key add 名前`、`gnomon key list`、`gnomon key revoke 名前` のいずれか。"),
        )  # fmt: skip
    if action == "add":
        text, made = keys.add(name, days)
        _tell_key(session, text, key_row(made))
    elif action == "revoke":
        row = key_row(keys.revoke(name))
        _tell(session, row, say(f"The key {name} is revoked.", f"鍵 {name} を失効させた。"))
    else:
        _tell_keys(session, [key_row(each) for each in keys.known()])
    return 0


def key_row(made: Any) -> dict[str, Any]:
    """What may be told of a key: enough of its hash to know it again, and never the key."""
    return {"name": made.name, "id": made.sha256[:8], "state": made.state(), "made": made.made,
            "expires": made.expires or None, "used": made.used or None, "revoked": made.revoked or None}  # fmt: skip


def _tell_key(session: Session, text: str, row: dict[str, Any]) -> None:
    if session.json:
        print_json({**row, "key": text})
        return
    print(text)
    print(
        say("It is shown this once; only its hash is kept.", "表示は今回限り。保存されるのはハッシュだけ。"),
        file=sys.stderr,
    )


def _tell(session: Session, row: dict[str, Any], words: str) -> None:
    if session.json:
        print_json(row)
    else:
        print(safe(words))


def _tell_keys(session: Session, rows: list[dict[str, Any]]) -> None:
    if session.json:
        print_json({"keys": rows})
        return
    if not rows:
        print(say("There are no keys. Make one with: gnomon key add NAME", "鍵はない。作るには: gnomon key add 名前"))
        return
    states = {"valid": say("valid", "有効"), "revoked": say("revoked", "失効"), "expired": say("expired", "期限切れ")}
    shown = table(say("name", "名前"), "id", say("state", "状態"), say("made", "作成"), say("last used", "最終使用"),
                  say("expires", "期限"))  # fmt: skip
    for row in rows:
        days = (_day(row[field]) for field in ("made", "used", "expires"))
        shown.add_row(safe(row["name"]), row["id"], states[row["state"]], *days)
    console().print(shown)


def _day(moment: str | None) -> str:
    return datetime.fromisoformat(moment).date().isoformat() if moment else "–"
