"""Whom a filter fits, and who of them can be asked."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Text,
    Uuid,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    null,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import BIT, aggregate_order_by

from app.db.engine import ReadTx, Tx
from app.db.tables import accounts, campaigns, follow_ups, recipients, responses, workspaces
from app.domain.audience.audience import Filter, campaigns_in
from app.domain.audience.audience_operands import Present
from app.domain.audience.audience_selection import HeldBack, Restraint, Selection
from app.domain.scores.period import zone_named
from app.domain.webhooks.webhook_endpoint import UnknownCampaigns
from app.queries.audience_readers import is_on_the_list, last_asked_in, read_person
from app.queries.audience_sql import Truth, condition_of
from app.queries.campaigns import get_campaign
from app.queries.patience import at_most

PERSON = recipients.c
UNRESTRAINED = Restraint()
SAMPLE = 20
LONGEST_PREVIEW_SECONDS = 10.0


async def present_in(tx: ReadTx | Tx, workspace_id: UUID, now: datetime) -> Present:
    """What `now` is to filters: with the zone by which the workspace's days begin."""
    query = select(workspaces.c.time_zone).where(workspaces.c.id == workspace_id)
    return Present(now, zone_named((await tx.execute(query)).scalar_one()))


async def who_fits(
    tx: ReadTx | Tx, workspace_id: UUID, filter_: Filter, recipient_ids: Collection[UUID], *, now: datetime
) -> set[UUID]:
    """Those of them who fit now; whether they can be asked is another question."""
    present = await present_in(tx, workspace_id, now)
    query = select(PERSON.id).where(*_audience(workspace_id, filter_, present), PERSON.id.in_(recipient_ids))
    return set((await tx.execute(query)).scalars())


async def preview_audience(
    tx: ReadTx,
    workspace_id: UUID,
    filter_: Filter | None,
    *,
    campaign_id: UUID | None = None,
    restraint: Restraint = UNRESTRAINED,
    now: datetime,
    seconds: float = LONGEST_PREVIEW_SECONDS,
) -> Selection:
    """As `select_audience`, with a few people as a sample. Raises CampaignNotFound, UnknownCampaigns, FilterTooSlow."""
    if campaign_id is not None:
        await get_campaign(tx, workspace_id, campaign_id)
    if filter_ is not None:
        await check_campaigns_in(tx, workspace_id, filter_)
    async with at_most(tx, seconds):
        return await select_audience(
            tx, workspace_id, filter_, campaign_id=campaign_id, restraint=restraint, limit=SAMPLE, now=now
        )


async def check_campaigns_in(tx: ReadTx | Tx, workspace_id: UUID, filter_: Filter, *, pointer: str = "/filter") -> None:
    """Raises UnknownCampaigns."""
    named = campaigns_in(filter_)
    known = select(campaigns.c.id).where(campaigns.c.workspace_id == workspace_id, campaigns.c.id.in_(named))
    if named and named - set((await tx.execute(known)).scalars()):
        raise UnknownCampaigns("The filter names a campaign that does not exist.", pointer=pointer)


async def select_audience(
    tx: ReadTx | Tx,
    workspace_id: UUID,
    filter_: Filter | None,
    *,
    campaign_id: UUID | None = None,
    restraint: Restraint = UNRESTRAINED,
    channel: str = "email",
    limit: int | None = None,
    now: datetime,
) -> Selection:
    """Whom to ask, in order; without a filter, everybody. A campaign with a list of recipients asks only those on it.

    First come those whom the campaign never asked, then those it asked longest ago; among them a stable hash decides,
    so that whoever is left out by the limit is first the next time. Whoever is busy by the restraint comes after all
    others: quarantine itself is decided at the moment of sending.
    """
    present = await present_in(tx, workspace_id, now)
    people = _people(workspace_id, filter_, campaign_id, restraint, channel, present).cte("people")
    judged = _with_account_cap(people, restraint.most_per_account).cte("judged")
    rows = (await tx.execute(_counted(judged, limit))).all()
    counts = {row.reason: row.people for row in rows}
    chosen = next((row.recipient_ids for row in rows if row.reason is None), None)
    return Selection(
        recipient_ids=chosen or [],
        matched=sum(counts.values()),
        askable=counts.get(None, 0),
        excluded={reason: counts[reason.value] for reason in HeldBack if reason.value in counts},
    )


def _audience(workspace_id: UUID, filter_: Filter | None, present: Present) -> list[Truth]:
    conditions: list[Truth] = [PERSON.workspace_id == workspace_id, PERSON.deleted_at.is_(None)]
    return conditions if filter_ is None else [*conditions, condition_of(filter_, read_person, present)]


def _people(
    workspace_id: UUID,
    filter_: Filter | None,
    campaign_id: UUID | None,
    restraint: Restraint,
    channel: str,
    present: Present,
) -> Select[Any]:
    reasons = _reasons(workspace_id, campaign_id, restraint, channel, present)
    reason = case(*((holds, literal(reason.value, Text)) for reason, holds in reasons.items()), else_=null())
    last_asked = null() if campaign_id is None else last_asked_in(campaign_id)
    query = select(
        PERSON.id,
        PERSON.account_id,
        reason.label("reason"),
        last_asked.label("last_asked_at"),
        _is_busy(restraint.free_if_asked_before).label("is_busy"),
        _draw(f"sample:{campaign_id or ''}").label("draw"),
    ).where(*_audience(workspace_id, filter_, present))
    return query if campaign_id is None else query.where(is_on_the_list(workspace_id, campaign_id))


