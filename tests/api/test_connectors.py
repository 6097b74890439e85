import json
from dataclasses import fields as settings_of
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.db.engine import Engine
from app.db.vault import Vault
from app.domain.connectors.catalogue import CONNECTORS, EndpointKind
from tests.builders import rows
from tests.conftest import SECRET_KEYS, Tenant

PLACE = "/v1/webhook-endpoints"
URL = "https://hooks.slack.com/services/T0/B0/verysecret"


async def create(tenant: Tenant, **fields: Any) -> dict[str, Any]:
    reply = await tenant.api.post(PLACE, json={"kind": "slack", "settings": {"url": URL}, **fields})
    assert reply.status_code == 201, reply.text
    return dict(reply.json())


async def test_what_is_secret_is_never_shown_and_sealed(alice: Tenant, engine: Engine) -> None:
    link = "https://crm.example/{external_id}"
    made = await create(alice, settings={"url": URL, "link": link})
    listed = (await alice.api.get(PLACE)).text
    changed = await alice.api.patch(f"{PLACE}/{made['id']}", json={"description": "CX"})
    for shown in (str(made), listed, changed.text):
        assert "verysecret" not in shown
    assert (made["kind"], made["url"], made["settings"]) == ("slack", "https://hooks.slack.com", {"link": link})
    assert (made["secret"], made["secrets"]) == (None, [])
    (row,) = await rows(engine, "SELECT * FROM webhook_endpoints WHERE workspace_id = :w", w=alice.workspace_id)
    assert b"verysecret" not in row["credentials"]
    opened = Vault.read(SECRET_KEYS).open(row["credentials"], workspace_id=row["workspace_id"], row_id=row["id"])
    assert "verysecret" in opened


async def test_it_tells_of_answers_a_minute_late_unless_chosen_otherwise(alice: Tenant) -> None:
    usual = await create(alice)
    chosen = await create(alice, event_types=["response.detractor"], delay_seconds=0)
    assert (usual["event_types"], usual["delay_seconds"]) == (["response.band_changed", "response.created"], 60)
    assert (chosen["event_types"], chosen["delay_seconds"]) == (["response.detractor"], 0)


async def test_it_keeps_below_what_its_service_allows_unless_chosen_otherwise(alice: Tenant) -> None:
    assert (await create(alice))["rate_limit_per_second"] == 1
    assert (await create(alice, rate_limit_per_second=7))["rate_limit_per_second"] == 7


async def test_a_webhook_still_hears_at_once_and_of_everything(alice: Tenant) -> None:
    made = (await alice.api.post(PLACE, json={"url": "https://hooks.example.com/"})).json()
    assert (made["kind"], made["settings"], made["delay_seconds"], made["event_types"]) == ("webhook", {}, 0, [])


async def test_settings_change_one_by_one_and_are_checked_anew(alice: Tenant, engine: Engine) -> None:
    link = "https://crm.example/{email}"
    made = await create(alice, settings={"url": URL, "link": link})
    place = f"{PLACE}/{made['id']}"
    moved = await alice.api.patch(place, json={"settings": {"url": "https://hooks.slack-gov.com/services/new"}})
    assert (moved.json()["url"], moved.json()["settings"]) == ("https://hooks.slack-gov.com", {"link": link})
    cleared = await alice.api.patch(place, json={"settings": {"link": None}})
    assert [reply.json()["revision"] for reply in (moved, cleared)] == [2, 3]
    assert (cleared.json()["url"], cleared.json()["settings"]) == ("https://hooks.slack-gov.com", {})
    checks = await rows(
        engine, "SELECT body FROM events WHERE workspace_id = :w AND type = 'endpoint.test'", w=alice.workspace_id
    )
    assert [check["body"]["is_check"] for check in checks] == [True] * 3


