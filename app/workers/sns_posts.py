"""What Amazon SES tells through SNS: looked into here, because the certificate that it is signed with is on Amazon's
servers. Nothing is fetched from anywhere else, whatever an envelope says.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import structlog

from app.clock import utc_now
from app.config import Settings
from app.db.engine import Engine
from app.domain.ids import shown
from app.domain.mail.mail_events.sns import events_of_ses, is_certificate_url, is_fresh, is_of_amazon, is_signed
from app.operations.mail_events import note_mail_events
from app.operations.mail_sources import SnsPost, claim_sns_posts, drop_sns_post, pin_topic
from app.outbound.http import GuardedClient, Request
from app.queries.instance import is_at_home
from app.workers.outgoing import outgoing

log = structlog.get_logger()

DEADLINE_SECONDS = 10.0
CERTIFICATE_BYTES = 16_000
MOST_CERTIFICATES = 100  # a new one every few years

Fetch = Callable[[str], Awaitable[bytes | None]]  # None: not now
_certificates: dict[str, bytes] = {}


async def look_into_sns_posts(engine: Engine, settings: Settings) -> None:
    async with engine.write() as tx:
        posts = await claim_sns_posts(tx, now=utc_now()) if await is_at_home(tx) else []
    if not posts:
        return
    async with outgoing(settings) as client:
        for post in posts:
            await look_into(engine, post, fetch=partial(_fetch, client))


async def look_into(engine: Engine, post: SnsPost, *, fetch: Fetch) -> None:
    """A post that cannot be looked into now stays, and is tried again in a minute."""
    envelope = _envelope(post)
    is_genuine = await _is_genuine(envelope, fetch) if _may_be_ours(envelope, post) else False
    if is_genuine is None:
        return
    if is_genuine and envelope.get("Type") == "SubscriptionConfirmation":
        if await fetch(str(envelope["SubscribeURL"])) is None:
            return
        log.info("a topic of Amazon's was confirmed", source=shown("mail_source", post.source_id))
    if not is_genuine:
        log.warning("a post that is not Amazon's was dropped", source=shown("mail_source", post.source_id))
    async with engine.write() as tx:
        if is_genuine:
            await pin_topic(tx, post, str(envelope["TopicArn"]))
            await note_mail_events(tx, post.workspace_id, events_of_ses(envelope), now=utc_now())
        await drop_sns_post(tx, post)


def _envelope(post: SnsPost) -> Mapping[str, object]:
    found = json.loads(post.body)
    return found if isinstance(found, dict) else {}


def _may_be_ours(envelope: Mapping[str, object], post: SnsPost) -> bool:
    is_of_topic = post.topic_arn is None or envelope.get("TopicArn") == post.topic_arn
    is_confirming = envelope.get("Type") == "SubscriptionConfirmation"
    is_confirmable = not is_confirming or is_of_amazon(envelope.get("SubscribeURL"))
    is_ours = is_of_topic and is_confirmable and is_fresh(envelope, heard_at=post.created_at)
    return is_ours and is_certificate_url(envelope.get("SigningCertURL"))


async def _is_genuine(envelope: Mapping[str, object], fetch: Fetch) -> bool | None:
    """None: its certificate cannot be had now."""
    url = str(envelope["SigningCertURL"])
    certificate = _certificates.get(url) or await fetch(url)
    if certificate is None:
        return None
    is_genuine = is_signed(envelope, certificate=certificate)
    if is_genuine and len(_certificates) < MOST_CERTIFICATES:
        _certificates[url] = certificate
    return is_genuine


async def _fetch(client: GuardedClient, url: str) -> bytes | None:
    request = Request("GET", url, {})
    answer = await client.ask(request, now=utc_now(), deadline_seconds=DEADLINE_SECONDS, head_bytes=CERTIFICATE_BYTES)
    return answer.outcome.head if answer.outcome.failure is None else None
