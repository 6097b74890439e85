"""Tables and lists, which know a row again by what we call it."""

import hashlib
from base64 import b64decode
from dataclasses import replace
from typing import Any

import pytest

from app.domain.connectors.protocol import Connector
from app.domain.webhooks.attempts import Failure
from tests.outbound.connectors.service import Asked, Said, Service, at
from tests.outbound.connectors.stories import MOVED, STORY, Memory, a_connector, take, tell

ADA = hashlib.md5(b"ada@example.com", usedforsecurity=False).hexdigest()


class FakeAirtable(Service):
    def __init__(self) -> None:
        super().__init__()
        self.records: dict[str, Any] = {}

    def reply(self, asked: Asked) -> Said:
        if asked.headers.get("authorization") != "Bearer secret":
            return Said.of(401, {"error": {"type": "AUTHENTICATION_REQUIRED"}})
        if asked.path != "/v0/appX/NPS%20answers":
            return Said.of(404, {"error": "NOT_FOUND"})
        if asked.method == "GET":
            return Said.of(200, {"records": []})
        (key,) = asked.json["performUpsert"]["fieldsToMergeOn"]
        (record,) = asked.json["records"]
        self.records.setdefault(record["fields"][key], {}).update(record["fields"])
        return Said.of(200, {"records": [{"id": f"rec{len(self.records)}"}]})


class FakeMailchimp(Service):
    """Knows members by the MD5 of their address, and forgets nobody's status."""

    def __init__(self) -> None:
        super().__init__()
        self.members: dict[str, dict[str, Any]] = {}
        self.notes: list[Any] = []

    def reply(self, asked: Asked) -> Said:
        if b64decode(asked.headers["authorization"].removeprefix("Basic ")).partition(b":")[2] != b"secret":
            return Said.of(401, {"title": "API Key Invalid", "status": 401})
        if asked.method == "GET":
            return Said.of(200, {"id": "aud1"})
        if asked.path.endswith("/notes"):
            assert len(asked.json["note"]) <= 1_000
            self.notes.append(asked.json)
            return Said.of(200, {"id": len(self.notes)})
        assert asked.path.startswith("/3.0/lists/aud1/members/")
        assert "status" not in asked.json
        member = self.members.setdefault(asked.path.rpartition("/")[2], {"status": asked.json["status_if_new"]})
        member.update(asked.json["merge_fields"])
        return Said.of(200, {"id": "m"})


FAKES: dict[str, type[Any]] = {"airtable": FakeAirtable, "mailchimp": FakeMailchimp}


def connector(kind: str, service: Service, *, key: str = "secret") -> Connector:
    if kind == "airtable":
        return a_connector(kind, base_url=f"{service.url}/v0", token=key, base_id="appX", table="NPS answers")
    return a_connector(kind, base_url=service.url, api_key=key, audience_id="aud1")


async def test_an_answer_is_one_record_in_airtable_whatever_becomes_of_it() -> None:
    memory = Memory()
    async with at(FakeAirtable()) as service:
        assert isinstance(service, FakeAirtable)
        for story in (STORY, STORY, replace(MOVED, comment=None)):
            assert (await tell(connector("airtable", service), story, memory=memory)).failure is None
        assert (await tell(connector("airtable", service), MOVED)).failure is None  # as if nothing were remembered
        (record,) = service.records.values()
    assert (record["Score"], record["Band"], record["Email"]) == (9, "promoter", "ada@example.com")
    assert memory.made["record"].remote_id == "rec1"


async def test_mailchimp_learns_the_score_and_subscribes_nobody() -> None:
    memory = Memory()
    async with at(FakeMailchimp()) as service:
        assert isinstance(service, FakeMailchimp)
        service.troubles = [None, Said(500)]
        for story in (STORY, STORY, STORY, MOVED):
            await tell(connector("mailchimp", service), story, memory=memory)
        assert service.members == {ADA: {"status": "transactional", "NPSSCORE": 9, "NPSBAND": "promoter"}}
        assert len(service.notes) == 2
        assert [asked.method for asked in service.asked] == ["PUT", "POST", "POST", "PUT", "POST"]


async def test_the_longest_comment_fits_into_a_note() -> None:
    async with at(FakeMailchimp()) as service:
        assert (await tell(connector("mailchimp", service), replace(STORY, comment="💣" * 20_000))).failure is None


async def test_mailchimp_is_told_nothing_of_strangers() -> None:
    async with at(FakeMailchimp()) as service:
        outcome = await tell(connector("mailchimp", service), replace(STORY, person=None))
        assert service.asked == []
    assert (outcome.failure, outcome.head[:16]) == (None, b"Nothing was sent")


@pytest.mark.parametrize("kind", FAKES)
@pytest.mark.parametrize(("key", "failure"), [("secret", None), ("wrong", Failure.UNAUTHORIZED)])
async def test_refused_credentials_are_noticed_before_the_first_answer(
    kind: str, key: str, failure: Failure | None
) -> None:
    async with at(FAKES[kind]()) as service:
        checking = connector(kind, service, key=key).check()
        assert checking is not None
        assert (await take(checking)).failure is failure
        assert [asked.method for asked in service.asked] == ["GET"]


@pytest.mark.parametrize(
    ("kind", "said", "failure", "wait"),
    [
        ("airtable", Said.of(429, {"errors": [{"error": "RATE_LIMIT_REACHED"}]}), Failure.BAD_STATUS, 30),
        ("airtable", Said.of(422, {"error": {"type": "UNKNOWN_FIELD_NAME"}}), Failure.REJECTED, None),
        ("airtable", Said.of(404, {"error": "NOT_FOUND"}), Failure.NOT_THERE, None),
        ("airtable", Said.of(403, {"error": {"type": "INVALID_PERMISSIONS"}}), Failure.UNAUTHORIZED, None),
        ("mailchimp", Said(403, b"<html>Access Denied"), Failure.BAD_STATUS, 120),
        ("mailchimp", Said.of(403, {"title": "Forbidden"}), Failure.UNAUTHORIZED, None),
        ("mailchimp", Said.of(400, {"title": "Member In Compliance State"}), Failure.REJECTED, None),
        ("mailchimp", Said.of(400, {"title": "Forgotten Email Not Subscribed"}), Failure.REJECTED, None),
        ("mailchimp", Said.of(429, {"title": "Too Many Requests"}), Failure.BAD_STATUS, None),
    ],
)
async def test_what_the_service_says_is_understood(kind: str, said: Said, failure: Failure, wait: float | None) -> None:
    memory = Memory()
    async with at(FAKES[kind]()) as service:
        service.troubles = [said]
        outcome = await tell(connector(kind, service), memory=memory)
    assert (outcome.failure, outcome.retry_after_seconds, memory.made) == (failure, wait, {})
