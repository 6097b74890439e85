import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from app.db.engine import Engine
from app.domain.people.account import normalised_account
from app.domain.people.identity import IdentityConflict
from app.domain.people.recipient import RecipientInput, RecipientNotFound, RecipientUnidentified, normalised
from app.domain.people.upserted import Change, Upserted
from app.operations.recipient_rows import read_people, update_changed
from app.operations.recipients import upsert_recipients
from tests.conftest import Tenant

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
KEY = b"k" * 32


def said(tenant: Tenant, *, recipient_id: UUID | None = None, **fields: Any) -> RecipientInput:
    return RecipientInput(tenant.workspace_id, normalised(fields), recipient_id)


async def upsert(engine: Engine, *rows: RecipientInput, now: datetime = NOW) -> list[Any]:
    async with engine.write() as tx:
        return await upsert_recipients(tx, rows, now=now, hmac_key=KEY)


async def people(engine: Engine, tenant: Tenant) -> list[dict[str, Any]]:
    async with engine.read() as tx:
        rows = await tx.execute(
            text("SELECT * FROM recipients WHERE workspace_id = :w ORDER BY id"), {"w": tenant.workspace_id}
        )
        return [dict(row) for row in rows.mappings()]


async def test_a_stranger_with_the_same_address_is_another_person(
    engine: Engine, alice: Tenant, charlie: Tenant
) -> None:
    hers, his = await upsert(engine, said(alice, email="ada@example.com"), said(charlie, email="ada@example.com"))
    assert (hers.change, his.change) == (Change.CREATED, Change.CREATED)
    assert hers.id != his.id
    assert [person["id"] for person in await people(engine, alice)] == [hers.id]


async def test_a_strangers_id_means_nobody(engine: Engine, alice: Tenant, charlie: Tenant) -> None:
    (his,) = await upsert(engine, said(charlie, email="ada@example.com"))
    (outcome,) = await upsert(engine, said(alice, recipient_id=his.id, name="Mine"))
    assert isinstance(outcome, RecipientNotFound)


async def test_only_the_fields_given_change(engine: Engine, alice: Tenant) -> None:
    await upsert(engine, said(alice, external_id="a", name="Ada", locale="en", properties={"plan": "pro", "seats": 3}))
    later = NOW + timedelta(hours=1)
    await upsert(engine, said(alice, external_id="a", locale=None, properties={"plan": None, "tier": 1}), now=later)
    (ada,) = await people(engine, alice)
    assert (ada["name"], ada["locale"], ada["properties"]) == ("Ada", None, {"seats": 3, "tier": 1})
    assert (ada["revision"], ada["created_at"], ada["updated_at"]) == (2, NOW, later)


async def test_saying_the_same_again_writes_nothing(engine: Engine, alice: Tenant) -> None:
    row = said(alice, external_id="a", email="ada@example.com", properties={"seats": 1})
    await upsert(engine, row)
    before = await people(engine, alice)
    (outcome,) = await upsert(engine, row, now=NOW + timedelta(hours=1))
    assert outcome == Upserted(before[0]["id"], Change.UNCHANGED)
    assert await people(engine, alice) == before


async def test_true_and_one_are_different_values(engine: Engine, alice: Tenant) -> None:
    await upsert(engine, said(alice, external_id="a", properties={"seats": 1}))
    (outcome,) = await upsert(engine, said(alice, external_id="a", properties={"seats": True}))
    assert outcome.change is Change.UPDATED
    assert (await people(engine, alice))[0]["properties"]["seats"] is True


async def test_identifiers_of_two_people_are_a_conflict_that_names_both(engine: Engine, alice: Tenant) -> None:
    one, two = await upsert(engine, said(alice, external_id="a"), said(alice, email="b@example.com"))
    before = await people(engine, alice)
    (outcome,) = await upsert(engine, said(alice, external_id="a", email="b@example.com", name="Both"))
    assert isinstance(outcome, IdentityConflict)
    assert outcome.members["recipients"] == sorted([f"rcpt_{one.id.hex}", f"rcpt_{two.id.hex}"])
    assert await people(engine, alice) == before


async def test_an_address_does_not_give_its_owner_another_external_id(engine: Engine, alice: Tenant) -> None:
    await upsert(engine, said(alice, external_id="a", email="info@example.com"))
    (outcome,) = await upsert(engine, said(alice, external_id="b", email="info@example.com"))
    assert isinstance(outcome, IdentityConflict)
    assert [person["external_id"] for person in await people(engine, alice)] == ["a"]


async def test_a_person_known_by_id_may_get_another_external_id(engine: Engine, alice: Tenant) -> None:
    (made,) = await upsert(engine, said(alice, external_id="a"))
    await upsert(engine, said(alice, recipient_id=made.id, external_id="b"))
    assert [person["external_id"] for person in await people(engine, alice)] == ["b"]


async def test_nobody_is_left_without_an_identifier(engine: Engine, alice: Tenant) -> None:
    (made,) = await upsert(engine, said(alice, external_id="a"))
    nameless, cleared = await upsert(
        engine, said(alice, name="Nobody"), said(alice, recipient_id=made.id, external_id=None)
    )
    assert isinstance(nameless, RecipientUnidentified)
    assert isinstance(cleared, RecipientUnidentified)


