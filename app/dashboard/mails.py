"""The captured mailbox: what would have been mailed, to be read, and its links to be tried."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from pydantic import AfterValidator
from starlette.responses import HTMLResponse, Response

from app.api.dependencies import ReadTx, services_of
from app.api.pagination import NewestFirst, next_cursor
from app.api.schemas import MailId, storable
from app.dashboard.headers import FRAMED, FRAMING, PRIVATE
from app.dashboard.refusals import PageNotFound
from app.dashboard.sender_domains import count_failing
from app.dashboard.shell import page
from app.dashboard.visitors import MailReader
from app.domain.mail.letter import Purpose
from app.domain.mail.mail_reading import read_mail
from app.queries import captured_mails as queries
from app.queries.pages import Page

MOST_MAILS = 25  # on a page
LONGEST_ADDRESS = 320
PURPOSES = {Purpose.FIRST: "Survey", Purpose.REMINDER: "Reminder", Purpose.TEST: "Test", Purpose.NOTICE: "Notice"}
# Links leave the frame, which the pages they lead to would refuse to be in.
NEW_WINDOWS = '<base target="_blank">'


async def show_mails(
    request: Request,
    visitor: MailReader,
    tx: ReadTx,
    from_here: NewestFirst,
    to: Annotated[str, Query(max_length=LONGEST_ADDRESS), AfterValidator(storable)] = "",
) -> Response:
    caller, wanted = visitor.caller, Page(MOST_MAILS, from_here.after)
    found = await queries.list_captured_mails(tx, caller.workspace_id, wanted, to=to.strip())
    is_sending = services_of(request).settings.smtp_url is not None and caller.livemode
    may_see_domains = caller.may("workspace:read")
    return page(
        request, "mails.html", mails=found.rows, purposes=PURPOSES, to=to.strip(), is_first=from_here.after is None,
        older=next_cursor(found), is_sending=is_sending, may_see_domains=may_see_domains,
        failing=await count_failing(tx, caller.workspace_id) if may_see_domains else 0,
    )  # fmt: skip


async def show_mail(request: Request, mail_id: MailId, visitor: MailReader, tx: ReadTx) -> Response:
    row = await _mail(tx, visitor.caller.workspace_id, mail_id)
    response = page(request, "mail.html", mail=row, read=read_mail(row["raw"]), purpose=PURPOSES[row["purpose"]])
    response.headers["content-security-policy"] = FRAMING
    return response


async def show_body(mail_id: MailId, visitor: MailReader, tx: ReadTx) -> Response:
    """What the frame shows."""
    row = await _mail(tx, visitor.caller.workspace_id, mail_id)
    html = read_mail(row["raw"]).html.replace("<head>", f"<head>{NEW_WINDOWS}", 1)
    return HTMLResponse(html, headers={**PRIVATE, "content-security-policy": FRAMED, "x-frame-options": "SAMEORIGIN"})


async def _mail(tx: ReadTx, workspace_id: UUID, mail_id: UUID) -> Mapping[Any, Any]:
    found = await queries.find_captured_mail(tx, workspace_id, mail_id)
    if found is None:
        raise PageNotFound
    return found
