"""Outgoing webhooks, exactly as Standard Webhooks 1.0.0 signs them.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import hmac
from collections.abc import Sequence
from datetime import datetime

from app.domain.attempts import Outcome
from app.domain.sealed_options import NOTHING_SEALED, SealedOptions
from app.domain.webhook_secret import SigningKey
from app.outbound.http import GuardedClient


async def post_webhook(
    client: GuardedClient,
    url: str,
    *,
    webhook_id: str,
    body: bytes,
    secrets: Sequence[SigningKey],
    now: datetime,
    deadline_seconds: float,
    options: SealedOptions = NOTHING_SEALED,
) -> Outcome:
    """What an endpoint's own headers are called is checked when they are set; ours would win anyway."""
    ours = headers_for(webhook_id, timestamp=int(now.timestamp()), body=body, secrets=secrets)
    headers = {**options.headers, **delighted_signature(body, key=options.delighted_key), **ours}
    return await client.post(url, headers=headers, body=body, now=now, deadline_seconds=deadline_seconds)


def headers_for(webhook_id: str, *, timestamp: int, body: bytes, secrets: Sequence[SigningKey]) -> dict[str, str]:
    """Headers of one attempt, signed by every live secret so that a rotation can overlap.

    `webhook_id` is the event's and stays the same on every attempt; `timestamp` is this attempt's, in unix seconds.
    """
    if "." in webhook_id:
        raise ValueError("A webhook id with a full stop would make the signed content ambiguous.")
    content = f"{webhook_id}.{timestamp}.".encode() + body
    return {
        "content-type": "application/json",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(secret.sign(content) for secret in secrets),
    }


def delighted_signature(body: bytes, *, key: str | None) -> dict[str, str]:
    """As Delighted signed: HMAC-SHA256 of the body alone, keyed with its customer's API key."""
    if key is None:
        return {}
    return {"x-delighted-webhook-signature": f"sha256={hmac.digest(key.encode(), body, 'sha256').hex()}"}
