"""People are read page by page, and nobody is lost between two pages, whatever changes meanwhile."""

from datetime import timedelta
from typing import Any

import pytest

from app.domain.connectors.companies import ReadsCompanies
from app.domain.connectors.pages import Place
from app.domain.webhooks.attempts import Failure, Outcome
from tests.outbound.connectors.people import (
    START,
    People,
    PullableHubSpot,
    PullableSalesforce,
    PullableSheet,
    PullableZoho,
    a_pullable,
    crowd,
    log_in,
    read_all,
    read_page,
)
from tests.outbound.connectors.service import Said, at
from tests.outbound.connectors.stories import a_connector
from tests.outbound.connectors.test_google_sheets import key_file
from tests.outbound.connectors.test_nonsense import NONSENSE

CRMS: dict[str, tuple[type[Any], str]] = {
    "hubspot": (PullableHubSpot, "email"),
    "salesforce": (PullableSalesforce, "Email"),
    "zoho": (PullableZoho, "Email"),
}
every_crm = pytest.mark.parametrize("kind", CRMS)


@every_crm
@pytest.mark.parametrize("at_once", [1, 7, 450])
async def test_everybody_is_read_however_many_changed_at_one_instant(kind: str, at_once: int) -> None:
    fake, email = CRMS[kind]
    async with at(fake(crowd(450, at_once=at_once, field_name=email))) as service:
        records, place = await read_all(a_pullable(kind, service))
    assert {record.fields[email] for record in records} == {f"p{n}@example.com" for n in range(450)}
    assert place.since is not None
    assert timedelta(0) <= place.since - (START + timedelta(seconds=449 // at_once)) < timedelta(seconds=1)


@every_crm
async def test_whoever_changes_while_the_others_are_read_is_not_lost_and_pushes_nobody_out(kind: str) -> None:
    fake, email = CRMS[kind]
    async with at(fake(crowd(450, field_name=email))) as service:
        assert isinstance(service, fake)
        moving = iter(service.people[:400:40])

        def move() -> None:
            if person := next(moving, None):
                person.changed = START + timedelta(hours=1)
                person.fields[email] = f"new{person.id}@example.com"

        records, _ = await read_all(a_pullable(kind, service), between=move)
        expected = {person.fields[email] for person in service.people}
    assert expected <= {record.fields[email] for record in records}


@every_crm
async def test_later_only_what_changed_is_read_and_what_changed_at_that_very_instant(kind: str) -> None:
    fake, email = CRMS[kind]
    async with at(fake(crowd(450, field_name=email))) as service:
        assert isinstance(service, fake)
        connector = a_pullable(kind, service)
        _, place = await read_all(connector)
        late = service.people[3]
        late.changed = service.people[-1].changed  # committed late, with the instant of before
        records, _ = await read_all(connector, place.earlier(connector.overlap))
    assert late.id in {record.id for record in records}
    assert len(records) <= 601


@every_crm
async def test_where_nobody_is_nothing_is_read(kind: str) -> None:
    fake, _ = CRMS[kind]
    async with at(fake()) as service:
        assert await read_all(a_pullable(kind, service)) == ([], Place())


async def test_hubspot_reads_companies_of_those_who_have_one() -> None:
    people = crowd(3)
    people[0].fields |= {"associatedcompanyid": "7"}
    people[1].fields |= {"associatedcompanyid": "8"}  # which is gone
    async with at(PullableHubSpot(people)) as service:
        assert isinstance(service, PullableHubSpot)
        service.companies["7"] = {"name": "Acme"}
        records, _ = await read_all(a_pullable("hubspot", service))
    assert [record.fields.get("company.name") for record in records] == ["Acme", None, None]


async def test_salesforce_and_zoho_read_the_account_along() -> None:
    person = crowd(1, field_name="Email")
    person[0].fields |= {"AccountId": "001", "Account.Name": "Acme", "Account_Name.id": "9"}
    person[0].fields |= {"Account_Name.Account_Name": "Acme"}
    async with at(PullableSalesforce(person)) as service:
        ((in_salesforce,), _) = await read_all(a_pullable("salesforce", service))
    async with at(PullableZoho(person)) as service:
        ((in_zoho,), _) = await read_all(a_pullable("zoho", service))
    assert (in_salesforce.fields["AccountId"], in_salesforce.fields["Account.Name"]) == ("001", "Acme")
    assert (in_zoho.fields["Account_Name.id"], in_zoho.fields["Account_Name.Account_Name"]) == ("9", "Acme")


HEADINGS = ["Name", " EMAIL ", "Plan", "Unsubscribed"]


@pytest.mark.parametrize("height", [700, 1_000])
async def test_all_rows_of_a_sheet_are_read_and_gaps_end_nothing(height: int) -> None:
    rows: list[list[Any]] = [HEADINGS, *([f"P{n}", f"p{n}@example.com"] for n in range(600))]
    rows[300] = rows[499] = rows[500] = []
    async with at(PullableSheet(rows, height=height)) as service:
        account = key_file(f"{service.url}/token")
        connector = a_connector(
            "google_sheets", base_url=service.url, service_account=account, spreadsheet_id="s1", people_sheet_id="7"
        )
        records, place = await read_all(connector)
    assert [record.id for record in records] == [str(n) for n in range(2, 602) if n not in {301, 500, 501}]
    assert records[0].fields == {"Name": "P0", "Email": "p0@example.com", "Unsubscribed": None}
    assert place == Place()


TROUBLES = {
    "hubspot": [
        (Said.of(401, {"category": "INVALID_AUTHENTICATION"}), Failure.UNAUTHORIZED, None),
        (Said.of(429, {"policyName": "SECONDLY"}), Failure.BAD_STATUS, 10.0),
        (Said.of(429, {"policyName": "DAILY"}), Failure.BAD_STATUS, 3_600.0),
        (Said.of(400, {"message": "no such property"}), Failure.REJECTED, None),
        (Said.of(200, {"nothing": 1}), Failure.ERROR_IN_BODY, None),
        (Said(502, b"<html>"), Failure.BAD_STATUS, None),
    ],
    "salesforce": [
        (Said.of(401, [{"errorCode": "INVALID_SESSION_ID"}]), Failure.UNAUTHORIZED, None),
        (Said.of(403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED"}]), Failure.BAD_STATUS, 3_600.0),
        (Said.of(400, [{"errorCode": "INVALID_FIELD"}]), Failure.REJECTED, None),
        (Said.of(200, {"records": [{"Id": "1"}]}), Failure.ERROR_IN_BODY, None),
    ],
    "zoho": [
        (Said.of(401, {"code": "INVALID_TOKEN"}), Failure.UNAUTHORIZED, None),
        (Said.of(429, {"code": "TOO_MANY_REQUESTS"}, **{"retry-after": "60"}), Failure.BAD_STATUS, 60.0),
        (Said.of(400, {"code": "INVALID_QUERY"}), Failure.REJECTED, None),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "said", "failure", "wait"), [(kind, *one) for kind, some in TROUBLES.items() for one in some]
)
async def test_trouble_is_read_as_when_sending(kind: str, said: Said, failure: Failure, wait: float | None) -> None:
    async with at(CRMS[kind][0](crowd(1))) as service:
        connector = a_pullable(kind, service)
        access = await log_in(connector)
        service.troubles = [said]
        outcome = await read_page(connector, Place(), access)
    assert isinstance(outcome, Outcome)
    assert (outcome.failure, outcome.retry_after_seconds) == (failure, wait)


@pytest.mark.parametrize("body", NONSENSE.values(), ids=NONSENSE)
@every_crm
async def test_a_page_that_cannot_be_read_is_not_taken_for_the_last(kind: str, body: bytes) -> None:
    async with at(CRMS[kind][0](crowd(1))) as service:
        connector = a_pullable(kind, service)
        access = await log_in(connector)
        service.troubles = [Said(200, body)]
        outcome = await read_page(connector, Place(START, "1"), access)
    assert isinstance(outcome, Outcome)
    assert outcome.failure is Failure.ERROR_IN_BODY


@pytest.mark.parametrize(
    ("kind", "name", "company_id", "company_name"),
    [
        ("hubspot", "name", "associatedcompanyid", "company.name"),
        ("salesforce", "Name", "AccountId", "Account.Name"),
        ("zoho", "Account_Name", "Account_Name.id", "Account_Name.Account_Name"),
    ],
)
async def test_companies_that_changed_are_read_by_the_names_that_people_have(
    kind: str, name: str, company_id: str, company_name: str
) -> None:
    fake, _ = CRMS[kind]
    async with at(fake()) as service:
        assert isinstance(service, People)
        service.changed_companies = crowd(450, field_name=name)
        connector = a_pullable(kind, service)
        assert isinstance(connector, ReadsCompanies)
        records, place = await read_all(connector, Place(START), of_companies=True)
        _, again = await read_all(connector, place, of_companies=True)
    assert {(one.fields[company_id], one.fields[company_name]) for one in records} == {
        (one.id, one.fields[name]) for one in service.changed_companies
    }
    assert place.since is not None
    assert place.since >= START + timedelta(seconds=449)
    assert again.since == place.since
