"""Keys of the vault: where they come from, and the sealing of single fields with them.

A key is a text of 44 letters (Fernet). Several, separated by commas or white space, are tried in turn; the first
one seals.
"""

import json
import re
import stat
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import define

from traderagent_core.errors import VaultError
from traderagent_core.persistence.vault.secret import Secret

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

FILE, KEYRING = "file:", "keyring:"
KEYRING_USER = "encryption_key"
VERSION = 1
_SEPARATOR = re.compile(r"[,\s]+")
Owner = tuple[str, str, str]
"""Name, exchange and environment of credentials."""
MAKE_ONE = "make one with `traderagent credentials key`"


def new_key() -> Secret:
    """A fresh key. Raises VaultError when the extra is missing."""
    _require_cryptography()
    from cryptography.fernet import Fernet

    return Secret(Fernet.generate_key().decode("ascii"))


def find_key(text: str) -> Secret:
    """The key that a configuration or ENCRYPTION_KEY names: the key itself, `file:PATH` or `keyring:SERVICE`."""
    if not text.strip():
        raise VaultError(f"the encryption key is empty; set ENCRYPTION_KEY: {MAKE_ONE}")
    if text.startswith(FILE):
        return _from_file(Path(text.removeprefix(FILE)).expanduser())
    if text.startswith(KEYRING):
        return _from_keyring(text.removeprefix(KEYRING))
    return Secret(text)


def texts_of(text: str) -> list[str]:
    """All that must not be told of what a configuration or ENCRYPTION_KEY names: each key, as far as there is one."""
    try:
        return _SEPARATOR.split(find_key(text).reveal().strip())
    except VaultError:
        return []


@define(eq=False)
class Keys:
    """Seals and opens fields. What is sealed for one field of one row opens nowhere else."""

    _fernet: "MultiFernet"

    @classmethod
    def of(cls, key: Secret) -> "Keys":
        """Raises VaultError when this is no key, or the extra is missing."""
        _require_cryptography()
        from cryptography.fernet import Fernet, MultiFernet

        try:
            return cls(MultiFernet([Fernet(part) for part in _SEPARATOR.split(key.reveal().strip())]))
        except ValueError:
            raise VaultError(
                "the encryption key is none: expected 32 bytes in URL-safe base64, 44 letters, or several such"
                f" keys separated by commas; {MAKE_ONE}"
            ) from None

    def seal(self, owner: Owner, field: str, secret: Secret) -> str:
        """The ciphertext of a field, bound to its owner and its name."""
        plain = json.dumps([VERSION, list(owner), field, secret.reveal()])
        return self._fernet.encrypt(plain.encode()).decode("ascii")

    def open(self, owner: Owner, field: str, sealed: str) -> Secret:
        """The secret again. Raises VaultError when the key does not fit, or this was sealed for another field."""
        from cryptography.fernet import InvalidToken

        try:
            plain = self._fernet.decrypt(sealed.encode())
        except InvalidToken:
            raise VaultError(
                f"{field} of the credentials {owner[0]} cannot be opened: the encryption key is not the one that they"
                " were stored with, or they are damaged; use the right ENCRYPTION_KEY, or add them again"
            ) from None
        version, of_owner, of_field, text = json.loads(plain)
        if (version, of_owner, of_field) != (VERSION, list(owner), field):
            raise VaultError(
                f"{field} of the credentials {owner[0]} was stored for something else and moved here; somebody has"
                " changed the database: make new keys at the exchange, and add them"
            )
        return Secret(text)


def _require_cryptography() -> None:
    if find_spec("cryptography") is None:
        raise VaultError("stored credentials need an extra: pip install 'traderagent-core[secrets]'")


def _from_file(path: Path) -> Secret:
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise VaultError(f"the key file {path} cannot be read: {error}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise VaultError(
            f"the key file {path} is open to others (mode {stat.S_IMODE(mode):04o}); run: chmod 600 {path}"
        )
    return Secret(text)


def _from_keyring(service: str) -> Secret:
    if find_spec("keyring") is None:
        raise VaultError(
            "keys in the system's keyring need an extra: pip install 'traderagent-core[keyring]'"
        )
    keyring = import_module("keyring")
    try:
        found = keyring.get_password(service, KEYRING_USER)
    except keyring.errors.KeyringError as error:
        raise VaultError(f"the system's keyring does not answer: {error}") from None
    if found is None:
        raise VaultError(
            f"the system's keyring has no key for {service}; {MAKE_ONE}, then run:"
            f" keyring set {service} {KEYRING_USER}"
        )
    return Secret(found)
