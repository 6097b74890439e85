"""People, their accounts and their history straight into the tables, for tests of whom a filter fits."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert, update

from app.db.engine import Engine
from app.db.tables import accounts, campaign_recipients, campaigns, follow_ups, invitations, recipients, responses
from app.domain.scores.metric import METRICS
from tests.judge import Person

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class SomeAccount:
    id: UUID = field(default_factory=uuid4)
    external_id: str = field(default_factory=lambda: uuid4().hex)
    name: str | None = None
    owner: str | None = None
    tier: str | None = None
    revenue: Decimal | None = None
    renews_on: date | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SomeAnswer:
    campaign_id: UUID
    score: int
    answered_at: datetime
    metric: str = "nps"
    is_excluded: bool = False
    answers: Mapping[str, Any] | None = None  # to further questions
    id: UUID = field(default_factory=uuid4)


@dataclass(frozen=True)
class SomeAsk:
    campaign_id: UUID
    asked_at: datetime | None


@dataclass(frozen=True)
class SomeRecipient:
    id: UUID = field(default_factory=uuid4)
    email: str | None = field(default_factory=lambda: f"{uuid4().hex}@example.com")
    phone: str | None = None
    locale: str | None = None
    time_zone: str | None = None
    created_at: datetime = LONG_AGO
    unsubscribed_at: datetime | None = None
    bounced_at: datetime | None = None
    complained_at: datetime | None = None
    asked_at: datetime | None = None
    deleted_at: datetime | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    account: SomeAccount | None = None
    answers: tuple[SomeAnswer, ...] = ()
    asks: tuple[SomeAsk, ...] = ()
    listed_in: tuple[UUID, ...] = ()


async def settle(engine: Engine, workspace_id: UUID, people: Iterable[SomeRecipient]) -> None:
    people = list(people)
    named = {one.account.id: one.account for one in people if one.account}
    rows = {
        accounts: [_columns(account, accounts) for account in named.values()],
        recipients: [
            {**_columns(one, recipients), "account_id": one.account.id if one.account else None} for one in people
        ],
        campaign_recipients: [
            {"recipient_id": one.id, "campaign_id": listed} for one in people for listed in one.listed_in
        ],
        responses: [_answer(one, said) for one in people for said in one.answers],
        invitations: [_invitation(one, ask) for one in people for ask in one.asks],
    }
    async with engine.write() as tx:
        for table, members in rows.items():
            if members:
                await tx.execute(insert(table), [{"workspace_id": workspace_id, **member} for member in members])
        listed = {campaign_id for one in people for campaign_id in one.listed_in}
        await tx.execute(update(campaigns).where(campaigns.c.id.in_(listed)).values(has_list=True))


async def a_follow_up(engine: Engine, workspace_id: UUID, response_id: UUID, state: str) -> None:
    """Open ones have no row."""
    resolved_at = LONG_AGO if state == "resolved" else None
    row = {"response_id": response_id, "state": state, "changed_by": "grace", "changed_at": LONG_AGO}
    if state != "open":
        async with engine.write() as tx:
            await tx.execute(insert(follow_ups), {"workspace_id": workspace_id, **row, "resolved_at": resolved_at})


def _columns(one: Any, table: Any) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__dataclass_fields__ if name in table.c}


def _answer(one: SomeRecipient, said: SomeAnswer) -> dict[str, Any]:
    return {
        "id": said.id, "campaign_id": said.campaign_id, "survey_version": 1, "recipient_id": one.id,
        "slot": f"response:{said.id}", "channel": "email", "score": said.score, "answered_at": said.answered_at,
        "counted_on": said.answered_at.date(), "excluded_at": said.answered_at if said.is_excluded else None,
        "recipient_properties": dict(one.properties), "answers": said.answers,
    }  # fmt: skip


def _invitation(one: SomeRecipient, ask: SomeAsk) -> dict[str, Any]:
    return {
        "id": uuid4(), "campaign_id": ask.campaign_id, "recipient_id": one.id, "slot": uuid4().hex,
        "survey_version": 1, "asked_at": ask.asked_at, "state": "sent" if ask.asked_at else "planned",
    }  # fmt: skip


def as_known(one: SomeRecipient) -> Person:
    """To filters."""
    campaigns = {said.campaign_id for said in one.answers} | {ask.campaign_id for ask in one.asks} | {*one.listed_in}
    fields = {name: getattr(one, name) for name in ("email", "phone", "locale", "time_zone", "created_at")}
    account = {f"account.{name}": getattr(one.account, name) for name in ACCOUNT_FIELDS} if one.account else {}
    return Person(
        fields={
            **fields,
            **account,
            "unsubscribed_at": one.unsubscribed_at,
            "email_domain": one.email.partition("@")[2] if one.email else None,
        },
        properties=one.properties,
        account_properties=one.account.properties if one.account else {},
        history={campaign_id: _history(one, campaign_id) for campaign_id in (None, *campaigns)},
    )


ACCOUNT_FIELDS = ("external_id", "name", "owner", "tier", "revenue", "renews_on")


def _history(one: SomeRecipient, campaign_id: UUID | None) -> dict[str, Any]:
    answers = [said for said in one.answers if campaign_id in {None, said.campaign_id} and not said.is_excluded]
    asks = [ask.asked_at for ask in one.asks if campaign_id in {None, ask.campaign_id} and ask.asked_at]
    last = max(answers, key=lambda said: (said.answered_at, said.id), default=None)
    return {
        "last_asked_at": one.asked_at if campaign_id is None else max(asks, default=None),
        "asked_count": len(asks),
        "last_answered_at": last and last.answered_at,
        "last_score": last and last.score,
        "last_band": last and METRICS[last.metric].band_for(last.score),
        "answer_count": len(answers),
        "is_listed": campaign_id in one.listed_in,
    }
