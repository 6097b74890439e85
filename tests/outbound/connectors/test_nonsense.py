"""Services that say what no service should: it is their failed attempt, and never our trouble."""

import pytest

from app.domain.attempts import LONGEST_WAIT_SECONDS, Failure
from app.domain.connectors.protocol import Failed
from tests.outbound.connectors.service import Said, at
from tests.outbound.connectors.stories import a_connector, tell
from tests.outbound.connectors.test_chat import FakeDiscord

WAITS = {
    "1e999": None, "-1e999": None, "NaN": None, '"soon"': None, "true": None, "[]": None,
    "1e15": LONGEST_WAIT_SECONDS, "1" + "0" * 400: LONGEST_WAIT_SECONDS, "-5": 0, "0.5": 0.5,
}  # fmt: skip


@pytest.mark.parametrize(("said", "seconds"), WAITS.items(), ids=lambda value: str(value)[:8])
async def test_a_wait_is_never_longer_than_a_day_whatever_a_service_asks_for(said: str, seconds: float | None) -> None:
    async with at(FakeDiscord()) as service:
        service.troubles = [Said(429, f'{{"retry_after": {said}}}'.encode())]
        outcome = await tell(a_connector("discord", url=f"{service.url}/api/webhooks/1/secret"))
    assert (outcome.failure, outcome.retry_after_seconds) == (Failure.BAD_STATUS, seconds)


@pytest.mark.parametrize("said", [float("inf"), float("nan"), 1e15, -1, 10**400])
def test_no_connector_can_hand_on_a_wait_that_is_none(said: float) -> None:
    seconds = Failed(Failure.BAD_STATUS, wait_seconds=said).wait_seconds
    assert seconds is None or 0 <= seconds <= LONGEST_WAIT_SECONDS
