"""Salesforce: a Task or a Case for an answer, upserted by an external id, so that repeating and changing it are one.

Logs in by client credentials of an External Client App, or with what somebody granted it; both need the host of My
Domain. Neither addresses nor names
stand in a path: one that ends in `.inc` is not found there. Refusals are a list, and the daily limit is a 403.
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_upsert.htm
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from app.domain.connectors import wording
from app.domain.connectors.authorization import Code, Consent
from app.domain.connectors.code_flow import exchanged, refreshed
from app.domain.connectors.companies import ReadsCompanies
from app.domain.connectors.field_mapping import a_mapping, mapped_values
from app.domain.connectors.pages import Place, Record
from app.domain.connectors.pages_by_instant import page_by_instant
from app.domain.connectors.protocol import (
    NOBODY_THERE,
    OPT_OUTS,
    TOKEN,
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
from app.domain.connectors.settings import a_base_url, a_field_name, a_link, a_text, a_token, one_of, setting
from app.domain.connectors.story import Story
from app.domain.webhooks.attempts import Failure

VERSION = "v68.0"
TOKENS, SCOPES = "/services/oauth2/token", "api refresh_token"
ACCESS_SECONDS = 900.0  # it does not say how long; sessions last two hours unless somebody chose less
LIMIT_IS_USED_UP = 3_600.0  # seconds; it counts the last 24 hours
SUBJECT, DESCRIPTION = 255, 30_000  # characters
PASSING = frozenset({"UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "QUERY_TIMEOUT", "UNKNOWN_EXCEPTION"})
CONTACT, NO_RECORD = "contact", "none"
MOST_CONTACTS = 20  # with one address
AT_ONCE, CHANGED = 200, "SystemModstamp"
OPEN_FOR = timedelta(minutes=10)  # a transaction there shows when it ends, with the instants of when it wrote


@dataclass(frozen=True)
class Salesforce(ReadsCompanies):
    kind = "salesforce"
    company_id, of_company = "AccountId", "Account."
    per_second = 5
    usual_events = ("response.detractor",)
    further_events = OPT_OUTS
    overlap = OPEN_FOR
    pulled_fields = MappingProxyType({
        "Email": "email", "Name": "name", "AccountId": "account.external_id", "Account.Name": "account.name",
        "HasOptedOutOfEmail": "unsubscribed",
    })  # fmt: skip

    base_url: str = setting(a_base_url)
    client_id: str = setting(a_token)
    client_secret: str = setting(a_token, is_secret=True)
    refresh_token: str | None = setting(a_token, is_secret=True, default=None)
    record: str = setting(one_of("Task", "Case", "none"), default="Task")
    external_id_field: str = setting(a_field_name, default="NPS_Response_Id__c")
    priority: str = setting(a_text, default="Normal")
    fields: str | None = setting(a_mapping, default=None)
    opt_out_field: str = setting(a_field_name, default="HasOptedOutOfEmail")
    link: str | None = setting(a_link, default=None)

    def consent_url(self, consent: Consent) -> str:
        said = {"client_id": self.client_id, "scope": SCOPES, **consent.challenge}
        return consent.url(f"{self.base_url}/services/oauth2/authorize", **said)

    def exchange(self, code: Code) -> Steps:
        form = code.form(client_id=self.client_id, client_secret=self.client_secret)
        return exchanged(f"{self.base_url}{TOKENS}", {**form, "code_verifier": code.verifier})

    def log_in(self) -> Steps:
        """As the app's own user, unless somebody granted access as themselves."""
        app = {"client_id": self.client_id, "client_secret": self.client_secret}
        if self.refresh_token is not None:
            form = {**app, "refresh_token": self.refresh_token}
            return refreshed(f"{self.base_url}{TOKENS}", form, base_url=None, seconds=ACCESS_SECONDS)
        return self._log_in({"grant_type": "client_credentials", **app})

    def _log_in(self, form: dict[str, str]) -> Steps:
        reply = yield Call("POST", f"{self.base_url}{TOKENS}", form=form)
        if reply.status in {400, 401}:  # such as invalid_client, or no user to run as
            raise Failed(Failure.UNAUTHORIZED)
        _expect_success(reply)
        yield Access(reply.needed("access_token", like=TOKEN), reply.needed_url("instance_url"), ACCESS_SECONDS)

    def check(self) -> Steps:
        """A log-in, and whether the record has our field."""
        yield from self.check_let_in(Remembered(access=(yield from logged_in(self.log_in()))))

    def check_let_in(self, remembered: Remembered) -> Steps:
        access = remembered.access
        assert access is not None
        asked = "Id FROM Contact" if self.record == NO_RECORD else f"Id, {self.external_id_field} FROM {self.record}"
        query = f"SELECT {asked} LIMIT 1"
        _expect_success((yield _call(access, "GET", f"query?q={quote(query, safe='')}")))

    def tell(self, story: Story, remembered: Remembered) -> Steps:
        if not story.email:
            raise Skipped("Nothing was sent: without an e-mail address Salesforce knows nobody.")
        if remembered.tells(self.record, story.revision):
            return
        access = remembered.access
        assert access is not None
        contact_id = remembered.id_of(CONTACT)
        if contact_id is None:
            contact_id = yield from _find_or_create(access, story, story.email)
            yield Made(CONTACT, contact_id, story.revision)
        if fields := dict(mapped_values(story, self.fields)):
            path = f"sobjects/Contact/{quote(contact_id, safe='')}"
            _expect_success((yield _call(access, "PATCH", path, fields)))
        if self.record == NO_RECORD:
            yield Made(self.record, contact_id, story.revision)
            return
        path = f"sobjects/{self.record}/{self.external_id_field}/{story.response_id}"
        told = wording.with_its_past(story) if remembered.id_of(self.record) else story
        _expect_success((yield _call(access, "PATCH", path, self._record(told, contact_id))))
        yield Made(self.record, story.response_id, story.revision)

    def pull(self, fields: Sequence[str], place: Place, access: Access | None) -> Steps:
        """An instant has whole seconds there, so records of the same one are told apart by their ids."""
        assert access is not None
        records = yield from _changed("Contact", fields, place, access)
        yield page_by_instant(records, place, changed=CHANGED, at_once=AT_ONCE)

    def pull_companies(self, fields: Sequence[str], place: Place, access: Access | None) -> Steps:
        assert access is not None
        names = self.fields_of_company(fields)
        records = [self.as_of_people(one, names) for one in (yield from _changed("Account", names, place, access))]
        yield page_by_instant(records, place, changed=CHANGED, at_once=AT_ONCE)

    def unsubscribe(self, email: str, access: Access | None) -> Steps:
        """Everybody with this address: one contact too few would be asked."""
        assert access is not None
        query = f"SELECT Id FROM Contact WHERE Email = '{_quoted(email)}' LIMIT {MOST_CONTACTS}"
        found = yield _call(access, "GET", f"query?q={quote(query, safe='')}")
        _expect_success(found)
        if not found.listed("records"):
            raise Skipped(NOBODY_THERE)
        for at in range(len(found.listed("records"))):
            path = f"sobjects/Contact/{quote(found.needed('records', at, 'Id'), safe='')}"
            _expect_success((yield _call(access, "PATCH", path, {self.opt_out_field: True})))

    def _record(self, story: Story, contact_id: str) -> dict[str, Any]:
        said = "\n".join(wording.lines(story, template=self.link))
        common = {
            "Subject": wording.cut(wording.summary(story), SUBJECT),
            "Description": wording.cut(said, DESCRIPTION),
            "Priority": self.priority,
        }
        return common | ({"WhoId": contact_id} if self.record == "Task" else {"ContactId": contact_id, "Origin": "Web"})


