"""Deciding about rows: by how they are once nobody else can change them."""

from collections.abc import Awaitable, Callable
from typing import Any

from app.db.engine import Tx
from app.db.statements import fetch

Row = dict[str, Any]


async def held(tx: Tx, look: Callable[[], Awaitable[list[Row]]], *, table: str) -> list[Row]:
    """What is found, and still is when looked at again. `look` tells `workspace_id` and `id` of rows of the table; what
    somebody else holds is left to the next look.
    """
    found = await look()
    if not found:
        return []
    rows = await fetch(tx, _LOCK.format(table=table), [row["workspace_id"] for row in found], [r["id"] for r in found])
    ours = {(row["workspace_id"], row["id"]) for row in rows}
    return [row for row in await look() if (row["workspace_id"], row["id"]) in ours]


_LOCK = """
    SELECT t.workspace_id, t.id FROM {table} t
    JOIN unnest($1::uuid[], $2::uuid[]) AS found (workspace_id, id) USING (workspace_id, id)
    ORDER BY t.workspace_id, t.id FOR NO KEY UPDATE OF t SKIP LOCKED
"""
