import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.db.engine import Engine
from app.domain import ids
from app.operations.erasure import erase_recipient
from app.operations.import_uploads import ABANDONED_AFTER, drop_abandoned_uploads
from app.workers.import_recipients import run_next_import
from tests.builders import a_campaign, rows
from tests.conftest import Tenant, a_tenant, running_app

KEY = b"k" * 32
CSV = {"content-type": "text/csv"}
NDJSON = {"content-type": "application/x-ndjson"}


@pytest.fixture
async def own_app(own_database_url: str) -> AsyncIterator[FastAPI]:
    async with running_app(own_database_url) as app:
        yield app


@pytest.fixture
async def dora(own_app: FastAPI, own_engine: Engine) -> AsyncIterator[Tenant]:
    """In a database of her own, so that nobody else's import is next."""
    async with a_tenant(own_app, own_engine, "Dora") as tenant:
        yield tenant


@pytest.fixture
async def erik(own_app: FastAPI, own_engine: Engine) -> AsyncIterator[Tenant]:
    """A stranger in the same database."""
    async with a_tenant(own_app, own_engine, "Erik") as tenant:
        yield tenant


async def upload(tenant: Tenant, content: str | bytes, *, headers: dict[str, str] = CSV, **query: str) -> Any:
    reply = await tenant.api.post("/v1/imports/recipients", content=content, headers=headers, params=query)
    assert reply.status_code == 202, reply.text
    return reply.json()


async def work_off(engine: Engine, *, lease_seconds: float = 20.0) -> None:
    while await run_next_import(engine, hmac_key=KEY, lease_seconds=lease_seconds):
        pass


async def a_slow_worker(engine: Engine, *, lease_seconds: float = 20.0) -> bool:
    """With many transactions to stop between."""
    return await run_next_import(engine, hmac_key=KEY, lease_seconds=lease_seconds, rows_a_transaction=100)


async def imported(engine: Engine, tenant: Tenant, content: str | bytes, **options: Any) -> Any:
    job = await upload(tenant, content, **options)
    await work_off(engine)
    return (await tenant.api.get(f"/v1/imports/{job['id']}")).json()


async def people(engine: Engine, tenant: Tenant) -> list[dict[str, Any]]:
    query = "SELECT * FROM recipients WHERE workspace_id = :w AND deleted_at IS NULL ORDER BY external_id"
    return await rows(engine, query, w=tenant.workspace_id)


async def refused(tenant: Tenant, job: Any) -> list[tuple[int, str, str | None]]:
    found = (await tenant.api.get(f"/v1/imports/{job['id']}/errors", params={"limit": 500})).json()["data"]
    return [(row["line"], row["code"], row["field"]) for row in found]


def a_file(count: int) -> str:
    return "external_id,email,plan\n" + "".join(f"{at:06},p{at}@example.com,pro\n" for at in range(count))


async def test_a_stranger_sees_no_import(dora: Tenant, erik: Tenant, own_engine: Engine) -> None:
    job = await imported(own_engine, dora, "external_id,email\na,broken\n")
    for path in ("", "/errors", "/errors.csv"):
        assert (await erik.api.get(f"/v1/imports/{job['id']}{path}")).status_code == 404
    assert (await erik.api.get("/v1/imports")).json()["data"] == []
    assert await people(own_engine, erik) == []


async def test_a_strangers_campaign_is_unknown(dora: Tenant, erik: Tenant, own_engine: Engine) -> None:
    theirs = await a_campaign(own_engine, erik.workspace_id)
    reply = await dora.api.post(f"/v1/imports/recipients?campaign_id={theirs}", content="x", headers=CSV)
    assert (reply.status_code, reply.json()["code"]) == (404, "campaign_not_found")
    assert (await dora.api.get("/v1/imports")).json()["data"] == []


