"""Whose turn it is to be asked by a campaign: by the calendar, after an answer, or around a date of theirs."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from app.db.engine import ReadTx, Tx
from app.db.statements import fetch
from app.domain.asking.answer_slots import answer_slot
from app.domain.asking.date_slots import DAY as DAY_PATTERN
from app.domain.asking.eligibility import SOON
from app.domain.asking.invitation import AskingCampaign
from app.domain.asking.rhythm import AfterAnswer, Every, Once, Wave, due_after_answer, is_same_round, next_wave, wave_at
from app.domain.asking.triggers import OnDate
from app.domain.audience.audience_selection import Selection
from app.domain.audience.sampling import is_drawn, sampled_in_turn
from app.domain.scores.period import day_of
from app.queries.audiences import select_audience, who_fits

DAYS_AHEAD = SOON + timedelta(days=1)  # so that a more important date can reserve its person


async def find_wave(tx: Tx | ReadTx, campaign: AskingCampaign, *, now: datetime) -> Wave | None:
    """The one to open now, with the number it gets. A changed rhythm counts on from the waves there were."""
    trigger = campaign.asking.trigger
    assert isinstance(trigger, Once | Every)
    wave = wave_at(trigger, now, anchor=campaign.anchor, zone=campaign.zone)
    (last,) = await fetch(tx, _LAST_WAVE, campaign.workspace_id, campaign.id)
    if isinstance(trigger, Once) and last["number"] > 0:
        return None
    if wave is None or _has_begun(trigger, wave, last["starts_at"]):
        return None
    return replace(wave, number=last["number"] + 1, ends_at=ends_at(campaign, wave, now))


async def find_next_wave(tx: Tx | ReadTx, campaign: AskingCampaign, *, now: datetime) -> Wave | None:
    """The first that is to begin before the campaign ends, with its number. `ends_at`: where the one after starts."""
    trigger, anchor, zone = campaign.asking.trigger, campaign.anchor, campaign.zone
    assert isinstance(trigger, Once | Every)
    wave = next_wave(trigger, now, anchor=anchor, zone=zone)
    (last,) = await fetch(tx, _LAST_WAVE, campaign.workspace_id, campaign.id)
    if wave is not None and _has_begun(trigger, wave, last["starts_at"]):
        wave = next_wave(trigger, wave.starts_at, anchor=anchor, zone=zone)
    if wave is None or (campaign.ends_at is not None and wave.starts_at >= campaign.ends_at):
        return None
    return replace(wave, number=last["number"] + 1)


def _has_begun(trigger: Once | Every, wave: Wave, last_at: datetime | None) -> bool:
    """A workspace's new time zone moves a start, and opens no wave a second time."""
    return last_at is not None and (wave.starts_at <= last_at or is_same_round(trigger, wave.starts_at, last_at))


def ends_at(campaign: AskingCampaign, wave: Wave, now: datetime) -> datetime:
    """A wave waits for people who are not free yet, but not into the next one."""
    if campaign.asking.is_evenly_spread and wave.ends_at is not None:
        return wave.ends_at
    waited = max(wave.starts_at, now) + timedelta(days=campaign.asking.wave_days)
    return waited if wave.ends_at is None else min(waited, wave.ends_at)


async def select_for(
    tx: Tx | ReadTx, campaign: AskingCampaign, *, limit: int | None = None, now: datetime
) -> Selection:
    """Who is in quarantine for longer than a wave waits comes last, so that nobody loses their place to them."""
    asking = campaign.asking
    restraint = replace(asking.restraint, free_if_asked_before=_free_if_asked_before(campaign, now))
    return await select_audience(
        tx, campaign.workspace_id, asking.filter, campaign_id=campaign.id, restraint=restraint, limit=limit, now=now
    )


def _free_if_asked_before(campaign: AskingCampaign, now: datetime) -> datetime | None:
    """None where there are no waves, or where a journey lets people be asked again sooner."""
    trigger = campaign.asking.trigger
    if not isinstance(trigger, Once | Every) or campaign.asking.journey is not None:
        return None
    anchor, zone = campaign.anchor, campaign.zone
    wave = wave_at(trigger, now, anchor=anchor, zone=zone) or next_wave(trigger, now, anchor=anchor, zone=zone)
    assert wave is not None
    waits_until = campaign.in_time(ends_at(campaign, wave, now))
    assert waits_until is not None
    return waits_until - campaign.asking.quarantine(campaign.quarantine_days)


