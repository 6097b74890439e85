"""One mail to one person: everything that is written in it and round it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from app.domain.people.mailbox import ascii_domain
from app.domain.scores.metric import Metric
from app.domain.survey.brand import Brand

LONGEST_UNSUBSCRIBE_URL = 76  # characters; longer ones get broken on the way, and the one click with them
UNSUBSCRIBE_PATH_CHARACTERS = len("/u/") + 22
LONGEST_PUBLIC_URL = LONGEST_UNSUBSCRIBE_URL - UNSUBSCRIBE_PATH_CHARACTERS


class Purpose(StrEnum):
    FIRST = "first"
    REMINDER = "reminder"
    TEST = "test"  # looked at by whoever makes the campaign; never counted
    NOTICE = "notice"  # to the operator


@dataclass(frozen=True, slots=True)
class Mailbox:
    email: str
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """Texts are filled in already. `language` is the one they are in; the mail's fixed words follow it."""

    message_id: UUID
    purpose: Purpose
    to: Mailbox
    sender: Mailbox
    reply_to: Mailbox | None = None
    envelope_sender: str  # where bounces go: `verp_address`, or the sender's own
    sent_at: datetime
    feedback_ids: tuple[str, ...] = ()  # of campaign, workspace: what a provider groups complaints by
    language: str
    subject: str
    intro: str | None = None  # paragraphs are divided by empty lines
    question: str
    metric: Metric
    lowest_label: str | None = None  # none: the metric's own, in the mail's language
    highest_label: str | None = None
    survey_url: str  # a score is added as ?score=n
    unsubscribe_url: str  # a page, and what takes the one click of RFC 8058
    leave_url: str | None = None  # of a test: a page that shows what the other would, and is too long for a header
    brand: Brand
    logo_url: str | None = None  # where the brand's logo is
    has_honeypot: bool = False  # a link that nobody sees, which scanners follow

    def score_url(self, score: int) -> str:
        return f"{self.survey_url}?score={score}"


def verp_address(bounce_address: str, message_id: UUID) -> str:
    """Of bounces@example.com: bounces+{message}@example.com, so that a bounce says which mail it is about."""
    local, _, domain = bounce_address.rpartition("@")
    return f"{local}+{message_id.hex}@{domain}"


def message_of(address: str) -> UUID | None:
    """The other way round."""
    mark = address.rpartition("@")[0].rpartition("+")[2]
    try:
        return UUID(hex=mark) if len(mark) == 32 else None
    except ValueError:
        return None


def wire_address(address: str) -> str:
    """As mail servers want it: the domain in ASCII. A local part that is not ASCII stays so, and needs SMTPUTF8."""
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain if domain.isascii() else ascii_domain(domain)}"
