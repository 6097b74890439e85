"""Services that people can be read from, each with its way of asking for what changed and of telling page by page."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from app.domain.connectors.companies import ReadsCompanies
from app.domain.connectors.pages import Page, Place, Record
from app.domain.connectors.protocol import Access, Connector, Made
from app.domain.webhooks.attempts import Outcome
from app.outbound.connectors.run import run_steps
from tests.outbound.connectors.service import Asked, Said, Service
from tests.outbound.connectors.stories import Memory, a_connector, take
from tests.outbound.receivers import NOW, a_client

START = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)


@dataclass
class Person:
    id: str
    changed: datetime
    fields: dict[str, Any] = field(default_factory=dict)


def crowd(count: int, *, at_once: int = 1, field_name: str = "email") -> list[Person]:
    """So many, of whom `at_once` changed at the same instant."""
    return [
        Person(str(1_000 + n), START + timedelta(seconds=n // at_once), {field_name: f"p{n}@example.com"})
        for n in range(count)
    ]


class People(Service):
    """Changes behave like a CRM's: whoever changes moves to the end of the queue."""

    def __init__(self, people: Sequence[Person] = ()) -> None:
        super().__init__()
        self.people = list(people)
        self.changed_companies: list[Person] = []  # which are found by themselves

    def person(self, person_id: str) -> Person:
        return next(one for one in self.people if one.id == person_id)


class PullableHubSpot(People):
    """One sort only, at most 10,000 found, values are texts; companies are read apart."""

    def __init__(self, people: Sequence[Person] = ()) -> None:
        super().__init__(people)
        self.companies: dict[str, dict[str, str]] = {}

    def reply(self, asked: Asked) -> Said:
        if asked.headers.get("authorization") != "Bearer secret":
            return Said.of(401, {"category": "INVALID_AUTHENTICATION"})
        if asked.path == "/crm/objects/2026-03/companies/batch/read":
            known = [one["id"] for one in asked.json["inputs"] if one["id"] in self.companies]
            return Said.of(200, {"results": [{"id": one, "properties": self.companies[one]} for one in known]})
        if asked.path == "/crm/objects/2026-03/contacts":
            return Said.of(200, {"results": []})
        if "/statuses/" in asked.path:
            return Said.of(200, {})
        kind = asked.path.removeprefix("/crm/objects/2026-03/").removesuffix("/search")
        those, changed = {
            "contacts": (self.people, "lastmodifieddate"), "companies": (self.changed_companies, "hs_lastmodifieddate"),
        }[kind]  # fmt: skip
        (sort,), groups = asked.json["sorts"], asked.json["filterGroups"]
        assert {sort["propertyName"], *(one["propertyName"] for group in groups for one in group["filters"])} <= {
            changed, "hs_object_id",
        }  # fmt: skip
        found = [one for one in those if not groups or all(map(self._passes(one), groups[0]["filters"]))]
        found.sort(key=lambda one: self._value(one, sort["propertyName"]))
        assert asked.json["limit"] <= 200
        names = asked.json["properties"]
        rows = [{"id": one.id, "properties": self._shown(one, names, changed)} for one in found[: asked.json["limit"]]]
        return Said.of(200, {"total": len(found), "results": rows})

    def _passes(self, person: Person) -> Any:
        compare = {"GTE": int.__ge__, "EQ": int.__eq__, "GT": int.__gt__}
        return lambda one: compare[one["operator"]](self._value(person, one["propertyName"]), int(one["value"]))

    @staticmethod
    def _value(person: Person, name: str) -> int:
        return int(person.id) if name == "hs_object_id" else round(person.changed.timestamp() * 1_000)

    @staticmethod
    def _shown(person: Person, names: Sequence[str], changed: str) -> dict[str, Any]:
        at = f"{person.changed:%Y-%m-%dT%H:%M:%S}.{person.changed.microsecond // 1000:03}Z"
        return {name: person.fields.get(name) for name in names} | {changed: at}


QUERY = re.compile(
    r"select (?P<columns>.+) from (?P<table>Contact|Account)s?(?: where (?P<where>.+))?"
    r" order by (?P<order>.+) limit (?P<limit>\d+)",
    re.IGNORECASE,
)
BEHIND = re.compile(
    r"\(?(?P<field>\w+) > '?(?P<at>[^' )]+)'? or \((?P=field) = '?(?P=at)'? and id > '?(?P<id>\w+)'?\)\)?",
    re.IGNORECASE,
)
SINCE = re.compile(r"(\w+) >= '?(?P<at>[^' ]+)'?", re.IGNORECASE)


class Queried(People):
    """In a language of queries, of which it knows what is asked here and nothing else."""

    changed = ""

    def found(self, query: str) -> tuple[list[Person], list[str]]:
        asked = QUERY.fullmatch(query)
        assert asked, query
        assert [one.split(" ")[0].lower() for one in asked["order"].split(", ")] == [self.changed.lower(), "id"]
        those = self.people if asked["table"] == "Contact" else self.changed_companies
        passing = [one for one in those if self._passes(one, asked["where"])]
        passing.sort(key=lambda one: (one.changed, one.id))
        return passing[: int(asked["limit"])], asked["columns"].split(", ")

    def _passes(self, person: Person, where: str | None) -> bool:
        if where is None or where == "id > 0":
            return True
        changed = person.changed.replace(microsecond=0)
        if behind := BEHIND.fullmatch(where):
            at = datetime.fromisoformat(behind["at"])
            return changed > at or (changed == at and person.id > behind["id"])
        since = SINCE.fullmatch(where)
        assert since, where
        return changed >= datetime.fromisoformat(since["at"])


