"""Files of recipients, up to millions of rows: uploaded here, worked off by the worker."""

import csv
import io
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query, Request, Response
from pydantic import Field
from starlette.responses import StreamingResponse

from app.api.dependencies import Now, ReadTx, RecipientReader, RecipientWriter, services_of
from app.api.pagination import NewestFirst, listing
from app.api.problem_types import refuses
from app.api.problems import Refused
from app.api.routing import router
from app.api.schemas import CampaignId, EndpointId, ImportId, Instant, Listing, Reply
from app.clock import utc_now
from app.db import engine as database
from app.domain.campaign import CampaignFieldFixed, CampaignNotFound
from app.domain.people.recipient_file import FileFormat, TextCheck
from app.domain.people.recipient_import import ImportNotFound, ImportState, TooManyImports, import_body
from app.operations.import_uploads import abandon_upload, begin_upload, finish_upload, store_chunk
from app.queries import imports as queries
from app.queries.pages import Page

routes = router("imports")

CHUNK_BYTES = 250_000  # stored at once; what a request holds in memory
ERRORS_AT_ONCE = 1_000
FORMATS: Mapping[str, FileFormat] = {
    "text/csv": FileFormat.CSV,
    "application/csv": FileFormat.CSV,
    "application/x-ndjson": FileFormat.NDJSON,
    "application/ndjson": FileFormat.NDJSON,
    "application/jsonl": FileFormat.NDJSON,
}
A_FILE = {"type": "string", "minLength": 1}
FILE = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {"schema": A_FILE, "example": "external_id,email,plan\n4711,ada@example.com,pro\n"},
            "application/x-ndjson": {
                "schema": A_FILE,
                "example": '{"external_id":"4711","email":"ada@example.com","properties":{"plan":"pro"}}\n',
            },
        },
    }
}


class ImportRows(Reply):
    """Read is the sum of the others."""

    read: int
    created: int
    updated: int
    unchanged: int
    rejected: int


class ImportReply(Reply):
    id: ImportId
    kind: Literal["recipients"]
    format: FileFormat
    campaign_id: CampaignId | None
    endpoint_id: EndpointId | None = Field(description="The connector they were pulled through, if no file was sent.")
    state: ImportState
    failure: str | None = Field(description="Why it failed. Rows stored until then stay; sending it again is harmless.")
    bytes: int
    bytes_read: int
    rows: ImportRows
    created_at: Instant
    started_at: Instant | None
    finished_at: Instant | None
    updated_at: Instant
    revision: int


class ImportRowError(Reply):
    line: int = Field(description="Where the row begins in the file, from 1.")
    code: str = Field(examples=["recipient_invalid"])
    field: str | None = Field(examples=["email"])
    detail: str
    record: str | None = Field(description="Of what was pulled: the record's id there. Kept for 30 days.")


@routes.post(
    "/v1/imports/recipients",
    status_code=202,
    summary="Import a file of recipients",
    openapi_extra=FILE,
    responses=refuses(CampaignNotFound, CampaignFieldFixed, TooManyImports, "unsupported_media_type"),
)
async def import_recipients(
    caller: RecipientWriter,
    now: Now,
    request: Request,
    format: Annotated[  # noqa: A002 - its name in the URL
        FileFormat | None, Query(description="If the Content-Type does not say it.")
    ] = None,
    campaign_id: Annotated[CampaignId | None, Query(description="Adds the recipients to this campaign.")] = None,
) -> ImportReply:
    """A CSV whose first line names the columns, or a JSON object on each line; UTF-8.

    Rows are upserts. Columns `external_id`, `email`, `phone`, `name`, `locale`, `time_zone`, `account` (its
    external_id) and `account_name` are fields, every other column is a property; an empty cell leaves things as they
    are. A JSON object is as in `POST /v1/recipients`, and may say `unsubscribed_at`: since when somebody wants no more
    surveys, which no later row takes back. Follow the import by its id: when it has ended, `import.completed` is
    announced, and `errors` lists every row that was rejected.
    """
    form = format or _format_of(request)
    engine = services_of(request).engine
    async with engine.write() as tx:
        import_id = await begin_upload(tx, caller.workspace_id, form=form, campaign_id=campaign_id, now=now)
    try:
        failure = await _store_body(engine, caller.workspace_id, import_id, request)
    except BaseException:  # the sender went away, or sent too much: nobody else would ever clean this up soon
        async with engine.write() as tx:
            await abandon_upload(tx, caller.workspace_id, import_id)
        raise
    async with engine.write() as tx:
        await finish_upload(tx, caller.workspace_id, import_id, failure=failure, now=utc_now())
        return await _read(tx, caller.workspace_id, import_id)


