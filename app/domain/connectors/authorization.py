"""Access that somebody grants on a service's own page, instead of copying a token from there: RFC 6749 §4.1.

Whoever wants a connector is sent to the service with a `state`, and comes back to us with a code. The code is worth a
refresh token to who knows the app's secret, and where PKCE (RFC 7636) is spoken, the verifier.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from app.domain.base64url import decoded, encoded
from app.domain.errors import Conflict, NotFound, RuleViolation

CONSENT_WITHIN = timedelta(minutes=10)
EXCHANGE_WITHIN = timedelta(minutes=2)  # how long the shortest-lived codes are good
USE_WITHIN = timedelta(days=1)
MOST_WAITING = 100  # of a workspace
SECRET_BYTES, VERIFIER_BYTES = 24, 32
LONGEST_CODE = 2_000  # characters


class AuthorizationState(StrEnum):
    WAITING = "waiting"  # for somebody to consent
    EXCHANGING = "exchanging"  # they did, and a worker asks for a refresh token
    GRANTED = "granted"  # it is here, for one endpoint
    USED = "used"
    FAILED = "failed"
    EXPIRED = "expired"  # nobody consented in time, or used it


class AuthorizationFailure(StrEnum):
    DENIED = "denied"
    CODE_EXPIRED = "code_expired"
    WRONG_REDIRECT = "wrong_redirect"
    WRONG_APP = "wrong_app"
    WRONG_SERVER = "wrong_server"
    MISSING_SCOPES = "missing_scopes"
    NO_REFRESH_TOKEN = "no_refresh_token"  # noqa: S105 - a reason
    REFUSED = "refused"
    UNREACHABLE = "unreachable"

    @property
    def hint(self) -> str:
        return HINTS[self]


HINTS: Mapping[AuthorizationFailure, str] = {
    AuthorizationFailure.DENIED: "Consent was refused. Ask again, or ask somebody who may give it.",
    AuthorizationFailure.CODE_EXPIRED: "The code came too late, or had been used. Authorize again.",
    AuthorizationFailure.WRONG_REDIRECT: "Register exactly this redirect_url with the app, then authorize again.",
    AuthorizationFailure.WRONG_APP: "The service does not know this client_id with this client_secret.",
    AuthorizationFailure.WRONG_SERVER: "The reply named a server that is not one of the service's.",
    AuthorizationFailure.MISSING_SCOPES: "A permission was not given. Authorize again, and leave everything ticked.",
    AuthorizationFailure.NO_REFRESH_TOKEN: "The service gave access for a while only. Allow the app offline access.",
    AuthorizationFailure.REFUSED: "The service refused it; last_reply is what it said.",
    AuthorizationFailure.UNREACHABLE: "The service could not be reached while the code was good. Authorize again.",
}

# How services name what went wrong, in lower case.
FAILURES: Mapping[str, AuthorizationFailure] = {
    "access_denied": AuthorizationFailure.DENIED,
    **dict.fromkeys(
        ("redirect_uri_mismatch", "invalid_redirect_uri", "bad_redirect_uri", "mismatch_redirect_uri_auth_code"),
        AuthorizationFailure.WRONG_REDIRECT,
    ),
    **dict.fromkeys(
        ("invalid_grant", "invalid_code", "bad_auth_code", "expired_auth_code"), AuthorizationFailure.CODE_EXPIRED
    ),
    **dict.fromkeys(
        (
            "invalid_client", "invalid_client_id", "invalid_client_secret", "invalid_client_credentials",
            "unauthorized_client", "bad_client_id", "bad_client_secret",
        ),
        AuthorizationFailure.WRONG_APP,
    ),
    "invalid_scope": AuthorizationFailure.MISSING_SCOPES,
}  # fmt: skip


class AuthorizationNotFound(NotFound):
    """There is no such authorization."""

    code = "authorization_not_found"


class AuthorizationUnusable(RuleViolation):
    """The authorization cannot be started or used."""

    code = "authorization_unusable"


class TooManyAuthorizations(Conflict):
    """Too many authorizations wait for consent."""

    code = "too_many_authorizations"


@dataclass(frozen=True, slots=True)
class Granted:
    """What the settings of the connector lacked."""

    refresh_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NotGranted:
    failure: AuthorizationFailure


@dataclass(frozen=True, slots=True)
class Consent:
    """How somebody is asked, and how they come back."""

    redirect_url: str
    state: str = field(repr=False)
    verifier: str = field(repr=False)

    @property
    def challenge(self) -> Mapping[str, str]:
        """PKCE, for services that speak it."""
        digest = sha256(self.verifier.encode()).digest()
        return {"code_challenge": encoded(digest), "code_challenge_method": "S256"}

    def url(self, place: str, **said: str) -> str:
        usual = {"response_type": "code", "redirect_uri": self.redirect_url, "state": self.state}
        return f"{place}?{urlencode({**usual, **said})}"


@dataclass(frozen=True, slots=True)
class Code:
    """What they came back with."""

    redirect_url: str
    code: str = field(repr=False)
    verifier: str = field(repr=False)

    def form(self, *, client_id: str, client_secret: str) -> dict[str, str]:
        return {
            "grant_type": "authorization_code", "code": self.code, "redirect_uri": self.redirect_url,
            "client_id": client_id, "client_secret": client_secret,
        }  # fmt: skip


class StateOf(NamedTuple):
    """Which authorization a `state` means, and the secret that says it is no guess."""

    workspace_id: UUID
    id: UUID
    secret: bytes

    @property
    def digest(self) -> bytes:
        return sha256(self.secret).digest()

    @property
    def text(self) -> str:
        return encoded(self.workspace_id.bytes + self.id.bytes + self.secret)


def read_state(text: str) -> StateOf | None:
    """None of what cannot be one of ours."""
    said = decoded(text)
    if said is None or len(said) != 32 + SECRET_BYTES:
        return None
    return StateOf(UUID(bytes=said[:16]), UUID(bytes=said[16:32]), said[32:])


def failure_named(word: Any) -> AuthorizationFailure | None:
    """None of words that say nothing to us."""
    return FAILURES.get(word.lower()) if isinstance(word, str) else None