def _find_or_create(access: Access, story: Story, email: str) -> Generator[Call, Reply, str]:
    query = f"SELECT Id FROM Contact WHERE Email = '{_quoted(email)}' ORDER BY CreatedDate LIMIT 1"
    reply = yield _call(access, "GET", f"query?q={quote(query, safe='')}")
    _expect_success(reply)
    if reply.listed("records"):
        return reply.needed("records", 0, "Id")
    first, last = story.names
    person = {"Email": email, "LastName": last or story.who} | ({"FirstName": first} if last else {})
    reply = yield _call(access, "POST", "sobjects/Contact", person)
    _expect_success(reply)
    return reply.needed("id")


def _changed(table: str, names: Sequence[str], place: Place, access: Access) -> Generator[Call, Reply, list[Record]]:
    columns = ", ".join(dict.fromkeys(("Id", CHANGED, *names)))
    query = f"SELECT {columns} FROM {table}{_where(place)} ORDER BY {CHANGED}, Id LIMIT {AT_ONCE}"
    reply = yield _call(access, "GET", f"query?q={quote(query, safe='')}")
    _expect_success(reply)
    return [_record(reply, at, names) for at in range(len(reply.listed("records")))]


def _where(place: Place) -> str:
    if place.since is None:
        return ""
    since = f"{place.since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    if not place.after:
        return f" WHERE {CHANGED} >= {since}"
    return f" WHERE {CHANGED} > {since} OR ({CHANGED} = {since} AND Id > '{_quoted(place.after)}')"


def _record(reply: Reply, at: int, names: Sequence[str]) -> Record:
    """`Account.Name` stands in an object of its own, which is missing where there is no account."""
    known = {name: reply.member("records", at, *name.split(".")) for name in (*names, CHANGED)}
    return Record(reply.needed("records", at, "Id"), known)


def _quoted(text: str) -> str:
    """For a text in SOQL."""
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _call(access: Access, method: str, path: str, body: Any = None) -> Call:
    place = f"{access.base_url}/services/data/{VERSION}/{path}"
    return Call(method, place, body, {"authorization": f"Bearer {access.token}"})


def _expect_success(reply: Reply) -> None:
    code = reply.word(0, "errorCode")
    if code == "REQUEST_LIMIT_EXCEEDED":
        raise Failed(Failure.BAD_STATUS, wait_seconds=LIMIT_IS_USED_UP)
    if code in PASSING:
        raise Failed(Failure.BAD_STATUS)
    if reply.status == 300:  # several records have this external id
        raise Failed(Failure.REJECTED)
    expect_success(reply, {403: Failure.REJECTED} if code else None)  # the user may log in, but not do this
