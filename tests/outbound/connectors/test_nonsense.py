"""Services that say what no service should: it is their failed attempt, and never our trouble."""

import re
from typing import Any

import pytest

from app.domain.connectors.protocol import Connector, Failed
from app.domain.webhooks.attempts import LONGEST_WAIT_SECONDS, Failure
from tests.outbound.connectors.service import Said, Service, at
from tests.outbound.connectors.stories import Memory, a_connector, take, tell
from tests.outbound.connectors.test_chat import CHATS, FakeDiscord, a_chat
from tests.outbound.connectors.test_crm import CRMS, a_crm
from tests.outbound.connectors.test_desks import DESKS, a_desk
from tests.outbound.connectors.test_oauth import KINDS
from tests.outbound.connectors.test_tables_and_lists import FAKES, connector

WAITS = {
    "1e999": None, "-1e999": None, "NaN": None, '"soon"': None, "true": None, "[]": None,
    "1e15": LONGEST_WAIT_SECONDS, "1" + "0" * 400: LONGEST_WAIT_SECONDS, "-5": 0, "0.5": 0.5,
}  # fmt: skip
NONSENSE = {
    "cut short": b'{"success": true, "ok": true, "data": {"id": 1, "nam',
    "HTML": b"<html>It works!",
    "nothing": b"",
    "an empty object": b"{}",
    "a list": b"[[]]",
    "nested deeply": b"[" * 100_000,
    "control characters": b'{"ok": true, "id": "1\\u0000", "name": "\\n", "ticket": {"id": "1\\u0000"}, "channel": ""}',
    "a whole book": b'{"ok": true, "id": "' + b"x" * 10_000 + b'"}',
}
IDENTIFYING: dict[str, type[Any]] = {
    **{kind: CHATS[kind] for kind in ("slack_app", "discord", "google_chat")}, **CRMS, **DESKS, **FAKES,
    **{kind: fake for kind, (fake, _) in KINDS.items()},
}  # fmt: skip


def at_service(kind: str, service: Service) -> Connector:
    if kind in KINDS:
        made: Connector = KINDS[kind][1](service)
        return made
    makers = {**dict.fromkeys(CHATS, a_chat), **dict.fromkeys(CRMS, a_crm), **dict.fromkeys(DESKS, a_desk)}
    return makers.get(kind, connector)(kind, service)


@pytest.mark.parametrize(("said", "seconds"), WAITS.items(), ids=lambda value: str(value)[:8])
async def test_a_wait_is_never_longer_than_a_day_whatever_a_service_asks_for(said: str, seconds: float | None) -> None:
    async with at(FakeDiscord()) as service:
        service.troubles = [Said(429, f'{{"retry_after": {said}}}'.encode())]
        outcome = await tell(a_connector("discord", url=f"{service.url}/api/webhooks/1/secret"))
    assert (outcome.failure, outcome.retry_after_seconds) == (Failure.BAD_STATUS, seconds)


@pytest.mark.parametrize("said", [float("inf"), float("nan"), 1e15, -1, 10**400])
def test_no_connector_can_hand_on_a_wait_that_is_none(said: float) -> None:
    seconds = Failed(Failure.BAD_STATUS, wait_seconds=said).wait_seconds
    assert seconds is None or 0 <= seconds <= LONGEST_WAIT_SECONDS


@pytest.mark.parametrize("body", NONSENSE.values(), ids=NONSENSE)
@pytest.mark.parametrize("kind", IDENTIFYING)
async def test_a_reply_that_cannot_be_read_leaves_nothing_false_behind(kind: str, body: bytes) -> None:
    async with at(IDENTIFYING[kind]()) as service:
        await tell(at_service(kind, service))
        steps = len(service.asked)
    failures = []
    for failing in range(steps):
        memory = Memory()
        async with at(IDENTIFYING[kind]()) as service:
            service.troubles = [None] * failing + [Said(200, body)]
            failures.append((await tell(at_service(kind, service), memory=memory)).failure)
            assert (await tell(at_service(kind, service), memory=memory)).failure is None
        assert all(re.fullmatch(r"(?!None)[!-~ ]{0,250}", made.remote_id) for made in memory.made.values())
        assert memory.access is None or "None" not in str(memory.access)
    unmade = {Failure.REJECTED} if kind == "hubspot" else set()  # a property that was not made after all
    assert set(failures) <= {None, Failure.ERROR_IN_BODY} | unmade
    assert failures[-1 if kind != "salesforce" else 0] is Failure.ERROR_IN_BODY


@pytest.mark.parametrize("body", NONSENSE.values(), ids=NONSENSE)
@pytest.mark.parametrize("kind", DESKS)
async def test_a_search_that_cannot_be_read_opens_no_second_ticket(kind: str, body: bytes) -> None:
    async with at(DESKS[kind]()) as service:
        await tell(at_service(kind, service))
        service.troubles = [Said(200, body)]
        assert (await tell(at_service(kind, service))).failure is Failure.ERROR_IN_BODY
        assert [asked.method for asked in service.asked] == ["GET", "POST", "GET"]


@pytest.mark.parametrize("said", ['"nowhere"', '"ftp://x.example"', "null", '"https://x.example/\\u0000"', "7"])
@pytest.mark.parametrize(("kind", "name"), [("salesforce", "instance_url"), ("zoho", "api_domain")])
async def test_a_log_in_has_to_say_where_to_go_on(kind: str, name: str, said: str) -> None:
    memory = Memory()
    async with at(IDENTIFYING[kind]()) as service:
        service.troubles = [Said(200, f'{{"access_token": "t", "{name}": {said}}}'.encode())]
        outcome = await tell(at_service(kind, service), memory=memory)
    assert (outcome.failure, memory.access) == (Failure.ERROR_IN_BODY, None)


@pytest.mark.parametrize("error", ["[]", "{}", "[[1]]", "7"])
async def test_an_error_in_an_unknown_shape_is_an_error_like_others(error: str) -> None:
    async with at(CHATS["slack_app"]()) as service:
        service.troubles = [Said(200, f'{{"ok": false, "error": {error}}}'.encode())]
        outcome = await tell(a_chat("slack_app", service))
    assert outcome.failure is Failure.ERROR_IN_BODY


@pytest.mark.parametrize("kind", ["zendesk", "intercom"])
async def test_a_check_whose_reply_broke_off_says_nothing_about_the_credentials(kind: str) -> None:
    async with at(IDENTIFYING[kind]()) as service:
        service.troubles = [Said(200, b'{"user": {"id": 1')]
        checking = at_service(kind, service).check()
        assert checking is not None
        assert (await take(checking)).failure is Failure.ERROR_IN_BODY
