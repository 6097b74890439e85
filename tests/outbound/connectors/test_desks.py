"""Desks and pagers: one ticket, one alert for an answer, whatever is lost on the way."""

from base64 import b64decode
from dataclasses import replace
from typing import Any

import pytest

from app.domain.connectors.protocol import Connector
from app.domain.connectors.story import Story
from app.domain.follow_up import FollowUp, FollowUpState
from app.domain.scores.metric import Band
from app.domain.webhooks.attempts import Failure
from tests.outbound.connectors.service import Asked, Said, Service, at
from tests.outbound.connectors.stories import MOVED, STORY, Memory, a_connector, take, tell


class FakeZendesk(Service):
    """Remembers idempotency keys, finds tickets by external id, and has a name for strangers."""

    def __init__(self) -> None:
        super().__init__()
        self.tickets: dict[int, Any] = {}
        self.notes: list[Any] = []
        self.keys: dict[str, tuple[Any, int]] = {}
        self.forgets = False

    def reply(self, asked: Asked) -> Said:
        if b64decode(asked.headers["authorization"].partition(" ")[2]) != b"bot@acme.example/token:secret":
            return Said.of(200, {"user": {"id": None, "name": "Anonymous user"}}) if "me" in asked.path else Said(401)
        if asked.path == "/api/v2/users/me.json":
            return Said.of(200, {"user": {"id": 1, "name": "Bot"}})
        if asked.method == "GET":
            wanted = asked.query["external_id"]
            found = [{"id": number} for number, one in self.tickets.items() if one["external_id"] == wanted]
            return Said.of(200, {"tickets": found})
        return self._open(asked) if asked.method == "POST" else self._change(asked)

    def _open(self, asked: Asked) -> Said:
        ticket, key = asked.json["ticket"], asked.headers["idempotency-key"]
        assert ticket["comment"]["public"] is False
        if "requester" in ticket and not ticket["requester"].get("name"):
            return Said.of(422, {"error": "RecordInvalid"})
        if key in self.keys and not self.forgets:
            said, number = self.keys[key]
            if said != ticket:
                return Said.of(400, {"error": "IdempotencyError", "description": "idempotency key was used before"})
            return Said.of(201, {"ticket": {"id": number}}, **{"x-idempotency-lookup": "hit"})
        number = len(self.tickets) + 1
        self.tickets[number], self.keys[key] = ticket, (ticket, number)
        return Said.of(201, {"ticket": {"id": number}}, **{"x-idempotency-lookup": "miss"})

    def _change(self, asked: Asked) -> Said:
        number = int(asked.path.rpartition("/")[2].removesuffix(".json"))
        if number not in self.tickets:
            return Said.of(404, {"error": "RecordNotFound"})
        self.notes.append(asked.json["ticket"]["comment"])
        return Said.of(200, {"ticket": {"id": number}})


class FakeFreshdesk(Service):
    def __init__(self) -> None:
        super().__init__()
        self.tickets: dict[int, Any] = {}
        self.notes: list[Any] = []

    def reply(self, asked: Asked) -> Said:
        if b64decode(asked.headers["authorization"].partition(" ")[2]) != b"secret:X":
            return Said.of(401, {"code": "invalid_credentials"})
        if asked.path == "/api/v2/agents/me":
            return Said.of(200, {"id": 1})
        if asked.path == "/api/v2/search/tickets":
            wanted = asked.query["query"].removeprefix("\"tag:'").removesuffix("'\"")
            assert len(wanted) == 32
            return Said.of(
                200, {"results": [{"id": key} for key, one in self.tickets.items() if wanted in one["tags"]]}
            )
        return self._note(asked) if asked.path.endswith("/notes") else self._open(asked)

    def _open(self, asked: Asked) -> Said:
        assert asked.json["email"]
        assert all(len(tag) <= 32 for tag in asked.json["tags"])
        self.tickets[len(self.tickets) + 1] = asked.json
        return Said.of(201, {"id": len(self.tickets)})

    def _note(self, asked: Asked) -> Said:
        if int(asked.path.split("/")[-2]) not in self.tickets:
            return Said(404)
        assert asked.json["private"] is True
        self.notes.append(asked.json)
        return Said.of(201, {"id": 1})


