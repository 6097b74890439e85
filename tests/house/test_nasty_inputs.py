"""What nobody sends by accident, on every route: each is told off in a problem document, and nothing is written."""

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.conftest import client
from tests.contract import operations, resolved, the_document
from tests.house.premises import CALLS, House, call_of, everything_of, make

EVERY = {operation["operationId"]: (method, path, operation) for method, path, operation in operations(the_document())}
WITH_JSON = [name for name in CALLS if "application/json" in EVERY[name][2].get("requestBody", {}).get("content", {})]
FOR_BROWSERS = "record_widget_response"  # ignores fields it does not know

NEVER_JSON: Mapping[str, bytes] = {
    "nothing": b"",
    "half an object": b'{"name":',
    "not UTF-8": b'{"name": "\xff\xfe"}',
    "an encoded surrogate": b'{"name": "\xed\xa0\x80"}',
    "a lone surrogate": b'{"name": "\\ud800"}',
    "a lone surrogate as a key": b'{"\\udfff": 1}',
    "a NUL": b'{"name": "a\\u0000b"}',
    "a NUL as a key": b'{"\\u0000": 1}',
    "a raw NUL": b'{"name": "a\x00b"}',
    "the same key twice": b'{"name": "a", "name": "b"}',
    "not a number": b'{"score": NaN}',
    "infinity": b'{"score": -Infinity}',
    "more than a float holds": b'{"score": 1e999}',
    "an integer of 5,000 digits": b'{"score": ' + b"9" * 5_000 + b"}",
    "lists 10,000 deep": b'{"a": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "objects 10,000 deep": b'{"a": ' * 10_000 + b"1" + b"}" * 10_000,
    "objects 33 deep": b'{"a": ' * 33 + b"1" + b"}" * 33,
    "UTF-16": '{"name": "a"}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "a comment": b"{} // name",
    "two documents": b"{}{}",
    "a form": b"name=a&score=9",
}
NEEDS_NO_BODY = "plan_campaign"
NEVER_A_BODY: Mapping[str, bytes] = {
    "null": b"null", "a list": b"[]", "a text": b'"name"', "a number": b"9", "true": b"true",
    "a list of objects": b'[{"name": "a"}]',
}  # fmt: skip
OTHER_VALUES: tuple[Any, ...] = (
    None, True, -1, 11, 3.5, 2**53, 10**30, -(10**30), "", " ", "9", "0" * 20_000, "\u202e", "\uffff", "'; --", "%s",
    [], [None], [[]], {}, {"": ""}, ["x"] * 501,
)  # fmt: skip
OTHER_TEXTS = (
    "", " ", "0", "-1", "1.5", "1e9", "9" * 40, "true", "null", "\0", "a\0b", "\ufffd", "%", "%00", "'", '"', "\\",
    "x" * 5_000, "2026-13-45", "2026-02-30T10:00:00Z", "0000-00-00T00:00:00Z", "9999-12-31T23:59:59.999999Z", "٣",
    "camp_", "camp_" + "g" * 32, "camp_" + "0" * 32, "resp_" + "F" * 32, "external_id:", "email:\0", "a:b:c",
    "eyJpZCI6MX0",
    base64.urlsafe_b64encode(b'{"id": "00", "t": "-1"}').decode(),
    base64.urlsafe_b64encode(b'{"id": "' + b"0" * 32 + b'", "t": "99999999999999999999"}').decode(),
    base64.urlsafe_b64encode(b'{"id": "' + b"f" * 32 + b'", "t": "18446744073709551615"}').decode(),
)  # fmt: skip


async def ask(house: House, name: str, **overrides: Any) -> httpx.Response:
    method, path, _ = EVERY[name]
    is_widget = name == FOR_BROWSERS
    async with client(house.app, None if is_widget else house.alice.secret_key) as api:
        if is_widget:
            overrides["params"] = {"key": house.alice.publishable_key, **overrides.pop("params", {})}
        ids = {**house.ids, **overrides.pop("ids", {})}
        return await make(api, method, path, call_of(name, house.ids), ids, **overrides)


async def send(house: House, name: str, content: bytes) -> httpx.Response:
    headers = {"content-type": "application/json", **call_of(name, house.ids).headers}
    return await ask(house, name, json=None, content=content, headers=headers)


@pytest.mark.parametrize("name", WITH_JSON)
async def test_what_is_no_json_of_ours_is_refused(sandbox: House, name: str) -> None:
    before = await everything_of(sandbox)
    for what, content in {**NEVER_JSON, **NEVER_A_BODY}.items():
        reply = await send(sandbox, name, content)
        expected = {200, 409} if what == "nothing" and name == NEEDS_NO_BODY else {422}  # 409: it may be archived
        assert reply.status_code in expected, f"{what}: {reply.status_code}"
    assert await everything_of(sandbox) == before


@pytest.mark.parametrize("name", [name for name in WITH_JSON if name != FOR_BROWSERS])
async def test_fields_that_nobody_knows_are_refused(sandbox: House, name: str) -> None:
    before = await everything_of(sandbox)
    body = {**call_of(name, sandbox.ids).json, "unheard_of": 1}
    reply = await ask(sandbox, name, json=body)
    assert (reply.status_code, reply.json()["errors"][0]["pointer"]) == (422, "/unheard_of")
    assert await everything_of(sandbox) == before


@pytest.mark.parametrize(
    ("name", "field", "value", "pointer", "detail"),
    [
        ("upsert_recipient", "properties", {"plan": {}}, "/properties/plan", "should be a text of at most 1,000"),
        ("upsert_recipient", "properties", {"": 1}, "/properties/", "String should have at least 1 character"),
        ("create_campaign", "starts_at", 7, "/starts_at", "should be an RFC 3339 instant"),
        ("create_campaign", "asking", {"trigger": {"kind": "once", "x": 1}}, "/asking/trigger/x", "Extra inputs"),
        ("create_campaign", "asking", {"trigger": {"kind": "touchpoint"}}, "/asking/trigger/name", "Field required"),
        ("create_campaign", "asking", 7, "/asking", "should be an object"),
        (
            "create_tracked_property",
            "buckets",
            "x",
            "/buckets",
            "Input should be a valid list, or: Input should be 'month', 'quarter' or 'year'",
        ),
        ("create_webhook_endpoint", "recipient_properties", {"plan": [{}]}, "/recipient_properties/plan/0", "Input sh"),
        ("update_campaign", "survey_change", "first", "/survey_change", "Input should be 'typo' or 'wording'"),
    ],
)
async def test_a_refusal_speaks_of_the_field_and_not_of_our_code(
    sandbox: House, name: str, field: str, value: Any, pointer: str, detail: str
) -> None:
    reply = await ask(sandbox, name, json={**call_of(name, sandbox.ids).json, field: value})
    (error,) = reply.json()["errors"]
    assert (reply.status_code, error["pointer"]) == (422, pointer)
    assert error["detail"].startswith(detail)


@pytest.mark.parametrize("name", WITH_JSON)
async def test_no_value_of_any_field_breaks_us(sandbox: House, name: str) -> None:
    """Some are taken, most are refused; every answer is one that the contract knows, which the client checks."""
    body = call_of(name, sandbox.ids).json
    for member in {*body, *members_of(name)}:
        for value in OTHER_VALUES:
            reply = await ask(sandbox, name, json={**body, member: value})
            assert reply.status_code < 500, f"{member} = {str(value)[:50]}"


def members_of(name: str) -> Iterator[str]:
    schema = resolved(EVERY[name][2]["requestBody"]["content"]["application/json"]["schema"])
    yield from schema["properties"]


@pytest.mark.parametrize("name", ["record_responses_in_bulk", "upsert_recipients_in_bulk"])
async def test_no_value_in_a_row_breaks_the_others(sandbox: House, name: str) -> None:
    (rows_name,) = CALLS[name].json
    rows = [
        {**call_of(name, sandbox.ids).json[rows_name][0], member: value}
        for member in ("external_id", "email", "score", "recipient_id", "recipient", "properties", "account")
        for value in OTHER_VALUES
    ]
    good = call_of(name, sandbox.ids).json[rows_name][0]
    reply = await ask(sandbox, name, json={rows_name: [good, *rows, None, 9, "row", [], good]})
    results = reply.json()["results"]
    assert len(results) == len(rows) + 6
    assert results[0]["status"] in {200, 201}
    assert all(result["status"] < 500 for result in results)


def parameters(place: str) -> list[tuple[str, str]]:
    return [
        (name, parameter["name"])
        for name, (_, _, operation) in EVERY.items()
        for parameter in operation.get("parameters", ())
        if resolved(parameter)["in"] == place and name in CALLS
    ]


@pytest.mark.parametrize(("name", "parameter"), parameters("query"))
async def test_no_text_in_a_query_breaks_us(sandbox: House, name: str, parameter: str) -> None:
    for text in OTHER_TEXTS:
        reply = await ask(sandbox, name, params={parameter: text})
        assert reply.status_code < 500, text[:50]
    many = await ask(sandbox, name, params={parameter: ["1"] * 1_000})
    assert many.status_code < 500


def taking_one(name: str) -> list[str]:
    described = (resolved(one) for one in EVERY[name][2].get("parameters", ()))
    return [one["name"] for one in described if one["in"] == "query" and one["schema"].get("type") != "array"]


@pytest.mark.parametrize("name", [name for name in CALLS if name != FOR_BROWSERS])
async def test_nothing_in_a_query_is_passed_over(sandbox: House, name: str) -> None:
    method, path, _ = EVERY[name]
    twice = [f"{parameter}=1&{parameter}=1" for parameter in taking_one(name)]
    async with client(sandbox.app, sandbox.alice.secret_key) as api:
        for query in ("q=%ed%a0%80", "q=%ff", "q=%c3", "q=a&%ff=b", "unheard_of=1", *twice):
            reply = await make(api, method, f"{path}?{query}", call_of(name, sandbox.ids), sandbox.ids, params=None)
            assert (reply.status_code, reply.json()["code"]) == (422, "validation_failed"), query
            assert [error["in"] for error in reply.json()["errors"]] == ["query"]


@pytest.mark.parametrize(("name", "parameter"), parameters("path"))
async def test_no_text_in_a_path_breaks_us(sandbox: House, name: str, parameter: str) -> None:
    for text in OTHER_TEXTS:
        reply = await ask(sandbox, name, ids={parameter: quote(text, safe="")})
        assert 400 <= reply.status_code < 500, text[:50]


@pytest.mark.parametrize(
    "path", ["/%ff", "/v1/recipients/%ff%fe", "/v1/campaigns/%00", "/v1/recipients/email:%ed%a0%80"]
)
async def test_no_bytes_in_a_path_break_us(sandbox: House, path: str) -> None:
    reply = await sandbox.alice.api.get(path)
    assert reply.status_code in {404, 422}
    assert reply.headers["content-type"] == "application/problem+json"


CREDENTIALS: Mapping[str, Callable[[str], str]] = {
    "no scheme": lambda key: key,
    "another scheme": lambda key: f"Digest {key}",
    "a scheme alone": lambda _: "Bearer",
    "a blank": lambda _: "Bearer  ",
    "a key and more": lambda key: f"Bearer {key} {key}",
    "a key in capitals": lambda key: f"Bearer {key.upper()}",
    "a long one": lambda key: f"Bearer {key * 1_000}",
    "not base64": lambda _: "Basic !!!",
    "not UTF-8": lambda _: f"Basic {base64.b64encode(bytes([255, 254])).decode()}",
    "a NUL": lambda _: "Basic AA==",
    "a password alone": lambda key: f"Basic {base64.b64encode(f':{key}'.encode()).decode()}",
}


@pytest.mark.parametrize("what", CREDENTIALS)
async def test_credentials_that_are_none(sandbox: House, what: str) -> None:
    headers = {"authorization": CREDENTIALS[what](sandbox.alice.secret_key)}
    async with client(sandbox.app) as api:
        for path in ("/v1/workspace", "/v1/responses"):
            method = "POST" if path.endswith("responses") else "GET"
            reply = await api.request(method, path, headers=headers, json={} if method == "POST" else None)
            assert (reply.status_code, reply.json()["code"]) == (401, "unauthorized")


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\t", b"caf\xc3\xa9", b"\xff"], ids=str)
@pytest.mark.parametrize("name", ["record_response", "create_campaign"])
async def test_idempotency_keys_that_are_none(sandbox: House, name: str, key: Any) -> None:
    before = await everything_of(sandbox)
    reply = await ask(sandbox, name, headers={"idempotency-key": key})
    assert reply.status_code == 422
    assert await everything_of(sandbox) == before


async def test_a_refusal_never_quotes_the_database(sandbox: House) -> None:
    """PostgreSQL's DETAIL would show other people's rows."""
    reply = await ask(sandbox, "create_campaign", json={"name": "x" * 201, "kind": "no such kind", "metric": {"a": 1}})
    assert not re.search(r"asyncpg|sqlalchemy|DETAIL|relation \"|constraint", reply.text)
    assert json.loads(reply.text)["errors"]
