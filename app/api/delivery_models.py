"""What deliveries and their attempts look like."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from app.api.schemas import DeliveryId, EndpointId, EventId, Instant, Reply
from app.domain.webhooks.attempts import Failure, head_text
from app.domain.webhooks.delivery import DeliveryState
from app.queries.api_keys import Caller


class Delivery(Reply):
    """One event for one endpoint."""

    id: DeliveryId
    event_id: EventId = Field(description="Also the `webhook-id` of every attempt.")
    event_type: str | None = Field(description="Null when the event is no longer kept.", examples=["response.created"])
    endpoint_id: EndpointId
    state: DeliveryState
    attempt_count: int = Field(description="Attempts made so far.")
    next_attempt_at: Instant | None = Field(
        description="While it is pending, no attempt is under way and the endpoint is not disabled. Where the endpoint "
        "is paused, not before `paused_until`, when a single delivery is sent to find out."
    )
    last_status: int | None
    last_failure: Failure | None
    last_failure_hint: str | None = Field(description="What to do about it.")
    created_at: Instant
    finished_at: Instant | None

    @classmethod
    def fields_of(cls, row: Mapping[Any, Any]) -> dict[str, Any]:
        failure = Failure(row["last_failure"]) if row["last_failure"] else None
        own = {name: row[name] for name in Delivery.model_fields if name in row}
        return {
            **own,
            "attempt_count": row["attempts"],
            "last_failure": failure,
            "last_failure_hint": failure.hint if failure else None,
        }


class DeliveryAttempt(Reply):
    number: int
    started_at: Instant
    duration_ms: int
    status: int | None = Field(description="Null when no answer came.")
    failure: Failure | None = Field(description="Null when it was delivered.")
    request_head: str | None = Field(
        description="Where it went, without the query. Where it failed, also its headers, values that may be secret "
        "masked, and the beginning of its body; of a connector never more than the host. Null without the scope "
        "`events:read`.",
        examples=["POST https://hooks.example.com/zeroten"],
    )
    reply_head: str = Field(description="The beginning of the receiver's answer.")

    @classmethod
    def of(cls, row: Mapping[Any, Any], *, caller: Caller) -> "DeliveryAttempt":
        request_head = row["request_head"] if caller.may("events:read") else None
        return cls.model_validate({**row, "request_head": request_head, "reply_head": head_text(row["reply_head"])})


class DeliveryWithAttempts(Delivery):
    attempts: list[DeliveryAttempt] = Field(description="The last hundred, oldest first.")


def delivery_of(row: Mapping[Any, Any]) -> Delivery:
    return Delivery(**Delivery.fields_of(row))


def delivery_with_attempts(row: Mapping[Any, Any], *, caller: Caller) -> DeliveryWithAttempts:
    attempts = [DeliveryAttempt.of(attempt, caller=caller) for attempt in row["made"]]
    return DeliveryWithAttempts(**Delivery.fields_of(row), attempts=attempts)
