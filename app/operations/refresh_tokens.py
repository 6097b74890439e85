"""Refresh tokens that services replace at every log-in: the new one has to be kept, for the old one is void."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.db.engine import Tx
from app.db.statements import fetch
from app.db.vault import Vault


async def keep_refresh_token(
    tx: Tx, vault: Vault, endpoint: Mapping[str, Any], *, used: str, renewed: str
) -> bytes | None:
    """`endpoint` is locked. Its credentials from now on, sealed; none if somebody gave another one meanwhile."""
    place = {"workspace_id": endpoint["workspace_id"], "row_id": endpoint["id"]}
    known = json.loads(vault.open(endpoint["credentials"], **place))
    if known.get("refresh_token") != used:
        return None
    sealed = vault.seal(json.dumps({**known, "refresh_token": renewed}), **place)
    await _write(tx, endpoint["workspace_id"], endpoint["id"], sealed)
    return sealed


async def _write(tx: Tx, workspace_id: UUID, endpoint_id: UUID, sealed: bytes) -> None:
    """No revision of the endpoint: nothing about it that anybody could see has changed."""
    await fetch(tx, _WRITE, workspace_id, endpoint_id, sealed)


_WRITE = "UPDATE webhook_endpoints SET credentials = $3 WHERE workspace_id = $1 AND id = $2"
