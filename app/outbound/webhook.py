"""Outgoing webhooks, exactly as Standard Webhooks 1.0.0 signs them.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime

from app.domain.webhooks.attempts import Outcome
from app.domain.webhooks.payload_template import JSON
from app.domain.webhooks.sealed_options import SealedOptions
from app.domain.webhooks.webhook_secret import SigningKey
from app.outbound.http import GuardedClient

NO_HEADERS: Mapping[str, str] = {}


async def post_webhook(
    client: GuardedClient,
    url: str,
    *,
    webhook_id: str,
    body: bytes,
    secrets: Sequence[SigningKey],
    now: datetime,
    deadline_seconds: float,
    extra: Mapping[str, str] = NO_HEADERS,
) -> Outcome:
    """`extra`: as `extra_headers` has them. What they may be called was checked when they were set; ours win anyway."""
    ours = headers_for(webhook_id, timestamp=int(now.timestamp()), body=body, secrets=secrets)
    headers = {**extra, **ours, "content-type": extra.get("content-type", JSON)}
    return await client.post(url, headers=headers, body=body, now=now, deadline_seconds=deadline_seconds)


def headers_for(webhook_id: str, *, timestamp: int, body: bytes, secrets: Sequence[SigningKey]) -> dict[str, str]:
    """Headers of one attempt, signed by every live secret so that a rotation can overlap.

    `webhook_id` is the event's and stays the same on every attempt; `timestamp` is this attempt's, in unix seconds.
    """
    if "." in webhook_id:
        raise ValueError("A webhook id with a full stop would make the signed content ambiguous.")
    content = f"{webhook_id}.{timestamp}.".encode() + body
    return {
        "content-type": JSON,
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(secret.sign(content) for secret in secrets),
    }


def extra_headers(options: SealedOptions, *, body: bytes, content_type: str) -> dict[str, str]:
    """What this endpoint was told to get beside the signature."""
    return {**options.headers, **delighted_signature(body, key=options.delighted_key), "content-type": content_type}


def delighted_signature(body: bytes, *, key: str | None) -> dict[str, str]:
    """As Delighted signed: HMAC-SHA256 of the body alone, keyed with its customer's API key."""
    if key is None:
        return {}
    return {"x-delighted-webhook-signature": f"sha256={hmac.digest(key.encode(), body, 'sha256').hex()}"}
