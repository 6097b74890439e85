"""monday.com: an item on a board for each answer, looked for by the response's id before it is created.

Everything is one GraphQL URL that answers 200 whatever happened, with the errors in the body. Columns are found by
their titles, as their ids differ from board to board; values go as variables, and are JSON within JSON.
https://developer.monday.com/api-reference/docs/error-handling
"""

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.connectors import wording
from app.domain.connectors.protocol import (
    EVERY_ANSWER,
    Call,
    Connector,
    Failed,
    Made,
    Remembered,
    Reply,
    Steps,
    expect_success,
    usual_failure,
)
from app.domain.connectors.settings import a_base_url, a_link, a_number, a_token, setting
from app.domain.connectors.story import Story
from app.domain.webhooks.attempts import Failure

VERSION = "2026-10"
NAME, TEXT = 255, 2_000  # characters
DAY_IS_USED_UP = 3_600.0  # seconds; it begins anew at midnight UTC
KEY = "Response ID"
ITEM = "item"

COLUMNS = "query ($board: ID!) { boards(ids: [$board]) { columns { id title type } } }"
FIND = """query ($board: ID!, $column: String!, $value: String!) {
  items_page_by_column_values(
    board_id: $board, limit: 1, columns: [{column_id: $column, column_values: [$value]}]
  ) { items { id } }
}"""
CREATE = """mutation ($board: ID!, $name: String!, $values: JSON!) {
  create_item(board_id: $board, item_name: $name, column_values: $values, create_labels_if_missing: true) { id }
}"""
CHANGE = """mutation ($board: ID!, $item: ID!, $values: JSON!) {
  change_multiple_column_values(
    board_id: $board, item_id: $item, column_values: $values, create_labels_if_missing: true
  ) { id }
}"""

PASSING = frozenset({
    "COMPLEXITY_BUDGET_EXHAUSTED", "ComplexityException", "RATE_LIMIT_EXCEEDED", "IP_RATE_LIMIT_EXCEEDED",
    "FIELD_LIMIT_EXCEEDED", "FIELD_MINUTE_RATE_LIMIT_EXCEEDED", "maxConcurrencyExceeded", "INTERNAL_SERVER_ERROR",
    "InternalServerError", "API_TEMPORARILY_BLOCKED", "ResourceLocked",
})  # fmt: skip
UNAUTHORIZED = frozenset({"UserUnauthorizedException", "USER_UNAUTHORIZED", "USER_ACCESS_DENIED", "Unauthorized"})
GONE = frozenset({"InvalidItemIdException", "ITEM_NOT_FOUND", "ResourceNotFoundException"})
NOT_THERE = "InvalidBoardIdException"
NOT_AUTHENTICATED = "Not Authenticated"

Columns = Mapping[str, tuple[str, str]]  # title → id and type