async def test_a_file_becomes_people_and_one_announcement(dora: Tenant, own_engine: Engine) -> None:
    campaign = await a_campaign(own_engine, dora.workspace_id)
    text = '\ufeffexternal_id;E-Mail;plan;account\r\na;ADA@example.com;pro;acme\r\nb;;"free; really";acme\r\n'
    job = await imported(own_engine, dora, text, campaign_id=campaign)
    assert (job["state"], job["failure"], job["bytes"]) == ("completed", None, len(text.encode()))
    assert job["bytes_read"] == job["bytes"]
    assert job["rows"] == {"read": 2, "created": 2, "updated": 0, "unchanged": 0, "rejected": 0}
    ada, bob = await people(own_engine, dora)
    assert (ada["email"], ada["properties"]) == ("ada@example.com", {"plan": "pro"})
    assert bob["properties"] == {"plan": "free; really"}
    assert ada["account_id"] == bob["account_id"] is not None
    members = (await dora.api.get(f"/v1/campaigns/{campaign}/recipients")).json()["data"]
    assert {member["recipient_id"] for member in members} == {ids.shown("recipient", one["id"]) for one in (ada, bob)}
    (event,) = await rows(own_engine, "SELECT type, body FROM events WHERE workspace_id = :w", w=dora.workspace_id)
    assert event["type"] == "import.completed"
    told = event["body"]["import"]
    assert {name: told[name] for name in job if not name.endswith("_at")} == {
        name: said for name, said in job.items() if not name.endswith("_at")
    }
    assert await rows(own_engine, "SELECT 1 FROM import_chunks") == []


async def test_lines_of_json_are_imported_as_well(dora: Tenant, own_engine: Engine) -> None:
    text = "\n".join(json.dumps({"external_id": str(at), "properties": {"at": at}}) for at in range(3))
    job = await imported(own_engine, dora, text, headers=NDJSON)
    assert job["rows"]["created"] == 3
    assert [person["properties"] for person in await people(own_engine, dora)] == [{"at": at} for at in range(3)]


async def test_the_same_file_again_changes_nothing(dora: Tenant, own_engine: Engine) -> None:
    await imported(own_engine, dora, a_file(300))
    before = await people(own_engine, dora)
    job = await imported(own_engine, dora, a_file(300))
    assert job["rows"] == {"read": 300, "created": 0, "updated": 0, "unchanged": 300, "rejected": 0}
    assert await people(own_engine, dora) == before


@pytest.mark.parametrize("apart", [1, 60, 101, 160])
async def test_rows_take_effect_in_the_order_of_the_file(dora: Tenant, own_engine: Engine, apart: int) -> None:
    """Also where two transactions come upon the same person by different names."""
    await dora.api.post("/v1/recipients", json={"external_id": "zoe", "phone": "+4930123456"})
    others = [f"{at:06},,Nobody\n" for at in range(400)]
    others[60] = "zoe,,First\n"
    others[60 + apart] = ",+4930123456,Second\n"
    await upload(dora, "external_id,phone,name\n" + "".join(others))
    await a_slow_worker(own_engine)
    everybody = await people(own_engine, dora)
    assert len(everybody) == 399
    assert [(one["name"], one["phone"]) for one in everybody if one["external_id"] == "zoe"] == [
        ("Second", "+4930123456")
    ]


async def test_broken_rows_are_reported_and_hold_up_nobody(dora: Tenant, own_engine: Engine) -> None:
    """One row in twenty is broken, in all the ways we know."""
    await dora.api.post("/v1/recipients", json={"external_id": "old", "email": "old@example.com"})
    broken = [
        ("nobody,not an address,x", "recipient_invalid", "email"),
        ("too,few", "wrong_column_count", None),
        ("too,many@example.com,x,y", "wrong_column_count", None),
        (",,nameless", "recipient_unidentified", None),
        ("new,old@example.com,x", "identity_conflict", "external_id"),
        ("old,p0@example.com,x", "identity_conflict", None),
        ('"open,x@example.com,x', "row_unreadable", None),
        (f"{'x' * 201},,x", "recipient_invalid", "external_id"),
    ]
    lines = [f"{at:06},p{at}@example.com,pro" for at in range(19 * len(broken))]
    expected = []
    for turn, (row, code, field) in enumerate(broken):
        at = turn * 20 + 19
        lines.insert(at, row)
        expected.append((at + 2, code, field))
    job = await imported(own_engine, dora, "external_id,email,plan\n" + "\n".join(lines) + "\n")
    assert (job["state"], job["rows"]["read"]) == ("completed", 20 * len(broken))
    assert (job["rows"]["created"], job["rows"]["rejected"]) == (19 * len(broken), len(broken))
    assert await refused(dora, job) == expected
    page = (await dora.api.get(f"/v1/imports/{job['id']}/errors", params={"limit": 3})).json()
    rest = (await dora.api.get(f"/v1/imports/{job['id']}/errors", params={"cursor": page["next_cursor"]})).json()
    assert [row["line"] for row in page["data"] + rest["data"]] == [line for line, _, _ in expected]
    download = await dora.api.get(f"/v1/imports/{job['id']}/errors.csv")
    assert download.headers["content-type"].startswith("text/csv")
    assert download.text.splitlines()[1].startswith(f"{expected[0][0]},recipient_invalid,email,")
    assert "not an address" not in download.text.replace("This is not an e-mail address", "")


