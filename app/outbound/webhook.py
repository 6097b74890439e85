"""Outgoing webhooks, exactly as Standard Webhooks 1.0.0 signs them.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from collections.abc import Sequence
from datetime import datetime

from app.domain.attempts import Outcome
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
) -> Outcome:
    headers = headers_for(webhook_id, timestamp=int(now.timestamp()), body=body, secrets=secrets)
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
