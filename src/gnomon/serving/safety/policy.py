"""The policy: whom a server answers, decided once when it starts.

A server on loopback answers this machine and asks for no key. As soon as others can reach it, by its address or by a
name that a proxy passes on, every request needs a key, and a server without one does not start.
"""

import ipaddress
import re
from dataclasses import dataclass, field
from functools import partial
from secrets import token_bytes

from gnomon.core.errors import ConfigError
from gnomon.core.wording import say
from gnomon.serving.safety.keys import Keys

LOOPBACK_NAMES = frozenset({"localhost"})
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?")


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Whom a server answers."""

    names: frozenset[str] = frozenset()
    """Names it is reached by, besides loopback's: in lower case, without a port."""
    any_literal: bool = False
    """Answer to any IP address as well; an address cannot be rebound as a name can."""
    keys: Keys | None = None
    """The keys it knows; None where there can be none."""
    demands_key: bool = False
    """Every request needs a key, or a session that a key opened."""
    log_queries: bool = False
    """Write what readers ask to the access log."""
    secret: bytes = field(default_factory=partial(token_bytes, 32), repr=False)
    """What signs the tokens of forms; new with every start."""

    def answers_to(self, host: str) -> bool:
        """Whether a ``Host`` header names this server."""
        name = host_name(host)
        if not name:
            return False
        literal = _literal(name)
        if literal is not None and (literal.is_loopback or self.any_literal):
            return True
        return name in LOOPBACK_NAMES or name in self.names


def host_name(host: str) -> str:
    """The name in a ``Host`` header, in lower case without brackets and port; empty when it is none."""
    found = _HOST.fullmatch(host)
    return found[1].strip("[]").lower().removesuffix(".") if found else ""


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is this machine's own."""
    literal = _literal(host)
    return host.lower() in LOOPBACK_NAMES if literal is None else literal.is_loopback


def policy_for(host: str, names: tuple[str, ...], keys: Keys, *, log_queries: bool = False) -> Policy:
    """The policy of a server that listens on an address.

    Args:
        host: The address.
        names: Names that it may be reached by.
        keys: The keys of its workspace.
        log_queries: Write what readers ask to the access log.

    Raises:
        ConfigError: A name is none, or others can reach the server and there is no key.
    """
    for name in names:
        if not host_name(name) or ":" in name.rpartition("]")[2]:
            raise ConfigError(
                say(f"--allow-host {name!r} is no host name.", f"--allow-host {name!r} はホスト名ではない。"),
                say("Give a name without scheme and port, such as gnomon.example.org.",
                    "gnomon.example.org のように、スキームとポートを付けずに指定する。"),
            )  # fmt: skip
    literal = _literal(host)
    known = {host_name(name) for name in names} | {host.lower()}
    policy = Policy(
        names=frozenset(known - {""}), any_literal=literal is not None and literal.is_unspecified, keys=keys,
        demands_key=not (is_loopback(host) and all(map(is_loopback, map(host_name, names)))),
        log_queries=log_queries,
    )  # fmt: skip
    if policy.demands_key and not keys.any_valid():
        raise _no_key(host, names)
    return policy


def _no_key(host: str, names: tuple[str, ...]) -> ConfigError:
    where = ", ".join((*names, host))
    return ConfigError(
        say(f"Others could reach this server ({where}), and there is no key that keeps strangers out.",
            f"このサーバーには外から届く（{where}）が、部外者を防ぐ鍵がない。"),
        say("Make one with `gnomon key add NAME`, or listen on 127.0.0.1, without --allow-host.",
            "`gnomon key add 名前` で鍵を作るか、--allow-host を付けずに 127.0.0.1 で待ち受ける。"),
    )  # fmt: skip


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
