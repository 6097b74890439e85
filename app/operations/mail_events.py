"""What became of mails, written down: with the mail, its invitation, its person and the day's counters.

Each thing counts once, however often it is told. A hard bounce is held against the person only while the address is
still theirs, and a complaint in any case.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from app.db.engine import Tx
from app.db.statements import fetch, next_revision
from app.domain.mail.mail_events.event import MailEvent, MailEventKind
from app.operations.recipient_changes import unsubscribe_recipient

LOOKED_BACK = timedelta(days=30)  # for the latest mail to an address, where the mail itself is not named

Row = dict[str, Any]


class CountedMail(NamedTuple):
    campaign_id: UUID
    sent_on: date
    kind: MailEventKind


async def note_mail_events(
    tx: Tx, workspace_id: UUID, events: Sequence[MailEvent], *, now: datetime, only_named: bool = False
) -> int:
    """Of how many somebody is known here. `only_named`: an address is not enough, it has to be about a mail of ours."""
    if not events:
        return 0
    found = await fetch(
        tx, _FIND, workspace_id, list(range(len(events))), [event.message_id for event in events],
        [event.address for event in events], now - LOOKED_BACK, only_named,
    )  # fmt: skip
    known = await _lock(tx, workspace_id, found)
    counted: list[CountedMail] = []
    for row in known:
        event = events[row["n"]]
        mails = await _note(tx, workspace_id, event, row["message_id"], row["recipient_id"], now=now)
        counted += [CountedMail(one["campaign_id"], one["sent_on"], event.kind) for one in mails]
    await _count(tx, workspace_id, counted)
    return len(known)


async def _lock(tx: Tx, workspace_id: UUID, found: Sequence[Row]) -> list[Row]:
    """People, then invitations, each in the order of ids: others tell of the same ones in another order. Without those
    who were erased meanwhile."""
    people = await fetch(tx, _LOCK_PEOPLE, workspace_id, [row["recipient_id"] for row in found])
    await fetch(tx, _LOCK_INVITATIONS, workspace_id, [row["message_id"] for row in found])
    here = {row["id"] for row in people}
    return [row for row in found if row["recipient_id"] in here]


async def _note(
    tx: Tx, workspace_id: UUID, event: MailEvent, message_id: UUID | None, recipient_id: UUID, *, now: datetime
) -> Sequence[Row]:
    """The mails that count as harm from now on."""
    at = event.at if event.at is not None and now - LOOKED_BACK < event.at <= now else now
    match event.kind:
        case MailEventKind.DELIVERED:
            await fetch(tx, _DELIVERED, workspace_id, message_id, at)
        case MailEventKind.SOFT_BOUNCE:
            await fetch(tx, _BOUNCED_SOFTLY, workspace_id, message_id, at)
        case MailEventKind.HARD_BOUNCE:
            await fetch(tx, _suppress("bounced_at"), workspace_id, recipient_id, event.address, at)
            return await fetch(tx, _BOUNCED, workspace_id, message_id, at)
        case MailEventKind.COMPLAINED:
            await fetch(tx, _suppress("complained_at"), workspace_id, recipient_id, None, at)
            return await fetch(tx, _COMPLAINED, workspace_id, message_id, at)
        case MailEventKind.UNSUBSCRIBED:
            await unsubscribe_recipient(tx, workspace_id, recipient_id, now=now)
    return ()


async def _count(tx: Tx, workspace_id: UUID, counted: Sequence[CountedMail]) -> None:
    """Last, for whoever sends waits for these rows."""
    if counted:
        bounced = [one.kind is MailEventKind.HARD_BOUNCE for one in counted]
        campaigns, days = [one.campaign_id for one in counted], [one.sent_on for one in counted]
        await fetch(tx, _COUNT, workspace_id, campaigns, days, bounced)


# A row for each event about somebody known, in the order they were told.
_FIND = """
    SELECT g.n, m.id AS message_id, coalesce(v.recipient_id, p.id) AS recipient_id
    FROM unnest($2::int[], $3::uuid[], $4::text[]) AS g (n, message_id, address)
    LEFT JOIN recipients p ON p.workspace_id = $1 AND p.email = g.address AND p.email IS NOT NULL
    LEFT JOIN LATERAL (
        (SELECT o.id, o.invitation_id FROM messages o WHERE o.workspace_id = $1 AND o.id = g.message_id)
        UNION ALL
        (SELECT o.id, o.invitation_id FROM invitations i
         JOIN messages o ON o.workspace_id = i.workspace_id AND o.invitation_id = i.id
         WHERE g.message_id IS NULL AND i.workspace_id = $1 AND i.recipient_id = p.id AND o.created_at > $5
         ORDER BY o.created_at DESC LIMIT 1)
        LIMIT 1
    ) m ON true
    LEFT JOIN invitations v ON v.workspace_id = $1 AND v.id = m.invitation_id
    JOIN recipients who ON who.workspace_id = $1 AND who.id = coalesce(v.recipient_id, p.id) AND who.deleted_at IS NULL
    WHERE NOT $6::boolean OR (m.id IS NOT NULL AND m.id = g.message_id)
    ORDER BY g.n
