"""Questions to a real name server, which is not always of help."""

import pytest

from app.config import Settings
from app.domain.mail.domain_check.check import check_domain
from app.domain.mail.domain_check.finding import DomainState
from app.domain.mail.domain_check.look_ups import Answer, LookUps, Question, RecordType, Status
from app.domain.mail.sender import Sender
from app.outbound.dns import NameServers
from tests.outbound.name_servers import NameServer, Zone, a_name_server

LONG = "v=DKIM1; p=" + "A" * 400
LARGE = ["".join(f'"{letter * 250}" ' for _ in range(8)) for letter in "ab"]
ZONE: Zone = {
    "shop.example": {"TXT": ['"v=spf1 " "mx -all"', '"other"'], "MX": ["10 mx.shop.example."], "A": ["192.0.2.1"]},
    "null.example": {"MX": ["0 ."]},
    "s1._domainkey.shop.example": {"CNAME": ["key.mailer.example."]},
    "key.mailer.example": {"TXT": [f'"{LONG[:200]}" "{LONG[200:]}"']},
    "large.example": {"TXT": LARGE},
    "odd.example": {"TXT": ['"a\\000b\\255\\010c"']},
}


def asking(*questions: Question) -> LookUps[list[Answer]]:
    answers = []
    for question in questions:
        answers.append((yield question))  # noqa: PERF401 - a comprehension cannot yield
    return answers


def of(server: NameServer) -> NameServers:
    return NameServers([("127.0.0.1", server.port)], question_seconds=0.2)


async def ask(server: NameServer, name: str, kind: RecordType = RecordType.TXT) -> Answer:
    (answer,) = await of(server).run(asking(Question(name, kind)))
    return answer


async def test_records_come_as_they_are_written() -> None:
    async with a_name_server(ZONE) as server:
        assert (await ask(server, "shop.example")).records == ("other", "v=spf1 mx -all")
        assert (await ask(server, "shop.example", RecordType.MX)).records == ("10 mx.shop.example.",)
        assert (await ask(server, "null.example", RecordType.MX)).records == ("0 .",)
        assert (await ask(server, "shop.example", RecordType.A)).records == ("192.0.2.1",)


async def test_an_alias_leads_to_a_key_in_several_strings() -> None:
    async with a_name_server(ZONE) as server:
        assert (await ask(server, "s1._domainkey.shop.example")).records == (LONG,)


async def test_a_reply_too_large_for_a_datagram_is_asked_for_again() -> None:
    async with a_name_server(ZONE) as server:
        found = await ask(server, "large.example")
    assert [len(record) for record in found.records] == [2_000, 2_000]
    assert [transport for _, _, transport in server.asked] == ["udp", "tcp"]


async def test_what_is_not_there_is_told_from_what_nobody_knows() -> None:
    behaviour = {"broken": frozenset({"broken.example"}), "silent": frozenset({"silent.example"})}
    async with a_name_server(ZONE, **behaviour) as server:
        assert (await ask(server, "gone.example")).status is Status.NO_NAME
        assert (await ask(server, "shop.example", RecordType.AAAA)).status is Status.NO_RECORD
        assert (await ask(server, "_domainkey.shop.example")).status is Status.NO_RECORD
        assert (await ask(server, "broken.example")).status is Status.UNKNOWN
        assert (await ask(server, "silent.example")).status is Status.UNKNOWN


@pytest.mark.parametrize("name", ["a..example", "x" * 64 + ".example", ".".join(["x" * 60] * 5)])
async def test_a_name_that_cannot_be_is_not_there(name: str) -> None:
    async with a_name_server(ZONE) as server:
        assert (await ask(server, name)).status is Status.NO_NAME
        assert server.asked == []


async def test_what_is_no_text_does_no_harm() -> None:
    async with a_name_server(ZONE) as server:
        assert (await ask(server, "odd.example")).records == ("a\ufffdb\ufffd\ufffdc",)


async def test_no_question_is_asked_twice() -> None:
    async with a_name_server(ZONE) as server:
        question = Question("shop.example", RecordType.MX)
        first, second = await of(server).run(asking(question, question))
    assert first == second
    assert len(server.asked) == 1


async def test_a_check_that_takes_too_long_ends_with_what_it_knows() -> None:
    async with a_name_server(ZONE) as server:
        check = await of(server).run(check_domain("shop.example", Sender()), seconds=0)
    assert (check.state, server.asked) == (DomainState.UNKNOWN, [])


async def test_another_server_is_asked_where_the_first_is_away() -> None:
    async with a_name_server(ZONE) as gone:
        pass
    async with a_name_server(ZONE) as server:
        both = NameServers([("127.0.0.1", gone.port), ("127.0.0.1", server.port)], question_seconds=0.4)
        (answer,) = await both.run(asking(Question("shop.example", RecordType.A)))
    assert answer.status is Status.FOUND


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("", []),
        ("192.0.2.53, 127.0.0.1:5353", [("192.0.2.53", 53), ("127.0.0.1", 5353)]),
        ("2001:db8::53,[::1]:5353", [("2001:db8::53", 53), ("::1", 5353)]),
    ],
)
def test_name_servers_are_a_setting(text: str, places: list[tuple[str, int]]) -> None:
    assert Settings(nameservers=text).nameserver_places == places


@pytest.mark.parametrize("text", ["ns.example", "192.0.2.1:port", "192.0.2.1:99999", "[::1", "192.0.2.1 192.0.2.2"])
def test_name_servers_are_named_by_address(text: str) -> None:
    with pytest.raises(ValueError, match="ZEROTEN_NAMESERVERS reads"):
        Settings(nameservers=text)
