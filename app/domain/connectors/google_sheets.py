"""Google Sheets: a row for each answer, the newest on top, known again by the response's id in the first column.

Rows are put in and filled by one batch, which happens whole or not at all; appending could let two answers race for one
row. Cells are given as texts and numbers, never as somebody would type them, so that no comment becomes a formula.
https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets/request
"""

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from app.domain.connectors import wording
from app.domain.connectors.pages import Page, Place, Record
from app.domain.connectors.protocol import (
    EVERY_ANSWER,
    TOKEN,
    Access,
    Call,
    Connector,
    Failed,
    Made,
    Remembered,
    Reply,
    Steps,
    expect_success,
    logged_in,
    usable_seconds,
    usual_failure,
)
from app.domain.connectors.settings import a_base_url, a_link, a_number, a_token, setting
from app.domain.connectors.story import Story
from app.domain.webhooks.attempts import Failure
from app.domain.webhooks.payload import instant_text
from app.domain.webhooks.receiver_url import split_receiver_url

SCOPE = "https://www.googleapis.com/auth/spreadsheets"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"  # RFC 7523
ASSERTED_SECONDS, EARLY_SECONDS = 3_600, 300.0
KEY_FILE = 10_000  # characters
NOT_A_KEY_FILE = "Give the whole JSON key file of a service account."
QUOTA_SECONDS = 60.0  # they are counted by the minute
PAGE, MOST_PAGES = 5_000, 10  # rows; a page of ids has to fit into what is read of a reply
TEXT = 20_000  # characters; a cell has 50,000
HEADINGS = (
    "Response ID", "Answered at", "Score", "Band", "Comment", "Name", "Email", "Account", "Campaign", "Link",
)  # fmt: skip
ROW = "row"
PEOPLE = 500  # rows of them read at once
VALUES_ONLY = "fields=spreadsheetId,valueRanges.valueRange.values&prettyPrint=false"


def a_service_account(value: Any) -> str:
    """The key file's own text, which names its account, the key, and where to log in."""
    if not isinstance(value, str) or len(value) > KEY_FILE:
        raise ValueError(NOT_A_KEY_FILE)
    try:
        account = json.loads(value)
    except (ValueError, RecursionError):
        raise ValueError(NOT_A_KEY_FILE) from None
    names = "client_email", "private_key", "token_uri"
    if not isinstance(account, dict) or not all(isinstance(account.get(name), str) for name in names):
        raise ValueError(NOT_A_KEY_FILE)
    split_receiver_url(account["token_uri"])
    _private_key(account["private_key"])
    return value


