"""Secrets at rest: AES-256-GCM, bound to the workspace and the row they were stored in.

A sealed secret is one byte of format, 8 bytes naming the key, 12 bytes of nonce, then ciphertext and tag. The first
configured key seals, all of them open, so keys are changed by putting a new one in front.
"""

import hashlib
import os
from base64 import b64decode
from collections.abc import Sequence
from typing import Self
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FORMAT = b"\x01"
KEY_BYTES, KEY_ID_BYTES, NONCE_BYTES = 32, 8, 12
HEADER_BYTES = len(FORMAT) + KEY_ID_BYTES


class CannotOpenSecret(Exception):
    """A stored secret was sealed with a key we do not have, for another row, or has been altered."""


class Vault:
    def __init__(self, keys: Sequence[bytes]) -> None:
        """Keys of 32 bytes, the one that seals first. Without any, using the vault fails, not having it."""
        if any(len(key) != KEY_BYTES for key in keys):
            raise ValueError(f"every key in ZEROTEN_SECRET_KEYS has {KEY_BYTES} bytes")
        self._keys = {_key_id(key): AESGCM(key) for key in keys}

    @classmethod
    def read(cls, secret_keys: str | None) -> Self:
        """From comma-separated base64, as in ZEROTEN_SECRET_KEYS. Raises ValueError, which repeats no key."""
        texts = (text.strip() for text in (secret_keys or "").split(","))
        return cls([_decoded(text) for text in texts if text])

    def seal(self, secret: str, *, workspace_id: UUID, row_id: UUID) -> bytes:
        if not self._keys:
            raise RuntimeError("ZEROTEN_SECRET_KEYS is not set, and a secret is never stored in the clear")
        key_id, key = next(iter(self._keys.items()))
        header, nonce = FORMAT + key_id, os.urandom(NONCE_BYTES)
        return header + nonce + key.encrypt(nonce, secret.encode(), _bound_to(header, workspace_id, row_id))

    @property
    def older_headers(self) -> list[bytes]:
        """How everything begins that was sealed with any key but the first."""
        return [FORMAT + key_id for key_id in list(self._keys)[1:]]

    def reseal(self, sealed: bytes, *, workspace_id: UUID, row_id: UUID) -> bytes:
        """The same under the first key. Raises CannotOpenSecret."""
        secret = self.open(sealed, workspace_id=workspace_id, row_id=row_id)
        return self.seal(secret, workspace_id=workspace_id, row_id=row_id)

    def open(self, sealed: bytes, *, workspace_id: UUID, row_id: UUID) -> str:
        """Raises CannotOpenSecret."""
        header, rest = sealed[:HEADER_BYTES], sealed[HEADER_BYTES:]
        key = self._keys.get(header[len(FORMAT) :]) if header.startswith(FORMAT) else None
        if key is None:
            raise CannotOpenSecret(
                "No key in ZEROTEN_SECRET_KEYS opens this secret; the one that sealed it is missing."
            )
        try:
            bound_to = _bound_to(header, workspace_id, row_id)
            return key.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], bound_to).decode()
        except (InvalidTag, ValueError):  # ValueError: cut short
            raise CannotOpenSecret("This secret was altered, or moved here from another row.") from None


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise ValueError("ZEROTEN_SECRET_KEYS is comma-separated base64; one of its keys is not") from None


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"zeroten key id\x00" + key).digest()[:KEY_ID_BYTES]


def _bound_to(header: bytes, workspace_id: UUID, row_id: UUID) -> bytes:
    return header + workspace_id.bytes + row_id.bytes
