"""Google Sheets: a row for each answer, the newest on top, known again by the response's id in the first column.

Rows are put in and filled by one batch, which happens whole or not at all; appending could let two answers race for one
row. Cells are given as texts and numbers, never as somebody would type them, so that no comment becomes a formula.
https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets/request
"""

import re
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from app.domain.connectors import wording
from app.domain.connectors.authorization import Code, Consent
from app.domain.connectors.code_flow import exchanged, refreshed
from app.domain.connectors.google_account import a_service_account, asserted
from app.domain.connectors.pages import Page, Place, Record
from app.domain.connectors.protocol import (
    EVERY_ANSWER,
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
)
from app.domain.connectors.settings import a_base_url, a_link, a_number, a_token, setting
from app.domain.connectors.story import Story
from app.domain.webhooks.attempts import Failure
from app.domain.webhooks.payload import instant_text

SCOPE = "https://www.googleapis.com/auth/spreadsheets"
CONSENT = "https://accounts.google.com/o/oauth2/v2/auth"
ACCESS_SECONDS = 3_300.0  # of one that does not say
QUOTA_SECONDS = 60.0  # they are counted by the minute
PAGE, MOST_PAGES = 5_000, 10  # rows; a page of ids has to fit into what is read of a reply
TEXT = 20_000  # characters; a cell has 50,000
HEADINGS = (
    "Response ID", "Answered at", "Score", "Band", "Comment", "Name", "Email", "Account", "Campaign", "Link",
)  # fmt: skip
ROW = "row"
PEOPLE = 500  # rows of them read at once
VALUES_ONLY = "fields=spreadsheetId,valueRanges.valueRange.values&prettyPrint=false"


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

    spreadsheet_id: str = setting(a_token)
    service_account: str | None = setting(a_service_account, is_secret=True, default=None)
    client_id: str | None = setting(a_token, default=None)
    client_secret: str | None = setting(a_token, is_secret=True, default=None)
    refresh_token: str | None = setting(a_token, is_secret=True, default=None)
    login_url: str = setting(a_base_url, default="https://oauth2.googleapis.com")
    sheet_id: str = setting(a_number, default="0")
    people_sheet_id: str | None = setting(a_number, default=None)
    base_url: str = setting(a_base_url, default="https://sheets.googleapis.com")
    link: str | None = setting(a_link, default=None)

    @property
    def addresses(self) -> tuple[str, ...]:
        return "base_url", "login_url"

    def what_is_missing(self) -> tuple[str, str] | None:
        granted = self.client_id, self.client_secret, self.refresh_token
        if self.service_account or all(granted):
            return None
        return "service_account", "Give one, or client_id, client_secret and refresh_token."

    def consent_url(self, consent: Consent) -> str | None:
        """Without `prompt`, a refresh token is given the first time only."""
        said = {"client_id": self.client_id or "", "scope": SCOPE, "access_type": "offline", "prompt": "consent"}
        return consent.url(CONSENT, **said, **consent.challenge)

    def exchange(self, code: Code) -> Steps:
        """Whoever consents may untick what we need."""
        form = code.form(client_id=self.client_id or "", client_secret=self.client_secret or "")
        return exchanged(f"{self.login_url}/token", {**form, "code_verifier": code.verifier}, scopes={SCOPE})

    def log_in(self) -> Steps:
        if self.service_account is not None:
            return asserted(self.service_account, scope=SCOPE, base_url=self.base_url)
        said = {"client_id": self.client_id, "client_secret": self.client_secret, "refresh_token": self.refresh_token}
        form = {name: value for name, value in said.items() if value is not None}
        return refreshed(f"{self.login_url}/token", form, base_url=self.base_url, seconds=ACCESS_SECONDS)

    def check(self) -> Steps:
        """Whether it is let in, which does not say whether it may write."""
        yield from self.check_let_in(Remembered(access=(yield from logged_in(self.log_in()))))

    def check_let_in(self, remembered: Remembered) -> Steps:
        access = remembered.access
        assert access is not None
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
