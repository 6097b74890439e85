"""CRMs, against stand-ins that keep what they are given: a person once, and what was said about them once."""

from dataclasses import replace
from typing import Any

import pytest

from app.domain.connectors.protocol import Connector
from app.domain.webhooks.attempts import Failure
from tests.outbound.connectors.service import Asked, Said, Service, at
from tests.outbound.connectors.stories import ADA, MOVED, STORY, Memory, a_connector, take, tell

NOBODY = Said.of(401, {"message": "no"})


class FakeHubSpot(Service):
    """Knows no property until it is made; answers 409 for an address that is somebody's second one."""

    def __init__(self) -> None:
        super().__init__()
        self.contacts: dict[str, dict[str, str]] = {}
        self.notes: list[Any] = []
        self.properties: set[str] = {"email", "firstname", "lastname"}
        self.second_address_of: str | None = None

    def reply(self, asked: Asked) -> Said:
        if asked.headers.get("authorization") != "Bearer secret":
            return Said.of(401, {"category": "INVALID_AUTHENTICATION"})
        if asked.path.startswith("/crm/properties/2026-03/contacts"):
            return self._make_property(asked)
        if asked.path == "/crm/objects/2026-03/notes":
            self.notes.append(asked.json)
            return Said.of(201, {"id": str(900 + len(self.notes))})
        return self._contact(asked)

    def _make_property(self, asked: Asked) -> Said:
        if asked.path.endswith("/groups"):
            return Said.of(201, {})
        if asked.json["name"] in self.properties:
            return Said.of(409, {"category": "OBJECT_ALREADY_EXISTS"})
        self.properties.add(asked.json["name"])
        return Said.of(201, {})

    def _contact(self, asked: Asked) -> Said:
        if asked.method == "GET":
            return Said.of(200, {"results": []})
        given = asked.json["properties"]
        assert all(isinstance(value, str) for value in given.values())
        if unknown := set(given) - self.properties:
            return Said.of(
                400, {"category": "VALIDATION_ERROR", "errors": [{"code": "PROPERTY_DOESNT_EXIST"}] * len(unknown)}
            )
        return self._create(given) if asked.method == "POST" else self._update(asked, given)

    def _create(self, given: dict[str, str]) -> Said:
        if self.second_address_of:
            return Said.of(409, {"message": f"Contact already exists. Existing ID: {self.second_address_of}"})
        contact_id = str(100 + len(self.contacts))
        self.contacts[contact_id] = given
        return Said.of(201, {"id": contact_id})

    def _update(self, asked: Asked, given: dict[str, str]) -> Said:
        key = asked.path.rpartition("/")[2]
        field = asked.query.get("idProperty", "id")
        for contact_id, contact in self.contacts.items():
            if key == contact_id if field == "id" else contact.get("email", "").replace("@", "%40") == key:
                contact.update(given)
                return Said.of(200, {"id": contact_id})
        return Said.of(404, {"category": "OBJECT_NOT_FOUND"})


class FakeIntercom(Service):
    """Events that agree in person, name and second are one."""

    def __init__(self) -> None:
        super().__init__()
        self.contacts: list[dict[str, Any]] = []
        self.events: dict[tuple[Any, ...], Any] = {}
        self.notes: list[Any] = []
        self.archived = False

    def reply(self, asked: Asked) -> Said:
        if asked.headers.get("authorization") != "Bearer secret":
            return Said.of(401, {"type": "error.list", "errors": [{"code": "unauthorized"}]})
        assert asked.headers["intercom-version"] == "2.15"
        if asked.path == "/me":
            return Said.of(200, {"type": "admin", "app": {"id_code": "x"}})
        if asked.path == "/events":
            key = asked.json["id"], asked.json["event_name"], asked.json["created_at"]
            assert len(asked.json["metadata"]) <= 10
            self.events.setdefault(key, asked.json)
            return Said(202)
        if asked.path.endswith("/notes"):
            self.notes.append(asked.json)
            return Said.of(200, {"id": str(len(self.notes))})
        return self._search(asked.json["query"]) if asked.path == "/contacts/search" else self._create(asked.json)

    def _search(self, query: dict[str, Any]) -> Said:
        wanted = {one["field"]: one["value"] for one in query["value"]}
        found = [one for one in self.contacts if any(one.get(name) == value for name, value in wanted.items())]
        return Said.of(200, {"type": "list", "data": found})

    def _create(self, given: dict[str, Any]) -> Said:
        if self.archived:
            message = "An archived contact matching those details already exists with id=6762f0d51bb69f9f2193bb7f"
            return Said.of(409, {"type": "error.list", "errors": [{"code": "conflict", "message": message}]})
        self.contacts.append({"id": f"c{len(self.contacts)}", **given})
        return Said.of(200, self.contacts[-1])


