"""monday.com, against a stand-in that answers 200 whatever happened, and takes values as JSON within JSON."""

import json
from dataclasses import replace
from typing import Any

import pytest

from app.domain.connectors.protocol import Connector
from app.domain.webhooks.attempts import Failure
from tests.outbound.connectors.service import Asked, Said, Service, at
from tests.outbound.connectors.stories import MOVED, NASTY, STORY, Memory, a_connector, take, tell

TYPES = {
    "Name": "name", "Response ID": "text", "Score": "numbers", "Band": "status", "Comment": "long_text",
    "Email": "email", "Answered at": "date", "Link": "link", "Theirs": "people",
}  # fmt: skip


class FakeMonday(Service):
    def __init__(self) -> None:
        super().__init__()
        self.columns = [
            {"id": f"{kind}_x{at}", "title": title, "type": kind} for at, (title, kind) in enumerate(TYPES.items())
        ]
        self.items: dict[str, dict[str, Any]] = {}

    def reply(self, asked: Asked) -> Said:
        if asked.headers.get("authorization") != "secret":
            return Said.of(200, {"errors": ["Not Authenticated"]})
        assert (asked.method, asked.path, asked.headers["api-version"]) == ("POST", "/v2", "2026-10")
        query, given = asked.json["query"], asked.json["variables"]
        assert "resp_" not in query
        if given["board"] != "77":
            return data(boards=[])
        if "boards(" in query:
            return data(boards=[{"columns": self.columns}])
        if "items_page_by_column_values(" in query:
            return data(items_page_by_column_values={"items": self._found(given["column"], given["value"])})
        return self._create(given) if "create_item(" in query else self._change(given)

    def _found(self, column: str, value: str) -> list[Any]:
        return [{"id": item_id} for item_id, item in self.items.items() if item.get(column) == value]

    def _create(self, given: dict[str, Any]) -> Said:
        assert len(given["name"]) <= 255
        item_id = str(900 + len(self.items))
        self.items[item_id] = {"name": given["name"], **json.loads(given["values"])}
        return data(create_item={"id": item_id})

    def _change(self, given: dict[str, Any]) -> Said:
        if given["item"] not in self.items:
            return errors("InvalidItemIdException", status_code=200)
        self.items[given["item"]].update(json.loads(given["values"]))
        return data(change_multiple_column_values={"id": given["item"]})


def data(**members: Any) -> Said:
    return Said.of(200, {"data": members, "account_id": 1})


def errors(code: str, **extensions: Any) -> Said:
    return Said.of(200, {"errors": [{"message": "no", "extensions": {"code": code, **extensions}}], "account_id": 1})


def connector(service: Service, *, key: str = "secret", board: str = "77") -> Connector:
    link = "https://crm.example/{external_id}"
    return a_connector("monday", base_url=f"{service.url}/v2", token=key, board_id=board, link=link)


async def test_an_answer_is_one_item_whatever_becomes_of_it() -> None:
    memory = Memory()
    async with at(FakeMonday()) as service:
        assert isinstance(service, FakeMonday)
        for story in (STORY, STORY, replace(MOVED, comment=None)):
            assert (await tell(connector(service), story, memory=memory)).failure is None
        assert (await tell(connector(service), MOVED)).failure is None  # as if nothing were remembered
        (item,) = service.items.values()
    assert item["name"] == "Ada: After a purchase"
    assert item["numbers_x2"] == "9"
    assert item["status_x3"] == {"label": "Promoter"}
    assert item["email_x5"] == {"email": "ada@example.com", "text": "ada@example.com"}
    assert item["date_x6"] == {"date": "2026-11-22", "time": "10:15:00"}
    assert item["link_x7"]["url"] == "https://crm.example/4711"


async def test_a_lost_reply_makes_no_second_item() -> None:
    memory = Memory()
    async with at(FakeMonday()) as service:
        assert isinstance(service, FakeMonday)
        await tell(connector(service))
        service.troubles = [None, None, Said(502)]
        assert (await tell(connector(service), memory=memory)).failure is Failure.BAD_STATUS
        assert (await tell(connector(service), memory=memory)).failure is None
        assert len(service.items) == 1


