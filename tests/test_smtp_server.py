"""The URL of the mail server, read when a process starts and never repeated."""

import traceback

import pytest
from pydantic import ValidationError

from app.config import Settings
from app.smtp_server import SmtpServer, UnusableSmtpUrl
from tests.cli.command import here


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.com", SmtpServer("mail.example.com", 25)),
        ("smtp://127.0.0.1:1025", SmtpServer("127.0.0.1", 1025)),
        ("smtps://u%40x:p%2Fw@mail.example.com", SmtpServer("mail.example.com", 465, True, False, "u@x", "p/w")),
        ("smtp://u:p@mail.example.com?starttls", SmtpServer("mail.example.com", 587, False, True, "u", "p")),
        ("smtp://u:p@localhost:25", SmtpServer("localhost", 25, user="u", password="p")),
    ],
)
def test_a_server_is_read_from_its_url(url: str, server: SmtpServer) -> None:
    assert SmtpServer.read(url) == server


WRONG = [
    "",
    "mail.example.com:25",
    "http://u:hunter2@mail.example.com",
    "smtp://",
    "smtp://h/path",
    "smtp://h?tls",
    "smtp://h:port",
    "smtp://h:99999",
    "smtp://[::1",
    "smtps://h#fragment",
    "smtps://h h",
    "smtps://u:hunter2@h?starttls",
    "smtp://u:hunter2@mail.example.com",
    "smtps://u:hunter2#@mail.example.com",
    "smtps://u:hunter2/@mail.example.com",
    "smtps://u:hunter2\u2100@mail.example.com",
]


@pytest.mark.parametrize("url", WRONG)
def test_a_url_that_makes_no_sense_or_tells_its_password_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(UnusableSmtpUrl, match=r"^ZEROTEN_SMTP_URL") as refused:
        SmtpServer.read(url)
    assert "hunter2" not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize("url", WRONG)
def test_it_is_refused_with_the_settings(url: str) -> None:
    with pytest.raises(ValidationError, match="ZEROTEN_SMTP_URL") as refused:
        Settings(smtp_url=url)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("words", [("up",), ("api",), ("worker",), ("migrate",), ("doctor",), ("openapi",)])
def test_no_process_starts_with_it(words: tuple[str, ...]) -> None:
    said = here(*words, ZEROTEN_SMTP_URL="smtps://ada:hunter2#@mail.example.com")
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr.startswith("zeroten: ZEROTEN_SMTP_URL: ")
    assert said.stderr.count("\n") == 1
    assert "hunter2" not in said.stderr


def test_a_server_keeps_its_password_to_itself() -> None:
    assert "hunter2" not in repr(SmtpServer.read("smtps://u:hunter2@mail.example.com"))
