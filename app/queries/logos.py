from uuid import UUID

from app.db.engine import ReadTx, Tx
from app.db.statements import fetch


async def find_logo(tx: ReadTx | Tx, workspace_id: UUID, digest: str) -> bytes | None:
    found = await fetch(tx, "SELECT bytes FROM logos WHERE workspace_id = $1 AND digest = $2", workspace_id, digest)
    return found[0]["bytes"] if found else None