"""
_LOCK_PEOPLE = """
    SELECT id FROM recipients WHERE workspace_id = $1 AND id = ANY($2::uuid[]) AND deleted_at IS NULL
    ORDER BY id FOR NO KEY UPDATE
"""
_LOCK_INVITATIONS = """
    SELECT v.id FROM messages m JOIN invitations v ON v.workspace_id = m.workspace_id AND v.id = m.invitation_id
    WHERE m.workspace_id = $1 AND m.id = ANY($2::uuid[])
    ORDER BY v.id FOR NO KEY UPDATE OF v
"""
_DELIVERED = f"""
    UPDATE invitations v SET delivered_at = $3, {next_revision("v")}
    FROM messages m WHERE m.workspace_id = $1 AND m.id = $2
        AND v.workspace_id = $1 AND v.id = m.invitation_id AND v.delivered_at IS NULL
"""
_BOUNCED_SOFTLY = """
    UPDATE messages SET bounced_at = $3, bounce_kind = 'soft'
    WHERE workspace_id = $1 AND id = $2 AND bounced_at IS NULL
"""


def _asked(column: str) -> str:
    return f"""
    ), asked AS (
        UPDATE invitations v SET {column} = $3, due_at = NULL, {next_revision("v")}
        FROM told WHERE v.workspace_id = $1 AND v.id = told.invitation_id AND v.{column} IS NULL
    )
    SELECT told.campaign_id, (told.created_at AT TIME ZONE w.time_zone)::date AS sent_on
    FROM told JOIN workspaces w ON w.id = $1
"""


_BOUNCED = """
    WITH told AS (
        UPDATE messages SET bounced_at = $3, bounce_kind = 'hard'
        WHERE workspace_id = $1 AND id = $2 AND bounce_kind IS DISTINCT FROM 'hard'
        RETURNING invitation_id, campaign_id, created_at
""" + _asked("bounced_at")
_COMPLAINED = """
    WITH told AS (
        UPDATE messages SET complained_at = $3
        WHERE workspace_id = $1 AND id = $2 AND complained_at IS NULL
        RETURNING invitation_id, campaign_id, created_at
""" + _asked("complained_at")

_COUNT = """
    INSERT INTO sending_days AS d (workspace_id, campaign_id, sent_on, bounced_count, complained_count)
    SELECT $1::uuid, campaign_id, sent_on, count(*) FILTER (WHERE has_bounced), count(*) FILTER (WHERE NOT has_bounced)
    FROM unnest($2::uuid[], $3::date[], $4::bool[]) AS g (campaign_id, sent_on, has_bounced)
    GROUP BY campaign_id, sent_on ORDER BY campaign_id, sent_on
    ON CONFLICT (workspace_id, campaign_id, sent_on) DO UPDATE SET
        bounced_count = d.bounced_count + excluded.bounced_count,
        complained_count = d.complained_count + excluded.complained_count
"""


def _suppress(column: str) -> str:
    return f"""
    UPDATE recipients SET {column} = $4, updated_at = $4, {next_revision("recipients")}
    WHERE workspace_id = $1 AND id = $2 AND {column} IS NULL AND ($3::text IS NULL OR email = $3)
"""
