"""The simulated workspace and everything that happens in it without us: orders, exams, answers, people who leave."""

import heapq
from collections import defaultdict
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import insert, text

from app.db.engine import Engine, Tx
from app.db.identifiers import new_id
from app.db.statements import fetch
from app.db.tables import campaigns, recipients, survey_versions
from app.domain.asking.asking import Asking
from app.domain.asking.touchpoint import NewTouchpoint
from app.domain.campaign import CampaignMove
from app.domain.survey.survey import Survey
from app.operations.campaigns import move_campaign
from app.operations.touchpoints import record_touchpoints
from app.operations.workspaces import create_workspace
from tests.simulation.campaigns import (
    CAMPAIGNS,
    HOME,
    PAUSED,
    PAUSED_FROM,
    PAUSED_UNTIL,
    QUARANTINE_DAYS,
    START,
    Planned,
)

ZONES = (None, "Europe/Berlin", "America/New_York", "America/Los_Angeles", "Asia/Kolkata", "Australia/Lord_Howe",
         "Pacific/Auckland", "Africa/Casablanca")  # fmt: skip
DOMAINS = ("big.example", "big.example", "big.example", "mail.example", "own.example")
PLANS = ("free", "pro", "team")

ORDERS_PER_DAY = 0.03  # of all people
RETURNED = 0.15  # of all orders
ANSWERED = 0.3  # of all mails
UNSUBSCRIBED = 0.004

TOLD_AT_ONCE = 500  # touchpoints, as many as the API takes

Event: TypeAlias = Callable[[Tx, datetime], Coroutine[Any, Any, None]]


@dataclass(frozen=True)
class Someone:
    id: UUID
    zone: str | None
    plan: str
    domain: str