def _reasons(
    workspace_id: UUID, campaign_id: UUID | None, restraint: Restraint, channel: str, present: Present
) -> dict[HeldBack, ColumnElement[bool]]:
    return {
        HeldBack.NO_ADDRESS: PERSON.email.is_(None) if channel == "email" else false(),
        HeldBack.UNSUBSCRIBED: PERSON.unsubscribed_at.is_not(None),
        HeldBack.BOUNCED: PERSON.bounced_at.is_not(None) if channel == "email" else false(),
        HeldBack.COMPLAINED: PERSON.complained_at.is_not(None),
        HeldBack.ALREADY_ANSWERED: false() if campaign_id is None else _has_answered_for_good(campaign_id),
        HeldBack.TOO_NEW: _is_too_new(restraint.exclude_newer_than_days, present),
        HeldBack.RENEWAL_NEAR: _renews_soon(restraint.hold_renewal_within_days, present),
        HeldBack.FOLLOW_UP_OPEN: _is_looked_after(workspace_id) if restraint.hold_open_follow_up else false(),
    }


def _has_answered_for_good(campaign_id: UUID) -> ColumnElement[bool]:
    one_each = select(campaigns.c.one_answer_per_recipient).where(
        campaigns.c.workspace_id == PERSON.workspace_id, campaigns.c.id == campaign_id
    )
    answer = select(responses.c.id).where(
        responses.c.workspace_id == PERSON.workspace_id,
        responses.c.recipient_id == PERSON.id,
        responses.c.campaign_id == campaign_id,
    )
    return and_(one_each.correlate(recipients).scalar_subquery(), answer.correlate(recipients).exists())


def _is_busy(free_if_asked_before: datetime | None) -> ColumnElement[bool]:
    if free_if_asked_before is None:
        return false()
    return func.coalesce(PERSON.asked_at >= free_if_asked_before, false())


def _is_too_new(days: int | None, present: Present) -> ColumnElement[bool]:
    return false() if not days else PERSON.created_at > present.now - timedelta(days=days)


def _renews_soon(days: int | None, present: Present) -> ColumnElement[bool]:
    if days is None:
        return false()
    today = present.today
    renewal = select(accounts.c.id).where(
        accounts.c.workspace_id == PERSON.workspace_id,
        accounts.c.id == PERSON.account_id,
        accounts.c.renews_on.between(today, today + timedelta(days=days)),
    )
    return renewal.correlate(recipients).exists()


def _is_looked_after(workspace_id: UUID) -> ColumnElement[bool]:
    """Somebody has taken on an answer of theirs, or of their account, and is not done with it."""
    anybody, theirs = recipients.alias().c, follow_ups.c
    answered = and_(anybody.workspace_id == responses.c.workspace_id, anybody.id == responses.c.recipient_id)
    taken_on = and_(theirs.workspace_id == responses.c.workspace_id, theirs.response_id == responses.c.id)
    people = (
        select(anybody.id, anybody.account_id)
        .join(responses, answered)
        .join(follow_ups, taken_on)
        .where(theirs.workspace_id == workspace_id, theirs.resolved_at.is_(None))
        .cte("looked_after")
    )
    accounts_too = select(people.c.account_id).where(people.c.account_id.is_not(None))
    return or_(PERSON.id.in_(select(people.c.id)), func.coalesce(PERSON.account_id.in_(accounts_too), false()))


def _draw(seed: str) -> ColumnElement[int]:
    """The same chance as `domain/audience/stable_hash.draw`."""
    bytes_ = func.substr(func.sha256(func.convert_to(seed, "UTF8").op("||")(func.uuid_send(PERSON.id))), 1, 6)
    return cast(cast(literal("x", Text).op("||")(func.encode(bytes_, "hex")), BIT(48)), BigInteger)


def _with_account_cap(people: FromClause, most: int | None) -> Select[Any]:
    column = people.c
    if most is None:
        return select(people)
    can_be_asked = and_(column.reason.is_(None), column.account_id.is_not(None))
    place = func.row_number().over(partition_by=(column.account_id, column.reason), order_by=_fairly(people))
    is_beyond = and_(can_be_asked, place > most)
    reason = case((is_beyond, literal(HeldBack.ACCOUNT_FULL.value, Text)), else_=column.reason)
    return select(column.id, reason.label("reason"), column.last_asked_at, column.is_busy, column.draw)


def _fairly(people: FromClause) -> tuple[ColumnElement[Any], ...]:
    return people.c.is_busy, people.c.last_asked_at.asc().nulls_first(), people.c.draw, people.c.id


def _counted(judged: FromClause, limit: int | None) -> Select[Any]:
    column = judged.c
    in_order = func.array_agg(aggregate_order_by(column.id, *_fairly(judged)), type_=ARRAY(Uuid))
    found = (
        select(
            column.reason, func.count().label("people"), in_order.filter(column.reason.is_(None)).label("recipient_ids")
        )
        .group_by(column.reason)
        .subquery()
    )
    first = found.c.recipient_ids if limit is None else found.c.recipient_ids[1:limit]
    return select(found.c.reason, found.c.people, first.label("recipient_ids"))