async def find_after_answers(tx: Tx | ReadTx, campaign: AskingCampaign, *, now: datetime) -> list[tuple[UUID, str]]:
    """Whose turn it is, with the ask or answer that it comes after; not of whoever has an invitation already."""
    asking, rhythm = campaign.asking, campaign.asking.trigger
    assert isinstance(rhythm, AfterAnswer)
    selection = await select_for(tx, campaign, now=now)
    rounds = max(0, (now - campaign.anchor).days) // rhythm.days
    chosen = sampled_in_turn(
        selection.recipient_ids, asking.sample, turn_number=1 + rounds, seed=f"sample:{campaign.id}"
    )
    turns = await read_turns_after_answers(tx, campaign, chosen)
    due = {person: slot for person, due_at, slot in turns if due_at <= now}
    since = campaign.anchor + timedelta(days=rounds * rhythm.days)
    return [(person, due[person]) for person in await _with_room(tx, campaign, list(due), since=since)]


async def _with_room(
    tx: Tx | ReadTx, campaign: AskingCampaign, recipient_ids: Sequence[UUID], *, since: datetime
) -> Sequence[UUID]:
    """Of these, in their order, whose account has not as many who are planned, or were asked since then."""
    most = campaign.asking.most_per_account
    if most is None or not recipient_ids:
        return recipient_ids
    rows = await fetch(tx, _READ_WITH_ROOM, campaign.workspace_id, campaign.id, list(recipient_ids), since, most)
    return [row["id"] for row in rows]


async def read_turns_after_answers(
    tx: Tx | ReadTx, campaign: AskingCampaign, recipient_ids: Sequence[UUID]
) -> list[tuple[UUID, datetime, str]]:
    """When the turn of each comes, and after which ask or answer; not of whoever has an invitation already."""
    rhythm = campaign.asking.trigger
    assert isinstance(rhythm, AfterAnswer)
    turns = []
    for row in await fetch(tx, _READ_LAST, campaign.workspace_id, campaign.id, list(recipient_ids)):
        due_at = due_after_answer(
            rhythm, anchor=campaign.anchor, zone=campaign.zone, answered_at=row["answered_at"],
            asked_at=row["asked_at"],
        )  # fmt: skip
        last = max((at for at in (row["answered_at"], row["asked_at"]) if at is not None), default=None)
        turns.append((row["id"], due_at, answer_slot(last)))
    return turns


async def find_dates(tx: Tx | ReadTx, campaign: AskingCampaign, *, now: datetime) -> list[tuple[UUID, str]]:
    trigger = campaign.asking.trigger
    assert isinstance(trigger, OnDate)
    today, offset = day_of(now, campaign.zone), timedelta(days=trigger.offset_days)
    first = today - offset - timedelta(days=trigger.max_lateness_days)
    rows = await fetch(
        tx, _READ_DATES, campaign.workspace_id, campaign.id, trigger.property,
        first.isoformat(), (today - offset + DAYS_AHEAD).isoformat(),
    )  # fmt: skip
    fitting = await who_may_be_asked(tx, campaign, [row["id"] for row in rows], now=now)
    sample = campaign.asking.sample
    return [
        (row["id"], f"date:{trigger.property}:{row['day']}") for row in rows
        if row["id"] in fitting and is_drawn(sample, seed=f"sample:{campaign.id}:{row['day']}", about=row["id"])
    ]  # fmt: skip


async def who_may_be_asked(
    tx: Tx | ReadTx, campaign: AskingCampaign, recipient_ids: Sequence[UUID], *, now: datetime
) -> Collection[UUID]:
    """Of these the ones whom the campaign means, and nobody too new."""
    newest = now - timedelta(days=campaign.asking.exclude_newer_than_days or 0)
    listed = await who_is_listed(tx, campaign, recipient_ids, newest=newest)
    return await who_fits_the_audience(tx, campaign, listed, now=now)


async def who_is_listed(
    tx: Tx | ReadTx, campaign: AskingCampaign, recipient_ids: Sequence[UUID], *, newest: datetime | None = None
) -> Collection[UUID]:
    """Of these the ones on the campaign's list, or all where it has none; known no later than `newest`."""
    if not recipient_ids:
        return set()
    rows = await fetch(tx, _READ_LISTED, campaign.workspace_id, campaign.id, list(recipient_ids), newest)
    return {row["id"] for row in rows}


async def who_fits_the_audience(
    tx: Tx | ReadTx, campaign: AskingCampaign, recipient_ids: Collection[UUID], *, now: datetime
) -> Collection[UUID]:
    filter_ = campaign.asking.filter
    if filter_ is None or not recipient_ids:
        return recipient_ids
    return await who_fits(tx, campaign.workspace_id, filter_, recipient_ids, now=now)


