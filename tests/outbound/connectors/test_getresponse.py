"""GetResponse, against a stand-in that takes new contacts by a queue, and finds those that resemble what was asked."""

from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pytest

from app.domain.connectors.protocol import Connector
from app.domain.webhooks.attempts import Failure
from tests.outbound.connectors.service import Asked, Said, Service, at
from tests.outbound.connectors.stories import MOVED, STORY, Memory, a_connector, take, tell


class FakeGetResponse(Service):
    def __init__(self) -> None:
        super().__init__()
        self.fields = {"city": "f0", "nps_score": "f1", "nps_band": "f2"}
        self.contacts: dict[str, dict[str, Any]] = {"c0": {"email": "also.ada@example.com"}}
        self.queue: list[dict[str, Any]] = []

    def reply(self, asked: Asked) -> Said:
        if asked.headers.get("x-auth-token") != "api-key secret":
            return Said.of(401, {"code": 1014, "message": "Problem during authentication process"})
        match asked.method, asked.path.removeprefix("/v3/").split("/"):
            case "GET", ["campaigns", name]:
                return Said.of(200, {"campaignId": name}) if name == "L1" else Said.of(404, {"code": 1013})
            case "GET", ["custom-fields"]:
                return Said.of(200, [{"customFieldId": one, "name": name} for name, one in self.fields.items()])
            case "GET", ["contacts"]:
                return self._found({unquote(name): value for name, value in asked.query.items()})
            case "POST", ["contacts"]:
                return self._add(asked.json)
            case "POST", ["contacts", contact_id, "custom-fields"]:
                self._set(self.contacts[contact_id], asked.json["customFieldValues"])
                return Said.of(200, {"contactId": contact_id})
        raise AssertionError(asked)

    def _found(self, query: dict[str, str]) -> Said:
        assert query["query[campaignId]"] == "L1"
        found = [
            (one, contact)
            for one, contact in self.contacts.items()
            if query["query[email]"] in contact["email"].lower()
        ]
        return Said.of(200, [{"contactId": one, "email": contact["email"]} for one, contact in found])

    def _add(self, given: dict[str, Any]) -> Said:
        if given["email"] in [one["email"] for one in (*self.queue, *self.contacts.values())]:
            return Said.of(409, {"code": 1008, "message": "Contact already added"})
        contact = {"email": given["email"], "name": given["name"]}
        self._set(contact, given["customFieldValues"])
        self.queue.append(contact)
        return Said(202)

    def _set(self, contact: dict[str, Any], values: list[Any]) -> None:
        contact.update({one["customFieldId"]: one["value"] for one in values})


def connector(service: Service, *, key: str = "secret", list_id: str = "L1", adds_people: bool = False) -> Connector:
    return a_connector(
        "getresponse", base_url=f"{service.url}/v3", api_key=key, list_id=list_id, adds_people=adds_people
    )


async def test_a_contact_has_the_score_of_their_last_answer_beside_what_they_had() -> None:
    memory = Memory()
    async with at(FakeGetResponse()) as service:
        assert isinstance(service, FakeGetResponse)
        service.contacts["c1"] = {"email": "Ada@example.com", "f0": ["Rome"]}
        for story in (STORY, STORY, MOVED):
            assert (await tell(connector(service), story, memory=memory)).failure is None
        assert service.contacts["c1"] == {"email": "Ada@example.com", "f0": ["Rome"], "f1": ["9"], "f2": ["promoter"]}
        assert service.contacts["c0"] == {"email": "also.ada@example.com"}
        assert len(service.asked) == 6


async def test_nobody_is_subscribed_unless_somebody_chose_so() -> None:
    async with at(FakeGetResponse()) as service:
        assert isinstance(service, FakeGetResponse)
        outcome = await tell(connector(service))
        assert (outcome.failure, outcome.head[:16], service.queue) == (None, b"Nothing was sent", [])
        assert (await tell(connector(service, adds_people=True))).failure is None
        assert service.queue == [{"email": "ada@example.com", "name": "Ada", "f1": ["3"], "f2": ["detractor"]}]


