"""ActiveCampaign, against a stand-in whose custom fields have numbers and come by the page."""

from dataclasses import replace
from typing import Any

import pytest

from app.domain.connectors.protocol import Connector
from app.domain.webhooks.attempts import Failure
from tests.outbound.connectors.service import Asked, Said, Service, at
from tests.outbound.connectors.stories import MOVED, STORY, Memory, a_connector, take, tell


class FakeActiveCampaign(Service):
    def __init__(self) -> None:
        super().__init__()
        self.fields = [{"id": str(number), "title": "Other", "perstag": f"OTHER_{number}"} for number in range(130)]
        self.fields += [{"id": "501", "perstag": "NPS_SCORE"}, {"id": "502", "perstag": "NPS_BAND"}]
        self.contacts: dict[str, dict[str, Any]] = {}
        self.notes: list[Any] = []

    def reply(self, asked: Asked) -> Said:
        if asked.headers.get("api-token") != "secret":
            return Said.of(403, {"message": "You are not authorized to access this API."})
        if asked.path == "/api/3/fields":
            start, most = int(asked.query.get("offset", 0)), int(asked.query["limit"])
            return Said.of(200, {"fields": self.fields[start : start + most], "meta": {"total": "132"}})
        if asked.path == "/api/3/contact/sync":
            return self._synchronise(asked.json["contact"])
        assert asked.path == "/api/3/notes"
        assert asked.json["note"]["reltype"] == "Subscriber"
        assert isinstance(asked.json["note"]["relid"], int)
        self.notes.append(asked.json["note"])
        return Said.of(201, {"note": {"id": str(len(self.notes))}})

    def _synchronise(self, given: dict[str, Any]) -> Said:
        is_new = given["email"] not in self.contacts
        contact = self.contacts.setdefault(given["email"], {"id": str(100 + len(self.contacts))})
        contact.update({one["field"]: one["value"] for one in given["fieldValues"]})
        contact.update({name: given[name] for name in ("firstName", "lastName") if name in given})
        return Said.of(201 if is_new else 200, {"fieldValues": [], "contact": {"id": contact["id"]}})


def connector(service: Service, *, key: str = "secret") -> Connector:
    return a_connector("activecampaign", base_url=service.url, api_token=key)


async def test_a_contact_has_the_score_of_their_last_answer_and_a_note_of_each() -> None:
    memory = Memory()
    async with at(FakeActiveCampaign()) as service:
        assert isinstance(service, FakeActiveCampaign)
        for story in (STORY, STORY, MOVED):
            assert (await tell(connector(service), story, memory=memory)).failure is None
        known = {"id": "100", "firstName": "Ada", "501": "9", "502": "promoter"}
        assert service.contacts == {"ada@example.com": known}
        assert [note["relid"] for note in service.notes] == [100, 100]
        assert "Was 3, now 9" in service.notes[1]["note"]


async def test_a_retry_goes_on_where_it_failed() -> None:
    for failing in range(4):
        memory = Memory()
        async with at(FakeActiveCampaign()) as service:
            assert isinstance(service, FakeActiveCampaign)
            service.troubles = [None] * failing + [Said(503)]
            broken = await tell(connector(service), memory=memory)
            mended = await tell(connector(service), memory=memory)
            assert (broken.failure, mended.failure) == (Failure.BAD_STATUS, None)
            assert (len(service.contacts), len(service.notes)) == (1, 1)


async def test_without_fields_of_ours_there_are_still_notes() -> None:
    async with at(FakeActiveCampaign()) as service:
        assert isinstance(service, FakeActiveCampaign)
        service.fields = []
        assert (await tell(connector(service))).failure is None
        assert service.contacts == {"ada@example.com": {"id": "100", "firstName": "Ada"}}
        assert len(service.notes) == 1


@pytest.mark.parametrize("step", [0, 2, 3])
@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"{}", b"[[]]", b'{"fields": 7, "contact": {"id": "x y"}, "note": 1}']
)
async def test_a_reply_that_cannot_be_read_leaves_nothing_false_behind(body: bytes, step: int) -> None:
    memory = Memory()
    async with at(FakeActiveCampaign()) as service:
        service.troubles = [None] * step + [Said(200, body)]
        assert (await tell(connector(service), memory=memory)).failure is Failure.ERROR_IN_BODY
        assert list(memory.made) == (["contact"] if step == 3 else [])


async def test_of_strangers_nothing_is_told() -> None:
    async with at(FakeActiveCampaign()) as service:
        outcome = await tell(connector(service), replace(STORY, person=None))
        assert service.asked == []
    assert (outcome.failure, outcome.head[:16]) == (None, b"Nothing was sent")


@pytest.mark.parametrize(("key", "failure"), [("secret", None), ("wrong", Failure.UNAUTHORIZED)])
async def test_refused_credentials_are_noticed_before_the_first_answer(key: str, failure: Failure | None) -> None:
    async with at(FakeActiveCampaign()) as service:
        checking = connector(service, key=key).check()
        assert checking is not None
        assert (await take(checking)).failure is failure
        assert [asked.method for asked in service.asked] == ["GET"]


@pytest.mark.parametrize(
    ("said", "failure", "wait"),
    [
        (Said(429, headers={"retry-after": "3"}), Failure.BAD_STATUS, 3),
        (Said(402), Failure.BAD_STATUS, None),
        (Said.of(422, {"errors": [{"code": "email_invalid"}]}), Failure.REJECTED, None),
        (Said.of(400, {"message": "no"}), Failure.REJECTED, None),
    ],
)
async def test_what_the_service_says_is_understood(said: Said, failure: Failure, wait: float | None) -> None:
    memory = Memory()
    async with at(FakeActiveCampaign()) as service:
        service.troubles = [None, None, said]
        outcome = await tell(connector(service), memory=memory)
    assert (outcome.failure, outcome.retry_after_seconds, memory.made) == (failure, wait, {})
