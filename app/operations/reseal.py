"""A key changes by putting a new one in front of it. What the older ones sealed is sealed anew, bit by bit."""

from app.db.engine import Tx
from app.db.statements import fetch
from app.db.vault import HEADER_BYTES, Vault

AT_ONCE = 200
# table and column; each row is sealed for its own id and its workspace
SEALED = (
    ("endpoint_secrets", "ciphertext"),
    ("webhook_endpoints", "credentials"),
    ("webhook_endpoints", "sealed_options"),
    ("accesses", "sealed"),
    ("authorizations", "sealed"),
    ("mail_sources", "secret"),
    ("instance_keys", "ciphertext"),
)
WITHOUT_WORKSPACE = frozenset({"instance_keys"})  # and sealed for their id twice


async def reseal_secrets(tx: Tx, vault: Vault, *, limit: int = AT_ONCE) -> int:
    """How many, of everything sealed. What another process is at is left to it."""
    return sum([await _reseal(tx, vault, table, column, limit=limit) for table, column in SEALED])


async def _reseal(tx: Tx, vault: Vault, table: str, column: str, *, limit: int) -> int:
    if not vault.older_headers:
        return 0
    workspace = "id" if table in WITHOUT_WORKSPACE else "workspace_id"
    found = await fetch(
        tx,
        f"SELECT {workspace} AS workspace_id, id, {column} AS sealed FROM {table}"
        f" WHERE substring({column} FOR {HEADER_BYTES}) = ANY($1::bytea[]) LIMIT $2 FOR UPDATE SKIP LOCKED",
        vault.older_headers,
        limit,
    )
    anew = [vault.reseal(row["sealed"], workspace_id=row["workspace_id"], row_id=row["id"]) for row in found]
    await fetch(
        tx,
        f"UPDATE {table} SET {column} = r.sealed FROM unnest($1::uuid[], $2::uuid[], $3::bytea[])"
        f" AS r (workspace_id, id, sealed) WHERE {table}.{workspace} = r.workspace_id AND {table}.id = r.id",
        [row["workspace_id"] for row in found],
        [row["id"] for row in found],
        anew,
    )
    return len(found)
