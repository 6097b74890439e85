"""Whether an endpoint takes what it is sent."""

from pydantic import Field

from app.api.schemas import Instant, Reply
from app.domain.webhooks.attempts import Failure
from app.domain.webhooks.breaker import HealthState


class EndpointHealth(Reply):
    """`failing`: the last attempts failed. `paused`: too many did, so now and then one delivery is sent to find out."""

    state: HealthState
    failures: int = Field(description="In a row.")
    failing_since: Instant | None = Field(description="The first failure since the last success.")
    last_failed_at: Instant | None
    last_failure: Failure | None
    paused_until: Instant | None = Field(description="Then one delivery is sent. What waits counts no attempts.")
