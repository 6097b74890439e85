"""Properties of the recipient in fields of the customer's own."""

from dataclasses import replace
from typing import Any

import pytest

from app.domain.connectors.settings import ConnectorSettingsUnusable
from tests.outbound.connectors.service import at
from tests.outbound.connectors.stories import ADA, STORY, a_connector, tell
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
