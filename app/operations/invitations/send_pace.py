"""How many mails of a campaign may leave now, counted from those that did."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.db.engine import Tx
from app.db.statements import fetch
from app.domain.asking.invitation import AskingCampaign
from app.domain.asking.send_pace import Sent, admitted, room_left
from app.domain.scores.period import day_of
from app.operations.invitations.candidates import Candidate

HOUR = timedelta(hours=1)
LOOK_AGAIN = timedelta(minutes=2)  # when a cap may have room again


@dataclass(frozen=True, slots=True)
class Paced:
    candidates: list[Candidate]
    held: list[Candidate]  # by the cap of their domain: others may go first
    look_again_at: datetime | None = None  # by a cap of the campaign; None: whenever the next is due


async def keep_pace(tx: Tx, campaign: AskingCampaign, due: Sequence[Candidate], *, now: datetime) -> Paced:
    """The campaign's row of `sending_work` is locked, so nobody else counts at the same time."""
    pace = campaign.asking.pace
    if pace == type(pace)() or not due:
        return Paced(list(due), [])
    sent = await _sent(tx, campaign, now=now)
    domains = [candidate.domain for candidate in due]
    places = set(admitted(domains, pace=pace, sent=sent))
    admitted_ones = [candidate for place, candidate in enumerate(due) if place in places]
    if (left := room_left(pace, sent)) is not None and left <= len(admitted_ones):
        return Paced(admitted_ones, [], now + LOOK_AGAIN)
    return Paced(admitted_ones, [candidate for place, candidate in enumerate(due) if place not in places])


async def _sent(tx: Tx, campaign: AskingCampaign, *, now: datetime) -> Sent:
    place = campaign.workspace_id, campaign.id
    by_domain = Counter({row["domain"]: row["sent"] for row in await fetch(tx, _COUNT_HOUR, *place, now - HOUR)})
    (days,) = await fetch(tx, _COUNT_DAYS, *place, day_of(now, campaign.zone))
    return Sent(by_domain.total(), days["today"], days["days_before"], by_domain)


# What never got as far as a server's answer burdened nobody. What a server put off did, and is tried again by itself.
_COUNT_HOUR = """
    SELECT domain, count(*) AS sent FROM messages
    WHERE workspace_id = $1 AND campaign_id = $2 AND created_at > $3
        AND (state <> 'failed' OR (reply_code IS NOT NULL AND failure IS DISTINCT FROM 'connection'))
    GROUP BY domain
"""
_COUNT_DAYS = """
    SELECT coalesce(sum(sent_count) FILTER (WHERE sent_on = $3), 0)::int AS today,
        count(*) FILTER (WHERE sent_on < $3 AND sent_count > 0)::int AS days_before
    FROM sending_days WHERE workspace_id = $1 AND campaign_id = $2
"""
