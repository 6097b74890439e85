"""Test mails and notices on their way out: claimed, sent with no transaction open, settled."""

from app.clock import utc_now
from app.config import Settings
from app.db.engine import Engine
from app.domain.mail.letter import wire_address
from app.operations import outgoing_mails as operations
from app.operations.outgoing_mails import TRIED_FOR, ClaimedMail
from app.outbound.email.smtp import Mailer, SmtpOutcome, SmtpResult
from app.queries.instance import is_at_home
from app.smtp_server import SmtpServer

ONE_AFTER_THE_OTHER = 1


async def ship_mails(engine: Engine, settings: Settings) -> None:
    async with engine.write() as tx:
        claimed = await operations.claim_outgoing_mails(tx, now=utc_now()) if await is_at_home(tx) else []
    if settings.smtp_url is None:
        for one in claimed:
            await _capture(engine, one)
        return
    server = SmtpServer.read(settings.smtp_url.get_secret_value())
    async with Mailer(server, connections=ONE_AFTER_THE_OTHER) as mailer:
        for one in claimed:
            await (_send(engine, mailer, one) if one.livemode else _capture(engine, one))


async def _capture(engine: Engine, claimed: ClaimedMail) -> None:
    async with engine.write() as tx:
        await operations.capture_outgoing_mail(tx, claimed, now=utc_now())


async def _send(engine: Engine, mailer: Mailer, claimed: ClaimedMail) -> None:
    mail = claimed.mail
    outcome = await mailer.send(
        mail.raw, envelope_sender=wire_address(mail.envelope_sender), to=wire_address(mail.to_address)
    )
    now = utc_now()
    is_over = outcome.is_refused_for_good or not outcome.may_be_tried_again  # whoever tries it out waits to be told
    async with engine.write() as tx:
        if not is_over and now - claimed.created_at < TRIED_FOR:
            await operations.put_off_outgoing_mail(tx, claimed, now=now)
        else:
            state, failure = _state(outcome), None if outcome.result is SmtpResult.SENT else outcome.stage.value
            await operations.settle_outgoing_mail(
                tx, claimed, state=state, failure=failure, reply_code=outcome.reply_code, now=now
            )


def _state(outcome: SmtpOutcome) -> str:
    return "failed" if outcome.result is SmtpResult.NOT_SENT else outcome.result.value
