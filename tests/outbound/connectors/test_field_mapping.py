"""Properties of the recipient in fields of the customer's own."""

from dataclasses import replace
from typing import Any

import pytest

from app.domain.connectors.settings import ConnectorSettingsUnusable
from app.domain.connectors.story import Story
from tests.outbound.connectors.service import Asked, Said, Service, at
from tests.outbound.connectors.stories import ADA, MOVED, STORY, Memory, a_connector, tell
from tests.outbound.connectors.test_activecampaign import FakeActiveCampaign
from tests.outbound.connectors.test_crm import FakeHubSpot
from tests.outbound.connectors.test_tables_and_lists import ADA as MEMBER
from tests.outbound.connectors.test_tables_and_lists import FakeMailchimp

TOLD = replace(STORY, person=replace(ADA, properties={"plan": "pro", "seats": 12, "is new": True, "tags": ["a"]}))
FIELDS = "plan=PLAN_C, seats = SEATS,is new=NEW, tags=TAGS, unknown=UNKNOWN"


async def test_hubspot_keeps_properties_of_the_recipient() -> None:
    async with at(FakeHubSpot()) as service:
        assert isinstance(service, FakeHubSpot)
        service.properties |= {"PLAN_C", "SEATS", "NEW"}
        connector = a_connector("hubspot", base_url=service.url, token="secret", fields=FIELDS)
        assert (await tell(connector, TOLD)).failure is None
        (contact,) = service.contacts.values()
    assert (contact["PLAN_C"], contact["SEATS"], contact["NEW"], contact["nps_score"]) == ("pro", "12", "true", "3")
    assert not {"TAGS", "UNKNOWN"} & set(contact)


async def test_mailchimp_keeps_properties_of_the_recipient_but_our_fields_are_ours() -> None:
    async with at(FakeMailchimp()) as service:
        assert isinstance(service, FakeMailchimp)
        settings: dict[str, Any] = {"base_url": service.url, "api_key": "secret", "audience_id": "aud1"}
        connector = a_connector("mailchimp", **settings, fields="plan=PLAN_C,plan=NPSSCORE")
        assert (await tell(connector, TOLD)).failure is None
        assert (service.members[MEMBER]["PLAN_C"], service.members[MEMBER]["NPSSCORE"]) == ("pro", 3)


async def test_activecampaign_keeps_properties_of_the_recipient_where_it_has_the_field() -> None:
    async with at(FakeActiveCampaign()) as service:
        assert isinstance(service, FakeActiveCampaign)
        service.fields.append({"id": "503", "perstag": "PLAN_C"})
        connector = a_connector(
            "activecampaign", base_url=service.url, api_token="secret", fields="plan=plan_c,seats=S"
        )
        assert (await tell(connector, TOLD)).failure is None
        assert service.contacts["ada@example.com"] == {
            "id": "100", "firstName": "Ada", "501": "3", "502": "detractor", "503": "pro",
        }  # fmt: skip


@pytest.mark.parametrize("said", ["plan", "plan=", "=x", "plan=a b", "plan=x,", "plan=x/../y", ",".join(["a=b"] * 21)])
def test_what_is_no_mapping_is_refused(said: str) -> None:
    with pytest.raises(ConnectorSettingsUnusable):
        a_connector("hubspot", token="secret", fields=said)


OF_ANSWER = "@score=SCORE,@band=BAND,plan=PLAN,seats=SEATS,is new=NEW"
OVERTAKEN = replace(TOLD, background=replace(TOLD.background, is_overtaken=True))
KEPT = {"SCORE": 3, "BAND": "detractor", "PLAN": "pro", "SEATS": 12, "NEW": True}


class Desk(Service):
    """Takes everything, and shows what it was given."""

    def reply(self, asked: Asked) -> Said:
        if asked.path.endswith("/token"):
            token = {"access_token": "t", "instance_url": self.url, "api_domain": self.url, "expires_in": 3600}
            return Said.of(200, token)
        if asked.method == "GET":
            return Said.of(200, {"records": [{"Id": "1"}], "data": {"items": []}, "tickets": [], "results": []})
        if asked.path.endswith("/search"):
            return Said.of(200, {"data": [{"id": "1"}]})
        made = {"id": "1", "code": "SUCCESS", "details": {"id": "1"}}
        return Said.of(200, {"id": "1", "ticket": made, "data": [made] if "crm" in asked.path else made})


