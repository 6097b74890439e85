"""Where bounces and complaints come in from: mail services, or bounced mails that somebody passes on."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Request as HttpRequest
from fastapi import Response
from pydantic import Field, StringConstraints

from app.api.dependencies import Now, ReadTx, Tx, WorkspaceReader, WorkspaceWriter, services_of
from app.api.idempotency import Idempotency
from app.api.inbound.mail import inbound_path
from app.api.pagination import NewestFirst, listing
from app.api.problem_types import refuses
from app.api.routing import router
from app.api.schemas import Instant, Listing, MailSourceId, Name, Reply, Request
from app.domain.mail.mail_source import (
    LONGEST_SECRET,
    MailSourceInvalid,
    MailSourceKind,
    MailSourceNotFound,
    TooManyMailSources,
)
from app.operations.mail_sources import create_source, delete_source
from app.queries.mail_sources import get_source, list_sources

routes = router("mail sources")

EXAMPLE_TOPIC = "arn:aws:sns:eu-central-1:123456789012:bounces"


class MailSourceCreate(Request):
    kind: MailSourceKind
    name: Name
    secret: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_SECRET)] | None = Field(
        None, description="Of sendgrid the public key of its signed Event Webhook, of mailgun the webhook signing key."
    )
    topic_arn: Annotated[str, StringConstraints(max_length=400), Field(examples=[EXAMPLE_TOPIC])] | None = Field(
        None, description="Of ses. Without one, the first topic that confirms itself."
    )


class MailSource(Reply):
    id: MailSourceId
    kind: MailSourceKind
    name: str
    topic_arn: str | None
    created_at: Instant
    heard_at: Instant | None = Field(description="When it last told us something. Correct to a minute.")


class NewMailSource(MailSource):
    url: str | None = Field(
        description="Where it posts to; whoever knows it can tell us of bounces. Shown this once: null in the reply to "
        "a repeated call."
    )


@routes.post(
    "/v1/mail-sources",
    status_code=201,
    summary="Create a mail source",
    responses=refuses(MailSourceInvalid, TooManyMailSources),
)
async def create_mail_source(
    body: MailSourceCreate, caller: WorkspaceWriter, once: Idempotency, tx: Tx, now: Now, request: HttpRequest
) -> NewMailSource:
    """Bounces and complaints that are posted to its `url` keep people from being written to again."""
    if once.id is not None:
        return NewMailSource(**await get_source(tx, caller.workspace_id, once.id), url=None)
    services = services_of(request)
    opened = await create_source(tx, caller.workspace_id, **body.model_dump(), vault=services.vault, now=now)
    row = await get_source(tx, caller.workspace_id, once.keep(opened.id))
    return NewMailSource(**row, url=services.settings.public_address + inbound_path(opened.key))


@routes.get("/v1/mail-sources", response_model=Listing[MailSource], summary="List mail sources")
async def list_mail_sources(
    caller: WorkspaceReader, tx: ReadTx, page: NewestFirst, request: HttpRequest, response: Response
) -> Mapping[str, Any]:
    found = await list_sources(tx, caller.workspace_id, page)
    return listing(request, response, found, [MailSource(**row) for row in found.rows])


@routes.delete(
    "/v1/mail-sources/{mail_source_id}",
    status_code=204,
    summary="Delete a mail source",
    responses=refuses(MailSourceNotFound),
)
async def delete_mail_source(mail_source_id: MailSourceId, caller: WorkspaceWriter, tx: Tx) -> None:
    """What is posted to its URL from now on is refused."""
    await delete_source(tx, caller.workspace_id, mail_source_id)