async def test_rows_of_one_person_take_effect_in_order(engine: Engine, alice: Tenant) -> None:
    outcomes = await upsert(
        engine,
        said(alice, external_id="a", email="old@example.com"),
        said(alice, external_id="a", email="new@example.com"),
        said(alice, email="old@example.com"),
        said(alice, email="new@example.com", name="Ada"),
    )
    assert [outcome.change for outcome in outcomes] == ["created", "updated", "created", "updated"]
    assert outcomes[0].id == outcomes[1].id == outcomes[3].id != outcomes[2].id
    ada = next(person for person in await people(engine, alice) if person["external_id"] == "a")
    assert (ada["email"], ada["name"], ada["revision"]) == ("new@example.com", "Ada", 1)


async def test_identifiers_may_be_handed_over_within_one_call(engine: Engine, alice: Tenant) -> None:
    one, two = await upsert(engine, said(alice, external_id="a", phone="+4930123456"), said(alice, external_id="b"))
    await upsert(
        engine,
        said(alice, recipient_id=one.id, phone=None),
        said(alice, recipient_id=two.id, phone="+4930123456"),
    )
    phones = {person["external_id"]: person["phone"] for person in await people(engine, alice)}
    assert phones == {"a": None, "b": "+4930123456"}


async def test_an_account_is_made_with_its_first_recipient(engine: Engine, alice: Tenant) -> None:
    account = normalised_account(alice.workspace_id, "acme", {"name": "Acme"})
    await upsert(
        engine,
        RecipientInput(alice.workspace_id, {"external_id": "a"}, account=account),
        RecipientInput(alice.workspace_id, {"external_id": "b"}, account=account),
        RecipientInput(alice.workspace_id, {"name": "Nobody"}, account=normalised_account(alice.workspace_id, "x", {})),
    )
    one, two = await people(engine, alice)
    assert one["account_id"] == two["account_id"] is not None
    async with engine.read() as tx:
        query = text("SELECT external_id, name FROM accounts WHERE workspace_id = :w")
        assert (await tx.execute(query, {"w": alice.workspace_id})).all() == [("acme", "Acme")]


@pytest.mark.parametrize("width", [2, 8])
async def test_racing_upserts_of_the_same_new_people_end_in_one_each(engine: Engine, alice: Tenant, width: int) -> None:
    for turn in range(8):
        emails = [f"{turn}-{number}@example.com" for number in range(width)]
        rows = [
            [said(alice, external_id=email, email=email, properties={f"by{racer}": True}) for email in order]
            for racer, order in enumerate([emails, emails[::-1], emails, emails[::-1]])
        ]
        outcomes = await asyncio.gather(*(upsert(engine, *batch) for batch in rows))
        found = [person for person in await people(engine, alice) if person["email"] in emails]
        assert len(found) == width
        assert all(person["properties"] == {f"by{racer}": True for racer in range(4)} for person in found)
        assert {outcome.id for batch in outcomes for outcome in batch} == {person["id"] for person in found}


async def test_racing_for_one_address_gives_it_to_one(engine: Engine, alice: Tenant) -> None:
    for turn in range(8):
        first, second = await upsert(engine, said(alice, external_id=f"{turn}a"), said(alice, external_id=f"{turn}b"))
        outcomes = await asyncio.gather(
            *(upsert(engine, said(alice, recipient_id=one.id, phone=f"+49301234{turn:03}")) for one in (first, second))
        )
        kinds = {type(outcome) for (outcome,) in outcomes}
        assert kinds == {Upserted, IdentityConflict}


async def test_the_lanes_own_connection_serves_as_well(engine: Engine, alice: Tenant) -> None:
    connection = await engine.connect()
    try:
        async with connection.transaction():
            email = f"{uuid4().hex}@example.com"
            (outcome,) = await upsert_recipients(connection, [said(alice, email=email)], now=NOW, hmac_key=KEY)
        assert outcome.change is Change.CREATED
    finally:
        await connection.close()
    assert [person["id"] for person in await people(engine, alice)] == [outcome.id]


async def test_many_new_people_may_race_for_the_same_addresses(engine: Engine, alice: Tenant) -> None:
    """So many that they are copied, where one conflict concerns them all."""
    emails = [f"{number}@example.com" for number in range(300)]
    batches = [
        [said(alice, email=email, properties={f"by{racer}": 1}) for email in order]
        for racer, order in enumerate([emails, emails[::-1], emails[100:]])
    ]
    await asyncio.gather(*(upsert(engine, *batch) for batch in batches))
    found = await people(engine, alice)
    assert sorted(person["email"] for person in found) == sorted(emails)
    assert sum(len(person["properties"]) for person in found) == 800


async def test_an_ask_between_looking_and_writing_is_not_forgotten(engine: Engine, alice: Tenant) -> None:
    await upsert(engine, said(alice, external_id="a"))
    async with engine.write() as tx:
        (ada,) = await read_people(tx, [said(alice, external_id="a")], lock=False)
        async with engine.write() as sending:
            await sending.execute(text("UPDATE recipients SET asked_at = :now"), {"now": NOW})
        ada.after = {**ada.after, "name": "Ada"}
        await update_changed(tx, [ada], now=NOW)
    (stored,) = await people(engine, alice)
    assert (stored["name"], stored["asked_at"]) == ("Ada", NOW)
