"""Belt and braces: `endpoint_work` can be recomputed from the deliveries, and every minute it is."""

from app.db.statements import Connection, fetch


async def recompute_endpoint_work(tx: Connection) -> None:
    """Wakes every endpoint that has something due sooner than is noted."""
    await fetch(tx, _WAKE_ALL)


_WAKE_ALL = """
    INSERT INTO endpoint_work (workspace_id, endpoint_id, due_at)
    SELECT e.workspace_id, e.id, greatest(first.due_at, now())
    FROM webhook_endpoints e
    CROSS JOIN LATERAL (
        SELECT d.due_at FROM deliveries d WHERE d.workspace_id = e.workspace_id AND d.endpoint_id = e.id
        ORDER BY d.due_at LIMIT 1
    ) AS first
    WHERE e.disabled_at IS NULL AND e.deleted_at IS NULL
    ORDER BY e.workspace_id, e.id
    ON CONFLICT (workspace_id, endpoint_id) DO UPDATE SET due_at = excluded.due_at
    WHERE endpoint_work.due_at > excluded.due_at
"""
