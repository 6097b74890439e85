"""Whom a filter fits: PostgreSQL and Python agree, whatever is asked of whomever."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.db.engine import Engine
from app.domain import ids
from app.domain.audience.audience import Filter
from app.domain.audience.audience_fields import FIELDS, HISTORY, OPERATORS, About, Kind, Operator
from app.domain.audience.audience_json import read_filter
from app.domain.audience.audience_operands import Present
from app.operations.workspaces import create_workspace
from app.queries.audiences import who_fits
from tests.answers import a_campaign
from tests.judge import matches
from tests.people import SomeAccount, SomeAnswer, SomeAsk, SomeRecipient, as_known, settle

NOW = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)  # already the 23rd in Berlin
DAYS = (-400, -30, -1, 0, 1, 30, 60)
TEXTS = ("pro", "a-1", "Pro", "team", "", "1", "true", "2026-11-23", "2026-11-22T23:45:00Z", "2026-02-31",
         "2026-11-2", "ä%_")  # fmt: skip
NUMBERS = (0, 1, 1.0, -1, 0.1, 10**15, 9e15, 5e-9, 9.5)
VALUES = (*TEXTS, *NUMBERS, True, False)
MOMENTS = ("2026-11-22", "2026-11-23", "2026-11-22T23:30:00Z", "2026-11-23T00:30:00.000001+01:00")
KEYS = ("plan", "a.b", "0", "ключ")


def _maybe(random: Random, *choices: Any) -> Any:
    return random.choice([None, *choices])


def _properties(random: Random) -> dict[str, Any]:
    return {key: random.choice(VALUES) for key in KEYS if random.random() < 0.6}


def _near(random: Random) -> datetime:
    """Often exactly as many days away as filters ask for."""
    exactly = NOW + timedelta(days=random.choice(DAYS))
    return exactly + timedelta(microseconds=random.choice([0, 0, 1, -1, 1_800_000_000]))


def _an_account(random: Random, number: int) -> SomeAccount:
    return SomeAccount(
        external_id=f"a-{number}",
        name=_maybe(random, "pro", "Acme"),
        owner=_maybe(random, "pro", "Grace"),
        tier=_maybe(random, "pro", "team", ""),
        revenue=_maybe(random, Decimal("0.10"), Decimal(1), Decimal("9.50")),
        renews_on=_maybe(random, *(date(2026, 11, 23) + timedelta(days=days) for days in DAYS)),
        properties=_properties(random),
    )


def _a_recipient(random: Random, number: int, campaigns: list[UUID], accounts: list[SomeAccount]) -> SomeRecipient:
    metrics = dict(zip(campaigns, ("nps", "stars"), strict=True))
    answered = random.choices(campaigns, k=random.choice([0, 0, 1, 3]))
    return SomeRecipient(
        email=_maybe(random, f"{number}@pro", f"{number}@example.com"),
        phone=_maybe(random, f"+4930{number:06}"),
        locale=_maybe(random, "pro", "de-AT"),
        time_zone=_maybe(random, "pro", "Europe/Berlin"),
        created_at=_near(random),
        unsubscribed_at=_maybe(random, _near(random)),
        asked_at=_maybe(random, _near(random)),
        properties=_properties(random),
        account=_maybe(random, *accounts),
        answers=tuple(
            SomeAnswer(one, random.choice([1, 4, 5]), _near(random), metrics[one], random.random() < 0.2)
            for one in answered
        ),
        asks=tuple(SomeAsk(one, _maybe(random, _near(random))) for one in campaigns if random.random() < 0.4),
        listed_in=tuple(one for one in campaigns if random.random() < 0.4),
    )


def operands(operator: Operator, name: str, kind: Kind) -> list[Any]:
    """What this operator may be given, some of which tells these people apart."""
    values: dict[Kind, Sequence[Any]] = {Kind.TEXT: TEXTS, Kind.NUMBER: NUMBERS, Kind.FLAG: (True, False)}
    value = ["promoter", "detractor"] if name == "last_band" else list(values.get(kind, VALUES))
    match operator:
        case Operator.EXISTS:
            return [True, False]
        case Operator.EQ | Operator.NE:
            return value
        case Operator.IN:
            return [[one, another] for one in value for another in value[:3]]
        case Operator.SINCE | Operator.BEFORE:
            return [*({"days": days} for days in DAYS), *MOMENTS]
        case Operator.CONTAINS | Operator.STARTS_WITH:
            return ["p", "r", "d", "pro", "P", "%", "_", "ä", "a-", "2026-11-2"]
    return list(NUMBERS)


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    name = draw(st.sampled_from([*FIELDS[About.PEOPLE], "properties.", "properties.", "account.properties."]))
    kind = FIELDS[About.PEOPLE].get(name, Kind.ANY)
    asked = draw(st.lists(st.sampled_from(sorted(OPERATORS[kind])), min_size=1, max_size=2, unique=True))
    said = {operator.value: draw(st.sampled_from(operands(operator, name, kind))) for operator in asked}
    if name == "is_listed" or (name in HISTORY and draw(st.booleans())):
        said["campaign_id"] = draw(st.sampled_from(["first", "second"]))
    return {"field": f"{name}{draw(st.sampled_from(KEYS))}" if kind is Kind.ANY else name, **said}


filters = st.recursive(
    conditions(),
    lambda inner: st.one_of(
        st.builds(lambda member: {"not": member}, inner),
        st.builds(lambda members: {"all": members}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda members: {"any": members}, st.lists(inner, min_size=1, max_size=3)),
    ),
    max_leaves=6,
)


class World:
    """No dataclass: Hypothesis prints those with all that is in them, and this would be a book."""

    def __init__(self, workspace_id: UUID, campaigns: Mapping[str, str], people: Sequence[SomeRecipient]) -> None:
        """`campaigns`: their ids by the names that filters have for them here."""
        self.workspace_id, self.campaigns, self.people = workspace_id, campaigns, people

    async def fitting(self, engine: Engine, filter_: Filter) -> set[UUID]:
        async with engine.read() as tx:
            return await who_fits(tx, self.workspace_id, filter_, [one.id for one in self.people], now=NOW)


@pytest.fixture(scope="module")
async def world(engine: Engine) -> World:
    """A hundred and twenty people of every kind, as the tests below ask about them."""
    random = Random(4)
    async with engine.write() as tx:
        workspace_id = (await create_workspace(tx, "Alice", time_zone="Europe/Berlin", now=NOW)).live_id
    campaigns = [await a_campaign(engine, workspace_id, metric=metric) for metric in ("nps", "stars")]
    accounts = [_an_account(random, number) for number in range(20)]
    people = [_a_recipient(random, number, campaigns, accounts) for number in range(120)]
    await settle(engine, workspace_id, people)
    shown = [ids.shown("campaign", one) for one in campaigns]
    return World(workspace_id, dict(zip(("first", "second"), shown, strict=True)), people)


def _named(document: Any, campaigns: Mapping[str, str]) -> Any:
    """With the ids of the campaigns."""
    match document:
        case Mapping():
            named = {name: _named(member, campaigns) for name, member in document.items()}
            return {**named, "campaign_id": campaigns[named["campaign_id"]]} if "campaign_id" in named else named
        case list():
            return [_named(member, campaigns) for member in document]
    return document


@settings(
    max_examples=60,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
@given(documents=st.lists(filters, min_size=5, max_size=5))
async def test_postgresql_and_python_find_the_same_people(engine: Engine, world: World, documents: list[Any]) -> None:
    present = Present(NOW, ZoneInfo("Europe/Berlin"))
    for document in documents:
        filter_ = read_filter(_named(document, world.campaigns))
        expected = {one.id for one in world.people if matches(filter_, as_known(one), present)}
        assert await world.fitting(engine, filter_) == expected, document


ALWAYS_THERE = {name: {Operator.EXISTS} for name in ("created_at", "asked_count", "answer_count")}
EVERY_FIELD = [*FIELDS[About.PEOPLE], "properties.plan", "account.properties.a.b"]


@pytest.mark.parametrize("name", EVERY_FIELD)
async def test_every_operator_tells_these_people_apart(engine: Engine, world: World, name: str) -> None:
    """Or else the test above would compare nobody with nobody."""
    kind = FIELDS[About.PEOPLE].get(name, Kind.ANY)
    in_campaign = {"campaign_id": world.campaigns["first"]} if name == "is_listed" else {}
    for operator in OPERATORS[kind] - ALWAYS_THERE.get(name, set()):
        counts = set()
        for operand in operands(operator, name, kind):
            fit = await world.fitting(engine, read_filter({"field": name, operator.value: operand, **in_campaign}))
            counts.add(len(fit))
        assert counts - {0, len(world.people)}, operator