@dataclass(frozen=True)
class GoogleSheets(Connector):
    kind = "google_sheets"
    per_second = 1  # a row takes a read and a write, of which there are sixty a minute each
    usual_events = EVERY_ANSWER
    pulled_name = re.compile(r"[^\x00-\x1f\x7f]{1,100}")  # a column's heading
    pulled_fields = MappingProxyType({
        "Email": "email", "Name": "name", "External ID": "external_id", "Phone": "phone", "Account ID":
        "account.external_id", "Account": "account.name", "Unsubscribed": "unsubscribed",
    })  # fmt: skip

    service_account: str = setting(a_service_account, is_secret=True)
    spreadsheet_id: str = setting(a_token)
    sheet_id: str = setting(a_number, default="0")
    people_sheet_id: str | None = setting(a_number, default=None)
    base_url: str = setting(a_base_url, default="https://sheets.googleapis.com")
    link: str | None = setting(a_link, default=None)

    def log_in(self) -> Steps:
        """The assertion has to carry the time, which is asked of whoever will judge it."""
        account = json.loads(self.service_account)
        asked = yield Call("GET", account["token_uri"])
        assertion = signed_assertion(account, now=_time_of(asked))
        reply = yield Call("POST", account["token_uri"], form={"grant_type": GRANT, "assertion": assertion})
        expect_success(reply, {400: Failure.UNAUTHORIZED})  # the account or its key is gone
        lasting = usable_seconds(reply.member("expires_in")) or ASSERTED_SECONDS
        yield Access(reply.needed("access_token", like=TOKEN), self.base_url, lasting - EARLY_SECONDS)

    def check(self) -> Steps:
        """Whether it is let in, which does not say whether it may write."""
        access = yield from logged_in(self.log_in())
        _expect_success((yield self._read_ids(access, 0, 1)))

    def tell(self, story: Story, remembered: Remembered) -> Steps:
        if remembered.tells(ROW, story.revision):
            return
        access = remembered.access
        assert access is not None
        # What is not remembered may be there all the same, if a reply was lost: then it is among the newest.
        at, is_empty = yield from self._find(access, story, pages=MOST_PAGES if remembered.id_of(ROW) else 1)
        values = _values(story, template=self.link)
        requests = [self._fill(at, values)] if at else [self._insert(1), self._fill(1, values)]
        if is_empty:
            requests.append(self._fill(0, HEADINGS))
        reply = yield self._call(access, ":batchUpdate?fields=spreadsheetId", {"requests": requests})
        _expect_success(reply)
        reply.needed("spreadsheetId")
        yield Made(ROW, story.response_id, story.revision)

    def why_not_pulled(self) -> str | None:
        return None if self.people_sheet_id else "The setting people_sheet_id says from which sheet people are read."

    def pull(self, fields: Sequence[str], place: Place, access: Access | None) -> Steps:
        """Every row, every time: a sheet does not tell what changed. The first names the columns."""
        assert access is not None
        start = int(place.after or 1)
        headings = _rows_in((yield self._read_people(access, 0, 1)))
        reply = yield self._read_people(access, start, start + PEOPLE)
        if reply.status == 400 and start > 1:  # the sheet ended with the page before
            yield Page([], Place(), is_last=True)
            return
        columns = _columns(headings[0] if headings else [], fields)
        rows = _rows_in(reply)
        records = [
            _person(row, columns, number=start + at + 1) for at, row in enumerate(rows) if row and isinstance(row, list)
        ]
        yield Page(records, Place(after=str(start + PEOPLE)) if rows else Place(), is_last=not rows)

    def _read_people(self, access: Access, start: int, end: int) -> Call:
        place = {"sheetId": int(self.people_sheet_id or 0), "startRowIndex": start, "endRowIndex": end}
        body = {"dataFilters": [{"gridRange": place}], "majorDimension": "ROWS"}
        asked = {"valueRenderOption": "UNFORMATTED_VALUE", "dateTimeRenderOption": "FORMATTED_STRING"}
        return self._call(access, f"/values:batchGetByDataFilter?{VALUES_ONLY}", body | asked)

    def _find(self, access: Access, story: Story, *, pages: int) -> Generator[Call, Reply, tuple[int | None, bool]]:
        """The index of the row, and whether nothing at all stands in the column."""
        for start in range(0, pages * PAGE, PAGE):
            reply = yield self._read_ids(access, start, start + PAGE)
            if start and reply.status == 400:  # the sheet ended with the page before
                break
            ids = _ids_in(reply)
            if story.response_id in ids:
                return start + ids.index(story.response_id), False
            if len(ids) < PAGE:
                return None, not start and not ids
        return None, False

    def _read_ids(self, access: Access, start: int, end: int) -> Call:
        column = {"startColumnIndex": 0, "endColumnIndex": 1}
        place = {"sheetId": int(self.sheet_id), "startRowIndex": start, "endRowIndex": end} | column
        body = {"dataFilters": [{"gridRange": place}], "majorDimension": "COLUMNS"}
        return self._call(access, f"/values:batchGetByDataFilter?{VALUES_ONLY}", body)

    def _insert(self, at: int) -> dict[str, Any]:
        rows = {"sheetId": int(self.sheet_id), "dimension": "ROWS", "startIndex": at, "endIndex": at + 1}
        return {"insertDimension": {"range": rows, "inheritFromBefore": False}}

    def _fill(self, at: int, values: Iterable[str | int | None]) -> dict[str, Any]:
        cells = [_cell(value) for value in values]
        start = {"sheetId": int(self.sheet_id), "rowIndex": at, "columnIndex": 0}
        return {"updateCells": {"start": start, "rows": [{"values": cells}], "fields": "userEnteredValue"}}

    def _call(self, access: Access, path: str, body: Any) -> Call:
        place = f"{access.base_url}/v4/spreadsheets/{quote(self.spreadsheet_id, safe='')}{path}"
        return Call("POST", place, body, {"authorization": f"Bearer {access.token}"})