_LAST_WAVE = """
    SELECT coalesce(max(number), 0) AS number, max(starts_at) AS starts_at
    FROM waves WHERE workspace_id = $1 AND campaign_id = $2
"""
# A mail that nobody took is tried no sooner than the next would be; where there was no such address, when there is one.
_READ_LAST = """
    SELECT g.id, answer.answered_at, ask.asked_at
    FROM unnest($3::uuid[]) AS g (id)
    LEFT JOIN LATERAL (
        SELECT max(r.answered_at) AS answered_at FROM responses r
        WHERE r.workspace_id = $1 AND r.recipient_id = g.id AND r.campaign_id = $2 AND r.excluded_at IS NULL
    ) answer ON true
    LEFT JOIN LATERAL (
        SELECT max(coalesce(v.asked_at, CASE WHEN v.state = 'failed' AND v.bounced_at IS NULL THEN (
                SELECT max(m.created_at) FROM messages m
                WHERE m.workspace_id = v.workspace_id AND m.invitation_id = v.id
            ) END)) AS asked_at, bool_or(v.state IN ('planned', 'sending')) AS is_planned
        FROM invitations v WHERE v.workspace_id = $1 AND v.recipient_id = g.id AND v.campaign_id = $2
    ) ask ON true
    WHERE ask.is_planned IS NOT TRUE
"""
_READ_WITH_ROOM = """
    WITH busy AS (
        SELECT p.account_id, count(DISTINCT p.id) AS people
        FROM invitations v JOIN recipients p ON p.workspace_id = v.workspace_id AND p.id = v.recipient_id
        WHERE v.workspace_id = $1 AND v.campaign_id = $2 AND (v.state IN ('planned', 'sending') OR v.asked_at >= $4)
        GROUP BY 1
    ), placed AS (
        SELECT g.id, g.place, p.account_id, coalesce(b.people, 0)
            + row_number() OVER (PARTITION BY p.account_id ORDER BY g.place) AS place_in_account
        FROM unnest($3::uuid[]) WITH ORDINALITY AS g (id, place)
        JOIN recipients p ON p.workspace_id = $1 AND p.id = g.id
        LEFT JOIN busy b ON b.account_id = p.account_id
    )
    SELECT id FROM placed WHERE account_id IS NULL OR place_in_account <= $5 ORDER BY place
"""

# A day as it is written sorts as it lies in time.
DAY = "substr(p.properties ->> $3, 1, 10)"
IS_DAY = f"p.properties ->> $3 ~ '^{DAY_PATTERN}([T ]|$)'"
# Of a skip, whether its reason has gone; whether they fit the audience again, and are on the list, is asked of all.
HAS_PASSED = """v.asked_at IS NULL AND CASE v.skip_reason
    WHEN 'not_in_audience' THEN true WHEN 'date_moved' THEN true WHEN 'trigger_changed' THEN true
    WHEN 'no_address' THEN p.email IS NOT NULL
    WHEN 'unsubscribed' THEN p.unsubscribed_at IS NULL WHEN 'bounced' THEN p.bounced_at IS NULL
    WHEN 'complained' THEN p.complained_at IS NULL ELSE false END"""
_READ_DATES = f"""
    SELECT p.id, {DAY} AS day FROM recipients p
    WHERE p.workspace_id = $1 AND p.deleted_at IS NULL AND {IS_DAY} AND {DAY} >= $4 AND {DAY} <= $5
        AND NOT EXISTS (
            SELECT FROM invitations v WHERE v.workspace_id = p.workspace_id AND v.recipient_id = p.id
                AND v.campaign_id = $2 AND v.slot = 'date:' || $3 || ':' || {DAY} AND v.state <> 'released'
                AND NOT ({HAS_PASSED})
        )
"""
_READ_LISTED = """
    SELECT p.id FROM recipients p
    WHERE p.workspace_id = $1 AND p.id = ANY($3::uuid[]) AND p.deleted_at IS NULL
        AND ($4::timestamptz IS NULL OR p.created_at <= $4)
        AND (
            NOT EXISTS (SELECT FROM campaigns c WHERE c.workspace_id = $1 AND c.id = $2 AND c.has_list)
            OR EXISTS (
                SELECT FROM campaign_recipients l
                WHERE l.workspace_id = $1 AND l.campaign_id = $2 AND l.recipient_id = p.id
            )
        )
"""
