"""Endpoint secrets as Standard Webhooks writes them: a prefix, then base64.

`whsec_` is a shared secret of 24 to 64 bytes (HMAC-SHA256, tag `v1`); `whsk_` is an ed25519 private key, its seed
followed by its public key (tag `v1a`), and `whpk_` the public key that the receiver gets.
"""

import binascii
import hmac
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.domain.errors import RuleViolation

SHARED, PRIVATE, PUBLIC = "whsec_", "whsk_", "whpk_"
SHARED_BYTES = range(24, 64 + 1)
SEED_BYTES = 32


class UnreadableSecret(RuleViolation):
    """This is not a webhook secret."""

    code = "unreadable_secret"


class SigningKey(Protocol):
    def sign(self, content: bytes) -> str:
        """One entry of the signature header: `<tag>,<base64>`."""


@dataclass(frozen=True, slots=True)
class SharedKey:
    secret: bytes = field(repr=False)

    def sign(self, content: bytes) -> str:
        return "v1," + b64encode(hmac.digest(self.secret, content, "sha256")).decode()


@dataclass(frozen=True, slots=True)
class PrivateKey:
    key: Ed25519PrivateKey = field(repr=False)

    def sign(self, content: bytes) -> str:
        return "v1a," + b64encode(self.key.sign(content)).decode()


def new_shared_secret(random: bytes) -> str:
    """`whsec_…` from 24 to 64 random bytes; 32 is the habit."""
    if len(random) not in SHARED_BYTES:
        raise UnreadableSecret("A shared secret has 24 to 64 bytes.", pointer="/secret")
    return SHARED + b64encode(random).decode()


def new_private_key(seed: bytes) -> str:
    """`whsk_…` from 32 random bytes."""
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    return PRIVATE + b64encode(seed + public).decode()


def public_key_of(private_key: str) -> str:
    """`whpk_…`, which may be shown to anybody. Raises UnreadableSecret."""
    key = _read_private(private_key)
    return PUBLIC + b64encode(key.public_key().public_bytes_raw()).decode()


def read_secret(secret: str) -> SigningKey:
    """Parse once, sign often. Raises UnreadableSecret, which never repeats the secret."""
    if secret.startswith(SHARED):
        return SharedKey(_read_shared(secret))
    if secret.startswith(PRIVATE):
        return PrivateKey(_read_private(secret))
    raise UnreadableSecret(f"A secret starts with {SHARED} or {PRIVATE}.", pointer="/secret")


def _read_shared(secret: str) -> bytes:
    shared = _decode(secret, prefix=SHARED)
    if len(shared) not in SHARED_BYTES:
        raise UnreadableSecret("A shared secret has 24 to 64 bytes.", pointer="/secret")
    return shared


def _read_private(secret: str) -> Ed25519PrivateKey:
    pair = _decode(secret, prefix=PRIVATE)
    if len(pair) != 2 * SEED_BYTES:
        raise UnreadableSecret("A private key has 64 bytes: seed, then public key.", pointer="/secret")
    key = Ed25519PrivateKey.from_private_bytes(pair[:SEED_BYTES])
    if key.public_key().public_bytes_raw() != pair[SEED_BYTES:]:
        raise UnreadableSecret("The two halves of the private key do not belong together.", pointer="/secret")
    return key


def _decode(secret: str, *, prefix: str) -> bytes:
    try:
        return b64decode(secret.removeprefix(prefix), validate=True)
    except (binascii.Error, ValueError):
        raise UnreadableSecret(f"What follows {prefix} is not base64.", pointer="/secret") from None