class FakePipedrive(Service):
    def __init__(self) -> None:
        super().__init__()
        self.people: list[dict[str, Any]] = []
        self.notes: list[Any] = []

    def reply(self, asked: Asked) -> Said:
        if asked.headers.get("x-api-token") != "secret":
            return Said.of(401, {"success": False, "error": "unauthorized access"})
        if asked.path == "/api/v2/persons/search":
            found = [one for one in self.people if one["emails"][0]["value"] == asked.query["term"]]
            return Said.of(200, {"success": True, "data": {"items": [{"item": {"id": one["id"]}} for one in found]}})
        if asked.path == "/api/v2/persons":
            self.people.append({"id": len(self.people) + 1, **asked.json})
            return Said.of(201, {"success": True, "data": self.people[-1]})
        if asked.path == "/v1/notes":
            self.notes.append(asked.json)
            return Said.of(201, {"success": True, "data": {"id": len(self.notes)}})
        return Said.of(200, {"success": True, "data": {"id": 1}})


CRMS: dict[str, type[Any]] = {"hubspot": FakeHubSpot, "intercom": FakeIntercom, "pipedrive": FakePipedrive}
PEOPLE = {"hubspot": "contacts", "intercom": "contacts", "pipedrive": "people"}


def a_crm(kind: str, service: Service, *, key: str = "secret") -> Connector:
    name = "api_token" if kind == "pipedrive" else "token"
    return a_connector(kind, **{"base_url": service.url, name: key})


def people(service: Any, kind: str) -> int:
    return len(getattr(service, PEOPLE[kind]))


@pytest.mark.parametrize("kind", CRMS)
async def test_a_person_is_created_once_and_every_answer_is_noted(kind: str) -> None:
    async with at(CRMS[kind]()) as service:
        first = await tell(a_crm(kind, service))
        other = replace(STORY, response_id="resp_00000000000000000000000000000009", event_id="evt_9", comment="Better.")
        second = await tell(a_crm(kind, service), other)
        assert isinstance(service, CRMS[kind])
        assert people(service, kind) == 1
        assert len(service.notes) == 2
    assert (first.failure, second.failure) == (None, None)
    told = str(service.notes[0])
    for word in ("Detractor: 3 of 10", "Acme &amp; Sons", "&lt;b&gt;rude&lt;/b&gt;", "9 of 10"):
        assert word in told


@pytest.mark.parametrize("kind", CRMS)
async def test_a_retry_goes_on_where_it_failed(kind: str) -> None:
    memory = Memory()
    async with at(CRMS[kind]()) as service:
        whole = await tell(a_crm(kind, service))
        steps = len(service.asked)
    assert whole.failure is None
    for failing in range(steps):
        memory = Memory()
        async with at(CRMS[kind]()) as service:
            service.troubles = [None] * failing + [Said(503)]
            broken = await tell(a_crm(kind, service), memory=memory)
            mended = await tell(a_crm(kind, service), memory=memory)
            again = await tell(a_crm(kind, service), memory=memory)
            assert isinstance(service, CRMS[kind])
            assert (people(service, kind), len(service.notes)) == (1, 1)
        assert (broken.failure, mended.failure, again.failure) == (Failure.BAD_STATUS, None, None)
        assert not again.sent


@pytest.mark.parametrize("kind", CRMS)
async def test_a_change_is_noted_on_the_same_person(kind: str) -> None:
    memory = Memory()
    async with at(CRMS[kind]()) as service:
        await tell(a_crm(kind, service), memory=memory)
        assert (await tell(a_crm(kind, service), MOVED, memory=memory)).failure is None
        assert isinstance(service, CRMS[kind])
        assert people(service, kind) == 1
        assert "Was 3, now 9" in str(service.notes[1])


@pytest.mark.parametrize("kind", CRMS)
async def test_refused_credentials_are_noticed_before_the_first_answer(kind: str) -> None:
    async with at(CRMS[kind]()) as service:
        good, bad = a_crm(kind, service).check(), a_crm(kind, service, key="wrong").check()
        assert good is not None
        assert bad is not None
        assert (await take(good)).failure is None
        assert (await take(bad)).failure is Failure.UNAUTHORIZED
        assert {asked.method for asked in service.asked} == {"GET"}


@pytest.mark.parametrize("kind", CRMS)
async def test_of_strangers_nothing_is_told(kind: str) -> None:
    async with at(CRMS[kind]()) as service:
        outcome = await tell(a_crm(kind, service), replace(STORY, person=None))
        assert service.asked == []
    assert outcome.failure is None
    assert outcome.head.startswith(b"Nothing was sent")


