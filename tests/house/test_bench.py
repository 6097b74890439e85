"""What `make bench` compares must be alike: the rivals store what we store, row for row."""

import json
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from app.db.engine import Engine
from bench import naive, pgbench, requests
from bench.figures import Figures, percentile, ratio
from bench.rows import ROWS
from bench.tenant import CAMPAIGNS, CHANNELS, Tenant, campaign_id, make_tenant, person_id
from tests.conftest import client, running_app

DOCS = Path(__file__).parents[2] / "docs" / "performance.md"
ANSWER = {
    "campaign_id": f"camp_{campaign_id(1).hex}",
    "recipient_id": f"rcpt_{person_id(1).hex}",
    "score": 9,
    "channel": CHANNELS[0],
    "comment": requests.COMMENT,
    "properties": {"order": "A-1", "store": "Berlin"},
}


@pytest.fixture
async def tenant(own_engine: Engine) -> Tenant:
    return await make_tenant(own_engine)


@pytest.fixture
async def connection(own_database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(own_database_url)
    yield connection
    await connection.close()


async def test_the_naive_service_stores_what_we_store_and_says_the_same(
    tenant: Tenant, own_database_url: str, connection: asyncpg.Connection
) -> None:
    ours = await record_with_us(own_database_url, tenant)
    stored = await taken_out(connection)
    app, headers = naive.create_app(own_database_url), {"authorization": f"Bearer {tenant.token}"}
    server = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://naive.test", headers=headers)
    async with app.router.lifespan_context(app), server as api:
        theirs = await api.post("/v1/responses", json=ANSWER)
    assert theirs.status_code == 201
    assert theirs.json().keys() == ours.json().keys()
    assert await taken_out(connection) == stored


async def test_pgbench_stores_what_we_store(
    tenant: Tenant, own_database_url: str, connection: asyncpg.Connection
) -> None:
    await record_with_us(own_database_url, tenant)
    stored = await taken_out(connection)
    await connection.execute(rival_statement(tenant, connection))
    assert await taken_out(connection) == stored


async def record_with_us(url: str, tenant: Tenant) -> httpx.Response:
    async with running_app(url) as app, client(app, tenant.token) as api:
        reply = await api.post("/v1/responses", json=ANSWER)
    assert reply.status_code == 201
    return reply


def rival_statement(tenant: Tenant, connection: asyncpg.Connection) -> str:
    """pgbench's script with its variables filled in."""
    script = pgbench.script(tenant.workspace_id, major=connection.get_server_version().major)
    statement = "".join(line for line in script.splitlines(keepends=True) if not line.startswith("\\"))
    values = {"person": "1", "campaign": "1", "channel": "1", "score": "9", "commented": "1"}
    return re.sub(r"(?<![:\w]):([a-z]+)", lambda found: values[found[1]], statement)


async def taken_out(connection: asyncpg.Connection) -> list[Any]:
    """The shape of the one row that an answer left in each table. Afterwards nothing is left."""
    shapes = []
    for table in ("responses", "events", "event_queue", "score_rollups"):
        (row,) = await connection.fetch(f"SELECT to_jsonb(t)::text AS told FROM {table} t")
        shapes.append(shape(json.loads(row["told"])))
        await connection.execute(f"DELETE FROM {table}")
    return shapes


def shape(value: Any) -> Any:
    """Which members there are, and of what kind."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items()}
    return type(value).__name__


def test_pgbench_finds_its_variables_and_no_others() -> None:
    script = pgbench.script(campaign_id(1), major=18)
    named = set(re.findall(r"(?<!:):([A-Za-z0-9_]+)", script))
    assert named == set(re.findall(r"set (\w+) random", script))


def test_every_row_is_explained_and_judged_or_only_reported() -> None:
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names)
    assert [name for name in names if f"`{name}`" not in DOCS.read_text(encoding="utf-8")] == []
    reported = {name for name in names if "latency" in name or "per_second" in name}
    assert {row.name for row in ROWS if row.target is None} == reported


def test_a_most_and_a_least_are_judged_from_their_own_side() -> None:
    rows: Mapping[str, Any] = {row.name: row for row in ROWS}
    assert rows["record_vs_naive"].is_met(41)
    assert not rows["record_vs_naive"].is_met(39)
    assert rows["record_memory"].is_met(1.1)
    assert not rows["record_memory"].is_met(1.2)
    assert rows["webhook_latency_idle_p50"].is_met(1) is None


def test_ratios_are_taken_inside_each_round() -> None:
    rounds = {"a": [Figures(10), Figures(200), Figures(30)], "b": [Figures(5), Figures(50), Figures(10)]}
    found = ratio(rounds, "a", "b")
    assert (found.least, found.middle, found.most) == (2, 3, 4)


def test_percentiles_of_few_values() -> None:
    assert percentile([1.0, 2.0, 3.0, 4.0], 50) == 3.0
    assert percentile([1.0, 2.0], 99) == 2.0


def test_requests_survive_their_file(tmp_path: Path) -> None:
    made = requests.one_by_one("zt_sk_live_x", count=20)
    assert requests.read(requests.write(tmp_path / "requests", made)) == made
    assert {request.split(b" ", 2)[1] for request in made} == {b"/v1/responses"}
    assert CAMPAIGNS >= 8, "deliveries are spread over at least eight endpoints"
