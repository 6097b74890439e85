"""The naive worker: one httpx client, and a queue that gives out and takes back one row at a time.

`python -m bench.naive_courier DATABASE_URL SECONDS`
"""

import asyncio
import json
import sys
from uuid import uuid4

import asyncpg
import httpx
import uvloop

from app.clock import utc_now
from app.domain import ids
from app.domain.webhooks.webhook_secret import read_secret
from app.outbound.webhook import headers_for
from bench.tally import Tally

TASKS, POOL_SIZE = 64, 20
SECRETS = [read_secret("whsec_" + "QUJD" * 11)]


async def deliver_all(url: str, seconds: float) -> Tally:
    limits = httpx.Limits(max_connections=TASKS, max_keepalive_connections=TASKS)
    async with (
        asyncpg.create_pool(url, min_size=POOL_SIZE, max_size=POOL_SIZE) as pool,
        httpx.AsyncClient(limits=limits, trust_env=False) as client,
        asyncio.TaskGroup() as tasks,
    ):
        tally = Tally(seconds)
        for _ in range(TASKS):
            tasks.create_task(_deliver(pool, client, tally))
    return tally


async def _deliver(pool: asyncpg.Pool, client: httpx.AsyncClient, tally: Tally) -> None:
    while not tally.is_over:
        claimed = await pool.fetchrow(_CLAIM, uuid4())
        assert claimed is not None, "the queue is empty: it was filled too sparingly"
        event = {"id": ids.shown("event", claimed["event_id"]), "data": json.loads(claimed["body"])}
        body, started_at = json.dumps(event).encode(), utc_now()
        headers = headers_for(event["id"], timestamp=int(started_at.timestamp()), body=body, secrets=SECRETS)
        reply = await client.post(claimed["url"], content=body, headers=headers)
        await pool.execute(_SETTLE, claimed["workspace_id"], claimed["id"], started_at, reply.status_code)
        tally.done += 1


_CLAIM = """
    UPDATE deliveries d SET claim_id = $1, due_at = now() + interval '25 seconds'
    FROM events e, webhook_endpoints w
    WHERE (d.workspace_id, d.id) = (
        SELECT workspace_id, id FROM deliveries WHERE due_at <= now() ORDER BY workspace_id, endpoint_id, due_at
        LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    AND e.workspace_id = d.workspace_id AND e.id = d.event_id
    AND w.workspace_id = d.workspace_id AND w.id = d.endpoint_id
    RETURNING d.workspace_id, d.id, d.event_id, w.url, e.body::text AS body
"""
_SETTLE = """
    WITH noted AS (
        INSERT INTO delivery_attempts (workspace_id, delivery_id, number, started_at, endpoint_id, duration_ms, status)
        SELECT workspace_id, id, 1, $3, endpoint_id, 0, $4 FROM deliveries WHERE workspace_id = $1 AND id = $2
    ), finished AS (
        DELETE FROM deliveries WHERE workspace_id = $1 AND id = $2 RETURNING *
    )
    INSERT INTO delivery_log (workspace_id, id, finished_at, event_id, endpoint_id, state, attempts, last_status,
        created_at)
    SELECT workspace_id, id, now(), event_id, endpoint_id, 'delivered', 1, $4, created_at FROM finished
"""


if __name__ == "__main__":
    uvloop.run(deliver_all(sys.argv[1], float(sys.argv[2]))).tell()
