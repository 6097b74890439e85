"""The options that only the receiver may read, on their way into the row."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.db.vault import Vault
from app.domain.webhooks.sealed_options import NAMES, NOTHING_SEALED, SealedOptions, masked


def with_options_sealed(
    fields: Mapping[str, Any], *, vault: Vault, workspace_id: UUID, endpoint_id: UUID, sealed: bytes | None
) -> dict[str, Any]:
    """Columns in their place; none where nothing changes. `sealed` is what is stored so far. Raises HeaderRefused."""
    given = {name: fields[name] for name in NAMES if name in fields}
    columns = {name: value for name, value in fields.items() if name not in given}
    if not given:
        return columns
    before = _opened(sealed, vault=vault, workspace_id=workspace_id, endpoint_id=endpoint_id)
    after = before.changed(given)
    if after == before:
        return columns
    text = after.text()
    return columns | {
        "sealed_options": vault.seal(text, workspace_id=workspace_id, row_id=endpoint_id),
        "header_hints": after.header_hints(),
        "delighted_key_hint": masked(after.delighted_key) if after.delighted_key else None,
    }


def _opened(sealed: bytes | None, *, vault: Vault, workspace_id: UUID, endpoint_id: UUID) -> SealedOptions:
    if sealed is None:
        return NOTHING_SEALED
    return SealedOptions.read(vault.open(sealed, workspace_id=workspace_id, row_id=endpoint_id))
