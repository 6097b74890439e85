"""What we send to Google, judged by the discovery documents that Google's own client for Python brings along.

An object has no members but those named there, so a misspelt one is an error too.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jsonschema_rs
import pytest
from hypothesis import given

from app.domain.connectors.pages import Page, Place
from app.domain.connectors.protocol import Access, Call, Connector, Made, Remembered, Reply, Steps
from app.domain.connectors.story import Story
from tests.domain.connectors.test_others_schemas import stories
from tests.outbound.connectors.stories import MOVED, STORY, a_connector
from tests.outbound.connectors.test_google_sheets import key_file

DOCUMENTS = files("googleapiclient") / "discovery_cache" / "documents"
CHAT, SHEETS = "chat.v1", "sheets.v4"
LINK = "https://crm.example/p/{external_id}"
OF_THE_WEBHOOK = frozenset({"token"})  # stands in its URL, beside the key; the document knows other ways in
ACCESS = Access("token", "https://sheets.googleapis.com", 60.0)


@cache
def document(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DOCUMENTS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def as_json_schema(said: Mapping[str, Any]) -> dict[str, Any]:
    """Discovery documents are JSON Schema of an old draft, but for how they refer to each other."""
    if "$ref" in said:
        return {"$ref": f"#/$defs/{said['$ref']}"}
    made: dict[str, Any] = {name: said[name] for name in ("enum", "pattern") if name in said}
    if said.get("type", "any") != "any":
        made["type"] = said["type"]
    if "items" in said:
        made["items"] = as_json_schema(said["items"])
    if "properties" in said:
        made["properties"] = {name: as_json_schema(value) for name, value in said["properties"].items()}
        made["additionalProperties"] = False
    if "additionalProperties" in said:
        made["additionalProperties"] = as_json_schema(said["additionalProperties"])
    return made


@cache
def validator(name: str, schema: str) -> Any:
    defined = {one: as_json_schema(said) for one, said in document(name)["schemas"].items()}
    return jsonschema_rs.validator_for({"$ref": f"#/$defs/{schema}", "$defs": defined})


def methods(resources: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for resource in resources.values():
        yield from resource.get("methods", {}).values()
        yield from methods(resource.get("resources", {}))


def complaints(name: str, call: Call) -> list[str]:
    """What Google's document has against it; nothing where all is well."""
    parts = urlsplit(call.url)
    found = [one for one in methods(document(name)["resources"]) if is_at(one, call.method, parts.path)]
    if len(found) != 1:
        return [f"{len(found)} methods at {call.method} {parts.path}"]
    (method,) = found
    known = {**document(name)["parameters"], **method.get("parameters", {})}
    said = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
    said = {key: value for key, value in said.items() if key not in OF_THE_WEBHOOK}
    wrong = [f"{key}={value}" for key, value in said.items() if not may_say(known.get(key), value)]
    judge = validator(name, method["request"]["$ref"])
    return wrong + [str(error.message) for error in judge.iter_errors(json.loads(call.body))]


def is_at(method: Mapping[str, Any], verb: str, path: str) -> bool:
    place = "/".join(re.sub(r"\\\{\w+\\\}", "[^/:]+", re.escape(part)) for part in method["flatPath"].split("/"))
    return method["httpMethod"] == verb and re.fullmatch(f"/{place}", path) is not None


def may_say(parameter: Mapping[str, Any] | None, value: str) -> bool:
    if parameter is None or parameter["location"] != "query":
        return False
    return value in parameter.get("enum", [value]) and bool(re.fullmatch(parameter.get("pattern", ".*"), value))


def calls_of(steps: Steps, *replies: Any) -> list[Call]:
    """Everything that is asked if these are the replies."""
    asked, said = [], [Reply(200, {}, json.dumps(one).encode()) for one in replies]
    step = next(steps, None)
    while step is not None:
        try:
            if isinstance(step, Call):
                asked.append(step)
                step = steps.send(said.pop(0))
            else:
                assert isinstance(step, Made | Page)
                step = next(steps)
        except StopIteration:
            break
    return asked


