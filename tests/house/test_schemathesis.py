"""Schemathesis reads the contract, sends what it allows and what it forbids, and holds the replies against it.

Over real HTTP, with the ids of things that exist, so that it gets past the door.
"""

import re
import socket
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import requests
import schemathesis
import uvicorn
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.pytest.lazy import get_all_tests

from app.config import Settings
from app.domain.survey.logo import MEDIA_TYPES
from app.main import create_app
from tests.campaigns import SURVEY
from tests.conftest import SECRET_KEYS, UNLIMITED, Tenant
from tests.contract import operations, the_document
from tests.house.premises import ORIGIN, House

pytestmark = pytest.mark.slow

EXAMPLES = 6  # of each operation, beside those that cover its schema systematically

MADE_UP_ID = re.compile(r"[a-z]+_[0-9a-f]{32}")

UNREADABLE = {"validation_failed", "unreadable_json", "body_missing"}
BEYOND_SCHEMAS = (  # rules of form that a schema cannot tell; the contract says them in words
    "Input should be a valid integer",  # JSON Schema takes 9.0 for one; a score is written 9
    "should lie between the years 1900 and 2200",
    "should be a day such as",  # and an instant of those years
    "no more than 2 decimal places",
    "no more than 18 digits in total",
    "not contain NUL",
    "should have at least 1 character",  # nothing but blanks
    "give recipient_id or recipient",
    "give after or cursor, not both",
    "Send the picture as the body",
)
TAKES_ALMOST_ANYTHING = {  # each row has an end of its own
    "record_responses_in_bulk", "upsert_recipients_in_bulk", "import_recipients", "upload_reward_codes",
    "record_touchpoints_in_bulk",
}  # fmt: skip
# Also the paths of some {id}.
OVERLAPPED = {
    "/v1/touchpoints/bulk",
    "/v1/responses/bulk",
    "/v1/recipients/bulk",
    "/v1/recipients/query",
    "/v1/imports/recipients",
}
ABOUT_METHODS = ("unsupported_method", "allow_header_conformance")  # tested in test_edges.py too
FOR_BROWSERS = "record_widget_response"
RECORDING = {FOR_BROWSERS, "record_response", "record_responses_in_bulk"}

SETTINGS = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
)
OF_FILTERS = "preview_audience"


def plain_filters(document: dict[str, Any]) -> dict[str, Any]:
    """All else takes the same filters, and working out cases of filters within filters takes it a minute each time."""
    schemas = document["components"]["schemas"]
    *_, condition = schemas["AudienceFilter"]["anyOf"]
    return document | {"components": document["components"] | {"schemas": schemas | {"AudienceFilter": condition}}}


contract = schemathesis.openapi.from_dict(the_document())
contract_of_plain_filters = schemathesis.openapi.from_dict(plain_filters(the_document()))


@schemathesis.serializer("application/x-ndjson", "text/csv", *MEDIA_TYPES.values())
def as_text(_: schemathesis.SerializationContext, value: object) -> bytes:
    return str(value).encode("utf-8", "replace")


class Service(uvicorn.Server):
    """In a thread and a loop of its own, since these tests are not asynchronous."""

    def __init__(self, database_url: str) -> None:
        configured = Settings(database_url=database_url, secret_keys=SECRET_KEYS, pool_size=4, **UNLIMITED)
        super().__init__(uvicorn.Config(create_app(configured), port=0, log_level="error"))
        self.is_up = threading.Event()
        self.thread = threading.Thread(target=self.run)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.servers[0].sockets[0].getsockname()[1]}"


@pytest.fixture(scope="session")
def address(sandbox: House) -> Iterator[str]:
    service = Service(sandbox.engine.url)
    service.thread.start()
    assert service.is_up.wait(30)
    yield service.address
    service.should_exit = True
    service.thread.join(30)


