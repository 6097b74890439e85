"""CRMs one logs in to, against stand-ins that hand out tokens and know them again."""

from dataclasses import replace
from typing import Any

import pytest

from app.domain.connectors.protocol import Connector
from app.domain.webhooks.attempts import Failure
from tests.outbound.connectors.service import Asked, Said, Service, at
from tests.outbound.connectors.stories import MOVED, STORY, Memory, a_connector, take, tell


class FakeSalesforce(Service):
    """Upserts by external id; refuses the external id in the body, as Salesforce does."""

    def __init__(self) -> None:
        super().__init__()
        self.log_ins = 0
        self.good_tokens: set[str] = set()
        self.contacts: list[dict[str, Any]] = []
        self.records: dict[str, Any] = {}

    def reply(self, asked: Asked) -> Said:
        if asked.path == "/services/oauth2/token":
            return self._log_in(asked.form)
        if asked.headers["authorization"].removeprefix("Bearer ") not in self.good_tokens:
            return Said.of(401, [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}])
        path = asked.path.removeprefix("/services/data/v68.0/")
        if path == "query":
            return self._query(asked.query["q"])
        if path == "sobjects/Contact":
            self.contacts.append({"Id": f"003{len(self.contacts)}", **asked.json})
            return Said.of(201, {"id": self.contacts[-1]["Id"], "success": True})
        return self._upsert(path, asked)

    def _log_in(self, form: Any) -> Said:
        if form["grant_type"] != "client_credentials" or form["client_secret"] != "secret":
            return Said.of(400, {"error": "invalid_client", "error_description": "invalid client credentials"})
        self.log_ins += 1
        self.good_tokens.add(f"token{self.log_ins}")
        return Said.of(200, {"access_token": f"token{self.log_ins}", "instance_url": self.url, "token_type": "Bearer"})

    def _query(self, query: str) -> Said:
        found = [one for one in self.contacts if f"Email = '{one['Email']}'" in query]
        return Said.of(200, {"records": [{"Id": one["Id"]} for one in found]})

    def _upsert(self, path: str, asked: Asked) -> Said:
        kind, field, key = path.removeprefix("sobjects/").split("/")
        assert (asked.method, field) == ("PATCH", "NPS_Response_Id__c")
        assert field not in asked.json
        is_new = key not in self.records
        self.records[key] = {"kind": kind, **asked.json}
        return Said.of(201 if is_new else 200, {"id": "00T1", "success": True, "created": is_new})


class FakeZoho(Service):
    """Errors of logging in come under a 200, and rows are judged one by one."""

    def __init__(self) -> None:
        super().__init__()
        self.contacts: dict[str, str] = {}
        self.notes: list[Any] = []

    def reply(self, asked: Asked) -> Said:
        if asked.path == "/oauth/v2/token":
            if asked.form["client_secret"] != "secret":
                return Said.of(200, {"error": "invalid_client"})
            return Said.of(200, {"access_token": "token1", "api_domain": self.url, "expires_in": 3600})
        if asked.headers["authorization"] != "Zoho-oauthtoken token1":
            return Said.of(401, {"code": "INVALID_TOKEN", "status": "error"})
        if asked.method == "GET":
            return Said(204)
        return self._upsert(asked.json) if asked.path == "/crm/v8/Contacts/upsert" else self._note(asked)

    def _upsert(self, body: Any) -> Said:
        (row,) = body["data"]
        assert (body["duplicate_check_fields"], body["trigger"]) == (["Email"], [])
        if not row.get("Last_Name"):
            return Said.of(202, {"data": [{"code": "MANDATORY_NOT_FOUND", "status": "error"}]})
        contact_id = self.contacts.setdefault(row["Email"], f"54{len(self.contacts)}")
        return Said.of(200, {"data": [{"code": "SUCCESS", "details": {"id": contact_id}}]})

    def _note(self, asked: Asked) -> Said:
        assert asked.path.split("/")[-2] in self.contacts.values()
        self.notes.append(asked.json["data"][0])
        return Said.of(201, {"data": [{"code": "SUCCESS", "details": {"id": str(len(self.notes))}}]})


def salesforce(service: Service, *, key: str = "secret", **settings: Any) -> Connector:
    return a_connector("salesforce", base_url=service.url, client_id="c", client_secret=key, **settings)


def zoho(service: Service, *, key: str = "secret") -> Connector:
    return a_connector("zoho", accounts_url=service.url, client_id="c", client_secret=key, refresh_token="r")


KINDS: dict[str, tuple[type[Any], Any]] = {"salesforce": (FakeSalesforce, salesforce), "zoho": (FakeZoho, zoho)}


