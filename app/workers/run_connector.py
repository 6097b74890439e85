"""One delivery to an endpoint that is a connector: what it has to know, then its steps."""

import json
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from app.clock import utc_now
from app.db.engine import Engine
from app.db.vault import Vault
from app.domain.attempts import Outcome
from app.domain.connectors.catalogue import connector_of
from app.domain.connectors.protocol import Connector, Made, Steps
from app.domain.connectors.story import read_story
from app.domain.events import EventType
from app.domain.ids import parsed, shown
from app.operations.deliveries.claim import ClaimedDelivery, DueEndpoint
from app.operations.remote_records import remember
from app.outbound.connectors.run import NOTHING_SENT, run_steps
from app.outbound.http import GuardedClient
from app.queries.stories import background_of, has_earlier_news, remembered


class OutOfTurn(Exception):
    """Something older about the same answer has not been told yet."""


async def run_connector(
    delivery: ClaimedDelivery,
    *,
    engine: Engine,
    client: GuardedClient,
    vault: Vault,
    now: datetime,
    deadline_seconds: float,
) -> Outcome:
    """Raises OutOfTurn."""
    steps = await _steps(delivery, engine=engine, vault=vault)
    if steps is None:
        return NOTHING_SENT
    keep = partial(_keep, engine, delivery.endpoint, _subject(delivery))
    return await run_steps(client, steps, keep=keep, now=now, deadline_seconds=deadline_seconds)


async def _steps(delivery: ClaimedDelivery, *, engine: Engine, vault: Vault) -> Steps | None:
    """None where there is nothing to tell, or to ask."""
    connector = connector_of(delivery.endpoint.kind, _settings(delivery.endpoint, vault))
    data = json.loads(delivery.data)
    if delivery.event_type == EventType.ENDPOINT_TEST:
        return connector.check() if data.get("is_check") else connector.test()
    return await _tell(delivery, data, connector=connector, engine=engine)


async def _tell(
    delivery: ClaimedDelivery, data: dict[str, Any], *, connector: Connector, engine: Engine
) -> Steps | None:
    endpoint, response_id = delivery.endpoint, _subject(delivery)
    async with engine.read() as tx:
        story = read_story(
            data,
            event_id=shown("event", delivery.event_id),
            event_type=delivery.event_type,
            is_live=endpoint.livemode,
            background=await background_of(tx, endpoint.workspace_id, response_id),
        )
        if story is None:
            return None
        place = endpoint.workspace_id, endpoint.id, response_id
        known = await remembered(tx, *place)
        if not known.made and await has_earlier_news(tx, *place, revision=story.revision):
            raise OutOfTurn
    return connector.tell(story, known)


def _settings(endpoint: DueEndpoint, vault: Vault) -> dict[str, Any]:
    """Raises CannotOpenSecret."""
    settings: dict[str, Any] = json.loads(endpoint.settings)
    if endpoint.credentials is not None:
        opened = vault.open(endpoint.credentials, workspace_id=endpoint.workspace_id, row_id=endpoint.id)
        settings |= json.loads(opened)
    return settings


def _subject(delivery: ClaimedDelivery) -> UUID:
    """Whatever the event is about, and itself if that has no id here."""
    response_id = json.loads(delivery.data).get("response", {}).get("id", "")
    return parsed("response", response_id) or delivery.event_id


async def _keep(engine: Engine, endpoint: DueEndpoint, subject_id: UUID, made: Made) -> None:
    async with engine.write() as tx:
        await remember(tx, endpoint.workspace_id, endpoint.id, subject_id, made, now=utc_now())