class FakePagerDuty(Service):
    def __init__(self) -> None:
        super().__init__()
        self.open: set[str] = set()

    def reply(self, asked: Asked) -> Said:
        if asked.json["routing_key"] != "secret":
            return Said.of(400, {"status": "invalid event", "errors": ["'routing_key' is invalid"]})
        if asked.json["event_action"] == "trigger":
            payload = asked.json["payload"]
            if not {"summary", "source", "severity"} <= set(payload) or len(payload["summary"]) > 1_024:
                return Said.of(400, {"status": "invalid event", "errors": ["'payload' is invalid"]})
            self.open.add(asked.json["dedup_key"])
        elif asked.json["event_action"] == "resolve":
            self.open.discard(asked.json["dedup_key"])
        else:
            assert asked.json["event_action"] == "acknowledge"
        return Said.of(202, {"status": "success", "dedup_key": asked.json["dedup_key"]})


class FakeSegment(Service):
    """Takes everything, whoever sends it, and knows a messageId again."""

    def __init__(self) -> None:
        super().__init__()
        self.events: dict[str, Any] = {}

    def reply(self, asked: Asked) -> Said:
        assert asked.path == "/v1/track"
        self.events.setdefault(asked.json.get("messageId", ""), asked.json)
        return Said.of(200, {"success": True})


DESKS: dict[str, type[Any]] = {"zendesk": FakeZendesk, "freshdesk": FakeFreshdesk}


def a_desk(kind: str, service: Service, *, key: str = "secret") -> Connector:
    if kind == "zendesk":
        return a_connector(kind, base_url=service.url, api_token=key, email="bot@acme.example")
    return a_connector(kind, base_url=service.url, api_key=key)


@pytest.mark.parametrize("kind", DESKS)
async def test_an_answer_opens_one_ticket_and_a_change_is_a_note_in_it(kind: str) -> None:
    memory = Memory()
    async with at(DESKS[kind]()) as service:
        assert isinstance(service, DESKS[kind])
        for story in (STORY, STORY, MOVED, MOVED):
            assert (await tell(a_desk(kind, service), story, memory=memory)).failure is None
        (ticket,) = service.tickets.values()
        (note,) = service.notes
    assert "Detractor: 3 of 10 from Ada (Acme & Sons)." in str(ticket)
    assert "Was 3, now 9" in str(note)
    assert memory.made["ticket"].remote_id == "1"


@pytest.mark.parametrize("kind", DESKS)
async def test_a_ticket_whose_reply_was_lost_is_found_again(kind: str) -> None:
    async with at(DESKS[kind]()) as service:
        assert isinstance(service, DESKS[kind])
        for _ in range(2):  # the second time as if nothing had been remembered
            assert (await tell(a_desk(kind, service))).failure is None
        assert len(service.tickets) == 1


@pytest.mark.parametrize("kind", DESKS)
async def test_a_ticket_that_was_deleted_there_is_opened_anew(kind: str) -> None:
    memory = Memory()
    async with at(DESKS[kind]()) as service:
        assert isinstance(service, DESKS[kind])
        await tell(a_desk(kind, service), memory=memory)
        service.tickets.clear()
        assert (await tell(a_desk(kind, service), MOVED, memory=memory)).failure is None
        assert len(service.tickets) == 1


@pytest.mark.parametrize("kind", DESKS)
async def test_refused_credentials_are_noticed_before_the_first_answer(kind: str) -> None:
    async with at(DESKS[kind]()) as service:
        for key, failure in (("secret", None), ("wrong", Failure.UNAUTHORIZED)):
            checking = a_desk(kind, service, key=key).check()
            assert checking is not None
            assert (await take(checking)).failure is failure
        assert {asked.method for asked in service.asked} == {"GET"}


@pytest.mark.parametrize("kind", DESKS)
async def test_no_ticket_is_opened_for_an_answer_that_needs_nobody_any_more(kind: str) -> None:
    async with at(DESKS[kind]()) as service:
        outcome = await tell(a_desk(kind, service), MOVED)
        assert service.asked == []
    assert (outcome.failure, outcome.head[:16]) == (None, b"Nothing was sent")