@pytest.mark.parametrize(
    ("kind", "settings", "elsewhere", "missing"),
    [
        ("hubspot", {"token": "verysecret"}, {"base_url": "https://elsewhere.example"}, ["/settings/token"]),
        (
            "zoho",
            {"client_id": "c", "client_secret": "verysecret", "refresh_token": "verysecret"},
            {"accounts_url": "https://accounts.zoho.eu"},
            ["/settings/client_secret", "/settings/refresh_token"],
        ),
    ],
)
async def test_secrets_go_to_another_host_only_with_who_knows_them(
    alice: Tenant, kind: str, settings: dict[str, str], elsewhere: dict[str, str], missing: list[str]
) -> None:
    made = await create(alice, kind=kind, settings=settings)
    place = f"{PLACE}/{made['id']}"
    refused = await alice.api.patch(place, json={"settings": elsewhere})
    assert (refused.status_code, refused.json()["code"]) == (422, "secrets_needed_again")
    assert [error["pointer"] for error in refused.json()["errors"]] == missing
    assert (await alice.api.get(place)).json()["url"] == made["url"]
    again = {name.rpartition("/")[2]: "verysecret" for name in missing}
    assert (await alice.api.patch(place, json={"settings": {**elsewhere, **again}})).status_code == 200
    under = {name: f"{url}/under" for name, url in elsewhere.items()}
    assert (await alice.api.patch(place, json={"settings": under})).status_code == 200


@pytest.mark.parametrize(
    ("fields", "code", "pointer"),
    [
        ({"settings": {}}, "connector_settings_unusable", "/settings/url"),
        ({"settings": {"url": URL, "colour": "red"}}, "connector_settings_unusable", "/settings/colour"),
        ({"settings": {"url": "https://hooks.slack.com/other"}}, "connector_settings_unusable", "/settings/url"),
        ({"settings": {"url": 7}}, "connector_settings_unusable", "/settings/url"),
        (
            {"settings": {"url": URL, "link": "https://x.example/{name}"}},
            "connector_settings_unusable",
            "/settings/link",
        ),
        ({"settings": {"url": "http://hooks.slack.com/services/x"}}, "unusable_url", "/url"),
        ({"settings": {"url": "https://169.254.169.254/services/x"}}, "unusable_url", "/url"),
        ({"url": "https://hooks.example.com/"}, "unusable_url", "/url"),
        ({"event_types": ["recipient.created"]}, "webhook_endpoint_is_connector", "/event_types"),
        ({"kind": "webhook"}, "unusable_url", "/url"),
        (
            {"kind": "teams", "settings": {"url": "https://a.webhook.office.com/webhookb2/x"}},
            "connector_settings_unusable",
            "/settings/url",
        ),
    ],
)
async def test_what_cannot_work_is_refused(alice: Tenant, fields: dict[str, Any], code: str, pointer: str) -> None:
    body = {"kind": "slack", "settings": {"url": URL}, **fields}
    if fields.get("kind") == "webhook":
        del body["settings"]
    reply = await alice.api.post(PLACE, json=body)
    assert (reply.status_code, reply.json()["code"]) == (422, code), reply.text
    assert reply.json()["errors"][0]["pointer"].endswith(pointer)
    assert (await alice.api.get(PLACE)).json()["data"] == []


async def test_a_connector_has_no_secret_to_rotate_and_a_webhook_no_settings(alice: Tenant) -> None:
    connector = await create(alice)
    rotated = await alice.api.post(f"{PLACE}/{connector['id']}/secrets/rotate", json={})
    assert (rotated.status_code, rotated.json()["code"]) == (409, "webhook_endpoint_not_signed")
    webhook = (await alice.api.post(PLACE, json={"url": "https://hooks.example.com/"})).json()
    set_up = await alice.api.patch(f"{PLACE}/{webhook['id']}", json={"settings": {"url": URL}})
    assert (set_up.status_code, set_up.json()["code"]) == (422, "connector_settings_unusable")


