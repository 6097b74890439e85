"""What following a personal link leads to, and what each act on its page is worth.

intent       an address with a score in it was opened: worth nothing, whoever opened it
probable     the page was looked at for a while
confirmed    somebody pressed Send, chose a score, or moved, touched or typed while a score stood there
"""

from datetime import datetime, timedelta
from enum import StrEnum

from app.domain.campaign import ACCEPTS_ANSWERS, CampaignState
from app.domain.response import CLOCK_SKEW, Certainty

NOT_ME = "not_me"  # whoever had the link says that it was meant for somebody else
SCANNER = "scanner"
HONEYPOT = "subject"  # the field of the form, and the part of an address, that only programs find
GRACE = timedelta(hours=1)  # after a link has expired, for what is on its way from a page that was opened in time
TAKEN_OUT_BY_LINK = frozenset({NOT_ME, SCANNER})  # reasons that a later act of a person does away with
MISTAKE_NOTICED_WITHIN = timedelta(hours=24)  # of unsubscribing


class Confirmation(StrEnum):
    AUTO = "auto"
    ALWAYS = "always"  # only Send counts


class Sign(StrEnum):
    """What the page's script tells, beside what a form says by being sent."""

    SEEN = "seen"  # the page is visible
    DWELL = "dwell"  # visible and in front for four seconds
    GESTURE = "gesture"  # a pointer, key, touch or wheel that was no program's
    CHANGE = "change"  # a score was chosen
    SEND = "send"  # the form; the only one that works without a script


class LinkState(StrEnum):
    OPEN = "open"
    ANSWERED = "answered"  # and it may still be changed
    SETTLED = "settled"  # answered, and too long ago to be changed
    LATE = "late"  # expired just now: nobody begins any more, and what is sent still counts
    EXPIRED = "expired"
    ENDED = "ended"  # the campaign takes no answers any more


def link_state(
    *,
    campaign: CampaignState,
    expires_at: datetime | None,
    is_expired: bool,
    answered_at: datetime | None,
    is_certain: bool,
    change_for: timedelta,
    now: datetime,
) -> LinkState:
    """`is_certain`: there is an answer that counts, and a person gave it."""
    if campaign not in ACCEPTS_ANSWERS:
        return LinkState.ENDED
    if answered_at is not None and is_certain:
        return LinkState.ANSWERED if now - answered_at <= change_for else LinkState.SETTLED
    if not is_expired and (expires_at is None or now < expires_at):
        return LinkState.OPEN
    return LinkState.LATE if expires_at is not None and now < expires_at + GRACE else LinkState.EXPIRED


def certainty_of(sign: Sign, *, confirmation: Confirmation) -> Certainty | None:
    """None: it is no answer."""
    if sign is Sign.SEND:
        return Certainty.CONFIRMED
    if sign is Sign.SEEN or confirmation is Confirmation.ALWAYS:
        return None
    return Certainty.PROBABLE if sign is Sign.DWELL else Certainty.CONFIRMED


def may_replace(sign: Sign, *, recorded: int, score: int, was_moved: bool = False) -> bool:
    """An answer that a person gave is changed only by choosing, never by opening another link and moving.

    `was_moved`: with a gesture, of which the new one shows none. A program can send a form, too.
    """
    return score == recorded or (sign in {Sign.CHANGE, Sign.SEND} and not was_moved)


def may_take_back(*, refused_at: datetime | None, left_at: datetime | None, now: datetime) -> bool:
    """`left_at`: when they unsubscribed by this link, which brings back nobody who refused in another way."""
    return left_at is not None and left_at == refused_at and now - left_at <= MISTAKE_NOTICED_WITHIN


def act_number(sign: Sign, *, done_at: int | None, last: int, now: datetime) -> int:
    """Milliseconds. Of two acts on a link the later has the higher one, in whatever order they arrive.

    `done_at`: by the clock of the page, which begins with ours; None without its script. `last`: the highest that is
    recorded. Send is never too late: whoever presses it means it.
    """
    arrived = int(now.timestamp() * 1000)
    told = min(done_at or 0, arrived + CLOCK_SKEW // timedelta(milliseconds=1))
    return max(told, arrived, last + 1) if sign is Sign.SEND or not told else told


def masked_email(email: str) -> str:
    """So that they know their own address, and nobody else learns it: `j…@…`."""
    local, _, domain = email.partition("@")
    return f"{local[:1]}…@…" if domain else "…"
