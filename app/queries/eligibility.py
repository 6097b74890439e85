"""What a decision about asking somebody has to know, of many people at once."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.db.engine import ReadTx, Tx
from app.db.statements import fetch
from app.domain.asking.eligibility import SOON, Ask, Person, Rules, Wanted
from app.domain.asking.invitation import AskingCampaign
from app.domain.audience.audience_json import read_filter
from app.domain.scores.period import zone_named
from app.queries.audiences import who_fits
from app.queries.enough import who_is_known_enough
from app.queries.reservations import read_reservations
from app.queries.turns import who_fits_the_audience, who_is_listed

REMEMBERED = timedelta(days=3_650)  # asks, for journeys


@dataclass(frozen=True, slots=True)
class Facts:
    """Of one campaign: by recipient what is known of them, what of the ask, the rules as they hold for them, and the
    domains of their addresses."""

    people: Mapping[UUID, Person]
    wanted: Mapping[UUID, Wanted]
    rules: Mapping[UUID, Rules]
    domains: Mapping[UUID, str]


async def read_facts(
    tx: ReadTx | Tx, campaign: AskingCampaign, recipient_ids: Collection[UUID], *, now: datetime
) -> Facts:
    ids = list(recipient_ids)
    rows = await fetch(
        tx, _READ, campaign.workspace_id, campaign.id, ids, now, now + SOON, campaign.asking.priority,
        _journey_name(campaign), campaign.asking.hold_open_follow_up, campaign.quarantine_days,
    )  # fmt: skip
    reserved = await read_reservations(tx, campaign, {row["id"]: row["asked_at"] for row in rows}, now=now)
    asks = await _read_asks(tx, campaign, ids, now=now)
    listed = await who_is_listed(tx, campaign, ids)
    fits = await who_fits_the_audience(tx, campaign, listed, now=now)
    rules = await read_rules(tx, campaign, ids, now=now)
    people = {row["id"]: _person(row, campaign, asks.get(row["id"], ())) for row in rows}
    wanted = {
        row["id"]: _wanted(
            row, campaign, reserved.get(row["id"]), is_in_audience=row["id"] in fits, is_listed=row["id"] in listed
        )
        for row in rows
    }
    domains = {row["id"]: (row["email"] or "").rpartition("@")[2] for row in rows}
    return Facts(people, wanted, {row["id"]: rules[row["id"]] for row in rows}, domains)


async def read_facts_before(
    tx: ReadTx | Tx, campaign: AskingCampaign, recipient_ids: Collection[UUID], *, wave: int | None, now: datetime
) -> Facts:
    """As `read_facts`, and of whom enough is known: before it sends, a campaign releases those."""
    facts = await read_facts(tx, campaign, recipient_ids, now=now)
    known = await who_is_known_enough(tx, campaign, list(recipient_ids), wave=wave)
    wanted = {person: replace(facts.wanted[person], is_enough_known=True) for person in known}
    return replace(facts, wanted={**facts.wanted, **wanted}) if wanted else facts


def _journey_name(campaign: AskingCampaign) -> str | None:
    return campaign.asking.journey.name if campaign.asking.journey else None


def _person(row: Mapping[str, Any], campaign: AskingCampaign, asks: tuple[Ask, ...]) -> Person:
    return Person(
        zone=zone_named(row["time_zone"]) if row["time_zone"] else campaign.zone,
        known_since=row["created_at"],
        has_address=row["email"] is not None,
        erased_at=row["deleted_at"],
        unsubscribed_at=row["unsubscribed_at"],
        bounced_at=row["bounced_at"],
        complained_at=row["complained_at"],
        renews_on=row["renews_on"],
        has_open_follow_up=row["has_open_follow_up"],
        asked_at=row["asked_at"],
        asks=asks,
    )


def _wanted(
    row: Mapping[str, Any],
    campaign: AskingCampaign,
    coming_at: datetime | None,
    *,
    is_in_audience: bool,
    is_listed: bool,
) -> Wanted:
    reserved = [at for at in (row["reserved_for_at"], coming_at) if at is not None]
    return Wanted(
        is_in_audience=is_in_audience,
        is_listed=is_listed,
        latest_at=campaign.ends_at,
        answered_at=row["answered_at"],
        reserved_for_at=min(reserved, default=None),
    )


async def _read_asks(
    tx: ReadTx | Tx, campaign: AskingCampaign, ids: list[UUID], *, now: datetime
) -> dict[UUID, tuple[Ask, ...]]:
    """Needed within journeys only: else the latest of all says enough."""
    if campaign.asking.journey is None:
        return {}
    found: dict[UUID, list[Ask]] = defaultdict(list)
    for row in await fetch(tx, _READ_ASKS, campaign.workspace_id, ids, now - REMEMBERED):
        found[row["recipient_id"]].append(Ask(row["asked_at"], row["journey"]))
    return {recipient_id: tuple(asks) for recipient_id, asks in found.items()}


async def read_rules(
    tx: ReadTx | Tx, campaign: AskingCampaign, ids: Sequence[UUID], *, now: datetime
) -> dict[UUID, Rules]:
    """They differ only where a blackout is for some; one that is over may have made the clocks of those stand still."""
    common = rules_of(campaign)
    remembered = now - timedelta(days=campaign.asking.reminders.expires_after_days)
    rules = dict.fromkeys(ids, common)
    for blackout in campaign.asking.blackouts:
        if isinstance(blackout.audience, Mapping) and blackout.until_at > remembered:
            filter_ = read_filter(blackout.audience, at=("asking", "blackouts"))
            for recipient_id in await who_fits(tx, campaign.workspace_id, filter_, ids, now=now):
                known = rules[recipient_id]
                rules[recipient_id] = replace(known, blackouts=(*known.blackouts, blackout))
    return rules


def rules_of(campaign: AskingCampaign) -> Rules:
    """As they hold for whoever is in no blackout's audience."""
    asking = campaign.asking
    return Rules(
        is_running=campaign.state == "running",
        one_answer_each=campaign.one_answer_each,
        quarantine=asking.quarantine(campaign.quarantine_days),
        journey=asking.journey,
        window=asking.window,
        blackouts=asking.common_blackouts,
        exclude_newer_than_days=asking.exclude_newer_than_days,
        hold_renewal_within_days=asking.hold_renewal_within_days,
        hold_open_follow_up=asking.hold_open_follow_up,
    )


