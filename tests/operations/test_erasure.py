import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert, select, text, update

from app.db.engine import Engine
from app.db.identifiers import new_id
from app.db.personal_data import NOT_ERASED, PERSONAL
from app.db.tables import (
    captured_mails,
    deliveries,
    delivery_attempts,
    delivery_log,
    events,
    invitations,
    messages,
    metadata,
    recipients,
    remote_records,
    response_revisions,
    responses,
    suppressions,
    touchpoints,
    webhook_endpoints,
)
from app.domain import ids
from app.domain.people.recipient import RecipientInput, normalised
from app.domain.people.suppression import RecipientErased
from app.operations.erasure import SWEPT_AFTER, erase_recipient, sweep_erasures
from app.operations.recipients import upsert_recipients
from tests.builders import a_campaign, rows
from tests.conftest import Tenant

NOW = datetime.now(UTC)
KEY = b"k" * 32
MARK = "zanzibar"
DIGITS = "+49123455555"


async def erase(engine: Engine, tenant: Tenant, recipient_id: UUID) -> None:
    async with engine.write() as tx:
        await erase_recipient(tx, tenant.workspace_id, recipient_id, now=NOW, hmac_key=KEY)


async def sweep(engine: Engine, *, now: datetime = NOW + SWEPT_AFTER + timedelta(seconds=1)) -> None:
    async with engine.write() as tx:
        await sweep_erasures(tx, now=now)


async def upsert(engine: Engine, tenant: Tenant, *, said_at: datetime | None = None, **fields: Any) -> Any:
    said = [RecipientInput(tenant.workspace_id, normalised(fields))]
    async with engine.write() as tx:
        return (await upsert_recipients(tx, said, now=NOW, hmac_key=KEY, said_at=said_at))[0]


async def a_marked_person(engine: Engine, tenant: Tenant) -> UUID:
    """Whoever can hold a mark holds it: the test below fails for a personal column that nothing is written to here."""
    person = await upsert(
        engine, tenant, external_id=MARK, email=f"{MARK}@example.com", phone=DIGITS, name=MARK, locale="pt-BR",
        time_zone="Africa/Dar_es_Salaam", properties={"home": MARK},
    )  # fmt: skip
    await an_answer(engine, tenant, person.id)
    return person.id


async def an_answer(engine: Engine, tenant: Tenant, recipient_id: UUID) -> UUID:
    campaign_id = ids.parsed("campaign", await a_campaign(engine, tenant.workspace_id))
    place = {"workspace_id": tenant.workspace_id}
    answer = {
        **place, "id": new_id(NOW), "campaign_id": campaign_id, "survey_version": 1, "recipient_id": recipient_id,
        "slot": f"occasion:{MARK}", "occasion": MARK, "channel": "api", "score": 3, "comment": MARK, "language": MARK,
        "properties": {"agent": MARK}, "recipient_properties": {"home": MARK}, "excluded_reason": MARK,
        "answers": {"why": MARK},
        "counted_on": NOW.date(), "answered_at": NOW,
    }  # fmt: skip
    event = {
        **place, "id": new_id(NOW), "type": "response.created", "campaign_id": campaign_id, "response_id": answer["id"],
        "recipient_id": recipient_id, "score": 3, "band": "detractor", "occurred_at": NOW, "body": {"said": MARK},
    }  # fmt: skip
    sent = {**place, "event_id": event["id"], "endpoint_id": uuid4(), "body": {"said": MARK}}
    waiting, done = uuid4(), uuid4()
    attempt = {
        **place, "number": 1, "started_at": NOW, "endpoint_id": sent["endpoint_id"], "duration_ms": 1,
        "reply_head": MARK.encode(), "request_head": f"POST https://example.com\n{MARK}",
    }  # fmt: skip
    endpoint = {"id": sent["endpoint_id"], "url": "https://example.com", **place}
    revision = {
        **place, "response_id": answer["id"], "revision": 1, "score": 3, "comment": MARK, "answers": {"why": MARK},
        "excluded_reason": MARK, "change": "amended", "actor": "key_1", "reason": MARK, "changed_at": NOW,
    }  # fmt: skip
    asked = {**place, "id": uuid4(), "campaign_id": campaign_id, "recipient_id": recipient_id, "slot": MARK}
    mail = {"to_address": MARK, "subject": MARK, "raw": MARK.encode(), "purpose": "first"}
    async with engine.write() as tx:
        await tx.execute(insert(invitations).values(**asked, survey_version=1))
        message = {**place, "id": uuid4(), "invitation_id": asked["id"], "kind": "first", "domain": f"{MARK}.example"}
        message["campaign_id"] = campaign_id
        await tx.execute(insert(messages).values(message))
        await tx.execute(insert(captured_mails).values(**place, id=uuid4(), recipient_id=recipient_id, **mail))
        met = {"external_id": MARK, "name": "order", "occurred_at": NOW, "properties": {"agent": MARK}}
        await tx.execute(insert(touchpoints).values(**place, id=uuid4(), recipient_id=recipient_id, **met))
        await tx.execute(insert(responses).values(answer))
        await tx.execute(insert(response_revisions).values(revision))
        await tx.execute(insert(events).values(event))
        await tx.execute(insert(webhook_endpoints).values(endpoint))
        remote = {**place, "endpoint_id": sent["endpoint_id"], "subject_id": answer["id"], "name": "message"}
        await tx.execute(insert(remote_records).values(**remote, remote_id=MARK, told_revision=1, made_at=NOW))
        await tx.execute(insert(deliveries).values(**sent, id=waiting, due_at=NOW))
        await tx.execute(
            insert(delivery_log).values(**sent, id=done, finished_at=NOW, state="delivered", attempts=1, created_at=NOW)
        )
        await tx.execute(
            insert(delivery_attempts).values([{**attempt, "delivery_id": sent_id} for sent_id in (waiting, done)])
        )
    return answer["id"]


