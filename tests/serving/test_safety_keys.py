import json
import stat
from pathlib import Path

import pytest

from gnomon.core.errors import ConfigError, DataError, InputError, NotFound
from gnomon.serving.safety.keys import PREFIX, Keys
from gnomon.serving.safety.policy import policy_for
from gnomon.serving.safety.sessions import HOURS, TRIES, TRY_SECONDS, Sessions, Tries


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_key_is_shown_once_and_only_its_hash_is_kept(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    text, kept = keys.add("group")
    assert text.startswith(PREFIX)
    assert len(text) == len(PREFIX) + 43  # 256 bits
    written = (tmp_path / "keys.json").read_text()
    assert text not in written
    assert text.removeprefix(PREFIX) not in written
    assert kept.sha256 in written
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600


def test_a_key_opens_the_door_until_it_is_revoked_or_ends(tmp_path: Path) -> None:
    clock = Clock()
    keys = Keys(tmp_path, clock)
    text, kept = keys.add("group")
    found = keys.check(text)
    assert found is not None
    assert found.name == "group"
    assert keys.check(text[:-1]) is None
    assert keys.check("") is None
    assert keys.check("\ud800") is None
    Keys(tmp_path).revoke("group")
    clock.now += 2
    assert keys.check(text) is None
    assert not keys.still_valid(kept.sha256)
    assert keys.known()[0].state() == "revoked"
    _, short = keys.add("short", days=1)
    assert short.state() == "valid"
    assert short.state("2999-01-01") == "expired"


def test_a_key_made_while_the_server_runs_counts(tmp_path: Path) -> None:
    clock = Clock()
    serving = Keys(tmp_path, clock)
    assert serving.check("nothing") is None
    text, _ = Keys(tmp_path).add("later")
    clock.now += 2
    assert serving.check(text) is not None


def test_the_day_of_use_is_kept_and_nothing_finer(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    text, _ = keys.add("group")
    assert keys.check(text) is not None
    stamp = (tmp_path / "keys.json").stat().st_mtime_ns
    assert len(Keys(tmp_path).known()[0].used) == len("2026-01-01")
    assert keys.check(text) is not None
    assert (tmp_path / "keys.json").stat().st_mtime_ns == stamp


def test_names_are_checked_and_a_valid_one_is_not_taken_twice(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    keys.add("group")
    with pytest.raises(InputError, match="already"):
        keys.add("group")
    for wrong in ("", " a", "a\nb", "x" * 65, "\x1b[31m"):
        with pytest.raises(InputError, match="cannot name"):
            keys.add(wrong)
    keys.revoke("group")
    with pytest.raises(NotFound, match="no valid key"):
        keys.revoke("group")
    keys.add("group")


def test_a_broken_file_lets_nobody_in_and_tells_its_owner(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    text, _ = keys.add("group")
    for broken in ("{", '{"keys": [{"nme": 1}]}', "[]"):
        (tmp_path / "keys.json").write_text(broken)
        assert Keys(tmp_path).check(text) is None
        with pytest.raises(DataError):
            keys.known()


@pytest.mark.parametrize(
    ("host", "names"), [("0.0.0.0", ()), ("10.1.2.3", ()), ("::", ()), ("127.0.0.1", ("a.example",))]
)
def test_a_server_that_others_can_reach_does_not_start_without_a_key(
    tmp_path: Path, host: str, names: tuple[str, ...]
) -> None:
    keys = Keys(tmp_path)
    with pytest.raises(ConfigError, match="gnomon key add"):
        policy_for(host, names, keys)
    keys.add("group")
    assert policy_for(host, names, keys).demands_key
    keys.revoke("group")
    with pytest.raises(ConfigError, match="gnomon key add"):
        policy_for(host, names, keys)


def test_on_loopback_no_key_is_demanded(tmp_path: Path) -> None:
    for host in ("127.0.0.1", "localhost", "::1"):
        policy = policy_for(host, ("localhost",), Keys(tmp_path))
        assert not policy.demands_key
        assert not policy.answers_to("10.0.0.5")
    for wrong in ("http://a.example", "a.example/x", "a.example:80", "*", ""):
        with pytest.raises(ConfigError, match="no host name"):
            policy_for("127.0.0.1", (wrong,), Keys(tmp_path))


def test_sessions_end_and_are_bounded() -> None:
    clock = Clock()
    sessions = Sessions(clock)
    first = sessions.begin("hash", "group")
    found = sessions.find(first)
    assert found is not None
    assert found.name == "group"
    assert sessions.find("guess") is None
    sessions.end(first)
    assert sessions.find(first) is None
    second = sessions.begin("hash", "group")
    clock.now = HOURS * 3600 + 1
    assert sessions.find(second) is None
    assert json.dumps(sorted(sessions._open)).count(second) == 0


def test_an_address_that_keeps_trying_has_to_wait() -> None:
    clock = Clock()
    tries = Tries(clock)
    for _ in range(TRIES):
        assert tries.wait("a") == 0
        tries.failed("a")
    assert tries.wait("a") == TRY_SECONDS
    assert tries.wait("b") == 0
    clock.now = TRY_SECONDS + 1
    assert tries.wait("a") == 0