async def test_who_is_on_the_way_into_the_list_is_waited_for() -> None:
    memory = Memory()
    async with at(FakeGetResponse()) as service:
        assert isinstance(service, FakeGetResponse)
        await tell(connector(service, adds_people=True))
        early = await tell(connector(service, adds_people=True), MOVED, memory=memory)
        assert (early.failure, early.retry_after_seconds, memory.made) == (Failure.BAD_STATUS, 60, {})
        service.contacts["c1"] = service.queue.pop()
        assert (await tell(connector(service, adds_people=True), MOVED, memory=memory)).failure is None
        assert service.contacts["c1"]["f1"] == ["9"]


async def test_of_strangers_nothing_is_told() -> None:
    async with at(FakeGetResponse()) as service:
        outcome = await tell(connector(service), replace(STORY, person=None))
        assert service.asked == []
    assert (outcome.failure, outcome.head[:16]) == (None, b"Nothing was sent")


async def test_without_a_field_for_the_score_nothing_is_told() -> None:
    async with at(FakeGetResponse()) as service:
        assert isinstance(service, FakeGetResponse)
        service.fields = {"city": "f0"}
        assert (await tell(connector(service))).failure is Failure.NOT_THERE


@pytest.mark.parametrize("step", [0, 1])
@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'[{"name": "nps_score", "email": "ada@example.com"}]'])
async def test_a_reply_that_cannot_be_read_leaves_nothing_false_behind(body: bytes, step: int) -> None:
    memory = Memory()
    async with at(FakeGetResponse()) as service:
        assert isinstance(service, FakeGetResponse)
        service.troubles = [None] * step + [Said(200, body)]
        assert (await tell(connector(service, adds_people=True), memory=memory)).failure is Failure.ERROR_IN_BODY
        assert (memory.made, service.queue) == ({}, [])


@pytest.mark.parametrize(
    ("key", "list_id", "failure"),
    [("secret", "L1", None), ("wrong", "L1", Failure.UNAUTHORIZED), ("secret", "L2", Failure.NOT_THERE)],
)
async def test_what_cannot_work_is_noticed_before_the_first_answer(
    key: str, list_id: str, failure: Failure | None
) -> None:
    async with at(FakeGetResponse()) as service:
        checking = connector(service, key=key, list_id=list_id).check()
        assert checking is not None
        assert (await take(checking)).failure is failure
        assert [asked.method for asked in service.asked] == ["GET"]


async def test_accounts_with_a_domain_of_their_own_name_it() -> None:
    async with at(FakeGetResponse()) as service:
        made = a_connector(
            "getresponse", base_url=f"{service.url}/v3", api_key="secret", list_id="L1", domain="acme.example"
        )
        checking = made.check()
        assert checking is not None
        await take(checking)
        assert service.asked[0].headers["x-domain"] == "acme.example"


@pytest.mark.parametrize(
    ("said", "failure", "wait"),
    [
        (Said.of(429, {"code": 1015, "context": {"timeToReset": "90 seconds"}}), Failure.BAD_STATUS, 90),
        (Said.of(429, {"code": 1015, "context": {"timeToReset": 17}}), Failure.BAD_STATUS, 17),
        (Said.of(429, {"code": 1015, "context": []}), Failure.BAD_STATUS, 600),
        (Said.of(400, {"code": 1002, "message": "blocked"}), Failure.REJECTED, None),
        (Said.of(403, {"code": 1}), Failure.UNAUTHORIZED, None),
        (Said(502), Failure.BAD_STATUS, None),
    ],
)
async def test_what_the_service_says_is_understood(said: Said, failure: Failure, wait: float | None) -> None:
    memory = Memory()
    async with at(FakeGetResponse()) as service:
        service.troubles = [None, None, said]
        outcome = await tell(connector(service, adds_people=True), memory=memory)
    assert (outcome.failure, outcome.retry_after_seconds, memory.made) == (failure, wait, {})