# Whoever a more important campaign is about to ask is left to it, unless both belong to the same journey, or it asks
# people however lately others did. What has no moment yet has it any second now.
_READ = """
    WITH looked_after AS MATERIALIZED (
        SELECT q.id, q.account_id FROM follow_ups f
        JOIN responses r ON r.workspace_id = f.workspace_id AND r.id = f.response_id
        JOIN recipients q ON q.workspace_id = r.workspace_id AND q.id = r.recipient_id
        WHERE f.workspace_id = $1 AND f.resolved_at IS NULL AND $8
    )
    SELECT p.id, p.email, p.time_zone, p.created_at, p.deleted_at, p.unsubscribed_at, p.bounced_at, p.complained_at,
        p.asked_at, a.renews_on, answer.answered_at, important.due_at AS reserved_for_at,
        EXISTS (
            SELECT FROM looked_after l WHERE l.id = p.id OR l.account_id = p.account_id
        ) AS has_open_follow_up
    FROM recipients p
    LEFT JOIN accounts a ON a.workspace_id = p.workspace_id AND a.id = p.account_id
    LEFT JOIN LATERAL (
        SELECT max(r.answered_at) AS answered_at FROM responses r
        WHERE r.workspace_id = p.workspace_id AND r.recipient_id = p.id AND r.campaign_id = $2
            AND r.excluded_at IS NULL
    ) answer ON true
    LEFT JOIN LATERAL (
        SELECT min(coalesce(v.due_at, $4)) AS due_at
        FROM invitations v JOIN campaigns c ON c.workspace_id = v.workspace_id AND c.id = v.campaign_id
        WHERE v.workspace_id = p.workspace_id AND v.recipient_id = p.id AND v.campaign_id <> $2
            AND v.state = 'planned' AND (v.latest_at IS NULL OR v.latest_at > $4)
            AND (v.due_at <= $5 OR v.due_at IS NULL AND c.scheduling_failed_at IS NULL)
            AND c.state = 'running' AND (c.asking ->> 'priority')::int > $6
            AND coalesce(v.due_at, $4) < $4 + make_interval(days => coalesce((c.asking ->> 'quarantine_days')::int, $9))
            AND ($7::text IS NULL OR c.asking -> 'journey' ->> 'name' IS DISTINCT FROM $7)
    ) important ON true
    WHERE p.workspace_id = $1 AND p.id = ANY($3::uuid[])
"""
_READ_ASKS = """
    SELECT v.recipient_id, v.asked_at, c.asking -> 'journey' ->> 'name' AS journey
    FROM invitations v JOIN campaigns c ON c.workspace_id = v.workspace_id AND c.id = v.campaign_id
    WHERE v.workspace_id = $1 AND v.recipient_id = ANY($2::uuid[]) AND v.asked_at > $3
"""