@pytest.mark.parametrize("kind", DESKS)
async def test_a_desk_that_asks_for_every_answer_hears_of_promoters_too(kind: str) -> None:
    async with at(DESKS[kind]()) as service:
        assert isinstance(service, DESKS[kind])
        happy = replace(STORY, score=9, band=Band.PROMOTER)
        assert (await tell(a_desk(kind, service), happy)).failure is None
        assert len(service.tickets) == 1


async def test_zendesk_knows_a_repeated_request_before_its_search_does() -> None:
    async with at(FakeZendesk()) as service:
        assert isinstance(service, FakeZendesk)
        await tell(a_desk("zendesk", service))
        service.troubles = [Said.of(200, {"tickets": []})]
        assert (await tell(a_desk("zendesk", service))).failure is None
        assert len(service.tickets) == 1


async def test_zendesk_refuses_a_key_with_other_words_and_then_finds_the_ticket() -> None:
    async with at(FakeZendesk()) as service:
        assert isinstance(service, FakeZendesk)
        await tell(a_desk("zendesk", service))
        service.troubles = [Said.of(200, {"tickets": []})]
        other_words = replace(STORY, campaign="Renamed")
        assert (await tell(a_desk("zendesk", service), other_words)).failure is Failure.BAD_STATUS
        assert (await tell(a_desk("zendesk", service), other_words)).failure is None
        assert len(service.tickets) == 1


async def test_somebody_without_a_name_can_still_ask_for_help_in_zendesk() -> None:
    async with at(FakeZendesk()) as service:
        assert isinstance(service, FakeZendesk)
        nameless = replace(STORY, person=replace(STORY.person, name=None))  # type: ignore[type-var]
        assert (await tell(a_desk("zendesk", service), nameless)).failure is None
        assert service.tickets[1]["requester"] == {"email": "ada@example.com", "name": "ada@example.com"}


async def test_freshdesk_opens_no_ticket_for_nobody() -> None:
    async with at(FakeFreshdesk()) as service:
        outcome = await tell(a_desk("freshdesk", service), replace(STORY, person=None))
        assert service.asked == []
    assert (outcome.failure, outcome.head[:16]) == (None, b"Nothing was sent")


@pytest.mark.parametrize(
    ("kind", "said", "failure", "wait"),
    [
        ("zendesk", Said(429, headers={"retry-after": "37"}), Failure.BAD_STATUS, 37),
        ("zendesk", Said(409), Failure.BAD_STATUS, None),
        ("zendesk", Said.of(422, {"error": "RecordInvalid"}), Failure.REJECTED, None),
        ("zendesk", Said(403), Failure.UNAUTHORIZED, None),
        ("zendesk", Said(503, headers={"retry-after": "5"}), Failure.BAD_STATUS, 5),
        ("freshdesk", Said(429, headers={"retry-after": "60"}), Failure.BAD_STATUS, 60),
        ("freshdesk", Said.of(400, {"errors": [{"field": "email", "code": "invalid_value"}]}), Failure.REJECTED, None),
        ("freshdesk", Said.of(403, {"code": "access_denied"}), Failure.UNAUTHORIZED, None),
    ],
)
async def test_what_the_desk_says_is_understood(kind: str, said: Said, failure: Failure, wait: float | None) -> None:
    async with at(DESKS[kind]()) as service:
        service.troubles = [said]
        outcome = await tell(a_desk(kind, service))
    assert (outcome.failure, outcome.retry_after_seconds) == (failure, wait)


async def test_an_alert_is_resolved_when_the_answer_is_no_detractors_any_more() -> None:
    memory = Memory()
    async with at(FakePagerDuty()) as service:
        assert isinstance(service, FakePagerDuty)
        pager = a_connector("pagerduty", routing_key="secret", base_url=service.url)
        await tell(pager, memory=memory)
        assert service.open == {STORY.response_id}
        await tell(pager, MOVED, memory=memory)
        assert service.open == set()
        assert [asked.json["event_action"] for asked in service.asked] == ["trigger", "resolve"]


