"""The logo of a workspace: one that is shown, and a few before it that mails which are out still show."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from app.db.engine import Tx
from app.db.statements import fetch
from app.db.tables import workspaces
from app.domain.survey.logo import Logo, LogoNotFound, logo_digest, logo_path, read_logo

MOST_KEPT = 10  # of a workspace, the newest


async def put_logo(tx: Tx, workspace_id: UUID, raw: bytes, *, now: datetime) -> None:
    """In place of the one there was. Raises LogoInvalid."""
    picture, digest = read_logo(raw), logo_digest(raw)
    brand = await _locked_brand(tx, workspace_id)
    await fetch(tx, _KEEP, workspace_id, digest, picture.kind.value, raw, now)
    await fetch(tx, _FORGET_OLDEST, workspace_id, MOST_KEPT)
    path = logo_path(workspace_id, digest, picture.kind)
    logo = Logo(path, picture.width, picture.height, picture.is_see_through)
    await _set_brand(tx, workspace_id, {**brand, "logo": logo.stored()})


async def drop_logo(tx: Tx, workspace_id: UUID) -> None:
    """This one and those before it, also from mails that are out. Raises LogoNotFound."""
    brand = await _locked_brand(tx, workspace_id)
    if not await fetch(tx, _FORGET_ALL, workspace_id):
        raise LogoNotFound("The workspace has no logo.")
    await _set_brand(tx, workspace_id, {field: value for field, value in brand.items() if field != "logo"})


async def _locked_brand(tx: Tx, workspace_id: UUID) -> Mapping[str, Any]:
    stored = select(workspaces.c.brand).where(workspaces.c.id == workspace_id).with_for_update(key_share=True)
    return dict((await tx.execute(stored)).scalar_one())


async def _set_brand(tx: Tx, workspace_id: UUID, brand: Mapping[str, Any]) -> None:
    changed = {"brand": brand, "revision": workspaces.c.revision + 1}
    await tx.execute(update(workspaces).where(workspaces.c.id == workspace_id).values(changed))


_KEEP = """
    INSERT INTO logos (workspace_id, digest, kind, bytes, created_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (workspace_id, digest) DO UPDATE SET created_at = excluded.created_at
"""
_FORGET_OLDEST = """
    DELETE FROM logos WHERE workspace_id = $1 AND digest NOT IN (
        SELECT digest FROM logos WHERE workspace_id = $1 ORDER BY created_at DESC, digest LIMIT $2
    )
"""
_FORGET_ALL = "DELETE FROM logos WHERE workspace_id = $1 RETURNING 1"
