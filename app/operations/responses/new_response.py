"""What somebody wants recorded, and what became of it."""

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from app.domain.errors import DomainError
from app.domain.people.recipient import RecipientInput
from app.domain.response import Certainty, Channel, IfAnswered

PART_FIELDS = ("score", "comment", "language", "may_contact")


@dataclass(slots=True)
class NewResponse:
    """`properties` is JSON text. Ids are made before the batch, so that a replayed batch stores the same rows."""

    workspace_id: UUID
    id: UUID
    event_id: UUID
    campaign_id: UUID
    score: int | None  # None: a part of an answer whose score came, or comes, in another part
    channel: Channel
    answered_at: datetime
    received_at: datetime
    recipient_id: UUID | None = None
    recipient: RecipientInput | None = None  # to be created or updated in the same transaction
    comment: str | None = None
    withdraws_comment: bool = False  # that there is, where an answer is changed
    language: str | None = None
    may_contact: bool | None = None
    properties: str = "{}"
    occasion: str | None = None
    invitation_id: UUID | None = None  # never of an anonymous campaign
    asked_version: int | None = None  # of the survey; none means what the campaign asks now
    wave: int = 0
    variant: str | None = None  # counted as a segment of its own
    certainty: Certainty = Certainty.CONFIRMED
    answers: str | None = None  # JSON text: to further questions, by their ids
    import_id: str | None = None
    client_ref: UUID | None = None
    client_sequences: str | None = None  # JSON text: which part each of PART_FIELDS, and each answer, comes from
    client_key_id: UUID | None = None
    idempotency_key: UUID | None = None  # digest of API key, route and Idempotency-Key
    request_digest: UUID | None = None
    is_news: bool = True
    if_answered: IfAnswered = IfAnswered.REFUSE
    actor: str = ""
    told: tuple[str, str] | None = None  # what its event says, in two parts, written while it waits for its batch
    slot: str | None = None  # filled in by the insert, which knows the campaign
    refusal: DomainError | None = None  # unless it is here already; filled in by the insert as well

    def number_part(self, sequence: int) -> None:
        """Of an answer that comes in parts: a later one has a higher number."""
        said = [name for name in PART_FIELDS if getattr(self, name) is not None]
        said += ["comment"] * self.withdraws_comment
        said += map(part_of_answer, json.loads(self.answers or "{}"))
        self.client_sequences = json.dumps(dict.fromkeys(said, sequence))


def part_of_answer(question_id: str) -> str:
    """What an answer to a further question is numbered under."""
    return f"answers.{question_id}"


class What(StrEnum):
    CREATED = "created"
    REPEATED = "repeated"
    AMENDED = "amended"


@dataclass(slots=True)
class Recorded:
    """How it ended, with the response as it now stands."""

    what: What
    id: UUID
    campaign_id: UUID
    survey_version: int
    recipient_id: UUID | None
    channel: str
    score: int
    band: str
    comment: str | None
    answered_at: datetime
    revision: int
