"""Service accounts of Google: programs that log in by what they sign themselves, instead of somebody's consent.

https://developers.google.com/identity/protocols/oauth2/service-account
"""

import json
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from app.domain.base64url import encoded
from app.domain.connectors.protocol import (
    TOKEN,
    Access,
    Call,
    Failed,
    Reply,
    Steps,
    expect_success,
    usable_seconds,
    usual_failure,
)
from app.domain.webhooks.attempts import Failure
from app.domain.webhooks.receiver_url import split_receiver_url

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"  # RFC 7523
ASSERTED_SECONDS, EARLY_SECONDS = 3_600, 300.0
KEY_FILE = 10_000  # characters
NOT_A_KEY_FILE = "Give the whole JSON key file of a service account."


def a_service_account(value: Any) -> str:
    """The key file's own text, which names its account, the key, and where to log in."""
    if not isinstance(value, str) or len(value) > KEY_FILE:
        raise ValueError(NOT_A_KEY_FILE)
    try:
        account = json.loads(value)
    except (ValueError, RecursionError):
        raise ValueError(NOT_A_KEY_FILE) from None
    names = "client_email", "private_key", "token_uri"
    if not isinstance(account, dict) or not all(isinstance(account.get(name), str) for name in names):
        raise ValueError(NOT_A_KEY_FILE)
    split_receiver_url(account["token_uri"])
    _private_key(account["private_key"])
    return value


def asserted(service_account: str, *, scope: str, base_url: str) -> Steps:
    """Yields an Access. The assertion has to carry the time, which is asked of whoever will judge it."""
    account = json.loads(service_account)
    asked = yield Call("GET", account["token_uri"])
    assertion = signed_assertion(account, scope=scope, now=_time_of(asked))
    reply = yield Call("POST", account["token_uri"], form={"grant_type": GRANT, "assertion": assertion})
    expect_success(reply, {400: Failure.UNAUTHORIZED})  # the account or its key is gone
    lasting = usable_seconds(reply.member("expires_in")) or ASSERTED_SECONDS
    yield Access(reply.needed("access_token", like=TOKEN), base_url, lasting - EARLY_SECONDS)


def signed_assertion(account: dict[str, str], *, scope: str, now: datetime) -> str:
    """A JWT signed with RS256. https://developers.google.com/identity/protocols/oauth2/service-account"""
    issued = int(now.timestamp())
    claims = {
        "iss": account["client_email"],
        "scope": scope,
        "aud": account["token_uri"],
        "iat": issued,
        "exp": issued + ASSERTED_SECONDS,
    }
    signed = ".".join(encoded(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "JWT"}, claims))
    signature = _private_key(account["private_key"]).sign(signed.encode(), PKCS1v15(), SHA256())
    return f"{signed}.{encoded(signature)}"


def _private_key(pem: str) -> RSAPrivateKey:
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("Its private key cannot be read.") from None
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("Its private key is no RSA key.")  # noqa: TRY004 - readers say ValueError
    return key


def _time_of(reply: Reply) -> datetime:
    failure = usual_failure(reply.status)
    if failure is Failure.BAD_STATUS:
        raise Failed(failure)
    try:
        return parsedate_to_datetime(reply.headers.get("date", ""))
    except ValueError:
        raise Failed(Failure.ERROR_IN_BODY, "It does not say what time it is.") from None
