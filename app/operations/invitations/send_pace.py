"""How many mails of a campaign may leave now, counted from those that did."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.db.engine import Tx
from app.domain.asking.invitation import AskingCampaign
from app.domain.asking.send_pace import admitted, room_left
from app.operations.invitations.candidates import Candidate
from app.queries.departures import read_sent

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
    sent = await read_sent(tx, campaign, now=now)
    domains = [candidate.domain for candidate in due]
    places = set(admitted(domains, pace=pace, sent=sent))
    admitted_ones = [candidate for place, candidate in enumerate(due) if place in places]
    if (left := room_left(pace, sent)) is not None and left <= len(admitted_ones):
        return Paced(admitted_ones, [], now + LOOK_AGAIN)
    return Paced(admitted_ones, [candidate for place, candidate in enumerate(due) if place not in places])