async def test_the_last_of_several_rows_wins(dora: Tenant, own_engine: Engine) -> None:
    text = "external_id,email,plan\na,a@example.com,free\nb,,x\na,,pro\n"
    job = await imported(own_engine, dora, text)
    assert job["rows"] == {"read": 3, "created": 2, "updated": 1, "unchanged": 0, "rejected": 0}
    assert (await people(own_engine, dora))[0]["properties"] == {"plan": "pro"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("ada@example.com,Ada\n", "The first line names the columns"),
        ("external_id,name\na,Zoë\n".encode("latin-1"), "Line 2 is not UTF-8"),
        (a_file(200).encode() + b"\xff", "Line 202 is not UTF-8"),
        ("external_id\na\n".encode("utf-16"), "UTF-16"),
        ("\n", "empty"),
    ],
)
async def test_what_cannot_be_read_fails_before_anybody_is_stored(
    dora: Tenant, own_engine: Engine, content: str | bytes, reason: str
) -> None:
    job = await imported(own_engine, dora, content)
    assert job["state"] == "failed"
    assert reason in job["failure"]
    assert await people(own_engine, dora) == []
    assert await rows(own_engine, "SELECT 1 FROM import_chunks") == []


async def test_an_upload_is_refused_for_what_it_is(dora: Tenant, own_database_url: str) -> None:
    post = dora.api.post
    assert (await post("/v1/imports/recipients", content="x")).status_code == 415
    assert (
        await post("/v1/imports/recipients", content="{}", headers={"content-type": "text/html"})
    ).status_code == 415
    assert (await post("/v1/imports/recipients", content="", headers=CSV)).status_code == 422
    assert (await post("/v1/imports/recipients?format=xml", content="x")).status_code == 422
    assert (await post("/v1/imports/recipients?format=csv", content="external_id\na\n")).status_code == 202
    async with running_app(own_database_url, import_limit_bytes=10_000) as app:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://zeroten.test", headers=dora.api.headers
        ) as small:
            assert (await small.post("/v1/imports/recipients", content="x" * 10_001, headers=CSV)).status_code == 413

            async def endless() -> AsyncIterator[bytes]:
                for _ in range(2_000_000):
                    yield b"x" * 1_000_000

            reply = await small.post("/v1/imports/recipients", content=endless(), headers=CSV)
            assert (reply.status_code, reply.json()["code"]) == (413, "body_too_large")
    assert len((await dora.api.get("/v1/imports")).json()["data"]) == 1


