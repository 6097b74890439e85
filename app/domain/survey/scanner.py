"""Telling mail scanners from people, by what happened on one link. An act with a trusted gesture is never judged.

1 Several links of one mail are followed within a minute: a person follows one, a scanner all eleven.
2 Several different scores are sent within a minute without anybody having moved.
3 It happens before a person can have read the mail.
4 It goes where no person can: a field of the form, and a link in the mail, that nobody sees or hears of.
5 The program says what it is.

Each rule can be wrong, so a flag takes an answer out of the score and keeps it; a later gesture puts it back, and so
does a second press of the button by whoever is told.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# Programs that fetch links for somebody else, by words of their User-Agent. "Cubot" makes telephones.
_PROGRAM = re.compile(
    r"(?<!cu)bot\b|crawler|spider|preview|scanner|barracuda|mimecast|proofpoint|safelinks|zscaler|forcepoint|symantec"
    r"|trendmicro|cloudmark|imageproxy|facebookexternalhit|whatsapp|skypeuripreview|urlscan|curl/|wget/|libwww"
    r"|python-|aiohttp|httpx|go-http-client|okhttp|java/|axios|node-fetch|headlesschrome|phantomjs",
    re.IGNORECASE,
)


class FlagReason(StrEnum):
    MANY_LINKS = "many_links"
    MANY_SCORES = "many_scores"
    TOO_SOON = "too_soon"
    HONEYPOT = "honeypot"
    PROGRAM = "program"


@dataclass(frozen=True, slots=True)
class ScannerRules:
    window: timedelta = timedelta(seconds=60)
    soonest: timedelta = timedelta(seconds=10)  # after the mail went out
    link_scores: int = 2  # different ones followed within the window
    sent_scores: int = 3  # different ones sent within the window; a person may think again
    reading: timedelta = timedelta(seconds=2)  # of a sentence, by the fastest of us


@dataclass(frozen=True, slots=True)
class Hit:
    """One request for one link. `linked` is the score its address asks for, `sent` one that was sent along."""

    at: datetime
    linked: int | None = None
    sent: int | None = None
    is_program: bool = False
    is_in_honeypot: bool = False


def is_program(user_agent: str) -> bool:
    return not user_agent.strip() or _PROGRAM.search(user_agent) is not None


def suspicion(
    hits: Iterable[Hit], *, rules: ScannerRules, mailed_at: datetime | None, asked_again_at: datetime | None = None
) -> FlagReason | None:
    """Of the last of them, with those before it; they are in order. `mailed_at` is None where nothing was mailed.

    `asked_again_at`: when whoever did the last was told that we doubt them. What came before says nothing any more, if
    they took the time to read that.
    """
    known = list(hits)
    last = known[-1]
    recent = [hit for hit in known if last.at - hit.at <= rules.window]
    if asked_again_at is not None and last.at - asked_again_at >= rules.reading:
        recent = [hit for hit in recent if hit.at > asked_again_at]
    if any(hit.is_in_honeypot for hit in recent):
        return FlagReason.HONEYPOT
    if len({hit.linked for hit in recent if hit.linked is not None}) >= rules.link_scores:
        return FlagReason.MANY_LINKS
    if len({hit.sent for hit in recent if hit.sent is not None}) >= rules.sent_scores:
        return FlagReason.MANY_SCORES
    if mailed_at is not None and any(hit.at - mailed_at < rules.soonest for hit in recent):
        return FlagReason.TOO_SOON
    return FlagReason.PROGRAM if last.is_program else None
