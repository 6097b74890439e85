"""Looking at a campaign's mail before anybody gets it, and sending it to colleagues."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.config import Settings
from app.db.engine import Engine
from app.operations.instance import recognise_instance
from app.workers.ship_mails import ship_mails
from tests.builders import rows
from tests.conftest import SECRET_KEYS, Tenant, a_tenant, running_app
from tests.outbound.email.mailboxes import a_mail_server

SURVEY = {
    "default_language": "en", "languages": ["en", "de"],
    "question": {"en": "How likely, {name|friend}, on {property.plan|your} plan?", "de": "Wie wahrscheinlich?"},
}  # fmt: skip
STAFF = {"sender": {"from_name": "Shop", "from_email": "surveys@shop.example", "bounce_address": "b@shop.example"}}


async def a_campaign(tenant: Tenant) -> str:
    body = {"name": "NPS", "kind": "relationship", "survey": SURVEY}
    reply = await tenant.api.post("/v1/campaigns", json=body)
    assert reply.status_code == 201, reply.text
    return f"/v1/campaigns/{reply.json()['id']}"


async def preview(tenant: Tenant, campaign: str, **params: str) -> dict[str, Any]:
    reply = await tenant.api.get(f"{campaign}/email-preview", params=params)
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


async def test_a_preview_is_written_to_somebody_made_up(alice: Tenant) -> None:
    await alice.api.patch("/v1/workspace", json=STAFF)
    seen = await preview(alice, await a_campaign(alice))
    assert seen["subject"] == "How likely, Robin Sample, on your plan?"
    assert (seen["language"], seen["sender"]) == ("en", "Shop <surveys@shop.example>")
    assert seen["subject"] in seen["html"]
    assert "?score=10" in seen["text"]


async def test_a_preview_is_written_to_one_of_ours_in_their_language(alice: Tenant, charlie: Tenant) -> None:
    campaign = await a_campaign(alice)
    known = {"name": "Ada", "locale": "de-AT", "properties": {"plan": "pro"}}
    person = {"external_id": "1", "email": "ada@example.org", **known}
    ada = (await alice.api.post("/v1/recipients", json=person)).json()["id"]
    seen = await preview(alice, campaign, recipient_id=ada)
    assert (seen["to"], seen["language"], seen["subject"]) == ("Ada <ada@example.org>", "de", "Wie wahrscheinlich?")
    english = await preview(alice, campaign, recipient_id=ada, language="en")
    assert english["subject"] == "How likely, Ada, on pro plan?"
    assert (await charlie.api.get(f"{campaign}/email-preview")).status_code == 404
    theirs = await a_campaign(charlie)
    assert (await charlie.api.get(f"{theirs}/email-preview", params={"recipient_id": ada})).status_code == 404


@pytest.mark.parametrize("metric", ["nps", "csat", "thumbs"])
async def test_a_mail_names_the_ends_of_the_scale_as_its_page_does(alice: Tenant, metric: str) -> None:
    labels = {"lowest_label": {"en": "Not {name|me}"}, "highest_label": {"en": "Yes, {brand|you}"}}
    survey = {"default_language": "en", "languages": ["en"], "question": {"en": "Well?"}, **labels}
    body = {"name": "NPS", "kind": "relationship", "metric": metric, "survey": survey}
    campaign = (await alice.api.post("/v1/campaigns", json=body)).json()["id"]
    seen = await preview(alice, f"/v1/campaigns/{campaign}")
    for text in (seen["html"], seen["text"]):
        assert "Not Robin Sample" in text
        assert "Yes, Alice" in text
    nobody = {"recipient_ids": [f"rcpt_{'0' * 32}"]}
    assert "{name" not in (await alice.api.post(f"/v1/campaigns/{campaign}/links", json=nobody)).json()["html"]


async def test_a_reminder_is_previewed_in_its_own_words(alice: Tenant) -> None:
    await alice.api.patch("/v1/workspace", json=STAFF)
    campaign = await a_campaign(alice)
    first, reminder = await preview(alice, campaign), await preview(alice, campaign, kind="reminder")
    assert reminder["subject"] == "Reminder: How likely, Robin Sample, on your plan?"
    assert "We asked you a few days ago" in reminder["text"]
    assert "We asked you a few days ago" not in first["text"]
    assert (await alice.api.get(f"{campaign}/email-preview", params={"kind": "notice"})).status_code == 422


async def test_a_test_goes_to_colleagues_only(alice: Tenant) -> None:
    campaign = await a_campaign(alice)
    await alice.api.patch("/v1/workspace", json=STAFF)
    for to in (["ada@example.org"], ["kim@shop.example", "ada@example.org"]):
        reply = await alice.api.post(f"{campaign}/test-mails", json={"to": to})
        assert (reply.status_code, reply.json()["code"]) == (422, "test_address_refused")
    sent = await alice.api.post(f"{campaign}/test-mails", json={"to": ["Kim@shop.example", "kim@shop.example"]})
    assert [one["to_address"] for one in sent.json()["mails"]] == ["kim@shop.example"]


async def test_no_more_than_so_many_are_sent_within_an_hour(alice: Tenant) -> None:
    campaign = await a_campaign(alice)
    await alice.api.patch("/v1/workspace", json=STAFF)
    five = {"to": [f"p{number}@shop.example" for number in range(5)]}
    replies = [await alice.api.post(f"{campaign}/test-mails", json=five) for _ in range(11)]
    assert [reply.status_code for reply in replies] == [202] * 10 + [409]
    assert replies[-1].json()["code"] == "too_many_test_mails"


@pytest.mark.parametrize("has_server", [True, False])
async def test_a_test_is_sent_or_captured_and_counts_nowhere(
    own_database_url: str, own_engine: Engine, has_server: bool
) -> None:
    async with (
        a_mail_server() as mailbox,
        running_app(own_database_url) as app,
        a_tenant(app, own_engine, "Alice") as alice,
    ):
        await _at_home(own_engine)
        await alice.api.patch("/v1/workspace", json=STAFF)
        campaign = await a_campaign(alice)
        reply = await alice.api.post(f"{campaign}/test-mails", json={"to": ["kim@shop.example"], "language": "de"})
        assert reply.status_code == 202, reply.text
        assert reply.json()["mails"][0]["state"] == "waiting"
        await ship_mails(own_engine, _settings(own_database_url, mailbox.port if has_server else None))
        (listed,) = (await alice.api.get(f"{campaign}/test-mails")).json()["data"]
        assert listed["state"] == ("sent" if has_server else "captured")
        captured = await rows(own_engine, "SELECT purpose, subject FROM captured_mails")
        assert captured == ([] if has_server else [{"purpose": "test", "subject": "Wie wahrscheinlich?"}])
        assert await rows(own_engine, "SELECT id FROM invitations UNION ALL SELECT id FROM messages") == []
        if has_server:
            (mail,) = mailbox.mails
            assert mail.rcpt_tos == ["kim@shop.example"]
            assert mail.mail_from.startswith("b+")


async def test_a_reminder_is_sent_to_colleagues_too(own_database_url: str, own_engine: Engine) -> None:
    async with running_app(own_database_url) as app, a_tenant(app, own_engine, "Alice") as alice:
        await _at_home(own_engine)
        await alice.api.patch("/v1/workspace", json=STAFF)
        body = {"to": ["kim@shop.example"], "language": "de", "kind": "reminder"}
        reply = await alice.api.post(f"{await a_campaign(alice)}/test-mails", json=body)
        assert reply.status_code == 202, reply.text
        await ship_mails(own_engine, _settings(own_database_url, None))
        captured = await rows(own_engine, "SELECT purpose, subject FROM captured_mails")
    assert captured == [{"purpose": "test", "subject": "Erinnerung: Wie wahrscheinlich?"}]


@pytest.mark.parametrize("reply", ["550 5.1.1 who?", "550 relay not permitted"])
async def test_a_server_that_refuses_is_told_of(own_database_url: str, own_engine: Engine, reply: str) -> None:
    async with (
        a_mail_server() as mailbox,
        running_app(own_database_url) as app,
        a_tenant(app, own_engine, "Alice") as alice,
    ):
        await _at_home(own_engine)
        await alice.api.patch("/v1/workspace", json=STAFF)
        campaign = await a_campaign(alice)
        mailbox.recipient_replies = {"kim@shop.example": reply}
        await alice.api.post(f"{campaign}/test-mails", json={"to": ["kim@shop.example"]})
        await ship_mails(own_engine, _settings(own_database_url, mailbox.port))
        (listed,) = (await alice.api.get(f"{campaign}/test-mails")).json()["data"]
    assert (listed["state"], listed["failure"], listed["reply_code"]) == ("failed", "recipient", 550)


async def _at_home(engine: Engine) -> None:
    async with engine.write() as tx:
        await recognise_instance(tx, now=datetime.now(UTC))


def _settings(database_url: str, port: int | None) -> Settings:
    smtp_url = f"smtp://127.0.0.1:{port}" if port else None
    return Settings(database_url=database_url, secret_keys=SECRET_KEYS, smtp_url=smtp_url)


async def test_a_variant_that_is_not_there_has_no_mail(alice: Tenant) -> None:
    refused = await alice.api.get(f"{await a_campaign(alice)}/email-preview", params={"variant": "zzz"})
    assert (refused.status_code, refused.json()["code"]) == (422, "variant_unknown")


async def test_whoever_may_not_read_people_is_not_told_of_them_by_a_test_mail(alice: Tenant) -> None:
    campaign = await a_campaign(alice)
    await alice.api.patch("/v1/workspace", json=STAFF)
    ada = (await alice.api.post("/v1/recipients", json={"email": "ada@example.org"})).json()["id"]
    key = (await alice.api.post("/v1/api-keys", json={"name": "k", "scopes": ["campaigns:write"]})).json()
    said = {"to": ["kim@shop.example"], "recipient_id": ada}
    by_key = {"authorization": f"Bearer {key['token']}"}
    refused = await alice.api.post(f"{campaign}/test-mails", json=said, headers=by_key)
    assert (refused.status_code, refused.json()["scope"]) == (403, "recipients:read")
    made_up = await alice.api.post(f"{campaign}/test-mails", json={"to": ["kim@shop.example"]}, headers=by_key)
    assert made_up.status_code == 202