@pytest.mark.parametrize("record", ["Task", "Case"])
async def test_in_salesforce_an_answer_is_one_record_whatever_becomes_of_it(record: str) -> None:
    memory = Memory()
    async with at(FakeSalesforce()) as service:
        assert isinstance(service, FakeSalesforce)
        for story in (STORY, MOVED):
            assert (await tell(salesforce(service, record=record), story, memory=memory)).failure is None
        assert (await tell(salesforce(service, record=record), MOVED)).failure is None  # as if nothing were remembered
        ((key, made),) = service.records.items()
        assert len(service.contacts) == 1
    assert (key, made["kind"]) == (STORY.response_id, record)
    assert made["WhoId" if record == "Task" else "ContactId"] == "0030"
    assert "Was 3, now 9" in made["Description"]


async def test_an_address_cannot_change_the_question_to_salesforce() -> None:
    async with at(FakeSalesforce()) as service:
        person = replace(STORY.person, email="o'hara\\@example.com")  # type: ignore[type-var]
        assert (await tell(salesforce(service), replace(STORY, person=person))).failure is None
        asked = next(one for one in service.asked if one.path.endswith("/query"))
    assert r"Email = 'o\'hara\\@example.com' ORDER" in asked.query["q"]


async def test_in_zoho_a_contact_is_upserted_and_every_answer_is_noted() -> None:
    memory = Memory()
    async with at(FakeZoho()) as service:
        assert isinstance(service, FakeZoho)
        for story in (STORY, STORY, MOVED):
            assert (await tell(zoho(service), story, memory=memory)).failure is None
        assert len(service.contacts) == 1
        first, second = service.notes
    assert first["Note_Title"] == "Detractor: 3 of 10"
    assert "Was 3, now 9" in second["Note_Content"]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_retry_goes_on_where_it_failed(kind: str) -> None:
    fake, connector = KINDS[kind]
    for failing in range(1, 4):
        memory = Memory()
        async with at(fake()) as service:
            service.troubles = [None] * failing + [Said(503)]
            first = await tell(connector(service), memory=memory)
            mended = await tell(connector(service), memory=memory)
            again = await tell(connector(service), memory=memory)
            assert isinstance(service, fake)
            assert len(service.contacts) == 1
            assert len(service.records if kind == "salesforce" else service.notes) == 1
        assert first.failure in {Failure.BAD_STATUS, None}
        assert (mended.failure, again.failure, again.sent) == (None, None, False)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("key", "failure"), [("secret", None), ("wrong", Failure.UNAUTHORIZED)])
async def test_logging_in_is_tried_before_the_first_answer(kind: str, key: str, failure: Failure | None) -> None:
    fake, connector = KINDS[kind]
    async with at(fake()) as service:
        outcome = await take(connector(service, key=key).check())
        assert len(service.asked) == (1 if failure else 2)
    assert outcome.failure is failure


@pytest.mark.parametrize("kind", KINDS)
async def test_of_strangers_nothing_is_told(kind: str) -> None:
    fake, connector = KINDS[kind]
    async with at(fake()) as service:
        outcome = await tell(connector(service), replace(STORY, person=None))
    assert (outcome.failure, outcome.head[:16]) == (None, b"Nothing was sent")


@pytest.mark.parametrize(
    ("kind", "said", "failure", "wait"),
    [
        ("salesforce", Said.of(403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED"}]), Failure.BAD_STATUS, 3_600),
        ("salesforce", Said.of(400, [{"errorCode": "UNABLE_TO_LOCK_ROW"}]), Failure.BAD_STATUS, None),
        ("salesforce", Said.of(300, ["/services/a", "/services/b"]), Failure.REJECTED, None),
        ("salesforce", Said.of(400, [{"errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION"}]), Failure.REJECTED, None),
        ("salesforce", Said.of(403, [{"errorCode": "INSUFFICIENT_ACCESS"}]), Failure.REJECTED, None),
        ("salesforce", Said.of(401, [{"errorCode": "INVALID_SESSION_ID"}]), Failure.UNAUTHORIZED, None),
        ("zoho", Said.of(401, {"code": "INVALID_TOKEN"}), Failure.UNAUTHORIZED, None),
        ("zoho", Said.of(202, {"data": [{"code": "INVALID_DATA"}]}), Failure.REJECTED, None),
        ("zoho", Said.of(429, {"code": "TOO_MANY_REQUESTS"}), Failure.BAD_STATUS, None),
    ],
)
async def test_what_the_service_says_is_understood(kind: str, said: Said, failure: Failure, wait: float | None) -> None:
    fake, connector = KINDS[kind]
    async with at(fake()) as service:
        service.troubles = [None, said]
        outcome = await tell(connector(service))
    assert (outcome.failure, outcome.retry_after_seconds) == (failure, wait)


async def test_zoho_says_under_a_200_that_there_were_too_many_log_ins() -> None:
    async with at(FakeZoho()) as service:
        service.troubles = [Said.of(200, {"error": "Access Denied", "error_description": "too many requests"})]
        outcome = await tell(zoho(service))
    assert (outcome.failure, outcome.retry_after_seconds) == (Failure.BAD_STATUS, 600)