class PullableSalesforce(Queried):
    """Fields of the account stand in an object of their own. Sessions end."""

    changed = "SystemModstamp"

    def __init__(self, people: Sequence[Person] = ()) -> None:
        super().__init__(people)
        self.log_ins, self.good_tokens = 0, set[str]()

    def reply(self, asked: Asked) -> Said:
        if asked.path == "/services/oauth2/token":
            if asked.form["client_secret"] != "secret":
                return Said.of(400, {"error": "invalid_client"})
            self.log_ins += 1
            self.good_tokens.add(f"token{self.log_ins}")
            return Said.of(200, {"access_token": f"token{self.log_ins}", "instance_url": self.url})
        if asked.headers["authorization"].removeprefix("Bearer ") not in self.good_tokens:
            return Said.of(401, [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}])
        if "NPS_Response_Id__c" in asked.query["q"]:  # the check
            return Said.of(200, {"records": []})
        people, columns = self.found(asked.query["q"])
        return Said.of(200, {"done": True, "records": [self._shown(one, columns) for one in people]})

    @staticmethod
    def _shown(person: Person, columns: Sequence[str]) -> dict[str, Any]:
        row: dict[str, Any] = {}
        for name in columns:
            first, _, rest = name.partition(".")
            value = person.fields.get(name)
            row[first] = value if not rest else ({**(row.get(first) or {}), rest: value} if value else None)
        return row | {"Id": person.id, "SystemModstamp": f"{person.changed:%Y-%m-%dT%H:%M:%S}.000+0000"}


class PullableZoho(Queried):
    """Fields of the account stand under both names at once, and nobody at all is a 204."""

    changed = "Modified_Time"

    def reply(self, asked: Asked) -> Said:
        if asked.path == "/oauth/v2/token":
            return Said.of(200, {"access_token": "token1", "api_domain": self.url, "expires_in": 3600})
        if asked.headers["authorization"] != "Zoho-oauthtoken token1":
            return Said.of(401, {"code": "INVALID_TOKEN", "status": "error"})
        if asked.method == "GET":
            return Said(204)
        people, columns = self.found(asked.json["select_query"])
        if not people:
            return Said(204)
        rows = [{name: one.fields.get(name) for name in columns} | self._of(one) for one in people]
        return Said.of(200, {"data": rows, "info": {"count": len(rows), "more_records": False}})

    @staticmethod
    def _of(person: Person) -> dict[str, Any]:
        berlin = person.changed + timedelta(hours=1)
        return {"id": person.id, "Modified_Time": f"{berlin:%Y-%m-%dT%H:%M:%S}+01:00"}


class PullableSheet(Service):
    """Empty cells at the end of a row, and empty rows at the end of what was asked for, are not told."""

    def __init__(self, rows: Sequence[Sequence[Any]], *, height: int = 1_000) -> None:
        super().__init__()
        self.rows, self.height = [list(row) for row in rows], height

    def reply(self, asked: Asked) -> Said:
        if not asked.path.startswith("/v4/"):
            return Said.of(200, {"access_token": "token1", "expires_in": 3600}, date="Sun, 22 Nov 2026 10:00:00 GMT")
        place = asked.json["dataFilters"][0]["gridRange"]
        assert place["sheetId"] == 7
        if place["startRowIndex"] >= self.height:
            return Said.of(400, {"error": {"status": "INVALID_ARGUMENT", "message": "exceeds grid limits"}})
        rows = self.rows[place["startRowIndex"] : place["endRowIndex"]]
        while rows and not rows[-1]:
            rows = rows[:-1]
        values = {"values": rows} if rows else {}
        return Said.of(200, {"spreadsheetId": "s1", "valueRanges": [{"valueRange": values}]})


async def read_page(
    connector: Connector, place: Place, access: Access | None, *, of_companies: bool = False
) -> Page | Outcome:
    pages: list[Page] = []

    async def keep(thing: Made | Access | Page) -> None:
        if isinstance(thing, Page):
            pages.append(thing)

    fields = [*connector.pulled_fields]
    if of_companies:
        assert isinstance(connector, ReadsCompanies)
    steps = connector.pull_companies(fields, place, access) if of_companies else connector.pull(fields, place, access)
    async with a_client() as client:
        outcome = await run_steps(client, steps, keep=keep, now=NOW, deadline_seconds=5, reply_bytes=1_000_000)
    return pages[0] if pages else outcome


async def log_in(connector: Connector) -> Access | None:
    steps, memory = connector.log_in(), Memory()
    if steps is not None:
        await take(steps, memory=memory)
    return memory.access


async def read_all(
    connector: Connector,
    place: Place = Place(),  # noqa: B008 - frozen
    *,
    between: Any = None,
    of_companies: bool = False,
) -> tuple[list[Record], Place]:
    """Everybody, and where the next run begins. `between` is called after each page."""
    records: list[Record] = []
    access = await log_in(connector)
    for _ in range(100):
        page = await read_page(connector, place, access, of_companies=of_companies)
        assert isinstance(page, Page), page
        records += page.records
        place = page.following
        if page.is_last:
            return records, place
        if between is not None:
            between()
    raise AssertionError("it never ends")


def a_pullable(kind: str, service: Service, *, key: str = "secret") -> Connector:
    match kind:
        case "hubspot":
            return a_connector("hubspot", base_url=service.url, token=key)
        case "salesforce":
            return a_connector("salesforce", base_url=service.url, client_id="c", client_secret=key)
    return a_connector("zoho", accounts_url=service.url, client_id="c", client_secret=key, refresh_token="r")
