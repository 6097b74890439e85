"""Which installation a database belongs to, and whether that is the one it is in now.

Told apart by the server's identifier, which every initdb draws anew, and the database's name; an embedded server also
says in which directory it lies, so that a copy of its files is noticed too. A copy of the files of somebody else's
server, put in its place under the same name, looks like the original.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text

from app.db.engine import ReadTx, Tx
from app.db.tables import instance

DIRECTORY_SETTING = "zeroten.directory"  # of postgresql.conf; set by `zeroten up`


@dataclass(frozen=True, slots=True)
class Instance:
    id: UUID
    is_at_home: bool  # otherwise restored or copied here, and nobody has said that it is to take over
    adopted_at: datetime
    generation: int  # 1, and one more for each time it was adopted


async def find_instance(tx: ReadTx | Tx) -> Instance | None:
    """None before the first start."""
    row = (await tx.execute(select(instance))).one_or_none()
    if row is None:
        return None
    return Instance(row.id, row.fingerprint == await fingerprint(tx), row.adopted_at, row.generation)


async def is_at_home(tx: ReadTx | Tx) -> bool:
    """Whether anything may leave this database. Nothing does before the first start."""
    found = await find_instance(tx)
    return found is not None and found.is_at_home


async def fingerprint(tx: ReadTx | Tx) -> str:
    may_ask = (await tx.execute(text("SELECT has_function_privilege('pg_control_system()', 'execute')"))).scalar_one()
    server = "system_identifier::text FROM pg_control_system()" if may_ask else "'unknown'"
    place = f"concat_ws('/', current_database(), current_setting('{DIRECTORY_SETTING}', true))"
    parts = (await tx.execute(text(f"SELECT {place} AS place, {server}"))).one()
    return f"{parts[1]}/{parts[0]}"
