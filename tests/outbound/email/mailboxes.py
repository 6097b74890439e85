"""Mail servers on loopback: one that takes mail, and one that reads its lines from a script."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from app.smtp_server import SmtpServer


@dataclass
class MailServer:
    """What it took, and what it shall say to whom."""

    port: int = 0
    mails: list[Envelope] = field(default_factory=list)
    connections: int = 0
    recipient_replies: Mapping[str, str] = field(default_factory=dict)
    content_reply: str = "250 2.0.0 taken"

    @property
    def server(self) -> SmtpServer:
        return SmtpServer("127.0.0.1", self.port)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Session, envelope: Envelope, address: str, options: Sequence[str]
    ) -> str:
        reply = self.recipient_replies.get(address)
        if reply is None:
            envelope.rcpt_tos.append(address)
        return reply or "250 2.1.5 ok"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.content_reply.startswith("2"):
            self.mails.append(envelope)
        return self.content_reply


@asynccontextmanager
async def a_mail_server(**options: Any) -> AsyncIterator[MailServer]:
    mailbox = MailServer()
    loop = asyncio.get_running_loop()

    def receive() -> SMTP:
        mailbox.connections += 1
        return SMTP(mailbox, enable_SMTPUTF8=True, loop=loop, ident="test", **options)

    listener = await loop.create_server(receive, "127.0.0.1", 0)
    mailbox.port = listener.sockets[0].getsockname()[1]
    try:
        yield mailbox
    finally:
        listener.close()
        await listener.wait_closed()


@asynccontextmanager
async def a_scripted_server(replies: Mapping[str, str | None]) -> AsyncIterator[SmtpServer]:
    """Answers by the first word of a line (`.` for the end of the content); None hangs up without a word."""
    usual = {"hello": "220 test", "EHLO": "250 test", "MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go on"}
    known = {**usual, ".": "250 taken", "RSET": "250 ok", "QUIT": "221 bye", **replies}

    talks = set[asyncio.Task[None]]()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.create_task(talk(reader, writer)))

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            word, in_content = "hello", False
            while (reply := known.get(word, "")) is not None:
                if reply:
                    writer.write(f"{reply}\r\n".encode())
                    in_content = reply.startswith("354")
                line = (await reader.readline()).decode().strip()
                if not line and reader.at_eof():
                    break
                word = line if in_content else line.split(maxsplit=1)[0].partition(":")[0]
        finally:
            writer.close()

    listener = await asyncio.start_server(begin, "127.0.0.1", 0)
    try:
        yield SmtpServer("127.0.0.1", listener.sockets[0].getsockname()[1])
    finally:
        listener.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
