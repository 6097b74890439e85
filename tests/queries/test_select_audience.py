"""Who of an audience is asked: in a fair order, without those whom something holds back."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.db.engine import Engine
from app.domain.audience.audience_json import read_filter
from app.domain.audience.audience_selection import HeldBack, Restraint, Selection
from app.domain.audience.stable_hash import draw
from app.queries.audiences import select_audience
from tests.answers import a_campaign
from tests.conftest import Tenant
from tests.people import SomeAccount, SomeAnswer, SomeAsk, SomeRecipient, a_follow_up, settle

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
Select = Callable[..., Awaitable[Selection]]


def ago(days: int) -> datetime:
    return NOW - timedelta(days=days)


@pytest.fixture
async def campaign_id(engine: Engine, alice: Tenant) -> UUID:
    return await a_campaign(engine, alice.workspace_id)


@pytest.fixture
def select(engine: Engine, alice: Tenant, campaign_id: UUID) -> Select:
    async def selected(document: Any = None, *, among: list[SomeRecipient] | None = None, **options: Any) -> Selection:
        if among:
            await settle(engine, alice.workspace_id, among)
        filter_ = None if document is None else read_filter(document)
        async with engine.read() as tx:
            return await select_audience(
                tx, alice.workspace_id, filter_, **{"campaign_id": campaign_id, "now": NOW, **options}
            )

    return selected


async def test_without_a_filter_everybody_is_asked(select: Select) -> None:
    people = [SomeRecipient() for _ in range(5)]
    found = await select(among=people)
    assert set(found.recipient_ids) == {one.id for one in people}
    assert (found.matched, found.askable, found.excluded, found.left_out) == (5, 5, {}, 0)


async def test_nobody_is_an_answer_too(select: Select) -> None:
    found = await select({"field": "locale", "eq": "eo"}, among=[SomeRecipient()])
    assert (found.recipient_ids, found.matched, found.askable) == ([], 0, 0)


async def test_whoever_was_never_asked_comes_first_and_then_who_was_asked_longest_ago(
    select: Select, engine: Engine, alice: Tenant, campaign_id: UUID
) -> None:
    lately, once = (SomeRecipient(asks=(SomeAsk(campaign_id, ago(days)),)) for days in (30, 300))
    twice = SomeRecipient(asks=(SomeAsk(campaign_id, ago(200)), SomeAsk(campaign_id, ago(400))))
    elsewhere = SomeRecipient(asks=(SomeAsk(await a_campaign(engine, alice.workspace_id), ago(1)),))
    planned = SomeRecipient(asks=(SomeAsk(campaign_id, None),))
    found = await select(among=[lately, once, twice, elsewhere, planned])
    assert set(found.recipient_ids[:2]) == {elsewhere.id, planned.id}
    assert found.recipient_ids[2:] == [once.id, twice.id, lately.id]


async def test_among_equals_a_hash_decides_the_same_one_as_in_python(select: Select, campaign_id: UUID) -> None:
    people = [SomeRecipient() for _ in range(40)]
    found = await select(among=people)
    assert found.recipient_ids == sorted((one.id for one in people), key=lambda one: draw(f"sample:{campaign_id}", one))


async def test_whoever_is_left_out_comes_first_the_next_time(
    select: Select, engine: Engine, alice: Tenant, campaign_id: UUID
) -> None:
    people = [SomeRecipient() for _ in range(10)]
    first = await select(among=people, limit=6)
    assert (len(first.recipient_ids), first.askable, first.left_out) == (6, 10, 4)
    await _ask(engine, alice.workspace_id, campaign_id, first.recipient_ids)
    second = await select(limit=6)
    assert set(second.recipient_ids[:4]) == {one.id for one in people} - set(first.recipient_ids)


async def test_a_limit_of_nobody_only_counts(select: Select) -> None:
    found = await select(among=[SomeRecipient(), SomeRecipient(email=None)], limit=0)
    assert (found.recipient_ids, found.askable) == ([], 1)
    assert found.excluded == {HeldBack.NO_ADDRESS: 1}


async def test_each_reason_is_counted_once_and_the_first_that_applies(select: Select, campaign_id: UUID) -> None:
    found = await select(
        among=[
            SomeRecipient(),
            SomeRecipient(email=None, unsubscribed_at=NOW, bounced_at=NOW),
            SomeRecipient(unsubscribed_at=NOW, bounced_at=NOW),
            SomeRecipient(bounced_at=NOW, complained_at=NOW),
            SomeRecipient(complained_at=NOW, created_at=NOW),
            SomeRecipient(created_at=ago(29)),
            SomeRecipient(account=SomeAccount(renews_on=date(2026, 11, 30))),
            SomeRecipient(email=None, deleted_at=NOW),
        ],
        restraint=Restraint(exclude_newer_than_days=30, hold_renewal_within_days=30),
    )
    assert found.matched == 7
    assert found.askable == 1
    assert found.excluded == dict.fromkeys(
        [
            HeldBack.NO_ADDRESS,
            HeldBack.UNSUBSCRIBED,
            HeldBack.BOUNCED,
            HeldBack.COMPLAINED,
            HeldBack.TOO_NEW,
            HeldBack.RENEWAL_NEAR,
        ],
        1,
    )


async def test_a_link_needs_no_address(select: Select) -> None:
    found = await select(among=[SomeRecipient(email=None), SomeRecipient(bounced_at=NOW)], channel="link")
    assert found.askable == 2


@pytest.mark.parametrize(("renews_in", "is_held"), [(-1, False), (0, True), (30, True), (31, False)])
async def test_a_near_renewal_holds_the_account(select: Select, renews_in: int, is_held: bool) -> None:
    account = SomeAccount(renews_on=date(2026, 11, 22) + timedelta(days=renews_in))
    found = await select(among=[SomeRecipient(account=account)], restraint=Restraint(hold_renewal_within_days=30))
    assert found.excluded == ({HeldBack.RENEWAL_NEAR: 1} if is_held else {})


@pytest.mark.parametrize(("state", "is_held"), [("assigned", True), ("resolved", False), ("open", False)])
async def test_an_answer_that_somebody_looks_after_holds_its_account(
    select: Select, engine: Engine, alice: Tenant, campaign_id: UUID, state: str, is_held: bool
) -> None:
    acme, said = SomeAccount(), SomeAnswer(campaign_id, 3, ago(2))
    people = [SomeRecipient(account=acme, answers=(said,)), SomeRecipient(account=acme)]
    lone = SomeAnswer(campaign_id, 2, ago(1))
    await settle(engine, alice.workspace_id, [*people, SomeRecipient(answers=(lone,)), SomeRecipient()])
    for answer in (said, lone):
        await a_follow_up(engine, alice.workspace_id, answer.id, state)

    found = await select(restraint=Restraint(hold_open_follow_up=True))

    assert found.excluded == ({HeldBack.FOLLOW_UP_OPEN: 3} if is_held else {})
    assert (await select()).askable == 4


async def test_at_most_so_many_of_an_account_are_asked_the_most_deserving_ones(
    select: Select, campaign_id: UUID
) -> None:
    acme, umbrella = SomeAccount(), SomeAccount()
    asked = [SomeRecipient(account=acme, asks=(SomeAsk(campaign_id, ago(days)),)) for days in (10, 20, 30)]
    unreachable = [SomeRecipient(account=acme, email=None) for _ in range(3)]
    others = [SomeRecipient(account=umbrella), *(SomeRecipient() for _ in range(4))]
    found = await select(among=[*asked, *unreachable, *others], restraint=Restraint(most_per_account=2))
    assert set(found.recipient_ids) == {asked[1].id, asked[2].id, *(one.id for one in others)}
    assert found.excluded == {HeldBack.NO_ADDRESS: 3, HeldBack.ACCOUNT_FULL: 1}


@pytest.mark.parametrize(("one_each", "askable"), [(True, 1), (False, 2)])
async def test_who_answered_is_left_alone_where_a_campaign_takes_one_answer(
    select: Select, engine: Engine, alice: Tenant, campaign_id: UUID, one_each: bool, askable: int
) -> None:
    async with engine.write() as tx:
        update = text("UPDATE campaigns SET one_answer_per_recipient = :one_each WHERE id = :id")
        await tx.execute(update, {"one_each": one_each, "id": campaign_id})
    other = await a_campaign(engine, alice.workspace_id)
    found = await select(
        among=[
            SomeRecipient(answers=(SomeAnswer(campaign_id, 9, ago(400)),)),
            SomeRecipient(answers=(SomeAnswer(other, 9, ago(400)),)),
        ]
    )
    assert found.askable == askable


async def test_a_campaign_with_a_list_asks_only_those_on_it(
    select: Select, engine: Engine, alice: Tenant, campaign_id: UUID
) -> None:
    listed, fitting = SomeRecipient(listed_in=(campaign_id,)), SomeRecipient(locale="de")
    other = SomeRecipient(listed_in=(await a_campaign(engine, alice.workspace_id),))
    both = SomeRecipient(locale="de", listed_in=(campaign_id,))
    found = await select(among=[listed, fitting, other, both])
    assert set(found.recipient_ids) == {listed.id, both.id}
    assert (await select({"field": "locale", "eq": "de"})).recipient_ids == [both.id]


async def test_other_workspaces_are_not_asked(select: Select, engine: Engine, charlie: Tenant) -> None:
    await settle(engine, charlie.workspace_id, [SomeRecipient()])
    assert (await select()).matched == 0


async def _ask(engine: Engine, workspace_id: UUID, campaign_id: UUID, recipient_ids: Any) -> None:
    statement = text("""
        INSERT INTO invitations (workspace_id, id, campaign_id, recipient_id, slot, survey_version, asked_at, state)
        SELECT :workspace_id, gen_random_uuid(), :campaign_id, r.id, 'wave', 1, now(), 'sent'
        FROM unnest(CAST(:recipient_ids AS uuid[])) r (id)
    """)
    async with engine.write() as tx:
        keys = {"workspace_id": workspace_id, "campaign_id": campaign_id, "recipient_ids": list(recipient_ids)}
        await tx.execute(statement, keys)