async def marked(engine: Engine, tenant: Tenant) -> set[str]:
    """The columns of the tenant's rows that hold a mark."""
    found = set()
    async with engine.read() as tx:
        for table in metadata.sorted_tables:
            if "workspace_id" not in table.c:
                continue
            for row in (await tx.execute(select(table).where(table.c.workspace_id == tenant.workspace_id))).mappings():
                found |= {f"{table.name}.{name}" for name, value in row.items() if holds_mark(value)}
    return found


def holds_mark(value: object) -> bool:
    said = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return any(mark in said for mark in (MARK, DIGITS, "pt-BR", "Africa/Dar_es_Salaam"))


async def test_a_strangers_person_is_not_erased(engine: Engine, alice: Tenant, charlie: Tenant) -> None:
    hers = (await alice.api.post("/v1/recipients", json={"external_id": "a"})).json()
    assert (await charlie.api.delete(f"/v1/recipients/{hers['id']}")).status_code == 404
    assert (await charlie.api.delete("/v1/recipients/external_id:a")).status_code == 404
    assert (await alice.api.get(f"/v1/recipients/{hers['id']}")).json() == hers


async def test_after_an_erasure_the_whole_database_has_no_trace(engine: Engine, alice: Tenant) -> None:
    person_id = await a_marked_person(engine, alice)
    assert await marked(engine, alice) == set(PERSONAL)
    await erase(engine, alice, person_id)
    assert await marked(engine, alice) <= set(NOT_ERASED)
    await sweep(engine)
    assert await marked(engine, alice) == set()


async def test_other_people_keep_what_is_theirs(engine: Engine, alice: Tenant, charlie: Tenant) -> None:
    theirs = await a_marked_person(engine, charlie)
    hers = (await upsert(engine, alice, external_id="a")).id
    before = await marked(engine, charlie)
    await erase(engine, alice, hers)
    await sweep(engine)
    assert await marked(engine, charlie) == before
    assert (await rows(engine, "SELECT deleted_at FROM recipients WHERE id = :id", id=theirs))[0]["deleted_at"] is None


async def test_answers_go_on_counting(engine: Engine, alice: Tenant) -> None:
    campaign = (await alice.api.post("/v1/recipients", json={"external_id": "a", "properties": {"plan": "pro"}})).json()
    campaign_id = await a_campaign(engine, alice.workspace_id)
    answer = {"campaign_id": campaign_id, "score": 9, "comment": MARK, "recipient_id": campaign["id"]}
    recorded = (await alice.api.post("/v1/responses", json=answer)).json()
    counted = "SELECT * FROM score_rollups WHERE workspace_id = :w"
    before = await rows(engine, counted, w=alice.workspace_id)
    assert len(before) == 1
    assert (await alice.api.delete("/v1/recipients/external_id:a")).status_code == 204
    await sweep(engine, now=datetime.now(UTC) + SWEPT_AFTER + timedelta(seconds=1))
    assert await rows(engine, counted, w=alice.workspace_id) == before
    kept = (await alice.api.get(f"/v1/responses/{recorded['id']}")).json()
    assert (kept["score"], kept["comment"], kept["recipient_id"]) == (9, None, None)
    excluded = await alice.api.post(f"/v1/responses/{recorded['id']}/exclude", json={"reason": "test"})
    assert excluded.status_code == 200
    (after,) = await rows(engine, counted, w=alice.workspace_id)
    assert sum(after[f"s{score}"] for score in range(11)) == 0