LOG_IN = {"client_id": "c", "client_secret": "secret"}
DESKS: dict[str, tuple[dict[str, str], Any]] = {
    "salesforce": ({"base_url": "", **LOG_IN, "record": "none"}, lambda body: body),
    "zoho": ({"accounts_url": "", **LOG_IN, "refresh_token": "r"}, lambda body: body["data"][0]),
    "pipedrive": ({"base_url": "", "api_token": "secret"}, lambda body: body["custom_fields"]),
    "intercom": ({"base_url": "", "token": "secret"}, lambda body: body["custom_attributes"]),
    "freshdesk": ({"base_url": "", "api_key": "secret"}, lambda body: body["custom_fields"]),
}


async def given(kind: str, *stories: Story) -> list[Any]:
    """What stood in the customer's own fields, of every request that names one."""
    settings, fields_of = DESKS[kind]
    memory = Memory()
    async with at(Desk()) as service:
        named = {name: value or service.url for name, value in settings.items()}
        connector = a_connector(kind, **named, fields=OF_ANSWER)
        for story in stories:
            assert (await tell(connector, story, memory=memory)).failure is None
        bodies = [body for body in service.bodies if "PLAN" in str(body)]
    return [{name: value for name, value in fields_of(body).items() if name in KEPT} for body in bodies]


@pytest.mark.parametrize("kind", DESKS)
async def test_fields_are_given_with_their_types_and_changed_with_the_answer(kind: str) -> None:
    moved = replace(MOVED, person=TOLD.person)
    assert await given(kind, TOLD, TOLD, moved) == [KEPT, KEPT | {"SCORE": 9, "BAND": "promoter"}]


@pytest.mark.parametrize("kind", [kind for kind in DESKS if kind != "freshdesk"])
async def test_an_older_answer_leaves_the_score_of_the_newer_one_alone(kind: str) -> None:
    assert await given(kind, OVERTAKEN) == [{"PLAN": "pro", "SEATS": 12, "NEW": True}]


async def test_a_ticket_keeps_the_score_of_its_own_answer() -> None:
    assert await given("freshdesk", OVERTAKEN) == [KEPT]


async def test_zendesk_knows_its_fields_by_number() -> None:
    async with at(Desk()) as service:
        settings = {"base_url": service.url, "email": "me@example.com", "api_token": "secret"}
        connector = a_connector("zendesk", **settings, fields="@score=360001,plan=360002,plan=no_number")
        assert (await tell(connector, TOLD)).failure is None
        (ticket,) = [body["ticket"] for body in service.bodies]
    assert ticket["custom_fields"] == [{"id": 360001, "value": 3}, {"id": 360002, "value": "pro"}]


async def test_marketing_lists_keep_the_score_of_the_newer_answer_too() -> None:
    async with at(FakeHubSpot()) as hubspot, at(FakeMailchimp()) as mailchimp, at(FakeActiveCampaign()) as active:
        assert isinstance(hubspot, FakeHubSpot)
        assert isinstance(mailchimp, FakeMailchimp)
        assert isinstance(active, FakeActiveCampaign)
        newer = replace(MOVED, response_id="resp_00000000000000000000000000000009")
        for connector in (
            a_connector("hubspot", base_url=hubspot.url, token="secret"),
            a_connector("mailchimp", base_url=mailchimp.url, api_key="secret", audience_id="aud1"),
            a_connector("activecampaign", base_url=active.url, api_token="secret"),
        ):
            for story in (newer, OVERTAKEN):
                assert (await tell(connector, story)).failure is None
        (contact,) = hubspot.contacts.values()
        assert (contact["nps_score"], len(hubspot.notes)) == ("9", 2)
        assert (mailchimp.members[MEMBER]["NPSSCORE"], len(mailchimp.notes)) == (9, 2)
        assert (active.contacts["ada@example.com"]["501"], len(active.notes)) == ("9", 2)
