"""Serve: the application on a socket, from the first reader to a clean end.

The socket is bound before anything is opened, so that a taken port is known at once. On Ctrl-C or SIGTERM the server
takes no more requests, gives those in hand a bounded time, ends streams that go on for longer, and lets the workers
finish what they are at; a second Ctrl-C waits for nothing. Whatever is on disk is whole at every moment, so that no way
of ending does harm.
"""

import contextlib
import errno
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType

import uvicorn
from fastapi import FastAPI

from gnomon.core.errors import ConfigError
from gnomon.core.wording import say
from gnomon.serving.connections import Patient
from gnomon.serving.house import House

BACKLOG = 512
CONNECTIONS = 1_000
GRACE_SECONDS = 10
IDLE_SECONDS = 15
HEADER_BYTES = 65_536
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""What a person types for a server that listens on every address."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a server ended."""

    forced: bool
    """Somebody would not wait."""
    at_work: bool
    """A worker was still at work: Python would wait for it when it exits."""


class Server(uvicorn.Server):
    """A server that says when it is up, and for which being told to stop is a normal end.

    Args:
        config: How it serves.
        up: Called once it takes requests.
    """

    def __init__(self, config: uvicorn.Config, up: Callable[[], None]) -> None:
        super().__init__(config)
        self._up = up

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to take requests, and say so."""
        await super().startup(sockets)
        if not self.should_exit:
            self._up()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on a signal, without raising it again when everything has ended."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {each: signal.signal(each, self.handle_exit) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal lets work end, the second waits for nothing."""
        self.force_exit = self.should_exit
        self.should_exit = True
        if self.force_exit:  # uvicorn would report, with a traceback, the application that it does not wait for
            logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens on an address.

    Raises:
        ConfigError: The address is none of this machine, or the port is taken or reserved.
    """
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        found = socket.socket(family, kind, protocol)
    except (OSError, OverflowError) as error:
        raise _not_bound(host, port, error) from error
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(place)
        found.listen(BACKLOG)
    except OSError as error:
        found.close()
        raise _not_bound(host, port, error) from error
    return found


def address_of(bound: socket.socket) -> str:
    """The address of a socket as a browser takes it."""
    host, port = bound.getsockname()[:2]
    shown = ANYWHERE.get(host, host)
    return f"http://[{shown}]:{port}/" if ":" in shown else f"http://{shown}:{port}/"


def serve(made: FastAPI, bound: socket.socket, up: Callable[[], None]) -> Ended:
    """Serve an application until it is told to stop.

    Args:
        made: The application.
        bound: Where it listens.
        up: Called once it takes requests.
    """
    config = uvicorn.Config(
        made, http=Patient, ws="none", lifespan="on", log_config=None, access_log=False, server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS, timeout_keep_alive=IDLE_SECONDS, limit_concurrency=CONNECTIONS,
        h11_max_incomplete_event_size=HEADER_BYTES,
    )  # fmt: skip
    server = Server(config, up)
    server.run([bound])
    house: House = made.state.house
    return Ended(forced=server.force_exit, at_work=house.at_work)


def _not_bound(host: str, port: int, error: Exception) -> ConfigError:
    code = getattr(error, "errno", None)
    if code == errno.EADDRINUSE:
        return ConfigError(
            say(f"Port {port} of {host} is taken.", f"{host} のポート {port} は使われている。"),
            say("`--port 0` takes a free one.", "`--port 0` で空いているポートを使う。"),
        )
    if code == errno.EACCES:
        return ConfigError(
            say(f"Port {port} is reserved to the system.", f"ポート {port} はシステム用に予約されている。"),
            say("Take one above 1023; a reverse proxy can pass 80 and 443 on.",
                "1024 以上を使う。80 や 443 はリバースプロキシから渡せる。"),
        )  # fmt: skip
    return ConfigError(
        say(f"Nothing can listen on {host}, port {port}: {error}.",
            f"{host} のポート {port} では待ち受けできない: {error}。"),
        say("Give an address of this machine, such as 127.0.0.1, and a port from 0 to 65535.",
            "127.0.0.1 のようなこの環境のアドレスと、0 から 65535 のポートを指定する。"),
    )  # fmt: skip