class World:
    """`due` holds what will happen, by when."""

    def __init__(self, engine: Engine, *, people: int, days: int, seed: int) -> None:
        self.engine, self.chance = engine, Random(f"world:{seed}")
        self.ends_at = START + timedelta(days=days)
        self.count = people
        # A heap; the number keeps the order of what is due together.
        self.due: list[tuple[datetime, int, Event | NewTouchpoint]] = []
        self.happenings = 0
        self.people: dict[UUID, Someone] = {}
        self.askings: dict[UUID, Asking] = {}
        self.names: dict[UUID, str] = {}
        self.moved_at: dict[CampaignMove, datetime] = {}
        self.answered_at: dict[UUID, datetime] = {}  # by invitation
        self.unsubscribed_at: dict[UUID, datetime] = {}
        self.bounced_at: dict[UUID, datetime] = {}
        self.returned_at: dict[str, datetime] = {}  # by order
        self.exams: dict[UUID, list[tuple[datetime, str]]] = defaultdict(list)  # since when, on which day

    async def begin(self) -> None:
        async with self.engine.write() as tx:
            self.workspace_id = (await create_workspace(tx, "Simulated", time_zone=HOME, now=START)).live_id
            await tx.execute(
                text("UPDATE workspaces SET quarantine_days = :days WHERE id = :id"),
                {"days": QUARANTINE_DAYS, "id": self.workspace_id},
            )
            await tx.execute(insert(recipients), [self._somebody(number) for number in range(self.count)])
            for planned in CAMPAIGNS:
                await self._launch(tx, planned)
            for campaign_id, name in self.names.items():
                if name == PAUSED:
                    self._at(PAUSED_FROM, self._move(campaign_id, CampaignMove.PAUSE))
                    self._at(PAUSED_UNTIL, self._move(campaign_id, CampaignMove.RESUME))
        self._order_and_return()
        self._move_exams()

    def _move(self, campaign_id: UUID, move: CampaignMove) -> Event:
        async def happen(tx: Tx, now: datetime) -> None:
            await move_campaign(tx, self.workspace_id, campaign_id, move, now=now)
            self.moved_at[move] = now

        return happen

    def _somebody(self, number: int) -> dict[str, Any]:
        zone, plan, domain = (self.chance.choice(kinds) for kinds in (ZONES, PLANS, DOMAINS))
        person = Someone(new_id(START), zone, plan, domain)
        self.people[person.id] = person
        return {
            "workspace_id": self.workspace_id, "id": person.id, "email": f"person-{number}@{domain}",
            "time_zone": zone, "created_at": START - timedelta(days=self.chance.randrange(5, 400)),
            "properties": self._properties(person), "external_id": f"person-{number}",
        }  # fmt: skip

    def _properties(self, person: Someone) -> dict[str, str]:
        if self.chance.random() > 0.25:
            return {"plan": person.plan}
        day = (START + timedelta(days=self.chance.randrange(1, (self.ends_at - START).days))).date().isoformat()
        self.exams[person.id].append((START, day))
        return {"plan": person.plan, "exam_on": day}

    async def _launch(self, tx: Tx, planned: Planned) -> None:
        begins_at, campaign_id = START + planned.after, new_id(START)
        asking = Asking.from_json(planned.asking)
        self.askings[campaign_id], self.names[campaign_id] = asking, planned.name
        content = Survey("en", ("en",), {"en": "How likely are you to recommend us?"}).to_json()
        await tx.execute(
            insert(campaigns).values(
                workspace_id=self.workspace_id, id=campaign_id, name=planned.name, kind="relationship", metric="nps",
                state="running", asking=asking.to_json(), plan_due_at=begins_at, launched_at=begins_at,
                created_at=START,
            )
        )  # fmt: skip
        await tx.execute(
            insert(survey_versions).values(
                workspace_id=self.workspace_id, campaign_id=campaign_id, version=1, change="first",
                default_language="en", languages=["en"], content=content,
            )
        )  # fmt: skip

    def _order_and_return(self) -> None:
        days = (self.ends_at - START).days
        everybody = list(self.people)
        for number in range(round(ORDERS_PER_DAY * days * len(everybody))):
            ordered_at = START + timedelta(seconds=self.chance.randrange(days * 86_400))
            person, key = self.chance.choice(everybody), f"order-{number}"
            told_at = ordered_at + timedelta(minutes=self.chance.randrange(90))
            self._at(told_at, NewTouchpoint(person, "order_delivered", ordered_at, key))
            if self.chance.random() < RETURNED:
                returned_at = told_at + timedelta(hours=self.chance.randrange(1, 400))
                self._at(returned_at, NewTouchpoint(person, "order_returned", returned_at, key))

    def _move_exams(self) -> None:
        for person in [who for who in self.exams if self.chance.random() < 0.4]:
            days = self.chance.randrange((self.ends_at - START).days - 10)
            moves_at = START + timedelta(days=days, hours=self.chance.randrange(24))
            day = (moves_at + timedelta(days=self.chance.randrange(-3, 15))).date().isoformat()
            self._at(moves_at, self._move_exam(person, day))

    def _move_exam(self, person: UUID, day: str) -> Event:
        async def happen(tx: Tx, now: datetime) -> None:
            await fetch(tx, _MOVE_EXAM, self.workspace_id, person, day)
            self.exams[person].append((now, day))

        return happen

    def reads(self, invitation_id: UUID, person: UUID, now: datetime) -> None:
        """Somebody got a mail: perhaps they answer it, perhaps they want no more of them."""
        luck = self.chance.random()
        later = now + timedelta(minutes=self.chance.randrange(5, 8 * 24 * 60))
        if luck < ANSWERED:
            self._at(later, self._answer(invitation_id))
        elif luck < ANSWERED + UNSUBSCRIBED:
            self._at(later, self._unsubscribe(person))

    def _answer(self, invitation_id: UUID) -> Event:
        score = self.chance.randrange(11)

        async def happen(tx: Tx, now: datetime) -> None:
            if await fetch(tx, _ANSWER, self.workspace_id, invitation_id, new_id(now), score, now):
                self.answered_at.setdefault(invitation_id, now)

        return happen

    def _unsubscribe(self, person: UUID) -> Event:
        async def happen(tx: Tx, now: datetime) -> None:
            await fetch(tx, _UNSUBSCRIBE, self.workspace_id, person, now)
            self.unsubscribed_at.setdefault(person, now)

        return happen

    def _at(self, when: datetime, event: Event | NewTouchpoint) -> None:
        self.happenings += 1
        heapq.heappush(self.due, (when, self.happenings, event))

    def next_at(self) -> datetime:
        return self.due[0][0] if self.due else self.ends_at

    async def goes_on(self, now: datetime) -> None:
        """Whatever is due by now, each in a transaction of its own, beside the workers; orders all at once."""
        told: list[NewTouchpoint] = []
        while self.due and self.due[0][0] <= now:
            _, _, event = heapq.heappop(self.due)
            if isinstance(event, NewTouchpoint):
                told.append(event)
                continue
            async with self.engine.write() as tx:
                await event(tx, now)
        await self._tell(told, now)

    async def _tell(self, told: list[NewTouchpoint], now: datetime) -> None:
        """As a shop does that gathers its news, and says everything twice."""
        self.returned_at |= {one.external_id or "": now for one in told if one.name == "order_returned"}
        for begin in range(0, len(told), TOLD_AT_ONCE):
            for _ in range(2):
                async with self.engine.write() as tx:
                    await record_touchpoints(tx, self.workspace_id, told[begin : begin + TOLD_AT_ONCE], now=now)

    async def rows(self, query: str, **parameters: Any) -> list[Mapping[str, Any]]:
        async with self.engine.read() as tx:
            found = await tx.execute(text(query), {"workspace_id": self.workspace_id, **parameters})
            return [dict(row) for row in found.mappings()]


_MOVE_EXAM = """
    UPDATE recipients SET properties = properties || jsonb_build_object('exam_on', $3::text)
    WHERE workspace_id = $1 AND id = $2
"""
_UNSUBSCRIBE = "UPDATE recipients SET unsubscribed_at = $3 WHERE workspace_id = $1 AND id = $2"
# As recording does it: the answer, and its invitation, at once.
_ANSWER = """
    WITH answered AS (
        UPDATE invitations SET state = 'answered', answered_at = $5, due_at = NULL, response_id = $3
        WHERE workspace_id = $1 AND id = $2 AND response_id IS NULL
        RETURNING workspace_id, id, campaign_id, recipient_id, survey_version, wave
    )
    INSERT INTO responses (workspace_id, id, campaign_id, survey_version, recipient_id, invitation_id, wave, slot,
        channel, score, counted_on, answered_at)
    SELECT workspace_id, $3, campaign_id, survey_version, recipient_id, id, wave, 'invitation:' || id, 'email', $4,
        ($5::timestamptz)::date, $5
    FROM answered RETURNING id
"""
