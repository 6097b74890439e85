"""Can everything that is sealed still be opened? Of endpoints, connectors, mail sources and the instance itself."""

from datetime import datetime

from sqlalchemy import text

from app.db.engine import ReadTx, Tx
from app.db.vault import HEADER_BYTES, Vault


async def check_secrets(tx: ReadTx | Tx, vault: Vault, *, now: datetime) -> None:
    """Opens the newest secret in use of every key it was sealed with. Raises CannotOpenSecret.

    Better not to start than to find out at the first delivery. An old key may go once no secret in use needs it.
    """
    if (await tx.execute(text("SELECT to_regclass('endpoint_secrets') IS NULL"))).scalar_one():
        return  # not migrated yet, so nothing is stored
    for row in await tx.execute(_NEWEST_OF_EACH_KEY, {"now": now, "header_bytes": HEADER_BYTES}):
        vault.open(row.ciphertext, workspace_id=row.workspace_id, row_id=row.id)


_NEWEST_OF_EACH_KEY = text("""
    SELECT DISTINCT ON (substring(s.ciphertext FOR :header_bytes)) s.workspace_id, s.id, s.ciphertext
    FROM (
        SELECT s.workspace_id, s.id, s.ciphertext, s.created_at FROM endpoint_secrets s
        JOIN webhook_endpoints e ON e.workspace_id = s.workspace_id AND e.id = s.endpoint_id
        WHERE e.deleted_at IS NULL AND (s.expires_at IS NULL OR s.expires_at > :now)
        UNION ALL
        SELECT workspace_id, id, credentials, updated_at FROM webhook_endpoints
        WHERE deleted_at IS NULL AND credentials IS NOT NULL
        UNION ALL
        SELECT workspace_id, id, secret, created_at FROM mail_sources WHERE secret IS NOT NULL
        UNION ALL
        SELECT id, id, ciphertext, created_at FROM instance_keys
    ) AS s
    ORDER BY substring(s.ciphertext FOR :header_bytes), s.created_at DESC
""")