@dataclass(frozen=True)
class Monday(Connector):
    kind = "monday"
    per_second = 1  # of three requests; most accounts have a thousand a day
    usual_events = EVERY_ANSWER

    token: str = setting(a_token, is_secret=True)
    board_id: str = setting(a_number)
    base_url: str = setting(a_base_url, default="https://api.monday.com/v2")
    link: str | None = setting(a_link, default=None)

    def tell(self, story: Story, remembered: Remembered) -> Steps:
        if remembered.tells(ITEM, story.revision):
            return
        columns = yield from self._columns()
        values = json.dumps(dict(_values(story, columns, template=self.link)), ensure_ascii=False)
        item_id = remembered.id_of(ITEM) or (yield from self._find(story, columns))
        is_told = item_id is not None and (yield from self._change(item_id, values))
        if item_id is None or not is_told:
            name = wording.cut(f"{story.who}: {story.campaign}", NAME)  # what no change of the answer changes
            reply = yield from self._ask(CREATE, name=name, values=values)
            item_id = reply.needed("data", "create_item", "id")
        yield Made(ITEM, item_id, story.revision)

    def check(self) -> Steps:
        """Asks for the board's columns: a query, although it is a POST."""
        yield from self._columns()

    def _columns(self) -> Generator[Call, Reply, Columns]:
        reply = yield from self._ask(COLUMNS)
        if not reply.listed("data", "boards"):  # it is gone, or nobody showed it to the token's owner
            raise Failed(Failure.NOT_THERE)
        place = "data", "boards", 0, "columns"
        columns = {
            str(reply.word(*place, at, "title")): (reply.needed(*place, at, "id"), reply.word(*place, at, "type") or "")
            for at in range(len(reply.listed(*place)))
        }
        if KEY not in columns:
            raise Failed(Failure.NOT_THERE, f"The board has no column {KEY}.")
        return columns

    def _find(self, story: Story, columns: Columns) -> Generator[Call, Reply, str | None]:
        reply = yield from self._ask(FIND, column=columns[KEY][0], value=story.response_id)
        place = "data", "items_page_by_column_values", "items"
        return reply.needed(*place, 0, "id") if reply.listed(*place) else None

    def _change(self, item_id: str, values: str) -> Generator[Call, Reply, bool]:
        """Whether it was there still."""
        reply = yield self._call(CHANGE, item=item_id, values=values)
        if _code(reply) in GONE:
            return False
        _expect_success(reply)
        reply.needed("data", "change_multiple_column_values", "id")
        return True

    def _ask(self, query: str, **variables: str) -> Generator[Call, Reply, Reply]:
        reply = yield self._call(query, **variables)
        _expect_success(reply)
        return reply

    def _call(self, query: str, **variables: str) -> Call:
        body = {"query": query, "variables": {"board": self.board_id, **variables}}
        return Call("POST", self.base_url, body, {"authorization": self.token, "api-version": VERSION})


def _values(story: Story, columns: Columns, *, template: str | None) -> Generator[tuple[str, Any], None, None]:
    """By the columns' ids; what the board has no column for is left out. An emptied comment empties the column."""
    said = {
        KEY: story.response_id,
        "Score": str(story.score),
        "Band": story.band.value.capitalize(),
        "Comment": wording.cut(story.comment or "", TEXT),
        "Email": story.email,
        "Account": story.background.account,
        "Campaign": story.campaign,
        "Answered at": story.answered_at.strftime("%Y-%m-%d %H:%M:%S"),  # in UTC, as monday wants it
        "Link": wording.link(story, template),
    }
    for title, text in said.items():
        if title in columns and text is not None:
            column_id, column_type = columns[title]
            yield column_id, _shaped(wording.cut(text, TEXT), column_type)


def _shaped(text: str, column_type: str) -> Any:
    """As the kind of column wants it that somebody chose."""
    match column_type:
        case "status":
            return {"label": text}
        case "email":
            return {"email": text, "text": text}
        case "link":
            return {"url": text, "text": text}
        case "long_text":
            return {"text": text}
        case "date":
            day, _, hour = text.partition(" ")
            return {"date": day, "time": hour}
    return text


def _code(reply: Reply) -> str | None:
    return reply.word("errors", 0, "extensions", "code") or reply.word("error_code")


def _expect_success(reply: Reply) -> None:
    """Errors come in three shapes: with extensions, in older words at the top, and as bare texts."""
    expect_success(reply)
    code = _code(reply)
    if code == "DAILY_LIMIT_EXCEEDED":
        raise Failed(Failure.BAD_STATUS, wait_seconds=DAY_IS_USED_UP)
    if code in PASSING:
        raise Failed(Failure.BAD_STATUS, wait_seconds=reply.member("errors", 0, "extensions", "retry_in_seconds"))
    if code in UNAUTHORIZED or reply.word("errors", 0) == NOT_AUTHENTICATED:
        raise Failed(Failure.UNAUTHORIZED)
    if code == NOT_THERE:
        raise Failed(Failure.NOT_THERE)
    if code or reply.member("errors"):
        raise Failed(_failure_by_status(reply) or (Failure.REJECTED if code else Failure.ERROR_IN_BODY))


def _failure_by_status(reply: Reply) -> Failure | None:
    """By the status in the body, which is the one they mean."""
    status = reply.member("errors", 0, "extensions", "status_code") or reply.member("status_code")
    return usual_failure(status) if isinstance(status, int) else None
