"""Captured mails are there to be looked at, and not for long."""

from datetime import datetime, timedelta

from app.db.engine import Tx
from app.db.statements import fetch

KEPT_FOR = timedelta(days=7)
MOST_KEPT = 1_000  # of a workspace, some 20 kB each
AT_ONCE = 2_000


async def forget_captured_mails(tx: Tx, *, now: datetime) -> int:
    """How many went: those that are too old, and of each workspace what is beyond the newest."""
    return len(await fetch(tx, _FORGET, now - KEPT_FOR, MOST_KEPT, AT_ONCE))


_FORGET = """
    WITH gone AS MATERIALIZED (
        SELECT workspace_id, id FROM (
            SELECT workspace_id, id, created_at, row_number() OVER (PARTITION BY workspace_id ORDER BY id DESC) AS place
            FROM captured_mails
        ) kept
        WHERE created_at < $1 OR place > $2 LIMIT $3
    )
    DELETE FROM captured_mails m USING gone WHERE m.workspace_id = gone.workspace_id AND m.id = gone.id RETURNING 1
"""