@pytest.fixture(scope="session")
def session() -> Iterator[requests.Session]:
    """Thousands of connections would take longer than the requests."""
    with requests.Session() as kept:
        kept.trust_env = False  # or it looks for proxies in the environment each time
        yield kept


@pytest.fixture(scope="session")
def running(address: str, session: requests.Session, sandbox: House) -> str:
    """The id of a campaign that takes answers, whatever other tests did to the others."""
    secret = {"Authorization": f"Bearer {sandbox.alice.secret_key}"}
    made = session.post(
        f"{address}/v1/campaigns", json={"name": "Always on", "kind": "relationship", "survey": SURVEY}, headers=secret
    )
    launched = session.post(f"{address}/v1/campaigns/{made.json()['id']}/launch", headers=secret)
    assert launched.json()["state"] == "running", launched.text
    return str(launched.json()["id"])


def grounded(value: Any, ids: Mapping[str, str]) -> Any:
    """With ids that exist in place of made-up ones."""
    match value:
        case str():
            return ids.get(value.partition("_")[0], value) if MADE_UP_ID.fullmatch(value) else value
        case dict():
            return {name: grounded(member, ids) for name, member in value.items()}
        case list():
            return [grounded(item, ids) for item in value]
    return value


def ids_by_prefix(house: House) -> dict[str, str]:
    return {value.partition("_")[0]: value for value in house.ids.values() if MADE_UP_ID.fullmatch(value)}


@pytest.mark.parametrize("name", sorted(operation["operationId"] for *_, operation in operations(the_document())))
def test_the_service_keeps_its_contract(
    name: str, address: str, session: requests.Session, sandbox: House, running: str
) -> None:
    """Not by `contract.parametrize()`: it thinks out all that is to be sent while tests are collected."""
    load_all_checks()
    schema = contract if name == OF_FILTERS else contract_of_plain_filters
    (built,) = get_all_tests(
        schema=schema.include(operation_id=name), test_func=send, settings=SETTINGS, given_kwargs=None
    )
    _, send_everything = built.ok()
    ids = ids_by_prefix(sandbox) | ({"camp": running} if name in RECORDING else {})
    send_everything(address=address, session=session, ids=ids, alice=sandbox.alice)


def send(
    case: schemathesis.Case, address: str, session: requests.Session, ids: Mapping[str, str], alice: Tenant
) -> None:
    for part in ("path_parameters", "query", "body"):
        made_up = getattr(case, part)
        if (real := grounded(made_up, ids)) != made_up:
            setattr(case, part, real)
    name = case.operation.definition.raw["operationId"]
    unchecked = {
        "positive_data_acceptance",  # what_the_schema_allows_is_valid instead
        *(ABOUT_METHODS if case.operation.path in OVERLAPPED else ()),
        *({"negative_data_rejection"} if name in TAKES_ALMOST_ANYTHING else ()),
    }
    case.call_and_validate(
        base_url=address,
        session=session,
        additional_checks=[what_the_schema_allows_is_valid],
        excluded_checks=[CHECKS.get_one(name) for name in unchecked],
        **credentials(case, alice),
    )


def credentials(case: schemathesis.Case, alice: Tenant) -> dict[str, Any]:
    if case.operation.definition.raw["operationId"] == FOR_BROWSERS:
        key = {"key": alice.publishable_key} if "key" in (case.query or {}) else {}  # its lack is a case too
        return {"params": key, "headers": {"Origin": ORIGIN}}
    return {"headers": {"Authorization": f"Bearer {alice.secret_key}"}}


def what_the_schema_allows_is_valid(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> None:
    """It may still break a rule or meet a conflict; but the shape the contract describes is the shape we take."""
    if case.meta is None or case.meta.generation.mode is not schemathesis.GenerationMode.POSITIVE:
        return
    if response.status_code == 422:
        problem = response.json()
        is_excused = any(rule in problem["detail"] for rule in BEYOND_SCHEMAS)
        assert problem["code"] not in UNREADABLE or is_excused, problem
