"""Imports as the API shows them, and as the process that works them off reads them."""

from uuid import UUID

from sqlalchemy import RowMapping, select

from app.db.engine import ReadTx, Tx
from app.db.statements import fetch
from app.db.tables import import_chunks, import_errors, imports, pulled_pages
from app.domain.people.recipient_import import ImportNotFound
from app.queries.pages import Page, Slice, by_number, newest_first

# Nobody has it, or whoever had it has died; and one of a workspace at a time.
IS_DUE = """
    (i.state = 'queued' OR i.state = 'running' AND i.lease_until < clock_timestamp()) AND NOT EXISTS (
        SELECT FROM imports other WHERE other.workspace_id = i.workspace_id AND other.id <> i.id
            AND other.state = 'running' AND other.lease_until >= clock_timestamp()
    )
"""


async def list_imports(tx: ReadTx, workspace_id: UUID, page: Page) -> Slice[RowMapping]:
    return await newest_first(tx, select(imports).where(imports.c.workspace_id == workspace_id), imports, page)


async def get_import(tx: ReadTx | Tx, workspace_id: UUID, import_id: UUID) -> RowMapping:
    """Raises ImportNotFound."""
    query = select(imports).where(imports.c.workspace_id == workspace_id, imports.c.id == import_id)
    found = (await tx.execute(query)).mappings().one_or_none()
    if found is None:
        raise ImportNotFound("There is no import with this id.")
    return found


async def list_import_errors(tx: ReadTx, workspace_id: UUID, import_id: UUID, page: Page) -> Slice[RowMapping]:
    """In the order of lines. Raises ImportNotFound."""
    await get_import(tx, workspace_id, import_id)
    errors = import_errors.c
    query = select(import_errors, _RECORD).where(errors.workspace_id == workspace_id, errors.import_id == import_id)
    return await by_number(tx, query, errors.line, page)


_PAGES, _ERRORS = pulled_pages.c, import_errors.c
_RECORD = (
    select(_PAGES.record_ids[_ERRORS.line - _PAGES.first_line + 1])
    .where(_PAGES.workspace_id == _ERRORS.workspace_id, _PAGES.import_id == _ERRORS.import_id)
    .where(_PAGES.first_line <= _ERRORS.line)
    .order_by(_PAGES.first_line.desc())
    .limit(1)
    .correlate(import_errors)
    .scalar_subquery()
    .label("record")
)  # of what was pulled


async def read_chunk(tx: ReadTx, workspace_id: UUID, import_id: UUID, number: int) -> bytes | None:
    """Of the uploaded file; None behind its end."""
    chunks = import_chunks.c
    query = select(chunks.bytes).where(
        chunks.workspace_id == workspace_id, chunks.import_id == import_id, chunks.number == number
    )
    chunk: bytes | None = (await tx.execute(query)).scalar_one_or_none()
    return chunk


async def is_any_import_due(tx: ReadTx) -> bool:
    return bool(await fetch(tx, f"SELECT 1 FROM imports i WHERE {IS_DUE} LIMIT 1"))
