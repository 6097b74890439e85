"""Mails out, over few connections that are kept and used again.

What matters most is what is known afterwards. A mail that the server has taken is sent; one that never got as far as
its content can be tried again; and of one whose content was on its way when the connection died, nobody knows.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from time import monotonic
from typing import Self

from aiosmtplib import SMTP, SMTPException, SMTPResponseException
from aiosmtplib.errors import SMTPNotSupported

from app.domain.mail.reply_status import is_about_mailbox, is_about_sender
from app.smtp_server import SmtpServer

DEADLINE_SECONDS = 60.0  # for one mail, everything included; servers that scan content take their time
CONNECTIONS = 8
MAILS_PER_CONNECTION = 100  # what Postfix and others take before they hang up
IDLE_SECONDS = 20.0  # kept unused no longer; servers hang up after 30 or more
QUIT_SECONDS = 2.0
SERVICE_NOT_AVAILABLE = 421  # said at any moment by a server that hangs up; about no mail in particular
# Said of us, to whomever the mail is: the server is set up wrong, or we are (RFC 4954 §6, and the words of many).
LOG_IN_FIRST = {530, 534, 535, 538}
NAMES = re.compile(r"[^\s<>]*@[^\s<>]*|\b[\w-]+(?:\.[\w-]+)+")  # of people and machines, which may be called anything
NOT_FOR_YOU = re.compile(r"\brelay|\bauthenticat|\bsender address rejected|\bclient host|\bhelo\b", re.IGNORECASE)


class SmtpResult(StrEnum):
    SENT = "sent"
    FAILED = "failed"  # refused, by this server or on behalf of the receiving one
    NOT_SENT = "not_sent"  # ended before its content was on its way: may be tried again
    UNKNOWN = "unknown"  # died after that
    NOT_TRIED = "not_tried"  # its time was up before it had a connection


class Stage(StrEnum):
    CONNECTION = "connection"  # or logging in
    SENDER = "sender"
    RECIPIENT = "recipient"
    CONTENT = "content"


@dataclass(frozen=True, slots=True)
class SmtpOutcome:
    result: SmtpResult
    stage: Stage
    reply_code: int | None = None
    reply: str = ""  # the server's words, which may quote addresses: not for logs

    @property
    def is_permanent(self) -> bool:
        """Trying again brings nothing."""
        return self.is_refused_for_good and not self._is_about_us

    @property
    def may_be_tried_again(self) -> bool:
        """The server has certainly not taken it, and may yet."""
        return self.result in {SmtpResult.NOT_SENT, SmtpResult.FAILED} and not self.is_permanent

    @property
    def is_about_address(self) -> bool:
        """There is no such mailbox: the address has bounced."""
        return self.is_permanent and self.stage is Stage.RECIPIENT and self._names_the_address()

    @property
    def is_refused_for_good(self) -> bool:
        """So the server says; it may be wrong about us."""
        return self.result is SmtpResult.FAILED and self.reply_code is not None and self.reply_code >= 500

    @property
    def _is_about_us(self) -> bool:
        """Every mail would be refused like this one, until somebody puts it right."""
        if self.stage is Stage.SENDER or self.reply_code in LOG_IN_FIRST:
            return True
        if self.stage is not Stage.RECIPIENT or is_about_mailbox(self._status):
            return False
        return is_about_sender(self._status) or NOT_FOR_YOU.search(NAMES.sub("", self.reply)) is not None

    @property
    def _status(self) -> str:
        status = self.reply.split(maxsplit=1)[0] if self.reply else ""
        return status if status.startswith("5.") else ""

    def _names_the_address(self) -> bool:
        if self._status:
            return is_about_mailbox(self._status)
        return self.reply_code in {550, 551, 553}


class _Connection:
    def __init__(self, client: SMTP) -> None:
        self.client, self.mails, self.used_at = client, 0, monotonic()

    @property
    def is_fit(self) -> bool:
        is_fresh = monotonic() - self.used_at < IDLE_SECONDS
        return self.client.is_connected and is_fresh and self.mails < MAILS_PER_CONNECTION


class Mailer:
    """`async with Mailer(server) as mailer`: one per process, made inside the running loop."""

    def __init__(
        self,
        server: SmtpServer,
        *,
        connections: int = CONNECTIONS,
        deadline_seconds: float = DEADLINE_SECONDS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.server, self.deadline_seconds, self._tls = server, deadline_seconds, tls
        self._places = asyncio.Semaphore(connections)
        self._idle: list[_Connection] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        idle, self._idle = self._idle, []
        await asyncio.gather(*(_quit(connection.client) for connection in idle))

    async def send(
        self, raw: bytes, *, envelope_sender: str, to: str, is_still_time: Callable[[], bool] = lambda: True
    ) -> SmtpOutcome:
        """One mail to one address, over within the deadline once it has found a connection. Others may have kept that
        for long, so it is asked then whether it `is_still_time`."""
        async with self._places:
            if not is_still_time():
                return SmtpOutcome(SmtpResult.NOT_TRIED, Stage.CONNECTION)
            attempt = _Attempt(raw, envelope_sender, to)
            try:
                async with asyncio.timeout(self.deadline_seconds):
                    return await self._carry(attempt)
            except (TimeoutError, SMTPException, OSError) as error:
                return attempt.failed(error)

    async def _carry(self, attempt: "_Attempt") -> SmtpOutcome:
        while kept := self._kept():
            try:
                return await self._over(kept, attempt)
            except (SMTPException, OSError) as error:
                if attempt.stage is Stage.CONTENT or not _hung_up(error):
                    raise
            attempt.stage = Stage.CONNECTION  # one kept from earlier died unused, which is nobody's failed attempt
        return await self._over(_Connection(await self._connect()), attempt)

    async def _over(self, connection: _Connection, attempt: "_Attempt") -> SmtpOutcome:
        async with self._used(connection):
            return await attempt.make(connection.client)

    def _kept(self) -> _Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_fit:
                return connection
            connection.client.close()
        return None

    @asynccontextmanager
    async def _used(self, connection: _Connection) -> AsyncIterator[None]:
        """Kept for the next mail if this one ended well or was refused; a connection in any other state is dropped."""
        connection.mails += 1
        try:
            yield
        except SMTPResponseException as error:
            is_in_order = error.code != SERVICE_NOT_AVAILABLE and await _in_peace(connection.client.rset)
            await self._settle(connection, is_in_order=is_in_order)
            raise
        except BaseException:
            connection.client.close()
            raise
        await self._settle(connection, is_in_order=True)

    async def _settle(self, connection: _Connection, *, is_in_order: bool) -> None:
        connection.used_at = monotonic()
        if is_in_order and connection.is_fit:
            self._idle.append(connection)
        else:
            await _quit(connection.client)

    async def _connect(self) -> SMTP:
        server = self.server
        client = SMTP(
            hostname=server.host, port=server.port, use_tls=server.is_tls, start_tls=server.is_starttls,
            username=server.user, password=server.password, timeout=self.deadline_seconds, tls_context=self._tls,
        )  # fmt: skip
        try:
            await client.connect()
            if client.last_ehlo_response is None:
                await client.ehlo()  # says what the server can do
        except BaseException:
            client.close()
            raise
        return client


class _Attempt:
    def __init__(self, raw: bytes, envelope_sender: str, to: str) -> None:
        self.raw, self.envelope_sender, self.to = raw, envelope_sender, to
        self.stage = Stage.CONNECTION

    async def make(self, client: SMTP) -> SmtpOutcome:
        options = self._options(client)
        self.stage = Stage.SENDER
        await client.mail(self.envelope_sender, options=options, encoding="utf-8")
        self.stage = Stage.RECIPIENT
        await client.rcpt(self.to, encoding="utf-8")
        self.stage = Stage.CONTENT
        reply = await client.data(self.raw)
        return SmtpOutcome(SmtpResult.SENT, self.stage, reply.code, reply.message)

    def _options(self, client: SMTP) -> list[str]:
        options = ["BODY=8BITMIME"] if client.supports_extension("8bitmime") else []
        if not (self.envelope_sender.isascii() and self.to.isascii()):
            if not client.supports_extension("smtputf8"):
                raise SMTPNotSupported("This server takes no address that is not ASCII.")
            options.append("SMTPUTF8")
        return options

    def failed(self, error: Exception) -> SmtpOutcome:
        if isinstance(error, SMTPNotSupported):
            return SmtpOutcome(SmtpResult.FAILED, Stage.RECIPIENT, 553, "5.6.7 " + error.message)  # RFC 6531's code
        code, words = None, type(error).__name__
        if isinstance(error, SMTPResponseException) and error.code > 0:
            code, words = error.code, error.message
        is_refusal = code is not None and code != SERVICE_NOT_AVAILABLE
        if self.stage is Stage.CONTENT:  # a reply ends it, whatever it says
            result = SmtpResult.FAILED if code is not None else SmtpResult.UNKNOWN
        else:
            result = SmtpResult.FAILED if is_refusal and self.stage is not Stage.CONNECTION else SmtpResult.NOT_SENT
        return SmtpOutcome(result, self.stage, code, words)


def _hung_up(error: Exception) -> bool:
    return not isinstance(error, SMTPResponseException) or error.code in {SERVICE_NOT_AVAILABLE, -1}


async def _quit(client: SMTP) -> None:
    await _in_peace(client.quit)
    client.close()


async def _in_peace(say: Callable[[], Awaitable[object]]) -> bool:
    """Whether the server still listened; nothing depends on it."""
    try:
        async with asyncio.timeout(QUIT_SECONDS):
            await say()
    except (TimeoutError, SMTPException, OSError):
        return False
    return True