async def test_nobody_is_told_that_an_alert_is_over_which_never_was() -> None:
    async with at(FakePagerDuty()) as service:
        pager = a_connector("pagerduty", routing_key="secret", base_url=service.url)
        assert (await tell(pager, MOVED)).failure is None
        assert service.asked == []


async def test_an_alert_follows_whoever_looks_after_the_answer() -> None:
    memory = Memory()
    async with at(FakePagerDuty()) as service:
        assert isinstance(service, FakePagerDuty)
        pager = a_connector("pagerduty", routing_key="secret", base_url=service.url)
        assert (await tell(pager, followed(FollowUpState.ASSIGNED))).head.startswith(b"Nothing was sent")
        await tell(pager, memory=memory)
        for state, is_open in ((FollowUpState.ASSIGNED, True), (FollowUpState.RESOLVED, False)):
            assert (await tell(pager, followed(state), memory=memory)).failure is None
            assert bool(service.open) is is_open
        assert [asked.json["event_action"] for asked in service.asked] == ["trigger", "acknowledge", "resolve"]


def followed(state: FollowUpState) -> Story:
    background = replace(STORY.background, follow_up=FollowUp(state, "olga", "olga"))
    return replace(STORY, event_type="response.followed_up", background=background)


@pytest.mark.parametrize(("key", "failure"), [("secret", None), ("wrong", Failure.UNAUTHORIZED)])
async def test_the_key_of_a_pager_is_checked_without_waking_anybody(key: str, failure: Failure | None) -> None:
    async with at(FakePagerDuty()) as service:
        assert isinstance(service, FakePagerDuty)
        checking = a_connector("pagerduty", routing_key=key, base_url=service.url).check()
        assert checking is not None
        assert (await take(checking)).failure is failure
        assert [asked.json["event_action"] for asked in service.asked] == ["resolve"]


@pytest.mark.parametrize(
    ("said", "failure"),
    [
        (Said.of(400, {"status": "invalid event", "errors": ["'payload' is invalid"]}), Failure.REJECTED),
        (Said(429), Failure.BAD_STATUS),
        (Said(500), Failure.BAD_STATUS),
    ],
)
async def test_what_the_pager_says_is_understood(said: Said, failure: Failure) -> None:
    async with at(FakePagerDuty()) as service:
        service.troubles = [said]
        pager = a_connector("pagerduty", routing_key="secret", base_url=service.url)
        assert (await tell(pager)).failure is failure


async def test_the_longest_summary_fits_on_a_pager() -> None:
    async with at(FakePagerDuty()) as service:
        pager = a_connector("pagerduty", routing_key="secret", base_url=service.url)
        story = replace(STORY, campaign="c" * 5_000, person=replace(STORY.person, name="n" * 5_000))  # type: ignore[type-var]
        assert (await tell(pager, story)).failure is None


async def test_a_repeated_event_is_one_event_to_segment() -> None:
    async with at(FakeSegment()) as service:
        assert isinstance(service, FakeSegment)
        for story in (STORY, STORY, MOVED):
            await tell(a_connector("segment", write_key="k", base_url=f"{service.url}/v1"), story)
        assert [one["event"] for one in service.events.values()] == ["NPS Response Submitted", "NPS Response Changed"]
        assert service.events[STORY.event_id]["userId"] == "4711"


@pytest.mark.parametrize("character", ["x", "💣", '"'])
async def test_the_longest_comment_fits_into_an_event(character: str) -> None:
    async with at(FakeSegment()) as service:
        stream = a_connector("segment", write_key="k", base_url=f"{service.url}/v1")
        assert (await tell(stream, replace(STORY, comment=character * 20_000, person=None))).failure is None
        (asked,) = service.asked
    assert int(asked.headers["content-length"]) < 32_000
    assert asked.json["anonymousId"] == STORY.response_id


async def test_rudderstack_refuses_a_key_where_segment_would_not() -> None:
    async with at(FakeSegment()) as service:
        service.troubles = [Said(401, b"Invalid write key")]
        outcome = await tell(a_connector("segment", write_key="k", base_url=f"{service.url}/v1"))
    assert outcome.failure is Failure.UNAUTHORIZED