def signed_assertion(account: dict[str, str], *, now: datetime) -> str:
    """A JWT signed with RS256. https://developers.google.com/identity/protocols/oauth2/service-account"""
    issued = int(now.timestamp())
    claims = {
        "iss": account["client_email"],
        "scope": SCOPE,
        "aud": account["token_uri"],
        "iat": issued,
        "exp": issued + ASSERTED_SECONDS,
    }
    signed = b".".join(_encoded(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "JWT"}, claims))
    signature = _private_key(account["private_key"]).sign(signed, PKCS1v15(), SHA256())
    return b".".join((signed, _encoded(signature))).decode()


def _private_key(pem: str) -> RSAPrivateKey:
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("Its private key cannot be read.") from None
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("Its private key is no RSA key.")  # noqa: TRY004 - readers say ValueError
    return key


def _encoded(part: bytes) -> bytes:
    return urlsafe_b64encode(part).rstrip(b"=")


def _time_of(reply: Reply) -> datetime:
    failure = usual_failure(reply.status)
    if failure is Failure.BAD_STATUS:
        raise Failed(failure)
    try:
        return parsedate_to_datetime(reply.headers.get("date", ""))
    except ValueError:
        raise Failed(Failure.ERROR_IN_BODY, "It does not say what time it is.") from None


def _ids_in(reply: Reply) -> list[Any]:
    """An empty column has no values at all."""
    column = _rows_in(reply)
    return column[0] if column and isinstance(column[0], list) else []


def _rows_in(reply: Reply) -> list[Any]:
    _expect_success(reply)
    reply.needed("spreadsheetId")
    place = "valueRanges", 0, "valueRange", "values"
    return reply.listed(*place) if reply.member(*place) else []


def _columns(headings: Any, fields: Sequence[str]) -> dict[str, int]:
    """Where the fields stand; headings are told apart by their words, not by capitals. The first of two counts."""
    said = [str(heading).strip().casefold() for heading in headings] if isinstance(headings, list) else []
    return {name: said.index(name.strip().casefold()) for name in fields if name.strip().casefold() in said}


def _person(row: Any, columns: dict[str, int], *, number: int) -> Record:
    """Empty cells at the end of a row are not told."""
    return Record(str(number), {name: row[at] if at < len(row) else None for name, at in columns.items()})


def _values(story: Story, *, template: str | None) -> tuple[str | int | None, ...]:
    """In the order of the headings."""
    name = story.person.name if story.person else None
    return (
        story.response_id, instant_text(story.answered_at), story.score, story.band.value, story.comment,
        name, story.email, story.background.account, story.campaign, wording.link(story, template),
    )  # fmt: skip


def _cell(value: str | int | None) -> dict[str, Any]:
    """Without a value, it is emptied."""
    if value is None:
        return {}
    if isinstance(value, int):
        return {"userEnteredValue": {"numberValue": value}}
    return {"userEnteredValue": {"stringValue": wording.cut(value, TEXT)}}


def _expect_success(reply: Reply) -> None:
    if reply.status == 429 or reply.word("error", "status") == "RESOURCE_EXHAUSTED":
        raise Failed(Failure.BAD_STATUS, wait_seconds=QUOTA_SECONDS)
    expect_success(reply, {404: Failure.NOT_THERE})
