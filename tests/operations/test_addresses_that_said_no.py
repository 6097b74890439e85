"""An address that said no, or was asked lately, stays so, whoever's it is next."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from app.db.engine import Engine
from app.db.tables import recipients, suppressions
from app.domain.people.recipient import RecipientInput, normalised
from app.operations.erasure import erase_recipient
from app.operations.recipient_changes import resubscribe_recipient
from app.operations.recipients import upsert_recipients
from tests.builders import rows
from tests.conftest import Tenant

NOW = datetime.now(UTC)
KEY = b"k" * 32
REFUSED_AT, ASKED_AT = NOW - timedelta(days=2), NOW - timedelta(days=3)
ADA, PHONE = "ada@example.com", "+49123455555"


def said(tenant: Tenant, *, recipient_id: UUID | None = None, **fields: Any) -> RecipientInput:
    return RecipientInput(tenant.workspace_id, normalised(fields), recipient_id)


async def upsert(engine: Engine, *people: RecipientInput) -> list[Any]:
    async with engine.write() as tx:
        return await upsert_recipients(tx, people, now=NOW, hmac_key=KEY)


async def somebody(engine: Engine, tenant: Tenant, **known: Any) -> UUID:
    (person,) = await upsert(engine, said(tenant, external_id="ada", email=ADA, phone=PHONE))
    async with engine.write() as tx:
        await tx.execute(update(recipients).where(recipients.c.id == person.id).values(**known))
    return UUID(str(person.id))


async def told(engine: Engine, person_id: UUID) -> tuple[datetime | None, datetime | None]:
    (row,) = await rows(engine, "SELECT unsubscribed_at, asked_at FROM recipients WHERE id = :id", id=person_id)
    return row["unsubscribed_at"], row["asked_at"]


@pytest.mark.parametrize("known", [{"unsubscribed_at": REFUSED_AT}, {"complained_at": REFUSED_AT}])
@pytest.mark.parametrize(("address", "instead"), [({"email": ADA}, None), ({"email": ADA}, "b@x.example"),
                                                  ({"phone": PHONE}, None)])  # fmt: skip
async def test_who_gets_the_address_next_is_not_asked_either(
    engine: Engine, alice: Tenant, known: dict[str, Any], address: dict[str, str], instead: str | None
) -> None:
    await somebody(engine, alice, **known, asked_at=ASKED_AT)
    await upsert(engine, said(alice, external_id="ada", **dict.fromkeys(address, instead)))
    (new,) = await upsert(engine, said(alice, external_id="new", **address))
    assert await told(engine, new.id) == (REFUSED_AT, ASKED_AT)
    await upsert(engine, said(alice, external_id="new", **dict.fromkeys(address, None)))
    (later,) = await upsert(engine, said(alice, external_id="later"))
    await upsert(engine, said(alice, external_id="later", **address))
    assert await told(engine, later.id) == (REFUSED_AT, ASKED_AT)


async def test_an_address_handed_over_in_one_go_takes_its_refusal_along(engine: Engine, alice: Tenant) -> None:
    await somebody(engine, alice, unsubscribed_at=REFUSED_AT, asked_at=ASKED_AT)
    _, new, other = await upsert(
        engine, said(alice, external_id="ada", email=None, phone=None), said(alice, external_id="new", email=ADA),
        said(alice, external_id="other", email="other@example.com"),
    )  # fmt: skip
    assert await told(engine, new.id) == (REFUSED_AT, ASKED_AT)
    assert await told(engine, other.id) == (None, None)


async def test_whoever_was_neither_asked_nor_refused_leaves_nothing_behind(
    engine: Engine, alice: Tenant, charlie: Tenant
) -> None:
    await somebody(engine, alice, name="Ada")
    await somebody(engine, charlie, unsubscribed_at=REFUSED_AT)
    for tenant in (alice, charlie):
        await upsert(engine, said(tenant, external_id="ada", email=None))
    (new,) = await upsert(engine, said(alice, external_id="new", email=ADA))
    assert await told(engine, new.id) == (None, None)
    async with engine.read() as tx:
        kept = select(func.count()).where(suppressions.c.workspace_id == alice.workspace_id)
        assert (await tx.execute(kept)).scalar_one() == 0


async def test_an_address_that_moved_is_no_erasure(engine: Engine, alice: Tenant) -> None:
    await somebody(engine, alice, unsubscribed_at=REFUSED_AT)
    await upsert(engine, said(alice, external_id="ada", email=None))
    async with engine.write() as tx:
        early = NOW - timedelta(days=900)
        (new,) = await upsert_recipients(
            tx, [said(alice, external_id="new", email=ADA)], now=NOW, hmac_key=KEY, said_at=early
        )
    assert (await told(engine, new.id))[0] == REFUSED_AT


async def test_a_refusal_taken_back_is_taken_back_under_every_address(engine: Engine, alice: Tenant) -> None:
    person = await somebody(engine, alice, unsubscribed_at=REFUSED_AT)
    await upsert(engine, said(alice, external_id="ada", email="other@example.com"))
    async with engine.write() as tx:
        await resubscribe_recipient(tx, alice.workspace_id, person, unsubscribed_at=REFUSED_AT, now=NOW)
    await upsert(engine, said(alice, external_id="ada", email=ADA))
    assert await told(engine, person) == (None, None)


async def test_who_complained_and_was_erased_is_not_asked_again(engine: Engine, alice: Tenant) -> None:
    person = await somebody(engine, alice, complained_at=REFUSED_AT)
    async with engine.write() as tx:
        await erase_recipient(tx, alice.workspace_id, person, now=NOW, hmac_key=KEY)
    (again,) = await upsert(engine, said(alice, email=ADA))
    assert await told(engine, again.id) == (REFUSED_AT, None)


async def test_an_address_that_is_let_go_and_taken_at_once_keeps_its_refusal(engine: Engine, alice: Tenant) -> None:
    for turn in range(5):
        email = f"ada{turn}@example.com"
        (ada,) = await upsert(engine, said(alice, external_id=f"ada{turn}", email=email))
        async with engine.write() as tx:
            refused = update(recipients).where(recipients.c.id == ada.id).values(unsubscribed_at=REFUSED_AT)
            await tx.execute(refused)
        taking = [upsert(engine, said(alice, external_id=f"new{turn}", email=email)) for _ in range(3)]
        await asyncio.gather(upsert(engine, said(alice, external_id=f"ada{turn}", email=None)), *taking)
        await upsert(engine, said(alice, external_id=f"new{turn}", email=email))
        query = "SELECT unsubscribed_at FROM recipients WHERE workspace_id = :w AND email = :e"
        (holder,) = await rows(engine, query, w=alice.workspace_id, e=email)
        assert holder["unsubscribed_at"] == REFUSED_AT
