"""API keys as text: `zt_sk_live_…` for servers, `zt_pk_live_…` for browsers; `test` for the test workspace."""

import base64
from enum import StrEnum

SCOPES = (
    "campaigns:read",
    "campaigns:write",
    "recipients:read",
    "recipients:write",
    "responses:read",
    "responses:write",
    "scores:read",
    "events:read",
    "webhooks:read",
    "webhooks:write",
    "keys:read",
    "keys:write",
)


class KeyKind(StrEnum):
    SECRET = "secret"  # noqa: S105 - a kind of key, not a key
    PUBLISHABLE = "publishable"


def token_text(kind: KeyKind, mode: str, entropy: bytes) -> str:
    """24 random bytes give 32 characters without padding."""
    prefix = {"secret": "sk", "publishable": "pk"}[kind.value]
    return f"zt_{prefix}_{mode}_{base64.urlsafe_b64encode(entropy).decode().rstrip('=')}"