@pytest.mark.parametrize(
    ("kind", "said", "failure", "wait"),
    [
        ("hubspot", Said.of(429, {"policyName": "TEN_SECONDLY_ROLLING"}), Failure.BAD_STATUS, 10),
        ("hubspot", Said.of(429, {"policyName": "DAILY"}), Failure.BAD_STATUS, 3_600),
        ("hubspot", Said.of(403, {"category": "MISSING_SCOPES"}), Failure.UNAUTHORIZED, None),
        ("hubspot", Said.of(400, {"category": "VALIDATION_ERROR"}), Failure.REJECTED, None),
        ("hubspot", Said(423), Failure.BAD_STATUS, None),
        ("hubspot", Said(477, headers={"retry-after": "120"}), Failure.BAD_STATUS, 120),
        ("intercom", Said.of(429, {"type": "error.list"}), Failure.BAD_STATUS, 10),
        ("intercom", Said.of(403, {"errors": [{"code": "api_plan_restricted"}]}), Failure.UNAUTHORIZED, None),
        ("intercom", Said.of(422, {"errors": [{"code": "parameter_invalid"}]}), Failure.REJECTED, None),
        ("pipedrive", Said(403, b"<html>Cloudflare"), Failure.BAD_STATUS, 600),
        ("pipedrive", Said.of(403, {"success": False, "error": "Forbidden"}), Failure.UNAUTHORIZED, None),
        ("pipedrive", Said.of(200, {"success": False, "error": "x"}), Failure.ERROR_IN_BODY, None),
        ("pipedrive", Said(429, headers={"retry-after": "2"}), Failure.BAD_STATUS, 2),
    ],
)
async def test_what_the_service_says_is_understood(kind: str, said: Said, failure: Failure, wait: float | None) -> None:
    memory = Memory()
    async with at(CRMS[kind]()) as service:
        service.troubles = [said]
        outcome = await tell(a_crm(kind, service), memory=memory)
    assert (outcome.failure, outcome.retry_after_seconds, memory.made) == (failure, wait, {})


async def test_hubspot_says_in_its_own_fields_how_somebody_scored_last() -> None:
    memory = Memory()
    async with at(FakeHubSpot()) as service:
        assert isinstance(service, FakeHubSpot)
        await tell(a_crm("hubspot", service), memory=memory)
        await tell(a_crm("hubspot", service), replace(MOVED, comment=None), memory=memory)
        (contact,) = service.contacts.values()
    assert contact == {
        "email": "ada@example.com", "firstname": "Ada", "nps_score": "9", "nps_category": "promoter", "nps_comment": "",
        "nps_last_responded_at": "2026-11-22T10:15:00.000000Z",
    }  # fmt: skip


async def test_an_address_cannot_change_where_hubspot_is_asked() -> None:
    async with at(FakeHubSpot()) as service:
        await tell(a_crm("hubspot", service), replace(STORY, person=replace(ADA, email="a/../b?c@example.com")))
        assert service.asked[0].path == "/crm/objects/2026-03/contacts/a%2F..%2Fb%3Fc%40example.com"


async def test_in_hubspot_somebodys_second_address_is_still_them() -> None:
    async with at(FakeHubSpot()) as service:
        assert isinstance(service, FakeHubSpot)
        service.contacts["55"], service.second_address_of = {"email": "first@example.com"}, "55"
        assert (await tell(a_crm("hubspot", service))).failure is None
        assert service.contacts["55"]["nps_score"] == "3"


async def test_in_intercom_somebody_who_was_archived_is_still_them() -> None:
    async with at(FakeIntercom()) as service:
        assert isinstance(service, FakeIntercom)
        service.archived = True
        assert (await tell(a_crm("intercom", service))).failure is None
        assert [key[0] for key in service.events] == ["6762f0d51bb69f9f2193bb7f"]


async def test_in_intercom_a_change_is_an_event_of_its_own() -> None:
    memory = Memory()
    async with at(FakeIntercom()) as service:
        assert isinstance(service, FakeIntercom)
        for story in (STORY, MOVED, MOVED):
            await tell(a_crm("intercom", service), story, memory=memory)
        assert [key[1] for key in service.events] == ["nps-answered", "nps-changed"]


async def test_intercom_knows_people_without_an_address_by_their_external_id() -> None:
    async with at(FakeIntercom()) as service:
        assert isinstance(service, FakeIntercom)
        assert (await tell(a_crm("intercom", service), replace(STORY, person=replace(ADA, email=None)))).failure is None
        assert service.contacts[0]["external_id"] == "4711"