async def test_an_item_that_somebody_deleted_is_made_anew() -> None:
    memory = Memory()
    async with at(FakeMonday()) as service:
        assert isinstance(service, FakeMonday)
        await tell(connector(service), memory=memory)
        service.items = {"1": {}}
        assert (await tell(connector(service), MOVED, memory=memory)).failure is None
        assert list(service.items) == ["1", "901"]
        assert memory.made["item"].remote_id == "901"


async def test_what_people_wrote_stays_what_they_wrote() -> None:
    nasty = f'{NASTY} "}}) {{ id }} \\" \n'
    async with at(FakeMonday()) as service:
        assert isinstance(service, FakeMonday)
        await tell(connector(service), replace(STORY, comment=nasty))
        await tell(connector(service), replace(STORY, response_id="resp_2", comment="💣" * 20_000))
        first, second = service.items.values()
    assert first["long_text_x4"] == {"text": nasty}
    assert len(second["long_text_x4"]["text"]) == 2_000


@pytest.mark.parametrize(
    ("key", "board", "failure"),
    [("secret", "77", None), ("wrong", "77", Failure.UNAUTHORIZED), ("secret", "78", Failure.NOT_THERE)],
)
async def test_what_cannot_work_is_noticed_before_the_first_answer(
    key: str, board: str, failure: Failure | None
) -> None:
    async with at(FakeMonday()) as service:
        checking = connector(service, key=key, board=board).check()
        assert checking is not None
        assert (await take(checking)).failure is failure
        assert ["mutation" in body["query"] for body in service.bodies] == [False]


async def test_a_board_without_our_column_is_told_nothing() -> None:
    async with at(FakeMonday()) as service:
        assert isinstance(service, FakeMonday)
        del service.columns[1]
        assert (await tell(connector(service))).failure is Failure.NOT_THERE
        assert service.items == {}


@pytest.mark.parametrize("step", [0, 1, 2])
@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b"[[]]", b'{"data": {"boards": [{"columns": 7}]}}'])
async def test_a_reply_that_cannot_be_read_leaves_nothing_false_behind(body: bytes, step: int) -> None:
    memory = Memory()
    async with at(FakeMonday()) as service:
        service.troubles = [None] * step + [Said(200, body)]
        assert (await tell(connector(service), memory=memory)).failure is Failure.ERROR_IN_BODY
        assert memory.made == {}


@pytest.mark.parametrize(
    ("said", "failure", "wait"),
    [
        (errors("COMPLEXITY_BUDGET_EXHAUSTED", retry_in_seconds=17), Failure.BAD_STATUS, 17),
        (errors("DAILY_LIMIT_EXCEEDED"), Failure.BAD_STATUS, 3_600),
        (errors("maxConcurrencyExceeded", status_code=429), Failure.BAD_STATUS, None),
        (errors("SomethingNew", status_code=503), Failure.BAD_STATUS, None),
        (errors("UserUnauthorizedException", status_code=403), Failure.UNAUTHORIZED, None),
        (errors("ColumnValueException", status_code=200), Failure.REJECTED, None),
        (errors("InvalidBoardIdException", status_code=200), Failure.NOT_THERE, None),
        (Said.of(200, {"error_code": "ComplexityException", "errors": ["x"]}), Failure.BAD_STATUS, None),
        (Said.of(200, {"error_code": "SomethingNew", "status_code": 500}), Failure.BAD_STATUS, None),
        (Said.of(200, {"error_code": "ColumnValueException", "error_message": "x"}), Failure.REJECTED, None),
        (Said.of(200, {"errors": ["Something else"]}), Failure.ERROR_IN_BODY, None),
        (Said.of(401, {"errors": ["Not Authenticated"]}), Failure.UNAUTHORIZED, None),
        (Said(429, headers={"retry-after": "9"}), Failure.BAD_STATUS, 9),
    ],
)  # fmt: skip
async def test_what_the_service_says_is_understood(said: Said, failure: Failure, wait: float | None) -> None:
    memory = Memory()
    async with at(FakeMonday()) as service:
        service.troubles = [None, None, said]
        outcome = await tell(connector(service), memory=memory)
    assert (outcome.failure, outcome.retry_after_seconds, memory.made) == (failure, wait, {})
