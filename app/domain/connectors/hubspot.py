"""HubSpot: properties of the contact say how they scored last, and a note on the contact tells the story.

Paths carry the date of the API's version. Contacts are updated by e-mail address and created where there are none;
properties we need are made at the first refusal. Notes have nothing to recognise them by: one whose reply was lost is
written twice. https://developers.hubspot.com/docs/api-reference/latest/overview
"""

import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from app.domain.connectors import wording
from app.domain.connectors.authorization import Code, Consent
from app.domain.connectors.code_flow import exchanged, refreshed
from app.domain.connectors.companies import ReadsCompanies
from app.domain.connectors.field_mapping import a_mapping, mapped_fields
from app.domain.connectors.hubspot_pages import (
    CHANGED,
    COMPANY,
    COMPANY_CHANGED,
    INDEXED_WITHIN,
    page_of,
    search,
)
from app.domain.connectors.notes import noted
from app.domain.connectors.pages import Place, Record
from app.domain.connectors.protocol import (
    EVERY_ANSWER,
    NOBODY_THERE,
    OPT_OUTS,
    Access,
    Call,
    Failed,
    Made,
    Remembered,
    Reply,
    Skipped,
    Steps,
    expect_success,
    logged_in,
)
from app.domain.connectors.settings import a_base_url, a_field_name, a_link, a_token, setting
from app.domain.connectors.story import Story
from app.domain.webhooks.attempts import Failure
from app.domain.webhooks.payload import instant_text

VERSION = "2026-03"
CONSENT = "https://app.hubspot.com/oauth/authorize"
SCOPES = "oauth crm.objects.contacts.read crm.objects.contacts.write crm.schemas.contacts.write"
FURTHER_SCOPES = "crm.objects.companies.read communication_preferences.read_write"  # where the app has them
ACCESS_SECONDS = 1_500.0  # of one that does not say
STATUSES = f"/communication-preferences/{VERSION}/statuses"
NOTE_TO_CONTACT = 202  # HubSpot's number for that association
LINE = 20_000  # characters; a note has 65,536
TEXT = 5_000
DAY_IS_USED_UP = 3_600.0  # seconds; it begins anew at midnight there, wherever that is
EXISTING = re.compile(r"Existing ID: (\d{1,20})")
CONTACT = "contact"

BANDS = [{"label": band.capitalize(), "value": band} for band in ("promoter", "passive", "detractor")]
PROPERTIES = (
    {"name": "nps_score", "label": "NPS: score", "type": "number", "fieldType": "number"},
    {"name": "nps_category", "label": "NPS: band", "type": "enumeration", "fieldType": "select", "options": BANDS},
    {"name": "nps_comment", "label": "NPS: comment", "type": "string", "fieldType": "textarea"},
    {"name": "nps_last_responded_at", "label": "NPS: last answer", "type": "datetime", "fieldType": "date"},
)


