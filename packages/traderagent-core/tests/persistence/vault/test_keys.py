import json
import pickle
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from attrs import asdict
from hypothesis import given
from hypothesis import strategies as st
from traderagent_core.errors import VaultError
from traderagent_core.persistence.vault.keys import Keys, find_key, new_key, texts_of
from traderagent_core.persistence.vault.secret import Secret
from traderagent_core.persistence.vault.vault import Credentials

KEY = new_key()
OWNER = ("bybit_demo", "bybit", "demo")


@given(st.text())
def test_what_is_sealed_opens_again(text: str) -> None:
    keys = Keys.of(KEY)
    sealed = keys.seal(OWNER, "api_key", Secret(text))
    assert keys.open(OWNER, "api_key", sealed) == Secret(text)


@pytest.mark.parametrize(
    ("owner", "field"),
    [
        (OWNER, "api_secret"),
        (("other", "bybit", "demo"), "api_key"),
        (("bybit_demo", "binance", "demo"), "api_key"),
        (("bybit_demo", "bybit", "main"), "api_key"),
        (("bybit", "_demobybit", "demo"), "api_key"),
    ],
)
def test_a_ciphertext_that_was_moved_is_refused(owner: tuple[str, str, str], field: str) -> None:
    keys = Keys.of(KEY)
    with pytest.raises(VaultError, match="was stored for something else and moved here"):
        keys.open(owner, field, keys.seal(OWNER, "api_key", Secret("x")))


def test_another_key_or_a_damaged_ciphertext_opens_nothing() -> None:
    sealed = Keys.of(KEY).seal(OWNER, "api_key", Secret("hunter2"))
    for keys, text in (
        (Keys.of(new_key()), sealed),
        (Keys.of(KEY), sealed[:-8] + "AAAAAAA="),
        (Keys.of(KEY), ""),
    ):
        with pytest.raises(
            VaultError, match=r"api_key of the credentials bybit_demo cannot be opened"
        ) as caught:
            keys.open(OWNER, "api_key", text)
        assert "hunter2" not in str(caught.value)
        assert caught.value.__cause__ is None


def test_an_older_key_still_opens_and_the_first_one_seals() -> None:
    old, fresh = KEY.reveal(), new_key().reveal()
    sealed = Keys.of(Secret(old)).seal(OWNER, "api_key", Secret("x"))
    both = Keys.of(Secret(f"{fresh}, {old}"))
    assert both.open(OWNER, "api_key", sealed) == Secret("x")
    again = both.seal(OWNER, "api_key", Secret("x"))
    assert Keys.of(Secret(fresh)).open(OWNER, "api_key", again) == Secret("x")


@pytest.mark.parametrize(
    "text",
    ["short", "x" * 44, "ä" * 44, f"{KEY.reveal()},short"],
    ids=["short", "no_base64", "no_ascii", "second_short"],
)
def test_what_is_no_key_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(VaultError, match=r"expected 32 bytes.*traderagent credentials key") as caught:
        Keys.of(Secret(text))
    assert text not in str(caught.value)


def test_an_empty_key_is_refused() -> None:
    with pytest.raises(VaultError, match="encryption key is empty"):
        find_key("  ")


def test_a_key_from_a_file_of_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(f"{KEY.reveal()}\n", encoding="ascii")
    path.chmod(0o600)
    assert find_key(f"file:{path}") == KEY


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o610])
def test_a_key_file_that_others_may_open_is_refused(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(KEY.reveal(), encoding="ascii")
    path.chmod(mode)
    with pytest.raises(VaultError, match=f"open to others \\(mode {mode:04o}\\); run: chmod 600") as caught:
        find_key(f"file:{path}")
    assert KEY.reveal() not in str(caught.value)


def test_a_key_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(VaultError, match="cannot be read"):
        find_key(f"file:{tmp_path / 'none'}")


class FakeKeyring(ModuleType):
    """A keyring of one service."""

    class errors:
        class KeyringError(Exception):
            pass

    def get_password(self, service: str, user: str) -> str | None:
        if service == "locked":
            raise self.errors.KeyringError("it is locked")
        return KEY.reveal() if (service, user) == ("traderagent", "encryption_key") else None


@pytest.fixture
def _keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeKeyring("keyring")
    monkeypatch.setitem(sys.modules, "keyring", fake)
    monkeypatch.setattr("traderagent_core.persistence.vault.keys.find_spec", lambda _: fake)


@pytest.mark.usefixtures("_keyring")
def test_a_key_from_the_keyring() -> None:
    assert find_key("keyring:traderagent") == KEY
    with pytest.raises(VaultError, match="has no key for other"):
        find_key("keyring:other")
    with pytest.raises(VaultError, match="it is locked"):
        find_key("keyring:locked")


@pytest.mark.parametrize(("use", "extra"), [("keyring:x", "keyring"), ("key", "secrets")])
def test_a_missing_extra_is_named(use: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("traderagent_core.persistence.vault.keys.find_spec", lambda _: None)
    with pytest.raises(VaultError, match=rf"pip install 'traderagent-core\[{extra}\]'"):
        Keys.of(find_key(use))


def test_no_representation_shows_a_secret() -> None:
    secret = Secret("hunter2")
    held: Any = Credentials("n", "bybit", "demo", secret, secret, secret)
    shown = [repr(held), str(held), f"{secret}", f"{secret:>20}", "%s" % secret, str({"a": [secret]})]  # noqa: UP031
    shown.append(str(asdict(held)))
    assert not any("hunter2" in text for text in shown)
    for leak in (lambda: pickle.dumps(secret), lambda: json.dumps(secret)):
        with pytest.raises(TypeError):
            leak()
    assert not hasattr(secret, "__dict__")


def test_the_texts_of_keys_are_each_known_wherever_they_stand(tmp_path: Path) -> None:
    older = new_key()
    path = tmp_path / "keys"
    path.write_text(f"{KEY.reveal()}, {older.reveal()}\n", encoding="ascii")
    path.chmod(0o600)
    assert texts_of(f"file:{path}") == texts_of(path.read_text()) == [KEY.reveal(), older.reveal()]
    assert texts_of(f"file:{tmp_path / 'none'}") == []
