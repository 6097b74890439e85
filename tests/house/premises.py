"""A workspace with one of everything in it, made through the API, and a sensible call of every operation there is."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import httpx
from fastapi import FastAPI
from sqlalchemy import text

from app.db.engine import Engine
from app.db.tables import metadata
from app.operations.fan_out import fan_out
from app.workers.import_recipients import run_next_import
from tests.conftest import Tenant
from tests.pictures import a_png

MARK = "alicesown"  # in every text that Alice wrote
ORIGIN = "https://shop.example"


@dataclass(frozen=True)
class House:
    app: FastAPI
    engine: Engine
    alice: Tenant
    ids: Mapping[str, str]  # by the name of the path parameter
    cursors: Mapping[str, str]  # by path: what Alice's own list would go on with


# Asks after touchpoints, so that each of them plans an invitation.
CAMPAIGN = {"kind": "transactional", "asking": {"trigger": {"kind": "touchpoint", "name": MARK}}}


@dataclass(frozen=True)
class Call:
    """How an operation is called so that it does something. `json` None: no body."""

    json: Any = None
    params: Mapping[str, Any] = field(default_factory=dict)
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


async def furnish(app: FastAPI, engine: Engine, alice: Tenant) -> tuple[dict[str, str], dict[str, str]]:
    """(ids, cursors)"""
    ids = await _people(alice) | await _campaign(alice)
    await _made(alice, f"/v1/campaigns/{ids['campaign_id']}/recipients", {"recipient_ids": [ids["recipient_id"]]})
    ids |= await _touchpoints(alice, ids)
    ids |= await _answers(alice, ids) | await _listeners(alice, ids) | await _file(app, engine, alice)
    async with engine.write() as tx:
        await fan_out(tx)
    ids |= await _found(alice, ids)
    paths = (
        "campaigns",
        "recipients",
        "accounts",
        "responses",
        "webhook-endpoints",
        "deliveries",
        "api-keys",
        "mail-sources",
        "events",
        "imports",
        "touchpoints",
    )
    return ids, {f"/v1/{path}": await _cursor(alice, f"/v1/{path}") for path in paths}


async def _people(alice: Tenant) -> dict[str, str]:
    account = await _made(alice, "/v1/accounts", {"external_id": f"{MARK}-acme", "name": MARK, "owner": MARK})
    person = {
        "external_id": f"{MARK}-1", "email": f"{MARK}@example.com", "phone": "+4930123456", "name": MARK,
        "properties": {"plan": MARK}, "account_id": account["id"],
    }  # fmt: skip
    recipient = await _made(alice, "/v1/recipients", person)
    await _made(alice, "/v1/recipients", {"external_id": f"{MARK}-2"})
    await _made(alice, "/v1/accounts", {"external_id": f"{MARK}-2"})
    return {"account_id": account["id"], "recipient_id": recipient["id"], "question_id": "why"}


async def _campaign(alice: Tenant) -> dict[str, str]:
    survey = {
        "default_language": "en", "languages": ["en"], "question": {"en": f"How likely, {MARK}?"},
        "questions": [{"id": "why", "kind": "text", "text": {"en": f"Why, {MARK}?"}}],
    }  # fmt: skip
    made = [
        await _made(alice, "/v1/campaigns", {**CAMPAIGN, "name": f"{MARK} {number}", "survey": survey})
        for number in range(3)
    ]
    for campaign in made[:2]:
        await _made(alice, f"/v1/campaigns/{campaign['id']}/launch", None)
    await _made(alice, "/v1/tracked-properties", {"key": "plan", "source": "recipient", "kind": "text"})
    return {"campaign_id": made[0]["id"], "draft_id": made[2]["id"], "key": "plan", "template_key": "wow"}


async def _touchpoints(alice: Tenant, ids: Mapping[str, str]) -> dict[str, str]:
    said = {"recipient_id": ids["recipient_id"], "name": MARK, "properties": {"order": MARK}}
    made = [await _made(alice, "/v1/touchpoints", {**said, "external_id": f"{MARK}-{at}"}) for at in range(2)]
    planned = (await alice.api.get(f"/v1/campaigns/{ids['campaign_id']}/invitations")).json()["data"]
    return {"touchpoint_id": made[0]["id"], "invitation_id": planned[0]["id"]}


async def _answers(alice: Tenant, ids: Mapping[str, str]) -> dict[str, str]:
    answer = {"campaign_id": ids["campaign_id"], "recipient_id": ids["recipient_id"], "score": 3, "comment": MARK}
    said = {"occasion": MARK, "import_id": MARK, "properties": {"order": MARK}}
    response = await _made(alice, "/v1/responses", answer | said)
    changes = {"score": 9, "comment": f"{MARK} again", "reason": MARK}
    changed = await alice.api.patch(f"/v1/responses/{response['id']}", json=changes)
    assert changed.status_code == 200, changed.text
    await _made(alice, "/v1/responses", {"campaign_id": ids["campaign_id"], "score": 7})
    return {"response_id": response["id"]}


async def _listeners(alice: Tenant, ids: Mapping[str, str]) -> dict[str, str]:
    endpoint = {"url": f"https://hooks.example.com/{MARK}", "description": MARK, "campaign_ids": [ids["campaign_id"]]}
    made = [await _made(alice, "/v1/webhook-endpoints", endpoint) for _ in range(2)]
    await alice.api.patch("/v1/workspace", json={"sender": {"from_email": "surveys@example.com"}})
    app_there = {"kind": "hubspot", "settings": {"client_id": MARK, "client_secret": MARK}}
    asked = await _made(alice, "/v1/authorizations", app_there)
    sources = [await _made(alice, "/v1/mail-sources", {"kind": "dsn", "name": MARK}) for _ in range(2)]
    key = await _made(alice, "/v1/api-keys", {"name": MARK, "scopes": ["scores:read"]})
    await _made(alice, f"/v1/webhook-endpoints/{made[0]['id']}/test", None)
    replays = f"/v1/webhook-endpoints/{made[0]['id']}/replays"
    replay = [await _made(alice, replays, {"since": "2026-01-01T00:00:00Z"}) for _ in range(2)]
    ids = {"endpoint_id": made[0]["id"], "api_key_id": key["id"], "replay_id": replay[0]["id"]}
    return {**ids, "mail_source_id": sources[0]["id"], "authorization_id": asked["id"]}


async def _file(app: FastAPI, engine: Engine, alice: Tenant) -> dict[str, str]:
    rows = f"external_id,email,plan\n{MARK}-3,{MARK}3@example.com,{MARK}\n{MARK}-4,nonsense,\n".encode()
    made = [
        (await alice.api.post("/v1/imports/recipients", content=rows, headers={"content-type": "text/csv"})).json()
        for _ in range(2)
    ]
    for _ in made:
        await run_next_import(engine, hmac_key=await app.state.services.address_key.read(), lease_seconds=25)
    return {"import_id": made[0]["id"]}


async def _found(alice: Tenant, ids: Mapping[str, str]) -> dict[str, str]:
    events = (await alice.api.get("/v1/events")).json()["data"]
    deliveries = (await alice.api.get(f"/v1/deliveries?endpoint_id={ids['endpoint_id']}")).json()["data"]
    return {"event_id": events[0]["id"], "delivery_id": deliveries[0]["id"]}


async def _made(alice: Tenant, path: str, body: Any) -> Any:
    reply = await alice.api.post(path, json=body) if body is not None else await alice.api.post(path)
    assert reply.status_code in {200, 201, 202}, f"{path}: {reply.text}"
    return reply.json()


async def _cursor(alice: Tenant, path: str) -> str:
    cursor = (await alice.api.get(path, params={"limit": 1})).json()["next_cursor"]
    assert cursor is not None, f"{path} has one page only"
    return str(cursor)


CSV = {"content-type": "text/csv"}
TOUCHPOINT = {"name": "delivered", "recipient_id": "{recipient_id}", "external_id": "{new}"}
ANSWER = {"campaign_id": "{campaign_id}", "score": 8}
PERSON = {"external_id": "{new}", "account_id": "{account_id}"}
LISTENER = {"url": "https://hooks.example.com/new", "campaign_ids": ["{campaign_id}"]}
OF_CAMPAIGN = {"campaign_id": "{campaign_id}"}
SURVEY = {"default_language": "en", "languages": ["en"], "question": {"en": "How likely?"}}

# By operationId. What can be an id stands for one of the ids asked with, in paths and everywhere else.
CALLS: Mapping[str, Call] = {
    "record_response": Call(ANSWER | {"recipient_id": "{recipient_id}"}),
    "record_responses_in_bulk": Call(
        {"responses": [ANSWER, ANSWER | {"recipient_id": "{recipient_id}"}, ANSWER | {"recipient": PERSON}]}
    ),
    "record_widget_response": Call(
        ANSWER | {"client_ref": "{new_uuid}", "seq": 1}, headers={"origin": ORIGIN, "content-type": "text/plain"}
    ),
    "list_responses": Call(
        params=OF_CAMPAIGN | {"recipient_id": "{recipient_id}", "import_id": MARK, "occasion": MARK}
    ),
    "get_response": Call(),
    "get_follow_up": Call(),
    "set_follow_up": Call({"state": "assigned", "by": "{new}"}),
    "list_response_revisions": Call(),
    "amend_response": Call({"comment": "Changed"}),
    "exclude_response": Call({"reason": "A test"}),
    "restore_response": Call({}),
    "delete_response": Call(),
    "create_campaign": Call({"name": "New", "kind": "transactional", "survey": SURVEY}),
    "list_campaigns": Call(),
    "get_campaign": Call(),
    "update_campaign": Call({"name": "Changed"}),
    "launch_campaign": Call(),
    "make_personal_links": Call({"recipient_ids": ["{recipient_id}"]}),
    "pause_campaign": Call(),
    "resume_campaign": Call(),
    "complete_campaign": Call(),
    "archive_campaign": Call(),
    "list_survey_versions": Call(),
    "add_reward_codes": Call({"codes": ["{new}"]}),
    "upload_reward_codes": Call(content=b"code\nfrom-a-file\n", headers=CSV),
    "get_reward_pool": Call(),
    "drop_reward_codes": Call(),
    "give_reward_code": Call(),
    "check_campaign_survey": Call(),
    "get_question_results": Call(params=OF_CAMPAIGN),
    "list_survey_templates": Call(),
    "get_survey_template": Call(),
    "add_campaign_recipients": Call({"recipient_ids": ["{recipient_id}"]}),
    "list_campaign_recipients": Call(),
    "remove_campaign_recipient": Call(),
    "list_invitations": Call(params={"recipient_id": "{recipient_id}"}),
    "get_invitation": Call(),
    "list_waves": Call(),
    "plan_campaign": Call({}),
    "get_eligibility": Call(params=OF_CAMPAIGN),
    "record_touchpoint": Call(TOUCHPOINT),
    "record_touchpoints_in_bulk": Call({"touchpoints": [TOUCHPOINT]}),
    "list_touchpoints": Call(params={"recipient_id": "{recipient_id}"}),
    "get_touchpoint": Call(),
    "upsert_recipient": Call(PERSON),
    "upsert_recipients_in_bulk": Call({"recipients": [PERSON, PERSON | {"external_id": "{new}"}]}),
    "list_recipients": Call(params={"account_id": "{account_id}"}),
    "get_recipient": Call(),
    "update_recipient": Call({"name": "Changed", "account_id": "{account_id}"}),
    "unsubscribe_recipient": Call(),
    "erase_recipient": Call(),
    "upsert_account": Call({"external_id": "{new}"}),
    "list_accounts": Call(),
    "get_account": Call(),
    "update_account": Call({"name": "Changed"}),
    "query_recipients": Call({"filter": {"field": "email", "exists": True}}),
    "preview_audience": Call(
        {"filter": {"field": "last_score", "campaign_id": "{campaign_id}", "lte": 6}, "campaign_id": "{campaign_id}"}
    ),
    "import_recipients": Call(params=OF_CAMPAIGN, content=b"external_id\nfrom-a-file\n", headers=CSV),
    "list_imports": Call(),
    "get_import": Call(),
    "list_import_errors": Call(),
    "download_import_errors": Call(),
    "get_funnel": Call(params={"group_by": "wave"}),
    "get_score": Call(params=OF_CAMPAIGN),
    "query_score": Call({"filter": {"field": "properties.plan", "exists": True}, "campaign_id": ["{campaign_id}"]}),
    "get_sample_size": Call(),
    "create_tracked_property": Call({"key": "country", "source": "recipient", "kind": "text"}),
    "list_tracked_properties": Call(),
    "get_tracked_property": Call(),
    "delete_tracked_property": Call(),
    "list_events": Call(params=OF_CAMPAIGN),
    "get_event": Call(),
    "sample_events": Call(params={"type": "response.created"}),
    "create_webhook_endpoint": Call(LISTENER),
    "list_webhook_endpoints": Call(),
    "get_webhook_endpoint": Call(),
    "update_webhook_endpoint": Call(LISTENER),
    "delete_webhook_endpoint": Call(),
    "disable_webhook_endpoint": Call(),
    "enable_webhook_endpoint": Call({"deliver_missed": True}),
    "rotate_webhook_secret": Call({}),
    "test_webhook_endpoint": Call(),
    "check_webhook_endpoint": Call(),
    "create_authorization": Call({"kind": "hubspot", "settings": {"client_id": "{new}", "client_secret": "{new}"}}),
    "get_authorization": Call(),
    "get_pull": Call(),
    "set_pull": Call({"every_hours": 6}),
    "remove_pull": Call(),
    "pull_now": Call(),
    "preview_payload": Call({"event_id": "{event_id}"}),
    "list_deliveries": Call(
        params={"endpoint_id": "{endpoint_id}", "event_id": "{event_id}", "recipient_id": "{recipient_id}"}
    ),
    "get_webhook_endpoint_stats": Call(),
    "get_delivery": Call(),
    "cancel_delivery": Call(),
    "deliver_event": Call({"endpoint_id": "{endpoint_id}"}),
    "preview_replay": Call(params={"since": "2026-01-01T00:00:00Z"}),
    "start_replay": Call({"since": "2026-01-01T00:00:00Z", "include_never_attempted": True}),
    "list_replays": Call(),
    "get_replay": Call(),
    "cancel_replay": Call(),
    "retry_delivery": Call(),
    "get_workspace": Call(),
    "update_workspace": Call({"name": "Changed"}),
    "upload_logo": Call(content=a_png(), headers={"content-type": "image/png"}),
    "delete_logo": Call(),
    "preview_campaign_email": Call(),
    "preview_campaign_survey": Call(),
    "send_test_mails": Call({"to": ["nobody@example.com"]}),
    "list_campaign_test_mails": Call(),
    "create_mail_source": Call({"kind": "postmark", "name": "new"}),
    "list_mail_sources": Call(),
    "delete_mail_source": Call(),
    "list_sender_domains": Call(),
    "check_sender_domains": Call(),
    "create_api_key": Call({"name": "new", "scopes": ["scores:read"]}),
    "list_api_keys": Call(),
    "get_api_key": Call(),
    "revoke_api_key": Call(),
}


def call_of(name: str, ids: Mapping[str, str]) -> Call:
    return _filled(CALLS[name], {**ids, "new": uuid4().hex, "new_uuid": str(uuid4())})


def _filled(value: Any, ids: Mapping[str, str]) -> Any:
    match value:
        case Call():
            return replace(value, json=_filled(value.json, ids), params=_filled(value.params, ids))
        case str():
            return ids.get(value[1:-1], value) if value.startswith("{") else value
        case Mapping():
            return {name: _filled(member, ids) for name, member in value.items()}
        case list():
            return [_filled(item, ids) for item in value]
    return value


async def make(
    api: httpx.AsyncClient, method: str, path: str, call: Call, ids: Mapping[str, str], **overrides: Any
) -> httpx.Response:
    """`overrides`: of the request, such as `headers`."""
    sent: dict[str, Any] = {"params": dict(call.params), "headers": dict(call.headers)}
    if call.content is not None:
        sent["content"] = call.content
    elif call.json is not None:
        sent["json"] = call.json
    headers = {**sent["headers"], **overrides.pop("headers", {})}
    return await api.request(method, path.format(**ids), **{**sent, **overrides, "headers": headers})


async def everything_of(house: House) -> dict[str, str]:
    """A digest of Alice's rows in every table."""
    found = {}
    async with house.engine.read() as tx:
        for table in metadata.sorted_tables:
            if "workspace_id" in table.c:
                digest = text(
                    f"SELECT count(*) || md5(string_agg(row::text, '' ORDER BY row::text)) FROM (SELECT to_jsonb(t)"
                    f" - 'last_used_at' AS row FROM {table.name} t WHERE workspace_id = :workspace_id) AS hers"
                )
                found[table.name] = (await tx.execute(digest, {"workspace_id": house.alice.workspace_id})).scalar_one()
    return found
