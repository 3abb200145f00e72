from pathlib import Path

import pytest

from gnomon.core.errors import ConfigError, GnomonError, MissingExtra, OfflineError
from gnomon.core.files import write_atomic
from gnomon.core.settings import Settings, load_settings
from gnomon.core.wording import language, say


def write(folder: Path, text: str) -> Path:
    (folder / "gnomon.toml").write_text(text, encoding="utf-8")
    return folder


def test_settings_are_read_from_the_workspace_then_from_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(write(home, 'data_runner = "ray"')))
    assert load_settings(tmp_path).data_runner == "ray"
    write(tmp_path, '[models.bge]\nurl = "http://localhost:8080/v1"\nbatch = 8')
    assert load_settings(tmp_path).models["bge"].batch == 8
    assert load_settings(tmp_path).data_runner == "native"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ofline = true", "unknown key 'ofline'"),
        ('offline = "yes"', "wanted bool"),
        ("[models.x]\nkey = 'secret'", r"models\.x: unknown key 'key'"),
        ("offline = ", "not readable TOML"),
    ],
)
def test_a_mistake_in_the_settings_is_an_error_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_settings(write(tmp_path, text))


def test_offline_refuses_an_outward_call_and_names_it() -> None:
    with pytest.raises(OfflineError, match=r"https://example\.org"):
        Settings(offline=True).may_call("https://example.org")
    Settings().may_call("https://example.org")


def test_an_error_holds_message_cure_and_exit_code() -> None:
    error = MissingExtra("daft", "corpus", "Near-duplicate search")
    assert isinstance(error, GnomonError)
    assert error.exit_code == 2
    assert "pip install 'gnomon[corpus]'" in str(error)


def test_messages_follow_the_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GNOMON_LANG", "ja_JP.UTF-8")
    assert (language(), say("yes", "はい")) == ("ja", "はい")
    monkeypatch.setenv("GNOMON_LANG", "de_DE")
    assert say("yes", "はい") == "yes"
    assert say("yes", "はい", lang="ja") == "はい"


def test_an_atomic_write_that_fails_leaves_the_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    write_atomic(path, "old")

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomic(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
