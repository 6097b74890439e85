"""What mail services post about mails they carried, and bounced mails themselves."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from fastapi import FastAPI, Request, Response

from app.api.dependencies import Services, services_of
from app.clock import utc_now
from app.db.engine import Tx
from app.domain.mail.mail_events.dsn import events_of_report
from app.domain.mail.mail_events.event import MailEvent
from app.domain.mail.mail_events.mailgun import digest_of_token, events_of_mailgun, is_from_mailgun
from app.domain.mail.mail_events.postmark import events_of_postmark
from app.domain.mail.mail_events.sendgrid import events_of_sendgrid, is_from_sendgrid
from app.domain.mail.mail_source import MailSourceKind
from app.domain.strict_json import UnreadableJson, strict_json
from app.operations.mail_events import note_mail_events
from app.operations.mail_sources import hold_source, keep_sns_post, note_heard, take_mail_token
from app.queries.mail_sources import find_source_by_key

LONGEST_KEY = 64  # characters
EVENTS: Mapping[MailSourceKind, Callable[[object], list[MailEvent]]] = {
    MailSourceKind.SENDGRID: events_of_sendgrid,
    MailSourceKind.POSTMARK: events_of_postmark,
    MailSourceKind.MAILGUN: events_of_mailgun,
}


def inbound_path(key: str) -> str:
    return f"/inbound/mail/{key}"


def include_mail(app: FastAPI) -> None:
    app.router.add_api_route(inbound_path("{key}"), hear, methods=["POST"], include_in_schema=False)


async def hear(key: str, request: Request) -> Response:
    """A stranger learns nothing: whatever is wrong with who it is, it is 401."""
    services, now, body = services_of(request), utc_now(), await request.body()
    if len(key) > LONGEST_KEY or not key.isascii():
        return Response(status_code=401)
    async with services.engine.read() as tx:
        source = await find_source_by_key(tx, key)
    if source is None or not _is_signed(services, source, request, body, now):
        return Response(status_code=401)
    try:
        events, post = await _said(MailSourceKind(source["kind"]), body)
    except (UnreadableJson, UnicodeDecodeError):
        return Response(status_code=400)
    async with services.engine.write() as tx:
        if not await hold_source(tx, source["workspace_id"], source["id"]):
            return Response(status_code=401)
        if not await _is_first(tx, source, body, now=now):
            return Response(status_code=200)
        await note_heard(tx, source["workspace_id"], source["id"], now=now)
        await note_mail_events(tx, source["workspace_id"], events, now=now, only_named=_is_anybodys(source))
        if post is not None:
            await keep_sns_post(tx, source["workspace_id"], source["id"], body=post, now=now)
    return Response(status_code=200)


async def _said(kind: MailSourceKind, body: bytes) -> tuple[list[MailEvent], str | None]:
    """What Amazon posts is kept for a worker, which can fetch the certificate it is signed with."""
    if kind is MailSourceKind.DSN:  # in a thread: anybody writes them, and however they like
        return await asyncio.to_thread(events_of_report, body), None
    content = strict_json(body)
    if kind is MailSourceKind.SES:
        return [], body.decode()
    return EVENTS[kind](content), None


async def _is_first(tx: Tx, source: Mapping[Any, Any], body: bytes, *, now: datetime) -> bool:
    """Mailgun signs a token and not what it tells: with a token that was heard, anything could be said."""
    if MailSourceKind(source["kind"]) is not MailSourceKind.MAILGUN:
        return True
    return await take_mail_token(tx, source["workspace_id"], digest_of_token(strict_json(body)), now=now)


def _is_anybodys(source: Mapping[Any, Any]) -> bool:
    """Whoever can write to the bounce address is passed on: a report that names no mail of ours may be made up."""
    return MailSourceKind(source["kind"]) is MailSourceKind.DSN


def _is_signed(services: Services, source: Mapping[Any, Any], request: Request, body: bytes, now: datetime) -> bool:
    if source["secret"] is None:
        return True  # the key in the address is all there is; or, of Amazon, a worker looks
    secret = services.vault.open(source["secret"], workspace_id=source["workspace_id"], row_id=source["id"])
    if source["kind"] == MailSourceKind.SENDGRID:
        return is_from_sendgrid(secret, headers=request.headers, body=body, now=now)
    try:
        return is_from_mailgun(secret, strict_json(body), now=now)
    except UnreadableJson:
        return False
