"""Keys that stay while ZEROTEN_SECRET_KEYS change: what was made with one has to be recognised for ever."""

import os
from uuid import uuid4

from app.db.engine import Engine, Tx
from app.db.statements import fetch
from app.db.vault import Vault

KEY_BYTES = 32
ADDRESSES = "addresses"  # of erased people, kept as digests
SURVEY_LINKS = "survey_links"  # the tokens of personal links


class InstanceKey:
    """Drawn when it is first needed, since a database that has not been migrated has no place for it."""

    def __init__(self, engine: Engine, vault: Vault, purpose: str) -> None:
        self._engine, self._vault, self._purpose = engine, vault, purpose
        self._key: bytes | None = None

    async def read(self) -> bytes:
        """Raises CannotOpenSecret."""
        if self._key is None:
            async with self._engine.write() as tx:
                self._key = await instance_key(tx, self._vault, self._purpose)
        return self._key


class AddressKey(InstanceKey):
    def __init__(self, engine: Engine, vault: Vault) -> None:
        super().__init__(engine, vault, ADDRESSES)


async def instance_key(tx: Tx, vault: Vault, purpose: str) -> bytes:
    """The same 32 bytes in every process. Raises CannotOpenSecret."""
    found = await fetch(tx, _READ, purpose)
    if not found:
        row_id = uuid4()
        drawn = vault.seal(os.urandom(KEY_BYTES).hex(), workspace_id=row_id, row_id=row_id)
        await fetch(tx, _KEEP, purpose, row_id, drawn)
        found = await fetch(tx, _READ, purpose)
    (row,) = found
    return bytes.fromhex(vault.open(bytes(row["ciphertext"]), workspace_id=row["id"], row_id=row["id"]))


_READ = "SELECT id, ciphertext FROM instance_keys WHERE purpose = $1"
_KEEP = """
    INSERT INTO instance_keys (purpose, id, ciphertext) VALUES ($1, $2, $3) ON CONFLICT (purpose) DO NOTHING
"""
