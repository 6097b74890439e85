"""Mails out: claimed in one transaction, sent with none open, settled in another."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from time import monotonic

import structlog

from app.clock import utc_now
from app.config import Settings
from app.db.again import in_transaction, in_transaction_by_all_means
from app.db.engine import Engine, Tx
from app.db.vault import Vault
from app.domain.asking.invitation import ClaimedInvitation
from app.domain.ids import shown
from app.domain.mail.invitation_letter import letter_to
from app.domain.mail.letter import Letter, wire_address
from app.domain.mail.letter_bytes import compose
from app.operations.captured_mails import CapturedMail, keep_captured_mails
from app.operations.instance_keys import SURVEY_LINKS, instance_key
from app.operations.invitations.claim import MailLease, claim_due_invitations
from app.operations.invitations.settle import MailEnd, MailSettlement, settle_invitations
from app.outbound.email.smtp import CONNECTIONS, DEADLINE_SECONDS, Mailer, SmtpOutcome, SmtpResult

log = structlog.get_logger()

CLAIMED_AT_ONCE = 200  # at most; and no more than leave in so many seconds, by the pace of those before:
CLAIMED_FOR_SECONDS = 10.0  # of whatever happens meanwhile, a claimed mail knows nothing
CLAIMED_AT_FIRST = 4 * CONNECTIONS
LEASE_SECONDS = 600.0  # for all of them, over few connections
SETTLED_EVERY_SECONDS = 0.5
SETTLED_WITHIN_SECONDS = 30.0  # of what was sent nobody else will know

ENDS = {
    SmtpResult.SENT: MailEnd.SENT,
    SmtpResult.NOT_SENT: MailEnd.NOT_SENT,
    SmtpResult.UNKNOWN: MailEnd.UNKNOWN,
    SmtpResult.NOT_TRIED: MailEnd.HANDED_BACK,
}


@dataclass(frozen=True, slots=True)
class Carried:
    settlement: MailSettlement
    captured: CapturedMail | None = None


class Postman:
    """Sends what is due, of all workspaces. Without a mailer all of it is captured, as that of test workspaces is."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        *,
        mailer: Mailer | None,
        stop: asyncio.Event,
        clock: Callable[[], datetime] = utc_now,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self.engine, self.settings, self.mailer, self.stop, self.clock = engine, settings, mailer, stop, clock
        self.lease_seconds = lease_seconds
        self._link_key: bytes | None = None
        self._at_once = CLAIMED_AT_FIRST

    async def step(self) -> bool:
        """One batch; says whether more may be due at once."""
        link_key = await self._read_link_key()
        begun_at = monotonic()
        ends_at = begun_at + self.lease_seconds  # taken before the lease starts, so that ours ends first
        claimed, is_more = await in_transaction(self.engine, partial(self._claim, link_key=link_key))
        await self._carry_all(claimed, ends_at)
        if claimed:
            self._at_once = at_once_after(len(claimed), monotonic() - begun_at)
        return is_more and not self.stop.is_set()

    async def _claim(self, tx: Tx, *, link_key: bytes) -> tuple[list[ClaimedInvitation], bool]:
        return await claim_due_invitations(
            tx, lease=MailLease.of(self.lease_seconds), limit=self._at_once, link_key=link_key,
            is_live_held=self.settings.has_dead_links, now=self.clock(),
        )  # fmt: skip

    async def _carry_all(self, claimed: Iterable[ClaimedInvitation], ends_at: float) -> None:
        """Of some whose end cannot be written down, the others are settled all the same."""
        pending = {asyncio.create_task(self._carry(one, ends_at)) for one in claimed}
        failures: list[Exception] = []
        while pending:
            done, pending = await asyncio.wait(pending, timeout=SETTLED_EVERY_SECONDS)
            try:
                await self._settle([task.result() for task in done])
            except Exception as error:  # noqa: BLE001 - raised when all have been carried
                failures.append(error)
        if failures:
            raise failures[0]

    async def _read_link_key(self) -> bytes:
        if self._link_key is None:
            async with self.engine.write() as tx:
                self._link_key = await instance_key(tx, Vault.read(self.settings.secret_keys_text), SURVEY_LINKS)
        return self._link_key

    async def _carry(self, invitation: ClaimedInvitation, ends_at: float) -> Carried:
        try:
            letter = letter_to(invitation, public_url=self.settings.public_address, now=self.clock())
            raw = compose(replace(letter, has_honeypot=self.settings.scanner_honeypot_link))
        except Exception:  # our trouble with one mail must not hold up the others
            log.exception("a mail could not be written", invitation=shown("invitation", invitation.id))
            return Carried(MailSettlement(invitation, MailEnd.NOT_SENT, "unwritten"))
        if self.mailer is None or not invitation.campaign.livemode:
            captured = CapturedMail(invitation.campaign.workspace_id, invitation.addressee.id, letter, raw)
            return Carried(MailSettlement(invitation, MailEnd.SENT), captured)
        return Carried(await self._send(self.mailer, invitation, letter, raw, ends_at))

    async def _send(
        self, mailer: Mailer, invitation: ClaimedInvitation, letter: Letter, raw: bytes, ends_at: float
    ) -> MailSettlement:
        def is_still_time() -> bool:
            has_lease = not self.stop.is_set() and ends_at - monotonic() >= DEADLINE_SECONDS
            return has_lease and (invitation.leaves_before is None or self.clock() < invitation.leaves_before)

        outcome = await mailer.send(
            raw, envelope_sender=wire_address(letter.envelope_sender), to=wire_address(letter.to.email),
            is_still_time=is_still_time,
        )  # fmt: skip
        return _settlement(invitation, outcome)

    async def _settle(self, carried: Iterable[Carried]) -> None:
        settled = list(carried)
        if not settled:
            return
        captured = [one.captured for one in settled if one.captured is not None]

        async def write_down(tx: Tx) -> None:
            await keep_captured_mails(tx, captured, now=self.clock())
            await settle_invitations(tx, [one.settlement for one in settled], now=self.clock())

        await in_transaction_by_all_means(self.engine, write_down, seconds=SETTLED_WITHIN_SECONDS)


def at_once_after(mails: int, seconds: float) -> int:
    """How many to claim next: as many as leave in the time that they may stay claimed, and one for each connection."""
    return max(CONNECTIONS, min(CLAIMED_AT_ONCE, int(mails * CLAIMED_FOR_SECONDS / max(seconds, 0.001))))


def _settlement(invitation: ClaimedInvitation, outcome: SmtpOutcome) -> MailSettlement:
    if outcome.result is SmtpResult.FAILED:
        end = MailEnd.FAILED if outcome.is_permanent else MailEnd.NOT_SENT
    else:
        end = ENDS[outcome.result]
    failure = None if end is MailEnd.SENT else outcome.stage.value
    return MailSettlement(invitation, end, failure, outcome.reply_code, outcome.is_about_address)