async def test_a_deleted_connector_leaves_no_credentials(alice: Tenant, engine: Engine) -> None:
    made = await create(alice)
    assert (await alice.api.delete(f"{PLACE}/{made['id']}")).status_code == 204
    (row,) = await rows(engine, "SELECT * FROM webhook_endpoints WHERE workspace_id = :w", w=alice.workspace_id)
    assert (row["credentials"], row["settings"], row["url"]) == (None, {}, "")


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("slack_app", {"token": "verysecret", "channel": "#cx"}),
        ("hubspot", {"token": "verysecret"}),
        ("salesforce", {"base_url": "https://acme.my.salesforce.com", "client_id": "c", "client_secret": "verysecret"}),
        ("zoho", {"client_id": "c", "client_secret": "verysecret", "refresh_token": "verysecret"}),
        ("pipedrive", {"base_url": "https://acme.pipedrive.com/", "api_token": "verysecret"}),
        ("intercom", {"token": "verysecret", "base_url": "https://api.eu.intercom.io"}),
        ("zendesk", {"base_url": "https://acme.zendesk.com", "email": "bot@acme.example", "api_token": "verysecret"}),
        ("freshdesk", {"base_url": "https://acme.freshdesk.com", "api_key": "verysecret"}),
        ("activecampaign", {"base_url": "https://acme.api-us1.com", "api_token": "verysecret"}),
        ("getresponse", {"api_key": "verysecret", "list_id": "L1"}),
        ("mailchimp", {"base_url": "https://us21.api.mailchimp.com", "api_key": "verysecret", "audience_id": "a1"}),
        ("airtable", {"token": "verysecret", "base_id": "app1", "table": "NPS answers"}),
        ("monday", {"token": "verysecret", "board_id": "1234567890"}),
        ("pagerduty", {"routing_key": "verysecret", "severity": "critical"}),
        ("segment", {"write_key": "verysecret"}),
    ],
)
async def test_services_with_a_key_are_connected_without_showing_it(
    alice: Tenant, kind: str, settings: dict[str, str]
) -> None:
    made = await create(alice, kind=kind, settings=settings)
    assert "verysecret" not in str(made)
    assert made["url"].startswith("https://")
    assert made["event_types"] == sorted(CONNECTORS[kind].usual_events)


async def test_a_key_file_is_sealed_whole(alice: Tenant) -> None:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    account = {
        "client_email": "nps@acme.example",
        "private_key": pem,
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    settings = {"service_account": json.dumps(account, indent=2), "spreadsheet_id": "1AbC", "sheet_id": 7}
    made = await create(alice, kind="google_sheets", settings=settings)
    hosts = {"base_url": "https://sheets.googleapis.com", "login_url": "https://oauth2.googleapis.com"}
    shown = {"spreadsheet_id": "1AbC", "sheet_id": "7", **hosts}
    assert (made["settings"], "PRIVATE" in str(made)) == (shown, False)
    refused = await alice.api.post(PLACE, json={"kind": "google_sheets", "settings": settings | {"sheet_id": "x"}})
    assert (refused.status_code, "PRIVATE" in refused.text) == (422, False)


def test_every_kind_but_the_webhook_has_a_connector() -> None:
    assert set(CONNECTORS) == set(EndpointKind) - {EndpointKind.WEBHOOK}


@pytest.mark.parametrize("kind", CONNECTORS)
def test_the_page_on_connectors_names_every_kind_and_setting(kind: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "connectors.md").read_text(encoding="utf-8")
    section = page.partition(f"\n## {kind}\n")[2].partition("\n## ")[0]
    assert [one.name for one in settings_of(CONNECTORS[kind]) if f"`{one.name}`" not in section] == []


async def test_credentials_are_checked_again_whenever_somebody_asks(alice: Tenant, engine: Engine) -> None:
    made = await create(alice)
    place, headers = f"{PLACE}/{made['id']}/check", {"Idempotency-Key": "once"}
    asked = [await alice.api.post(place, headers=headers) for _ in range(2)]
    assert [one.status_code for one in asked] == [202, 202]
    assert asked[0].json() == asked[1].json()
    event = (await alice.api.get(f"/v1/events/{asked[0].json()['event_id']}")).json()
    assert (event["type"], event["data"]["is_check"]) == ("endpoint.test", True)
    await alice.api.post(f"{PLACE}/{made['id']}/disable")
    assert (await alice.api.post(place)).json()["code"] == "webhook_endpoint_disabled"
    webhook = (await alice.api.post(PLACE, json={"url": "https://hooks.example.com/"})).json()
    refused = await alice.api.post(f"{PLACE}/{webhook['id']}/check")
    assert (refused.status_code, refused.json()["code"]) == (422, "nothing_to_check")