async def test_an_upload_that_breaks_off_leaves_nothing_behind(
    dora: Tenant, own_app: FastAPI, own_engine: Engine
) -> None:
    async def breaking_off() -> AsyncIterator[bytes]:
        yield b"external_id\n" + b"a\n" * 600_000
        raise ConnectionError

    transport = httpx.ASGITransport(app=own_app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://zeroten.test", headers=dora.api.headers) as api:
        with suppress(ConnectionError):
            await api.post("/v1/imports/recipients", content=breaking_off(), headers=CSV)
    assert await rows(own_engine, "SELECT 1 FROM imports UNION ALL SELECT 1 FROM import_chunks") == []


async def test_what_a_dead_process_was_receiving_is_dropped_in_time(dora: Tenant, own_engine: Engine) -> None:
    job = await upload(dora, a_file(1))
    async with own_engine.write() as tx:
        await tx.exec_driver_sql("UPDATE imports SET state = 'receiving'")
        assert await drop_abandoned_uploads(tx, now=datetime.now(UTC)) == 0
        assert await drop_abandoned_uploads(tx, now=datetime.now(UTC) + 2 * ABANDONED_AFTER) == 1
    assert (await dora.api.get(f"/v1/imports/{job['id']}")).status_code == 404


async def test_a_stopped_workers_import_goes_on_where_it_stopped(dora: Tenant, own_engine: Engine) -> None:
    job = await upload(dora, a_file(9_000) + "x,broken,pro\n")
    kills = 0
    while (await _how_far(dora, job))["state"] != "completed":
        read = (await _how_far(dora, job))["rows"]["read"]
        worker = asyncio.create_task(a_slow_worker(own_engine, lease_seconds=0.2))
        async with asyncio.timeout(20):
            while (await _how_far(dora, job))["rows"]["read"] == read and not worker.done():
                pass
        kills += worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
        await _until_lease_ended(own_engine)
    assert kills > 1
    done = await _how_far(dora, job)
    assert done["rows"] == {"read": 9_001, "created": 9_000, "updated": 0, "unchanged": 0, "rejected": 1}
    assert len(await people(own_engine, dora)) == 9_000
    assert await refused(dora, job) == [(9_002, "recipient_invalid", "email")]


async def _how_far(tenant: Tenant, job: Any) -> Any:
    return (await tenant.api.get(f"/v1/imports/{job['id']}")).json()


async def _until_lease_ended(engine: Engine) -> None:
    async with asyncio.timeout(20):
        while await rows(engine, "SELECT 1 FROM imports WHERE lease_until >= clock_timestamp()"):
            pass


async def test_an_overtaken_worker_stores_nothing_more(dora: Tenant, own_engine: Engine) -> None:
    job = await upload(dora, a_file(4_000))
    slow = asyncio.create_task(a_slow_worker(own_engine))
    async with asyncio.timeout(20):
        while (await _how_far(dora, job))["rows"]["read"] == 0:
            pass
    async with own_engine.write() as tx:
        await tx.exec_driver_sql("UPDATE imports SET lease_until = now() - interval '1 second'")
    await work_off(own_engine)
    assert await slow is True
    done = (await dora.api.get(f"/v1/imports/{job['id']}")).json()
    assert done["rows"] == {"read": 4_000, "created": 4_000, "updated": 0, "unchanged": 0, "rejected": 0}


async def test_several_workers_share_without_doing_anything_twice(
    dora: Tenant, erik: Tenant, own_engine: Engine
) -> None:
    for tenant in (dora, dora, erik):
        await upload(tenant, a_file(500))
    for _ in range(3):
        await asyncio.gather(*(work_off(own_engine) for _ in range(3)))
    for tenant, created in ((dora, 500), (erik, 500)):
        jobs = (await tenant.api.get("/v1/imports")).json()["data"]
        assert {job["state"] for job in jobs} == {"completed"}
        assert sum(job["rows"]["created"] for job in jobs) == created


async def test_an_import_and_upserts_may_race(dora: Tenant, own_engine: Engine) -> None:
    await upload(dora, a_file(2_000))

    async def upsert_all() -> None:
        for start in range(0, 2_000, 250):
            people = [{"email": f"p{at}@example.com", "name": "Ada"} for at in range(start, start + 250)]
            reply = await dora.api.post("/v1/recipients/bulk", json={"recipients": people[::-1]})
            assert reply.json()["rejected"] == 0

    await asyncio.gather(work_off(own_engine), upsert_all())
    found = await people(own_engine, dora)
    assert len(found) == 2_000
    assert all(person["name"] == "Ada" and person["properties"] == {"plan": "pro"} for person in found)


async def test_who_was_erased_after_the_upload_does_not_come_back(dora: Tenant, own_engine: Engine) -> None:
    ada = (await dora.api.post("/v1/recipients", json={"external_id": "a", "email": "ada@example.com"})).json()
    job = await upload(dora, "external_id,email\na,\nb,ada@example.com\nc,\n")
    async with own_engine.write() as tx:
        person = ids.parsed("recipient", ada["id"])
        assert person is not None
        await erase_recipient(tx, dora.workspace_id, person, now=datetime.now(UTC) + timedelta(seconds=1), hmac_key=KEY)
    await work_off(own_engine)
    assert await refused(dora, job) == [(2, "recipient_erased", None), (3, "recipient_erased", None)]
    assert [person["external_id"] for person in await people(own_engine, dora)] == ["c"]


async def test_an_import_that_never_gets_further_fails_in_the_end(dora: Tenant, own_engine: Engine) -> None:
    job = await upload(dora, a_file(10))
    async with own_engine.write() as tx:
        await tx.exec_driver_sql("UPDATE imports SET attempts = 5")
    await work_off(own_engine)
    done = (await dora.api.get(f"/v1/imports/{job['id']}")).json()
    assert (done["state"], done["rows"]["read"]) == ("failed", 0)


async def test_only_so_many_imports_may_wait(dora: Tenant) -> None:
    for _ in range(20):
        await upload(dora, a_file(1))
    reply = await dora.api.post("/v1/imports/recipients", content=a_file(1), headers=CSV)
    assert (reply.status_code, reply.json()["code"]) == (409, "too_many_imports")
