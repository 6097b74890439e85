"""Somebody who unsubscribed here is told to the CRM, once and for everybody with that address."""

from typing import Any

import pytest

from app.domain.connectors.protocol import Connector
from app.domain.webhooks.attempts import Failure, Outcome
from tests.outbound.connectors.people import log_in
from tests.outbound.connectors.service import Asked, Said, Service, at
from tests.outbound.connectors.stories import a_connector, take

ADA = "ada+x'o@example.com"


class Refusals(Service):
    """Knows Ada under two records, and notes what becomes of them."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Any] = []
        self.is_known = True

    def reply(self, asked: Asked) -> Said:
        if asked.path.endswith("/token"):
            token = {"access_token": "token1", "instance_url": self.url, "api_domain": self.url, "expires_in": 3600}
            return Said.of(200, token)
        return self.about(asked)

    def about(self, asked: Asked) -> Said:
        raise NotImplementedError


class HubSpot(Refusals):
    def about(self, asked: Asked) -> Said:
        assert asked.headers["authorization"] == "Bearer secret"
        if "/statuses/" in asked.path:
            assert asked.path == "/communication-preferences/2026-03/statuses/ada%2Bx%27o%40example.com/unsubscribe-all"
            assert asked.query == {"channel": "EMAIL"}
            if self.told:
                return Said.of(400, {"message": "ada is already unsubscribed from all"})
            self.told.append("all")
            return Said.of(200, {})
        if not self.is_known:
            return Said.of(404, {"category": "OBJECT_NOT_FOUND"})
        self.told.append(asked.json["properties"])
        return Said.of(200, {"id": "1"})


class Salesforce(Refusals):
    def about(self, asked: Asked) -> Said:
        if asked.method == "GET":
            assert "WHERE Email = 'ada+x\\'o@example.com'" in asked.query["q"]
            return Said.of(200, {"records": [{"Id": "0031"}, {"Id": "0032"}] if self.is_known else []})
        self.told.append((asked.path.rpartition("/")[2], asked.json))
        return Said(204)


class Zoho(Refusals):
    def about(self, asked: Asked) -> Said:
        if asked.path.endswith("/coql"):
            assert "where Email = 'ada+x''o@example.com'" in asked.json["select_query"]
            return Said.of(200, {"data": [{"id": "1"}, {"id": "2"}]}) if self.is_known else Said(204)
        assert (asked.method, asked.json["trigger"]) == ("PUT", [])
        self.told += asked.json["data"]
        return Said.of(200, {"data": [{"code": "SUCCESS"}]})


class Mailchimp(Refusals):
    def about(self, asked: Asked) -> Said:
        if not self.is_known:
            return Said.of(404, {"title": "Resource Not Found"})
        assert asked.path == "/3.0/lists/aud1/members/990329f1166e6e732c9317de429ef570"
        self.told.append((asked.method, asked.json))
        return Said.of(200, {"id": "m"})


class ActiveCampaign(Refusals):
    def about(self, asked: Asked) -> Said:
        if asked.path == "/api/3/contacts":
            assert asked.query["email"] == ADA
            return Said.of(200, {"contacts": [{"id": "7"}] if self.is_known else []})
        if asked.path == "/api/3/contacts/7/contactLists":
            lists = [{"list": "1", "status": "1"}, {"list": "2", "status": "2"}, {"list": "3", "status": "1"}]
            return Said.of(200, {"contactLists": lists})
        self.told.append(asked.json["contactList"])
        return Said.of(201, {"contactList": {}})


FAKES: dict[str, tuple[type[Refusals], dict[str, str], Any]] = {
    "hubspot": (HubSpot, {"base_url": "", "token": "secret"}, ["all"]),
    "salesforce": (
        Salesforce, {"base_url": "", "client_id": "c", "client_secret": "secret"},
        [("0031", {"HasOptedOutOfEmail": True}), ("0032", {"HasOptedOutOfEmail": True})],
    ),
    "zoho": (
        Zoho, {"accounts_url": "", "client_id": "c", "client_secret": "secret", "refresh_token": "r"},
        [{"id": "1", "Email_Opt_Out": True}, {"id": "2", "Email_Opt_Out": True}],
    ),
    "mailchimp": (
        Mailchimp, {"base_url": "", "api_key": "secret", "audience_id": "aud1"}, [("PATCH", {"status": "unsubscribed"})]
    ),
    "activecampaign": (
        ActiveCampaign, {"base_url": "", "api_token": "secret"},
        [{"list": 1, "contact": 7, "status": 2}, {"list": 3, "contact": 7, "status": 2}],
    ),
}  # fmt: skip
every_kind = pytest.mark.parametrize("kind", FAKES)


def connector(kind: str, service: Service, **settings: str) -> Connector:
    named = {name: value or service.url for name, value in FAKES[kind][1].items()}
    return a_connector(kind, **named, **settings)


async def refuse(kind: str, service: Service, **settings: str) -> Outcome:
    told = connector(kind, service, **settings)
    return await take(told.unsubscribe(ADA, await log_in(told)))


@every_kind
async def test_whoever_unsubscribed_here_is_told(kind: str) -> None:
    async with at(FAKES[kind][0]()) as service:
        assert isinstance(service, Refusals)
        assert (await refuse(kind, service)).failure is None
        assert service.told == FAKES[kind][2]


@pytest.mark.parametrize("kind", [kind for kind in FAKES if kind != "hubspot"])
async def test_whom_the_service_does_not_know_it_need_not_know(kind: str) -> None:
    async with at(FAKES[kind][0]()) as service:
        assert isinstance(service, Refusals)
        service.is_known = False
        outcome = await refuse(kind, service)
        assert (outcome.failure, service.told) == (None, [])
    assert b"nobody with this e-mail address" in outcome.head


async def test_hubspot_is_content_to_hear_it_twice_and_may_keep_it_in_another_field() -> None:
    async with at(HubSpot()) as service:
        assert isinstance(service, Refusals)
        for _ in range(2):
            assert (await refuse("hubspot", service)).failure is None
        assert (await refuse("hubspot", service, opt_out_field="no_surveys")).failure is None
        assert service.told == ["all", {"no_surveys": "true"}]
        service.is_known = False
        outcome = await refuse("hubspot", service, opt_out_field="no_surveys")
    assert (outcome.failure, b"nobody" in outcome.head) == (None, True)


@every_kind
async def test_refused_credentials_and_trouble_are_not_taken_for_success(kind: str) -> None:
    async with at(FAKES[kind][0]()) as service:
        told = connector(kind, service)
        access = await log_in(told)
        for said, failure in [(Said.of(401, {}), Failure.UNAUTHORIZED), (Said(503), Failure.BAD_STATUS)]:
            service.troubles = [said]
            assert (await take(told.unsubscribe(ADA, access))).failure is failure
