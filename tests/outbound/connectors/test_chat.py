"""Each chat, against a stand-in that answers as the vendor does, oddities included."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from app.domain.connectors.protocol import Connector
from app.domain.webhooks.attempts import Failure
from tests.outbound.connectors.service import Asked, Said, Service, at
from tests.outbound.connectors.stories import MOVED, NASTY, STORY, Memory, a_connector, take, tell


class FakeSlack(Service):
    path = "/services/T0/B0/secret"

    def reply(self, asked: Asked) -> Said:
        if asked.path != self.path:
            return Said(404, b"no_service")
        if not asked.json or not asked.json.get("text"):
            return Said(400, b"no_text")
        return Said(200, b"ok")


class FakeSlackApp(Service):
    """Says what is wrong under a 200."""

    path = "/api"

    def __init__(self) -> None:
        super().__init__()
        self.messages: dict[str, Any] = {}

    def reply(self, asked: Asked) -> Said:
        if asked.headers.get("authorization") != "Bearer secret":
            return Said.of(200, {"ok": False, "error": "invalid_auth"})
        if asked.path == "/api/auth.test":
            return Said.of(200, {"ok": True, "user": "zeroten"})
        if asked.path == "/api/chat.update":
            return self._edit(asked.json)
        at = f"1763806500.{len(self.messages):06}"
        self.messages[at] = asked.json
        return Said.of(200, {"ok": True, "channel": "C024BE91L", "ts": at})

    def _edit(self, message: Any) -> Said:
        if message["channel"] != "C024BE91L" or message["ts"] not in self.messages:
            return Said.of(200, {"ok": False, "error": "message_not_found"})
        self.messages[message["ts"]] = message
        return Said.of(200, {"ok": True, "channel": "C024BE91L", "ts": message["ts"]})


class FakeTeams(Service):
    path = "/workflows/abc/triggers/manual/paths/invoke?api-version=1&sp=%2Ftriggers&sv=1.0&sig=secret"

    def reply(self, asked: Asked) -> Said:
        if asked.query.get("sig") != "secret":
            return Said.of(401, {"error": {"code": "DirectApiAuthorizationRequired"}})
        return Said(202)


class FakeDiscord(Service):
    """Keeps the messages, so that they can be edited; without `wait` it would swallow a failure."""

    path = "/api/webhooks/1/secret"

    def __init__(self) -> None:
        super().__init__()
        self.messages: dict[str, Any] = {}

    def reply(self, asked: Asked) -> Said:
        if not asked.path.startswith(self.path):
            return Said.of(404, {"message": "Unknown Webhook", "code": 10015})
        if asked.method == "GET":
            return Said.of(200, {"id": "1", "name": "Zeroten"})
        if asked.method == "PATCH":
            return self._edit(asked.path.rpartition("/")[2], asked.json)
        if asked.query.get("wait") != "true":
            return Said(204)
        self.messages[str(len(self.messages) + 101)] = asked.json
        return Said.of(200, {"id": str(len(self.messages) + 100)})

    def _edit(self, message_id: str, message: Any) -> Said:
        if message_id not in self.messages:
            return Said.of(404, {"message": "Unknown Message", "code": 10008})
        self.messages[message_id] = message
        return Said.of(200, {"id": message_id})


class FakeGoogleChat(Service):
    """The same requestId gets the same message again."""

    path = "/v1/spaces/AAA/messages?key=k&token=secret"

    def __init__(self) -> None:
        super().__init__()
        self.messages: dict[str, Any] = {}

    def reply(self, asked: Asked) -> Said:
        if asked.query.get("token") != "secret":
            return Said.of(401, {"error": {"code": 401, "status": "UNAUTHENTICATED"}})
        request = asked.query.get("requestId", str(len(self.asked)))
        self.messages.setdefault(request, asked.json)
        return Said.of(200, {"name": f"spaces/AAA/messages/{list(self.messages).index(request)}"})


class FakeMattermost(Service):
    path = "/company/hooks/secret"

    def reply(self, asked: Asked) -> Said:
        if asked.path != self.path:
            return Said.of(400, {"id": "web.incoming_webhook.invalid.app_error", "message": "Invalid webhook"})
        if asked.json.get("channel") == "gone":
            return Said.of(
                404, {"id": "web.incoming_webhook.channel.app_error", "message": "Couldn't find the channel"}
            )
        return Said(200, b"ok")


CHATS: dict[str, type[Any]] = {
    "slack": FakeSlack, "slack_app": FakeSlackApp, "teams": FakeTeams, "discord": FakeDiscord,
    "google_chat": FakeGoogleChat, "mattermost": FakeMattermost,
}  # fmt: skip


EDITING = {"discord", "slack_app"}  # change what they said


def a_chat(kind: str, service: Service, **settings: Any) -> Connector:
    if kind == "slack_app":
        return a_connector(kind, base_url=f"{service.url}/api", token="secret", channel="#cx", **settings)
    return a_connector(kind, **{"url": service.url + CHATS[kind].path, **settings})


@pytest.mark.parametrize("kind", CHATS)
async def test_an_answer_becomes_one_message_with_all_that_matters(kind: str) -> None:
    async with at(CHATS[kind]()) as service:
        outcome = await tell(a_chat(kind, service, link="https://crm.example/p/{external_id}"))
        (body,) = service.bodies
    assert outcome.failure is None
    told = str(body)
    for word in ("Detractor: 3 of 10", "Ada", "Acme", "Olga", "pro", "rude", "After a purchase", "9 of 10",
                 "https://crm.example/p/4711"):  # fmt: skip
        assert word in told


@pytest.mark.parametrize("kind", CHATS)
async def test_what_was_told_is_not_told_again(kind: str) -> None:
    memory = Memory()
    async with at(CHATS[kind]()) as service:
        await tell(a_chat(kind, service), memory=memory)
        again = await tell(a_chat(kind, service), memory=memory)
        assert len(service.asked) == 1
    assert (again.failure, again.sent) == (None, False)
    assert b"told already" in again.head


@pytest.mark.parametrize("kind", sorted(set(CHATS) - EDITING))
async def test_an_answer_that_moves_is_corrected_in_a_further_message(kind: str) -> None:
    memory = Memory()
    async with at(CHATS[kind]()) as service:
        await tell(a_chat(kind, service), memory=memory)
        await tell(a_chat(kind, service), MOVED, memory=memory)
        first, second = service.bodies
    assert "Was 3, now 9" not in str(first)
    assert "Was 3, now 9" in str(second)


async def test_on_discord_an_answer_that_moves_corrects_the_message() -> None:
    memory = Memory()
    async with at(FakeDiscord()) as service:
        await tell(a_chat("discord", service), memory=memory)
        await tell(a_chat("discord", service), MOVED, memory=memory)
        assert isinstance(service, FakeDiscord)
        (message,) = service.messages.values()
    assert message["embeds"][0]["title"].endswith("Promoter: 9 of 10")
    assert memory.made["message"].revision == 2


async def test_on_discord_a_message_that_was_deleted_is_said_anew() -> None:
    memory = Memory()
    async with at(FakeDiscord()) as service:
        assert isinstance(service, FakeDiscord)
        await tell(a_chat("discord", service), memory=memory)
        service.messages = {"other": {}}
        await tell(a_chat("discord", service), MOVED, memory=memory)
        assert [asked.method for asked in service.asked] == ["POST", "PATCH", "POST"]
    assert memory.made["message"].remote_id == "102"


async def test_an_app_in_slack_changes_its_message_and_says_it_anew_once_it_is_gone() -> None:
    memory = Memory()
    async with at(FakeSlackApp()) as service:
        assert isinstance(service, FakeSlackApp)
        for story in (STORY, MOVED):
            await tell(a_chat("slack_app", service), story, memory=memory)
        (message,) = service.messages.values()
        assert "Was 3, now 9" in str(message)
        service.messages = {"other": {}}
        await tell(a_chat("slack_app", service), replace(MOVED, revision=3), memory=memory)
        assert len(service.messages) == 2
    assert memory.made["message"].remote_id == "C024BE91L 1763806500.000001"


@pytest.mark.parametrize(("token", "failure"), [("secret", None), ("wrong", Failure.UNAUTHORIZED)])
async def test_an_app_in_slack_can_be_asked_without_saying_anything(token: str, failure: Failure | None) -> None:
    async with at(FakeSlackApp()) as service:
        checking = a_connector("slack_app", base_url=f"{service.url}/api", token=token, channel="#cx").check()
        assert checking is not None
        assert (await take(checking)).failure is failure
        assert [asked.path for asked in service.asked] == ["/api/auth.test"]


async def test_on_google_chat_a_repeated_request_makes_no_second_message() -> None:
    async with at(FakeGoogleChat()) as service:
        assert isinstance(service, FakeGoogleChat)
        for _ in range(2):  # as if the first one's outcome had been lost
            await tell(a_chat("google_chat", service))
        assert len(service.asked) == 2
        assert len(service.messages) == 1


TROUBLES = [
    ("slack", Said(404, b"no_service"), Failure.NOT_THERE, None),
    ("slack", Said(403, b"invalid_token"), Failure.NOT_THERE, None),
    ("slack", Said(403, b"action_prohibited"), Failure.NOT_THERE, None),
    ("slack", Said(410, b"channel_is_archived"), Failure.NOT_THERE, None),
    ("slack", Said(400, b"invalid_payload"), Failure.REJECTED, None),
    ("slack", Said(500, b"rollup_error"), Failure.BAD_STATUS, None),
    ("slack", Said(429, b"rate_limited", {"retry-after": "30"}), Failure.BAD_STATUS, 30),
    ("slack", Said(200, b"something else"), Failure.ERROR_IN_BODY, None),
    ("slack_app", Said.of(200, {"ok": False, "error": "ratelimited"}), Failure.ERROR_IN_BODY, None),
    ("slack_app", Said.of(429, {"ok": False}, **{"retry-after": "30"}), Failure.BAD_STATUS, 30),
    ("slack_app", Said.of(200, {"ok": False, "error": "account_inactive"}), Failure.UNAUTHORIZED, None),
    ("slack_app", Said.of(200, {"ok": False, "error": "not_in_channel"}), Failure.NOT_THERE, None),
    ("slack_app", Said.of(200, {"ok": False, "error": "invalid_blocks"}), Failure.REJECTED, None),
    ("teams", Said(200, b"Webhook message delivery failed with error: HTTP error 429"), Failure.ERROR_IN_BODY, 60),
    ("teams", Said(200, b"Bad payload received by generic incoming webhook."), Failure.ERROR_IN_BODY, None),
    ("teams", Said(200, b"1"), None, None),
    ("teams", Said(413, b"Request Entity Too Large"), Failure.REJECTED, None),
    ("teams", Said.of(404, {"error": {"code": "WorkflowNotFound"}}), Failure.NOT_THERE, None),
    ("teams", Said.of(429, {"error": {"code": "429"}}), Failure.BAD_STATUS, None),
    ("discord", Said.of(404, {"code": 10015, "message": "Unknown Webhook"}), Failure.NOT_THERE, None),
    ("discord", Said.of(401, {"code": 50027, "message": "Invalid Webhook Token"}), Failure.NOT_THERE, None),
    ("discord", Said.of(403, {"code": 50013}), Failure.NOT_THERE, None),
    ("discord", Said.of(400, {"code": 50035}), Failure.REJECTED, None),
    ("discord", Said.of(429, {"retry_after": 64.57}, **{"retry-after": "65"}), Failure.BAD_STATUS, 65),
    ("discord", Said.of(429, {"retry_after": 0.35}), Failure.BAD_STATUS, 0.35),
    ("google_chat", Said.of(429, {"error": {"status": "RESOURCE_EXHAUSTED"}}), Failure.BAD_STATUS, None),
    ("google_chat", Said.of(400, {"error": {"status": "INVALID_ARGUMENT"}}), Failure.REJECTED, None),
    ("google_chat", Said.of(403, {"error": {"status": "PERMISSION_DENIED"}}), Failure.NOT_THERE, None),
    ("google_chat", Said.of(503, {"error": {"status": "UNAVAILABLE"}}), Failure.BAD_STATUS, None),
    ("mattermost", Said.of(400, {"id": "web.incoming_webhook.invalid.app_error"}), Failure.NOT_THERE, None),
    ("mattermost", Said.of(400, {"id": "api.context.invalid_body_param.app_error"}), Failure.REJECTED, None),
    ("mattermost", Said(200, b"<html>"), Failure.ERROR_IN_BODY, None),
    ("mattermost", Said(502), Failure.BAD_STATUS, None),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "said", "failure", "wait"), TROUBLES)
async def test_what_the_service_says_is_understood(
    kind: str, said: Said, failure: Failure | None, wait: float | None
) -> None:
    memory = Memory()
    async with at(CHATS[kind]()) as service:
        service.troubles = [said]
        outcome = await tell(a_chat(kind, service), memory=memory)
    assert (outcome.failure, outcome.retry_after_seconds) == (failure, wait)
    assert outcome.status == said.status
    assert bool(memory.made) is (failure is None)


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts(inner)


DEFUSED = {
    "slack": "&lt;!channel&gt;", "slack_app": "&lt;!channel&gt;", "teams": "{\u200b{DATE(", "discord": r"\[x\]",
    "google_chat": "&lt;users/all&gt;", "mattermost": "@\u200bhere",
}  # fmt: skip


@pytest.mark.parametrize("kind", CHATS)
async def test_nothing_somebody_types_becomes_markup_or_calls_people(kind: str) -> None:
    story = replace(STORY, comment=NASTY, person=replace(STORY.person, name=NASTY))  # type: ignore[type-var]
    async with at(CHATS[kind]()) as service:
        assert (await tell(a_chat(kind, service), story)).failure is None
        told = " ".join(texts(service.bodies[0]))
    assert DEFUSED[kind] in told
    if kind in {"slack", "slack_app", "google_chat"}:
        assert "<" not in told
    if kind == "discord":
        assert service.bodies[0]["allowed_mentions"] == {"parse": []}


@pytest.mark.parametrize("typed", ["_@channel", "x@all", "@here", "**@channel", "ä@all", "@@here"])
async def test_nobody_is_called_in_mattermost_whatever_stands_before_the_sign(typed: str) -> None:
    async with at(FakeMattermost()) as service:
        await tell(a_chat("mattermost", service), replace(STORY, comment=typed))
        told = service.bodies[0]["attachments"][0]["text"]
    assert re.search(r"@\w", told) is None
    assert "@\u200b" in told


@pytest.mark.parametrize("kind", CHATS)
@pytest.mark.parametrize("character", ["x", "💣", "*", "<", "\n"])
async def test_the_longest_answer_fits(kind: str, character: str) -> None:
    long = character * 20_000
    story = replace(
        STORY, comment=long, campaign=long[:200], occasion=long[:500],
        person=replace(STORY.person, name=long[:300]),  # type: ignore[type-var]
    )  # fmt: skip
    async with at(CHATS[kind]()) as service:
        assert (await tell(a_chat(kind, service), story)).failure is None
        (body,) = service.bodies
    LIMITS[kind](body)


def fits_slack(body: Any) -> None:
    header, section, comment = (body["blocks"][index] for index in range(3))
    assert len(header["text"]["text"]) <= 150
    assert all(len(field["text"]) <= 2_000 for field in section["fields"])
    assert len(section["fields"]) <= 10
    assert len(comment["text"]["text"]) <= 3_000


def fits_discord(body: Any) -> None:
    (embed,) = body["embeds"]
    lengths = [embed["title"], embed["description"]]
    lengths += [text for field in embed["fields"] for text in (field["name"], field["value"])]
    assert len(embed["description"].encode("utf-16-le")) // 2 <= 4_096
    assert all(len(field["value"].encode("utf-16-le")) // 2 <= 1_024 for field in embed["fields"])
    assert sum(len(text.encode("utf-16-le")) // 2 for text in lengths) <= 6_000
    assert not embed["description"].removesuffix("…").endswith("\\")


def fits_bytes(most: int) -> Any:
    def fits(body: Any) -> None:
        assert len(str(body).encode()) <= most

    return fits


LIMITS = {
    "slack": fits_slack, "slack_app": fits_slack, "discord": fits_discord, "teams": fits_bytes(28_000),
    "google_chat": fits_bytes(32_000), "mattermost": fits_bytes(60_000),
}  # fmt: skip


@pytest.mark.parametrize("kind", CHATS)
async def test_a_test_message_says_that_it_is_one(kind: str) -> None:
    async with at(CHATS[kind]()) as service:
        assert (await take(a_chat(kind, service).test())).failure is None
        assert "This is a test from Zeroten" in str(service.bodies)


async def test_discord_can_be_asked_without_saying_anything() -> None:
    async with at(FakeDiscord()) as service:
        checking = a_chat("discord", service).check()
        assert checking is not None
        assert (await take(checking)).failure is None
        assert [asked.method for asked in service.asked] == ["GET"]