def _format_of(request: Request) -> FileFormat:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in FORMATS:
        detail = f"Send text/csv or application/x-ndjson, not {media_type or 'nothing'}; or name the `format`."
        raise Refused("unsupported_media_type", detail)
    return FORMATS[media_type]


async def _store_body(engine: database.Engine, workspace_id: UUID, import_id: UUID, request: Request) -> str | None:
    """Why it cannot be read, if so; then the rest is taken in and let go."""
    limit = services_of(request).settings.import_limit_bytes
    _check_size(int(request.headers.get("content-length", "0")), limit)
    size, number, text = 0, 0, TextCheck()
    async for chunk in _chunks(request):
        size += len(chunk)
        _check_size(size, limit)
        if text.accepts(chunk):
            async with engine.write() as tx:
                await store_chunk(tx, workspace_id, import_id, number, chunk, now=utc_now())
            number += 1
    if size == 0:
        raise Refused("body_missing", "Send the file as the body of the request.")
    text.accepts(b"", is_last=True)
    return text.fault


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise Refused("body_too_large", f"A file has at most {limit} bytes; send it in parts.")


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    waiting = bytearray()
    async for received in request.stream():
        waiting += received
        while len(waiting) >= CHUNK_BYTES:
            yield bytes(waiting[:CHUNK_BYTES])
            del waiting[:CHUNK_BYTES]
    if waiting:
        yield bytes(waiting)


@routes.get("/v1/imports", response_model=Listing[ImportReply], summary="List imports")
async def list_imports(
    caller: RecipientReader, tx: ReadTx, page: NewestFirst, request: Request, response: Response
) -> Mapping[str, Any]:
    found = await queries.list_imports(tx, caller.workspace_id, page)
    return listing(request, response, found, [ImportReply(**import_body(row)) for row in found.rows])


@routes.get("/v1/imports/{import_id}", summary="Read how far an import is", responses=refuses(ImportNotFound))
async def get_import(import_id: ImportId, caller: RecipientReader, tx: ReadTx) -> ImportReply:
    return await _read(tx, caller.workspace_id, import_id)


@routes.get(
    "/v1/imports/{import_id}/errors",
    response_model=Listing[ImportRowError],
    summary="List the rejected rows",
    responses=refuses(ImportNotFound),
)
async def list_import_errors(
    import_id: ImportId, caller: RecipientReader, tx: ReadTx, page: NewestFirst, request: Request, response: Response
) -> Mapping[str, Any]:
    """In the order of the file. At most 100,000 are listed; `rows.rejected` counts all."""
    found = await queries.list_import_errors(tx, caller.workspace_id, import_id, page)
    return listing(request, response, found, [ImportRowError.model_validate(dict(row)) for row in found.rows])


@routes.get(
    "/v1/imports/{import_id}/errors.csv",
    summary="List the rejected rows, as a file",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}, **refuses(ImportNotFound)},
)
async def download_import_errors(import_id: ImportId, caller: RecipientReader, request: Request) -> Response:
    engine = services_of(request).engine
    async with engine.read() as tx:
        await queries.get_import(tx, caller.workspace_id, import_id)
    name = f'attachment; filename="import-errors-{import_id.hex}.csv"'
    lines = _csv_of_errors(engine, caller.workspace_id, import_id)
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers={"content-disposition": name})


async def _csv_of_errors(engine: database.Engine, workspace_id: UUID, import_id: UUID) -> AsyncIterator[str]:
    yield "line,code,field,detail\r\n"
    page: Page | None = Page(limit=ERRORS_AT_ONCE)
    while page is not None:
        async with engine.read() as tx:
            found = await queries.list_import_errors(tx, workspace_id, import_id, page)
        text = io.StringIO()
        csv.writer(text).writerows(
            (row["line"], row["code"], _as_text(row["field"] or ""), _as_text(row["detail"])) for row in found.rows
        )
        yield text.getvalue()
        page = Page(limit=ERRORS_AT_ONCE, after=found.next_after) if found.next_after is not None else None


def _as_text(cell: str) -> str:
    """A spreadsheet would run what begins like this; a column of the uploaded file may be called so."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


async def _read(tx: database.Tx | database.ReadTx, workspace_id: UUID, import_id: UUID) -> ImportReply:
    return ImportReply(**import_body(await queries.get_import(tx, workspace_id, import_id)))