def chat() -> Connector:
    return a_connector("google_chat", url="https://chat.googleapis.com/v1/spaces/AAA/messages?key=k&token=t", link=LINK)


def sheet() -> Connector:
    settings = {"service_account": key_file("https://oauth2.googleapis.com/token"), "people_sheet_id": "3"}
    return a_connector("google_sheets", spreadsheet_id="1AbC_d-E", sheet_id="7", link=LINK, **settings)


SHEET = sheet()  # reading the key takes longer than all the rest
FOUND = {"spreadsheetId": "1AbC_d-E", "valueRanges": [{"valueRange": {"values": [[STORY.response_id]]}}]}
EMPTY = {"spreadsheetId": "1AbC_d-E", "valueRanges": [{"valueRange": {}}]}
DONE = {"spreadsheetId": "1AbC_d-E"}


@given(story=stories)
def test_google_chat_would_take_every_message(story: Story) -> None:
    (call,) = calls_of(chat().tell(story, Remembered()), {"name": "spaces/AAA/messages/1"})
    assert complaints(CHAT, call) == []


def test_google_chat_would_take_a_test() -> None:
    (call,) = calls_of(chat().test(), {"name": "spaces/AAA/messages/1"})
    assert complaints(CHAT, call) == []


@given(story=stories)
@pytest.mark.parametrize("column", [FOUND, EMPTY], ids=["a row that is there", "the first row"])
def test_google_sheets_would_take_every_row(column: Any, story: Story) -> None:
    asked = calls_of(SHEET.tell(story, Remembered(access=ACCESS)), column, DONE)
    assert len(asked) == 2
    assert [complaints(SHEETS, call) for call in asked] == [[], []]


@pytest.mark.parametrize("place", [Place(), Place(after="501")], ids=["the first page", "another"])
def test_google_sheets_would_say_who_is_in_it(place: Place) -> None:
    asked = calls_of(SHEET.pull(["Email", "Name"], place, ACCESS), EMPTY, EMPTY)
    assert len(asked) == 2
    assert [complaints(SHEETS, call) for call in asked] == [[], []]


def test_what_our_stand_ins_reply_is_what_google_would() -> None:
    read = validator(SHEETS, "BatchGetValuesByDataFilterResponse")
    for one in (FOUND, EMPTY):
        read.validate(one)
    validator(SHEETS, "BatchUpdateSpreadsheetResponse").validate(DONE)
    validator(CHAT, "Message").validate({"name": "spaces/AAA/messages/1"})


def spoilt() -> Iterator[tuple[str, Call]]:
    (told,) = calls_of(chat().tell(MOVED, Remembered()), {"name": "spaces/AAA/messages/1"})
    yield CHAT, replace(told, json={**told.json, "fallback_text": "x"})
    yield CHAT, replace(told, json={**told.json, "cardsV2": [{"card": {"sections": [{"widgets": [{"text": "x"}]}]}}]})
    yield CHAT, replace(told, url=told.url.replace("NEW_THREAD", "NO_THREAD"))
    yield CHAT, replace(told, url=told.url.replace("requestId", "request_id"))
    yield CHAT, replace(told, url=told.url.replace("/messages", "/message"))
    read, write = calls_of(SHEET.tell(STORY, Remembered(access=ACCESS)), EMPTY, DONE)
    yield SHEETS, replace(read, json={**read.json, "majorDimension": "COLUMN"})
    yield SHEETS, replace(write, json={"requests": [{"insertDimensions": {}}]})
    yield SHEETS, replace(write, url=write.url.replace("batchUpdate", "batchupdate"))


@pytest.mark.parametrize(("name", "call"), list(spoilt()))
def test_the_documents_notice_what_is_wrong(name: str, call: Call) -> None:
    assert complaints(name, call) != []