@dataclass(frozen=True)
class HubSpot(ReadsCompanies):
    kind = "hubspot"
    company_id, of_company = COMPANY, "company."
    per_second = 5
    usual_events = EVERY_ANSWER
    further_events = OPT_OUTS
    overlap = INDEXED_WITHIN
    pulled_fields = MappingProxyType({
        "email": "email", "firstname": "name", "lastname": "name", "associatedcompanyid": "account.external_id",
        "company.name": "account.name", "hs_email_optout": "unsubscribed",
    })  # fmt: skip

    token: str | None = setting(a_token, is_secret=True, default=None)
    client_id: str | None = setting(a_token, default=None)
    client_secret: str | None = setting(a_token, is_secret=True, default=None)
    refresh_token: str | None = setting(a_token, is_secret=True, default=None)
    base_url: str = setting(a_base_url, default="https://api.hubapi.com")
    fields: str | None = setting(a_mapping, default=None)
    opt_out_field: str | None = setting(a_field_name, default=None)
    link: str | None = setting(a_link, default=None)

    def what_is_missing(self) -> tuple[str, str] | None:
        if self.token or all((self.client_id, self.client_secret, self.refresh_token)):
            return None
        return "token", "Give one, or client_id, client_secret and refresh_token."

    def consent_url(self, consent: Consent) -> str:
        said = {"client_id": self.client_id or "", "scope": SCOPES, "optional_scope": FURTHER_SCOPES}
        return consent.url(CONSENT, **said)

    def exchange(self, code: Code) -> Steps:
        """All of it in the body: what stands in an address is written into logs."""
        form = code.form(client_id=self.client_id or "", client_secret=self.client_secret or "")
        return exchanged(f"{self.base_url}/oauth/{VERSION}/token", form)

    def log_in(self) -> Steps | None:
        if self.token is not None:
            return None
        said = {"client_id": self.client_id, "client_secret": self.client_secret, "refresh_token": self.refresh_token}
        form = {name: value for name, value in said.items() if value is not None}
        place = f"{self.base_url}/oauth/{VERSION}/token"
        return refreshed(place, form, base_url=self.base_url, seconds=ACCESS_SECONDS)

    def tell(self, story: Story, remembered: Remembered) -> Steps:
        if remembered.access is not None:
            yield from self._let_in(remembered.access).tell(story, Remembered(remembered.made))
            return
        if not story.email:
            raise Skipped("Nothing was sent: without an e-mail address HubSpot knows nobody.")
        contact_id = remembered.id_of(CONTACT)
        if contact_id is None or not remembered.tells(CONTACT, story.revision):
            contact_id = yield from self._upsert(story, story.email)
            yield Made(CONTACT, contact_id, story.revision)
        note = self._objects("POST", "notes", self._note(story, contact_id))
        yield from noted(story, remembered, note, expect=_expect_success, id_at=("id",))

    def unsubscribe(self, email: str, access: Access | None) -> Steps:
        """From everything, or in a property of the customer's own."""
        if access is not None:
            yield from self._let_in(access).unsubscribe(email, None)
            return
        if self.opt_out_field is None:
            reply = yield self._call("POST", f"{STATUSES}/{quote(email, safe='')}/unsubscribe-all?channel=EMAIL", {})
            if reply.status == 400 and "already" in reply.text:
                return
        else:
            said = {"properties": {self.opt_out_field: "true"}}
            reply = yield self._objects("PATCH", f"contacts/{quote(email, safe='')}?idProperty=email", said)
        if reply.status == 404:
            raise Skipped(NOBODY_THERE)
        _expect_success(reply)

    def check(self) -> Steps:
        if (logging_in := self.log_in()) is not None:
            yield from self.check_let_in(Remembered(access=(yield from logged_in(logging_in))))
            return
        _expect_success((yield self._objects("GET", "contacts?limit=1")))

    def check_let_in(self, remembered: Remembered) -> Steps:
        assert remembered.access is not None
        return self._let_in(remembered.access).check()

    def pull(self, fields: Sequence[str], place: Place, access: Access | None) -> Steps:
        if access is not None:
            yield from self._let_in(access).pull(fields, place, None)
            return
        own = [name for name in fields if not name.startswith(self.of_company)]
        reply = yield self._objects("POST", "contacts/search", search([*own, COMPANY], place))
        _expect_success(reply)
        people = [_record(reply, at, [*own, CHANGED, COMPANY]) for at in range(len(reply.listed("results")))]
        asked = self.fields_of_company(fields)
        companies = (yield from self._companies(people, asked)) if asked else {}
        records = [Record(one.id, dict(one.fields) | companies.get(str(one.fields[COMPANY]), {})) for one in people]
        yield page_of(records, place)

    def pull_companies(self, fields: Sequence[str], place: Place, access: Access | None) -> Steps:
        if access is not None:
            yield from self._let_in(access).pull_companies(fields, place, None)
            return
        names = self.fields_of_company(fields)
        reply = yield self._objects("POST", "companies/search", search(names, place, changed=COMPANY_CHANGED))
        _expect_success(reply)
        asked = [*names, COMPANY_CHANGED]
        found = [_record(reply, at, asked) for at in range(len(reply.listed("results")))]
        yield page_of([self.as_of_people(one, names) for one in found], place, changed=COMPANY_CHANGED)

    def _let_in(self, access: Access) -> "HubSpot":
        """From here on, its token is like any other."""
        return replace(self, token=access.token)

    def _companies(
        self, people: Sequence[Record], names: Sequence[str]
    ) -> Generator[Call, Reply, dict[str, dict[str, Any]]]:
        """By their ids. Those that are gone are left out under a 207."""
        ids = sorted({str(one.fields[COMPANY]) for one in people if one.fields[COMPANY]})
        if not ids:
            return {}
        asked = {"properties": names, "inputs": [{"id": company_id} for company_id in ids]}
        reply = yield self._objects("POST", "companies/batch/read", asked)
        _expect_success(reply)
        found = range(len(reply.listed("results")))
        return {
            reply.needed("results", at, "id"): {
                f"{self.of_company}{name}": reply.member("results", at, "properties", name) for name in names
            }
            for at in found
        }

    def _upsert(self, story: Story, email: str) -> Generator[Call, Reply, str]:
        """The contact's id. Not `batch/upsert`, which is documented to be incomplete for contacts known by e-mail."""
        path = f"contacts/{quote(email, safe='')}?idProperty=email"
        reply = yield from self._with_properties("PATCH", path, self._properties(story))
        if reply.status == 404:
            reply = yield from self._with_properties("POST", "contacts", self._properties(story) | _person(story))
        if reply.status == 409 and (existing := EXISTING.search(reply.text)):  # under a second address of theirs
            reply = yield from self._with_properties("PATCH", f"contacts/{existing[1]}", self._properties(story))
        _expect_success(reply)
        return reply.needed("id")

    def _properties(self, story: Story) -> dict[str, str]:
        score = {} if story.background.is_overtaken else _score(story)
        return dict(mapped_fields(story, self.fields)) | score

    def _with_properties(self, method: str, path: str, properties: dict[str, str]) -> Generator[Call, Reply, Reply]:
        reply = yield self._objects(method, path, {"properties": properties})
        if reply.status == 400 and "PROPERTY_DOESNT_EXIST" in reply.text:
            for call in self._make_properties():
                made = yield call
                if made.status != 409:  # somebody else was quicker, or one of them was there
                    _expect_success(made)
            reply = yield self._objects(method, path, {"properties": properties})
        return reply

    def _make_properties(self) -> Iterator[Call]:
        place = f"/crm/properties/{VERSION}/contacts"
        yield self._call("POST", f"{place}/groups", {"name": "nps", "label": "Net Promoter"})
        for one in PROPERTIES:
            yield self._call("POST", place, {**one, "groupName": "nps"})

    def _note(self, story: Story, contact_id: str) -> dict[str, Any]:
        kind = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": NOTE_TO_CONTACT}
        return {
            "properties": {
                "hs_timestamp": instant_text(story.answered_at),
                "hs_note_body": wording.html(story, template=self.link, most=LINE),
            },
            "associations": [{"to": {"id": contact_id}, "types": [kind]}],
        }

    def _objects(self, method: str, path: str, body: Any = None) -> Call:
        return self._call(method, f"/crm/objects/{VERSION}/{path}", body)

    def _call(self, method: str, path: str, body: Any = None) -> Call:
        return Call(method, f"{self.base_url}{path}", body, {"authorization": f"Bearer {self.token}"})


def _record(reply: Reply, at: int, names: Sequence[str]) -> Record:
    place = "results", at, "properties"
    known = {name: reply.member(*place, name) for name in names}
    return Record(reply.needed("results", at, "id"), known)


def _score(story: Story) -> dict[str, str]:
    """Values are texts, numbers too. An emptied comment empties the property."""
    return {
        "nps_score": str(story.score),
        "nps_category": story.band.value,
        "nps_comment": wording.cut(story.comment or "", TEXT),
        "nps_last_responded_at": instant_text(story.answered_at),
    }


def _person(story: Story) -> dict[str, str]:
    first, last = story.names
    named = {"firstname": first, "lastname": last}
    return {"email": story.email or ""} | {name: value for name, value in named.items() if value}


def _expect_success(reply: Reply) -> None:
    """Of a 429, the body says which limit was hit; the header is not always there."""
    if reply.status == 429:
        is_daily = reply.member("policyName") == "DAILY"
        raise Failed(Failure.BAD_STATUS, wait_seconds=DAY_IS_USED_UP if is_daily else 10.0)
    expect_success(reply, {423: Failure.BAD_STATUS, 477: Failure.BAD_STATUS})  # locked; being moved
