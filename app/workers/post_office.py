"""The loop that mails what is due, for as long as the process lives."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from app.config import Settings
from app.db.engine import Engine
from app.db.lane import Lane
from app.domain.mail.dead_links import DEAD_LINKS
from app.domain.mail.letter import LONGEST_PUBLIC_URL
from app.outbound.email.smtp import Mailer
from app.smtp_server import SmtpServer
from app.workers.home import only_at_home
from app.workers.loop import Bell, repeat
from app.workers.send_invitations import Postman

log = structlog.get_logger()


async def carry_mail(engine: Engine, settings: Settings, *, stop: asyncio.Event) -> None:
    """Ends when the mails under way have ended."""
    if len(settings.public_address) > LONGEST_PUBLIC_URL:
        log.warning("a long public URL makes mail programs break the one click to unsubscribe", most=LONGEST_PUBLIC_URL)
    if settings.has_dead_links:
        log.error("live mail is held back", why=DEAD_LINKS)
    async with open_mailer(settings) as mailer:
        postman = Postman(engine, settings, mailer=mailer, stop=stop)
        step = only_at_home(engine, postman.step)
        # The lane is never opened: claims and settlements use the pool.
        await repeat(step, lane=Lane(engine), bell=Bell(), stop=stop, poll_seconds=settings.poll_seconds)


@asynccontextmanager
async def open_mailer(settings: Settings) -> AsyncIterator[Mailer | None]:
    """None where no server is set: then every mail is captured."""
    if settings.smtp_url is None:
        yield None
        return
    async with Mailer(SmtpServer.read(settings.smtp_url.get_secret_value())) as mailer:
        yield mailer