async def test_who_is_gone_is_gone(alice: Tenant) -> None:
    ada = (await alice.api.post("/v1/recipients", json={"external_id": "a"})).json()
    at = f"/v1/recipients/{ada['id']}"
    assert (await alice.api.delete(at)).status_code == 204
    for reply in (
        await alice.api.delete(at),
        await alice.api.get(at),
        await alice.api.patch(at, json={"name": "Ada"}),
        await alice.api.post(f"{at}/unsubscribe"),
    ):
        assert (reply.status_code, reply.json()["code"]) == (404, "recipient_not_found")
    assert (await alice.api.get("/v1/recipients")).json()["data"] == []


async def test_the_announcement_tells_nothing_about_them(engine: Engine, alice: Tenant) -> None:
    person_id = await a_marked_person(engine, alice)
    await erase(engine, alice, person_id)
    await sweep(engine)
    told = await rows(
        engine, "SELECT type, body FROM events WHERE workspace_id = :w ORDER BY created_at, id", w=alice.workspace_id
    )
    shown = ids.shown("recipient", person_id)
    by_type = {row["type"]: row["body"] for row in told}
    assert by_type["recipient.deleted"] == {"recipient": {"id": shown, "deleted": True, "revision": 2}}
    redacted = by_type["response.created"]
    assert redacted["redacted"] is True
    assert (redacted["response"]["score"], redacted["recipient"]) == (3, {"id": shown})


async def test_what_was_in_flight_is_erased_by_the_sweep(engine: Engine, alice: Tenant) -> None:
    person_id = await a_marked_person(engine, alice)
    await erase(engine, alice, person_id)
    late = await an_answer(engine, alice, person_id)
    await sweep(engine, now=NOW + SWEPT_AFTER - timedelta(seconds=1))
    assert "responses.comment" in await marked(engine, alice)
    await sweep(engine)
    assert await marked(engine, alice) == set()
    answers = await rows(engine, "SELECT id, recipient_id FROM responses WHERE workspace_id = :w", w=alice.workspace_id)
    assert late in {answer["id"] for answer in answers}
    assert all(answer["recipient_id"] is None for answer in answers)


async def test_who_said_no_is_not_asked_again_under_the_same_address(engine: Engine, alice: Tenant) -> None:
    asked_at = NOW - timedelta(days=3)
    person = await upsert(engine, alice, email="ada@example.com", phone=DIGITS)
    await alice.api.post(f"/v1/recipients/{ids.shown('recipient', person.id)}/unsubscribe")
    async with engine.write() as tx:
        await tx.execute(update(recipients).where(recipients.c.id == person.id).values(asked_at=asked_at))
    await erase(engine, alice, person.id)
    again = await upsert(engine, alice, external_id="new", phone=DIGITS)
    other = await upsert(engine, alice, email="bob@example.com")
    moved = await upsert(engine, alice, external_id="moved")
    await upsert(engine, alice, external_id="moved", email="ada@example.com")
    found = {
        row["id"]: row
        for row in await rows(
            engine, "SELECT id, unsubscribed_at, asked_at FROM recipients WHERE workspace_id = :w", w=alice.workspace_id
        )
    }
    for warned in (again, moved):
        assert found[warned.id]["unsubscribed_at"] is not None
        assert found[warned.id]["asked_at"] == asked_at
    assert (found[other.id]["unsubscribed_at"], found[other.id]["asked_at"]) == (None, None)


async def test_rows_handed_in_before_an_erasure_bring_nobody_back(engine: Engine, alice: Tenant) -> None:
    person = await upsert(engine, alice, external_id="a", email="ada@example.com")
    await erase(engine, alice, person.id)
    earlier, later = NOW - timedelta(seconds=1), NOW + timedelta(seconds=1)
    for field, value in (("external_id", "a"), ("email", "ada@example.com")):
        assert isinstance(await upsert(engine, alice, said_at=earlier, **{field: value}), RecipientErased)
    assert not isinstance(await upsert(engine, alice, said_at=later, external_id="a"), RecipientErased)


async def test_what_nobody_refused_is_forgotten_in_time(engine: Engine, alice: Tenant) -> None:
    person = await upsert(engine, alice, external_id="a")
    await erase(engine, alice, person.id)
    kept = select(suppressions).where(suppressions.c.workspace_id == alice.workspace_id)
    for days, count in ((6, 1), (8, 0)):
        await sweep(engine, now=NOW + timedelta(days=days))
        async with engine.read() as tx:
            assert len((await tx.execute(kept)).all()) == count


async def test_an_erasure_and_updates_may_race(engine: Engine, alice: Tenant) -> None:
    for turn in range(6):
        person = await upsert(engine, alice, external_id=f"{turn}")
        await asyncio.gather(
            erase(engine, alice, person.id),
            *(upsert(engine, alice, external_id=f"{turn}", name=f"{racer}") for racer in range(3)),
        )
        async with engine.read() as tx:
            tombstone = text("SELECT num_nonnulls(external_id, name, deleted_at) FROM recipients WHERE id = :id")
            assert (await tx.execute(tombstone, {"id": person.id})).scalar_one() == 1
