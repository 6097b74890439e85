"""Campaigns as the API's callers handle them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.conftest import Tenant

SURVEY = {
    "default_language": "en",
    "languages": ["en", "de"],
    "question": {"en": "How likely are you to recommend us?", "de": "Würden Sie uns empfehlen?"},
    "follow_up": {"detractor": {"en": "What went wrong?"}},
    "thank_you": {"promoter": {"en": {"text": "Thank you!", "link": "https://reviews.example/us"}}},
}
WITHOUT = {"lowest_label": {}, "highest_label": {}, "reward": {}, "questions": []}
SHOWN_SURVEY = {
    **SURVEY,
    **WITHOUT,
    "thank_you": {"promoter": {"en": {"text": "Thank you!", "link": "https://reviews.example/us", "share_text": None}}},
}
MOVES = ("launch", "pause", "resume", "complete", "archive")


def in_days(days: float) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


def in_german(**changes: Any) -> dict[str, Any]:
    return {"default_language": "de", "languages": ["de"], "question": {"de": "Und?"}, **changes}


async def saved(tenant: Tenant, **fields: Any) -> dict[str, Any]:
    """With what saving tells of it."""
    body = {"name": "After purchase", "kind": "transactional", "survey": SURVEY, **fields}
    reply = await tenant.api.post("/v1/campaigns", json=body)
    assert reply.status_code == 201, reply.text
    return dict(reply.json())


async def create(tenant: Tenant, **fields: Any) -> dict[str, Any]:
    return itself(await saved(tenant, **fields))


def itself(campaign: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in campaign.items() if name not in {"fallbacks", "plan"}}


async def move(tenant: Tenant, campaign: dict[str, Any], *moves: str) -> dict[str, Any]:
    for name in moves:
        reply = await tenant.api.post(f"/v1/campaigns/{campaign['id']}/{name}")
        assert reply.status_code == 200, reply.text
        campaign = reply.json()
        campaign.pop("warnings", None)  # of the moment
    return campaign


async def patch(tenant: Tenant, campaign: dict[str, Any], **changes: Any) -> httpx.Response:
    return await tenant.api.patch(f"/v1/campaigns/{campaign['id']}", json=changes)


async def read(tenant: Tenant, campaign: dict[str, Any]) -> dict[str, Any]:
    return dict((await tenant.api.get(f"/v1/campaigns/{campaign['id']}")).json())
