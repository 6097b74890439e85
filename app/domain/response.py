"""One answer: where it came from, what makes it the same answer, and how much of it may change."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from app.domain.errors import Conflict, NotFound, RuleViolation


class Channel(StrEnum):
    EMAIL = "email"
    SMS = "sms"
    LINK = "link"
    WEB = "web"
    IN_APP = "in_app"
    CHAT = "chat"
    PHONE = "phone"
    KIOSK = "kiosk"
    API = "api"
    IMPORT = "import"
    OTHER = "other"


class IfAnswered(StrEnum):
    REFUSE = "refuse"
    AMEND = "amend"


class Certainty(StrEnum):
    """Whether it was certainly a person: somebody sent it or moved, or the page was only looked at long enough."""

    CONFIRMED = "confirmed"
    PROBABLE = "probable"


class ResponseNotFound(NotFound):
    """There is no such response."""

    code = "response_not_found"


class AlreadyAnswered(Conflict):
    """This person has already given another answer here."""

    code = "already_answered"


class IdempotencyKeyReused(RuleViolation):
    """The Idempotency-Key belongs to another request."""

    code = "idempotency_key_reused"


class ResponseSealed(Conflict):
    """A browser can no longer change this answer."""

    code = "response_sealed"


class ScoreMissing(RuleViolation):
    """No part of this answer with a score is here yet.

    A browser may send an answer in parts, and the first to arrive has the score. Repeat it in every part until one of
    them was acknowledged.
    """

    code = "score_missing"


class AnsweredInTheFuture(RuleViolation):
    """The answer is dated in the future."""

    code = "answered_in_the_future"


CLOCK_SKEW = timedelta(seconds=60)
NEWS_FOR = timedelta(hours=24)  # an older answer is history: it is counted, but nobody is woken for it
BROWSER_MAY_AMEND_FOR = timedelta(hours=24)
IDEMPOTENCY_KEPT_FOR = timedelta(hours=24)


def answered_instant(answered_at: datetime | None, *, now: datetime) -> datetime:
    """`now` where nothing was said, or where the caller's clock is a little fast. Raises `AnsweredInTheFuture`."""
    if answered_at is None:
        return now
    if answered_at > now + CLOCK_SKEW:
        raise AnsweredInTheFuture("answered_at lies in the future.", pointer="/answered_at")
    return min(answered_at, now)


def is_news(answered_at: datetime, *, now: datetime) -> bool:
    return now - answered_at <= NEWS_FOR


def is_same_answer(said: Mapping[str, Any], recorded: Mapping[str, Any]) -> bool:
    """Of a score, a comment, a permission to be contacted, a certainty and answers to further questions.

    Saying nothing about the comment or a question is not another answer: the retry of a call that came before it.
    """
    is_same = said["score"] == recorded["score"] and all(
        said[name] in {None, recorded[name]} for name in ("comment", "may_contact")
    )
    is_as_certain = said["certainty"] == recorded["certainty"] or recorded["certainty"] == Certainty.CONFIRMED
    known = recorded["answers"] or {}
    return is_same and is_as_certain and all(known.get(key) == said for key, said in (said["answers"] or {}).items())
