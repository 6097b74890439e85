"""What touchpoints look like from outside."""

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from app.api.problem_models import RowProblem
from app.api.recipient_models import RecipientUpsert
from app.api.schemas import LATEST_YEAR, Instant, Name, Properties, RecipientId, Reply, Request, TouchpointId


class TouchpointCreate(Request):
    name: Name = Field(description="What happened; campaigns ask after it.", examples=["order_delivered"])
    external_id: Name | None = Field(None, description="Yours; the same name and external_id is the same touchpoint.")
    recipient_id: RecipientId | None = Field(None, description="To whom it happened.")
    recipient: RecipientUpsert | None = Field(None, description="Instead: to whom, created or updated along with it.")
    occurred_at: Instant | None = Field(None, description="Now, if left out.")
    properties: Properties = Field({}, description="Of the order, the ticket. Mails may say them.")

    @field_validator("occurred_at", mode="after")
    @classmethod
    def _in_time(cls, value: datetime | None) -> datetime | None:
        """What is planned after it has to be in our time as well: a delay and a lateness of a year each."""
        if value is not None and value.year >= LATEST_YEAR - 3:
            raise ValueError(f"should lie before the year {LATEST_YEAR - 3}")
        return value

    @model_validator(mode="after")
    def _one_person(self) -> Self:
        if (self.recipient_id is None) == (self.recipient is None):
            raise ValueError("give recipient_id or recipient")
        return self


class TouchpointBulk(Request):
    touchpoints: list[Any] = Field(
        min_length=1,
        max_length=500,
        description="Each as in `POST /v1/touchpoints`. One that is rejected does not hold up the others.",
        json_schema_extra={"items": {"$ref": "#/components/schemas/TouchpointCreate"}},
    )


class Touchpoint(Reply):
    id: TouchpointId
    name: str
    external_id: str | None
    recipient_id: RecipientId
    occurred_at: Instant
    properties: dict[str, Any]
    created_at: Instant


class TouchpointRowResult(Reply):
    index: int = Field(description="Its place in the request, from 0.")
    status: int = Field(description="What `POST /v1/touchpoints` would have answered.", examples=[201])
    id: TouchpointId | None = None
    outcome: Literal["created", "repeated"] | None = None
    problem: RowProblem | None = Field(None, description="Where it was rejected.")


class TouchpointBulkReply(Reply):
    created: int
    repeated: int
    rejected: int
    results: list[TouchpointRowResult]
