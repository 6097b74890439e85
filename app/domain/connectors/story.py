"""An answer as somebody wants to hear about it: who, with which account, what they said, and what they said before."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.domain.follow_up import FollowUp
from app.domain.scores.metric import METRICS, Band

SHOWN_PROPERTIES = ("plan", "tier", "country")  # of the recipient, where they have them


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    external_id: str | None = None
    email: str | None = None
    name: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Background:
    """What the event does not say: it is looked up when it is told."""

    account: str | None = None
    account_owner: str | None = None
    last_score: int | None = None  # the person's answer before this one, in the same campaign
    score_before: int | None = None  # the same answer's, before it last got another
    follow_up: FollowUp | None = None  # none while nobody looks after it
    is_overtaken: bool = False  # they have answered again since, which this endpoint was told


@dataclass(frozen=True, slots=True)
class Story:
    event_id: str
    event_type: str
    response_id: str
    revision: int
    campaign_id: str
    campaign: str
    metric: str
    score: int
    band: Band
    comment: str | None
    answered_at: datetime
    occasion: str | None
    properties: Mapping[str, Any]
    person: Person | None
    previous_score: int | None = None  # of the same answer, before it was changed
    previous_band: Band | None = None
    is_live: bool = True
    background: Background = Background()

    @property
    def moved(self) -> bool:
        """Whether the answer was in another band before."""
        return self.previous_band is not None and self.previous_band is not self.band

    @property
    def is_over(self) -> bool:
        """Whether there is nothing to look after any more."""
        return self.moved and self.band is not Band.DETRACTOR

    @property
    def best_score(self) -> int:
        return METRICS[self.metric].highest

    @property
    def email(self) -> str | None:
        return self.person.email if self.person else None

    @property
    def names(self) -> tuple[str, str]:
        """First and last, each empty where it is not known; a single word is the first."""
        *first, last = (self.person.name if self.person and self.person.name else "").split() or [""]
        return (" ".join(first), last) if first else (last, "")

    @property
    def who(self) -> str:
        if self.person is None:
            return "Somebody"
        known = self.person.name or self.person.email or self.person.external_id
        return known or "Somebody"


def read_story(
    data: Mapping[str, Any], *, event_id: str, event_type: str, is_live: bool, background: Background
) -> Story | None:
    """None of an answer whose person was erased: there is nobody left to tell about."""
    if data.get("redacted") or "score" not in data.get("response", {}):
        return None
    answer, campaign, previous = data["response"], data["campaign"], data.get("previous") or {}
    return Story(
        event_id=event_id,
        event_type=event_type,
        response_id=answer["id"],
        revision=answer["revision"],
        campaign_id=campaign["id"],
        campaign=campaign["name"],
        metric=campaign["metric"],
        score=answer["score"],
        band=Band(answer["band"]),
        comment=answer["comment"],
        answered_at=datetime.fromisoformat(answer["answered_at"]),
        occasion=answer["occasion"],
        properties=answer["properties"],
        person=_person(data.get("recipient")),
        previous_score=previous.get("score"),
        previous_band=Band(previous["band"]) if "band" in previous else None,
        is_live=is_live,
        background=background,
    )


def _person(recipient: Mapping[str, Any] | None) -> Person | None:
    if not recipient:
        return None
    return Person(
        recipient["id"],
        recipient.get("external_id"),
        recipient.get("email"),
        recipient.get("name"),
        recipient.get("properties") or {},
    )
