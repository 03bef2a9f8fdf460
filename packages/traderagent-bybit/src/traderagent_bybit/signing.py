"""Signatures of Bybit V5: HMAC-SHA256 over exactly the characters that travel."""

import hashlib
import hmac

SOCKET_PREFIX = "GET/realtime"


def sign(secret: str, payload: str | bytes) -> str:
    """Lower-case hexadecimal HMAC-SHA256 of a payload."""
    data = payload.encode() if isinstance(payload, str) else payload
    return hmac.new(secret.encode(), data, hashlib.sha256).hexdigest()


def sign_request(secret: str, key: str, timestamp: str, recv_window: str, payload: bytes) -> str:
    """The signature of a REST call; `payload` is the raw query string of a GET or the raw body of a POST."""
    return sign(secret, f"{timestamp}{key}{recv_window}".encode() + payload)


def sign_socket(secret: str, expires: str) -> str:
    """The signature of a socket's `auth`; `expires` is the time in ms as the message has it."""
    return sign(secret, SOCKET_PREFIX + expires)


def is_signature(expected: str, given: str) -> bool:
    """Whether two signatures are equal, in constant time."""
    return hmac.compare_digest(expected.encode(), given.encode())
