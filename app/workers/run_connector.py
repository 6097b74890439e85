"""One delivery to an endpoint that is a connector: what it has to know, then its steps."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from functools import partial
from time import monotonic
from typing import Any
from uuid import UUID

from app.clock import utc_now
from app.db.again import in_transaction_by_all_means
from app.db.engine import Engine, ReadTx, Tx
from app.db.vault import Vault
from app.domain.connectors.catalogue import connector_of
from app.domain.connectors.protocol import Access, Connector, Kept, Made, Remembered, Steps
from app.domain.connectors.story import Story, read_story
from app.domain.events import EventType
from app.domain.ids import parsed, shown
from app.domain.webhooks.attempts import Failure, Outcome
from app.operations.deliveries.claim import ClaimedDelivery, DueEndpoint
from app.operations.follow_ups import told_now
from app.operations.pulls import ClaimedPull
from app.operations.remote_records import remember
from app.outbound.connectors.run import nothing_sent, run_steps
from app.outbound.http import GuardedClient
from app.queries.stories import background_of, has_earlier_news, is_overtaking, remembered
from app.workers.accesses import Accesses
from app.workers.logging_in import OthersLogIn, forget_for_all, log_in_for_all

KEPT_WITHIN_SECONDS = 5.0  # what was made there and is not remembered is made again
NO_QUESTION = "Nothing was sent: this service cannot be asked without saying something. Send a test instead."
NO_ADDRESS = "Nothing was sent: no e-mail address is known of whoever unsubscribed."
NOBODY = "Nothing was sent: whoever answered was erased meanwhile."

StepsOf = Callable[[Remembered], Steps]


class OutOfTurn(Exception):
    """Something else about the same answer has to be told first, or is being told."""


@dataclass(frozen=True, slots=True)
class Means:
    """What an attempt works with."""

    engine: Engine
    client: GuardedClient
    vault: Vault
    accesses: Accesses
    now: datetime
    ends_at: float  # on the monotonic clock


async def run_connector(delivery: ClaimedDelivery, means: Means) -> Outcome:
    """Raises OutOfTurn."""
    endpoint, data = delivery.endpoint, json.loads(delivery.data)
    connector = connector_of(endpoint.kind, settings_of(endpoint, means.vault))
    if delivery.event_type == EventType.ENDPOINT_TEST:
        return await _try_out(delivery, connector, means, is_check=bool(data.get("is_check")))
    if delivery.event_type == EventType.RECIPIENT_UNSUBSCRIBED:
        return await _tell_refusal(delivery, connector, data, means)
    if delivery.event_type == EventType.RESPONSE_FOLLOWED_UP:
        data = await _told_now(delivery, means.engine)
    story = await _story(delivery, data, means.engine)
    if story is None:
        return nothing_sent(NOBODY)
    return await _tell(delivery, connector, partial(connector.tell, story), means)


async def _try_out(delivery: ClaimedDelivery, connector: Connector, means: Means, *, is_check: bool) -> Outcome:
    """Raises OutOfTurn. Logging in is for all here as well: it may use up what it is done with."""
    if connector.log_in() is not None:
        return await _tell(delivery, connector, connector.check_let_in, means)
    steps = connector.check() if is_check else connector.test()
    return nothing_sent(NO_QUESTION) if steps is None else await _run(delivery, steps, means)


async def _told_now(delivery: ClaimedDelivery, engine: Engine) -> dict[str, Any]:
    """The event itself says nothing about what was answered. Nothing, of an answer that is gone."""
    async with engine.read() as tx:
        told = await told_now(tx, delivery.endpoint.workspace_id, _subject(delivery))
    return json.loads(told) if told else {}


async def _tell_refusal(delivery: ClaimedDelivery, connector: Connector, data: dict[str, Any], means: Means) -> Outcome:
    email = data.get("recipient", {}).get("email")
    if not email:  # or erased meanwhile
        return nothing_sent(NO_ADDRESS)
    return await _tell(delivery, connector, lambda known: connector.unsubscribe(email, known.access), means)


async def _story(delivery: ClaimedDelivery, data: dict[str, Any], engine: Engine) -> Story | None:
    """Raises OutOfTurn."""
    endpoint, response_id = delivery.endpoint, _subject(delivery)
    async with engine.read() as tx:
        story = read_story(
            data,
            event_id=shown("event", delivery.event_id),
            event_type=delivery.event_type,
            is_live=endpoint.livemode,
            background=await background_of(tx, endpoint.workspace_id, endpoint.id, response_id),
        )
        if story is not None:
            await _check_turn(tx, delivery, response_id, revision=story.revision)
    return story


async def _check_turn(tx: ReadTx, delivery: ClaimedDelivery, response_id: UUID, *, revision: int) -> None:
    """Raises OutOfTurn."""
    workspace_id, endpoint_id = delivery.endpoint.workspace_id, delivery.endpoint.id
    if await is_overtaking(tx, workspace_id, delivery.id, response_id, revision=revision):
        raise OutOfTurn
    place = workspace_id, endpoint_id, response_id
    if not (await remembered(tx, *place)).made and await has_earlier_news(tx, *place, revision=revision):
        raise OutOfTurn


async def _tell(delivery: ClaimedDelivery, connector: Connector, steps_of: StepsOf, means: Means) -> Outcome:
    """A log-in that has run out is renewed once."""
    access = await access_of(delivery.endpoint, connector, means)
    if isinstance(access, Outcome):
        return access
    outcome = await _run(delivery, steps_of(await _remembered(delivery, access, means)), means)
    if access is None or outcome.failure is not Failure.UNAUTHORIZED:
        return outcome
    renewed = await renewed_access(delivery.endpoint, connector, access, means)
    if isinstance(renewed, Outcome):
        return renewed
    return await _run(delivery, steps_of(await _remembered(delivery, renewed, means)), means)


async def access_of(endpoint: DueEndpoint | ClaimedPull, connector: Connector, means: Means) -> Access | Outcome | None:
    """None where none is needed; an outcome says why there is none. Raises OutOfTurn."""

    async def log_in(settings: Mapping[str, Any]) -> Access | Outcome:
        stored = connector_of(endpoint.kind, settings)
        if not _is_but_renewed(stored, connector):
            raise OutOfTurn
        steps = stored.log_in()
        assert steps is not None
        got: list[Access] = []

        async def keep(thing: Kept) -> None:
            if isinstance(thing, Access):
                got.append(thing)

        outcome = await run_steps(means.client, steps, keep=keep, now=means.now, deadline_seconds=left_of(means))
        return got[0] if got else outcome

    if connector.log_in() is None:
        return None
    for_all = partial(log_in_for_all, endpoint, log_in, engine=means.engine, vault=means.vault, ends_at=means.ends_at)
    try:
        return await means.accesses.of(endpoint.id, settings=hash(connector), log_in=for_all)
    except OthersLogIn as error:
        raise OutOfTurn from error


def _is_but_renewed(stored: Connector, connector: Connector) -> bool:
    """Whether nothing has changed since it was claimed, unless a refresh token that replaces the one before."""
    return _lasting(stored) == _lasting(connector)


def _lasting(connector: Connector) -> dict[str, Any]:
    return {one.name: getattr(connector, one.name) for one in fields(connector) if one.name != "refresh_token"}


async def renewed_access(
    endpoint: DueEndpoint | ClaimedPull, connector: Connector, refused: Access, means: Means
) -> Access | Outcome | None:
    """Raises OutOfTurn."""
    means.accesses.forget(endpoint.id, settings=hash(connector), access=refused)
    await forget_for_all(endpoint, refused, engine=means.engine)
    return await access_of(endpoint, connector, means)


async def _remembered(delivery: ClaimedDelivery, access: Access | None, means: Means) -> Remembered:
    async with means.engine.read() as tx:
        known = await remembered(tx, delivery.endpoint.workspace_id, delivery.endpoint.id, _subject(delivery))
    return Remembered(known.made, access)


async def _run(delivery: ClaimedDelivery, steps: Steps, means: Means) -> Outcome:
    keep = partial(_keep, means.engine, delivery.endpoint, _subject(delivery))
    return await run_steps(means.client, steps, keep=keep, now=means.now, deadline_seconds=left_of(means))


def left_of(means: Means) -> float:
    return means.ends_at - monotonic()


def settings_of(endpoint: DueEndpoint | ClaimedPull, vault: Vault) -> dict[str, Any]:
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


async def _keep(engine: Engine, endpoint: DueEndpoint, subject_id: UUID, made: Kept) -> None:
    if not isinstance(made, Made):
        return

    async def keep(tx: Tx) -> None:
        await remember(tx, endpoint.workspace_id, endpoint.id, subject_id, made, origin=endpoint.url, now=utc_now())

    await in_transaction_by_all_means(engine, keep, seconds=KEPT_WITHIN_SECONDS)
