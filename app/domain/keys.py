"""API keys as text: `zt_sk_live_…` for servers, `zt_pk_live_…` for browsers; `test` for the test workspace."""

import re
from collections.abc import Collection
from datetime import datetime
from enum import StrEnum

from app.domain.base64url import encoded
from app.domain.errors import Forbidden, NotFound, RuleViolation

SCOPES = (
    "workspace:read",
    "workspace:write",
    "campaigns:read",
    "campaigns:write",
    "recipients:read",
    "recipients:write",
    "responses:read",
    "responses:write",
    "scores:read",
    "events:read",
    "mail:read",  # what was written to people; the links in it answer in their name
    "webhooks:read",
    "webhooks:write",
    "keys:read",
    "keys:write",
)
EVERYTHING = "*"  # every scope, also those that later versions bring; as an origin, every site

LONGEST_ORIGIN = 300  # characters
ORIGIN = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?)"
                    r"(?::(?P<port>[1-9][0-9]{0,4}))?")  # fmt: skip
UNSPOKEN_PORTS = {"http": "80", "https": "443"}  # browsers leave them out


class KeyKind(StrEnum):
    SECRET = "secret"  # noqa: S105 - a kind of key, not a key
    PUBLISHABLE = "publishable"


class KeyNotFound(NotFound):
    """There is no such API key."""

    code = "api_key_not_found"


class ScopeNotHeld(Forbidden):
    """A key cannot grant what it may not do itself."""

    code = "scope_not_held"


class KeyInvalid(RuleViolation):
    """The new API key is not valid."""

    code = "api_key_invalid"


def token_text(kind: KeyKind, mode: str, entropy: bytes) -> str:
    """24 random bytes give 32 characters without padding."""
    return f"{_prefix(kind, mode)}{encoded(entropy)}"


def masked(kind: str, mode: str, hint: str) -> str:
    return f"{_prefix(kind, mode)}…{hint}"


def _prefix(kind: str, mode: str) -> str:
    return f"zt_{'sk' if kind == KeyKind.SECRET else 'pk'}_{mode}_"


def check_key(
    kind: KeyKind,
    *,
    scopes: Collection[str],
    allowed_origins: Collection[str],
    expires_at: datetime | None,
    now: datetime,
) -> None:
    """Raises KeyInvalid."""
    if kind is KeyKind.SECRET and not scopes:
        raise KeyInvalid("A secret key needs at least one scope.", pointer="/scopes")
    if kind is KeyKind.SECRET and allowed_origins:
        raise KeyInvalid("A secret key never belongs in a browser, so it has no origins.", pointer="/allowed_origins")
    if kind is KeyKind.PUBLISHABLE and scopes:
        raise KeyInvalid("A publishable key may only send answers; it has no scopes.", pointer="/scopes")
    if kind is KeyKind.PUBLISHABLE and not allowed_origins:
        detail = 'A publishable key names the origins it works on; ["*"] means every site.'
        raise KeyInvalid(detail, pointer="/allowed_origins")
    if expires_at is not None and expires_at <= now:
        raise KeyInvalid("The key would expire before it exists.", pointer="/expires_at")


def check_may_grant(held: Collection[str], *, kind: KeyKind, scopes: Collection[str]) -> None:
    """A publishable key sends answers, so whoever makes one has to be allowed to. Raises ScopeNotHeld."""
    wanted = {"responses:write"} if kind is KeyKind.PUBLISHABLE else set(scopes)
    lacking = sorted(wanted.difference(held))
    if lacking and EVERYTHING not in held:
        raise ScopeNotHeld(f"Your own key lacks {', '.join(lacking)}.", scopes=lacking)


def origin_spelled(text: str) -> str:
    """As browsers send it: lower case, without a default port. Raises ValueError."""
    if text == EVERYTHING:
        return text
    found = ORIGIN.fullmatch(text.lower())
    if found is None or len(text) > LONGEST_ORIGIN or int(found["port"] or 1) > 65_535:
        raise ValueError("should be scheme://host or scheme://host:port, without a path, or * for every site")
    is_unspoken = found["port"] == UNSPOKEN_PORTS.get(found["scheme"], "")
    return f"{found['scheme']}://{found['host']}" + (f":{found['port']}" if found["port"] and not is_unspoken else "")
