"""Answers to tell about, and what telling them comes to."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from app.domain.connectors.catalogue import connector_of
from app.domain.connectors.protocol import Access, Connector, Made, Remembered, Steps
from app.domain.connectors.story import Background, Person, Story
from app.domain.scores.metric import Band
from app.domain.webhooks.attempts import Outcome
from app.outbound.connectors.run import run_steps
from tests.outbound.receivers import NOW, a_client

ADA = Person("rcpt_5", "4711", "ada@example.com", "Ada", {"plan": "pro", "seats": 12})
STORY = Story(
    event_id="evt_00000000000000000000000000000001",
    event_type="response.created",
    response_id="resp_00000000000000000000000000000003",
    revision=1,
    campaign_id="camp_4",
    campaign="After a purchase",
    metric="nps",
    score=3,
    band=Band.DETRACTOR,
    comment="Slow & <b>rude</b>.",
    answered_at=datetime(2026, 11, 22, 10, 15, tzinfo=UTC),
    occasion="order A-1",
    properties={"order": "A-1"},
    person=ADA,
    background=Background(account="Acme & Sons", account_owner="Olga", last_score=9),
)
MOVED = replace(
    STORY, event_id="evt_00000000000000000000000000000002", event_type="response.band_changed", revision=2, score=9,
    band=Band.PROMOTER, previous_score=3, previous_band=Band.DETRACTOR,
)  # fmt: skip
NASTY = "<!channel> <@U1> @here [x](https://evil.example) *b* `c` {{DATE(2026-01-01T00:00:00Z)}} <users/all> \\ 💣"


class Memory:
    """What a worker would have written down."""

    def __init__(self) -> None:
        self.made: dict[str, Made] = {}
        self.access: Access | None = None

    async def keep(self, made: Made | Access) -> None:
        if isinstance(made, Access):
            self.access = made
        else:
            self.made[made.name] = made

    @property
    def remembered(self) -> Remembered:
        return Remembered(dict(self.made), self.access)


async def take(steps: Steps, *, memory: Memory | None = None, deadline_seconds: float = 5.0) -> Outcome:
    keep = (memory or Memory()).keep
    async with a_client() as client:
        return await run_steps(client, steps, keep=keep, now=NOW, deadline_seconds=deadline_seconds)


async def tell(connector: Connector, story: Story = STORY, *, memory: Memory | None = None) -> Outcome:
    memory = memory or Memory()
    if memory.access is None and (logging_in := connector.log_in()) is not None:
        entered = await take(logging_in, memory=memory)
        if memory.access is None:
            return entered
    return await take(connector.tell(story, memory.remembered), memory=memory)


def a_connector(kind: str, **settings: Any) -> Connector:
    return connector_of(kind, settings)
