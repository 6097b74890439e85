"""Zoho CRM: the contact is upserted by e-mail address, and a note on it tells the story.

Each data centre has its own host for logging in, and the answer to that names the host of the API. Rows are judged one
by one under a 200. A note whose reply was lost is written twice. https://www.zoho.com/crm/developer/docs/api/v8/
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from app.domain.connectors import wording
from app.domain.connectors.authorization import Code, Consent
from app.domain.connectors.code_flow import exchanged
from app.domain.connectors.companies import ReadsCompanies
from app.domain.connectors.field_mapping import a_mapping, mapped_values
from app.domain.connectors.notes import noted
from app.domain.connectors.pages import Place, Record
from app.domain.connectors.pages_by_instant import page_by_instant
from app.domain.connectors.protocol import (
    EVERY_ANSWER,
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
    usable_seconds,
)
from app.domain.connectors.settings import a_base_url, a_field_name, a_link, a_token, setting
from app.domain.connectors.story import Story
from app.domain.webhooks.attempts import Failure

VERSION = "v8"
SCOPES = "ZohoCRM.modules.ALL,ZohoCRM.coql.READ"
ACCOUNTS_SERVERS = frozenset(
    f"https://accounts.{place}"
    for place in (
        "zoho.com", "zoho.eu", "zoho.in", "zoho.com.au", "zoho.com.cn", "zoho.jp", "zoho.uk", "zoho.sa", "zoho.ae",
        "zohocloud.ca",
    )
)  # fmt: skip
USUAL_SECONDS, EARLY_SECONDS = 3_600.0, 300.0  # how long a token holds; before it ends
TOO_MANY_LOG_INS = 600.0  # seconds; ten tokens in ten minutes is what there is
TITLE, CONTENT = 120, 30_000  # characters
CONTACT = "contact"
AT_ONCE, CHANGED = 200, "Modified_Time"
MOST_CONTACTS = 20  # with one address


@dataclass(frozen=True)
class Zoho(ReadsCompanies):
    kind = "zoho"
    company_id, of_company = "Account_Name.id", "Account_Name."
    address = "accounts_url"
    usual_events = EVERY_ANSWER
    further_events = OPT_OUTS
    overlap = timedelta(minutes=5)
    pulled_fields = MappingProxyType({
        "Email": "email", "First_Name": "name", "Last_Name": "name", "Account_Name.id": "account.external_id",
        "Account_Name.Account_Name": "account.name", "Email_Opt_Out": "unsubscribed",
    })  # fmt: skip

    client_id: str = setting(a_token)
    client_secret: str = setting(a_token, is_secret=True)
    refresh_token: str = setting(a_token, is_secret=True)
    accounts_url: str = setting(a_base_url, default="https://accounts.zoho.com")
    fields: str | None = setting(a_mapping, default=None)
    opt_out_field: str = setting(a_field_name, default="Email_Opt_Out")
    link: str | None = setting(a_link, default=None)

    def consent_url(self, consent: Consent) -> str:
        """Without `prompt`, a refresh token is given the first time only."""
        said = {"client_id": self.client_id, "scope": SCOPES, "access_type": "offline", "prompt": "consent"}
        return consent.url(f"{self.accounts_url}/oauth/v2/auth", **said)

    def exchange(self, code: Code) -> Steps:
        form = code.form(client_id=self.client_id, client_secret=self.client_secret)
        return exchanged(f"{self.accounts_url}/oauth/v2/token", form)

    def going_on_at(self, server: str) -> "Zoho | None":
        """In which data centre somebody is shows when they come back."""
        if server != self.accounts_url and server not in ACCOUNTS_SERVERS:
            return None
        return replace(self, accounts_url=server)

    def log_in(self) -> Steps:
        """It says what is wrong under a 200."""
        form = {
            "grant_type": "refresh_token", "refresh_token": self.refresh_token,
            "client_id": self.client_id, "client_secret": self.client_secret,
        }  # fmt: skip
        reply = yield Call("POST", f"{self.accounts_url}/oauth/v2/token", form=form)
        if reply.member("error") == "Access Denied":
            raise Failed(Failure.BAD_STATUS, wait_seconds=TOO_MANY_LOG_INS)
        if reply.member("error"):
            raise Failed(Failure.UNAUTHORIZED)
        expect_success(reply)
        seconds = (usable_seconds(reply.member("expires_in")) or USUAL_SECONDS) - EARLY_SECONDS
        yield Access(reply.needed("access_token", like=TOKEN), reply.needed_url("api_domain"), seconds)

    def check(self) -> Steps:
        yield from self.check_let_in(Remembered(access=(yield from logged_in(self.log_in()))))

    def check_let_in(self, remembered: Remembered) -> Steps:
        access = remembered.access
        assert access is not None
        reply = yield _call(access, "GET", "Contacts?fields=Email&per_page=1")
        if reply.status != 204:  # nobody is there yet
            _expect_success(reply)

    def pull(self, fields: Sequence[str], place: Place, access: Access | None) -> Steps:
        """By its query language, the only way to read the account along. Needs the scope ZohoCRM.coql.READ."""
        assert access is not None
        records = yield from _changed("Contacts", fields, place, access)
        yield page_by_instant(records, place, changed=CHANGED, at_once=AT_ONCE)

    def pull_companies(self, fields: Sequence[str], place: Place, access: Access | None) -> Steps:
        assert access is not None
        names = self.fields_of_company(fields)
        records = [self.as_of_people(one, names) for one in (yield from _changed("Accounts", names, place, access))]
        yield page_by_instant(records, place, changed=CHANGED, at_once=AT_ONCE)

    def tell(self, story: Story, remembered: Remembered) -> Steps:
        if not story.email:
            raise Skipped("Nothing was sent: without an e-mail address Zoho knows nobody.")
        access = remembered.access
        assert access is not None
        contact_id = remembered.id_of(CONTACT)
        if contact_id is None or (self.fields and not remembered.tells(CONTACT, story.revision)):
            contact_id = yield from _upsert(access, story, dict(mapped_values(story, self.fields)))
            yield Made(CONTACT, contact_id, story.revision)
        note = _call(access, "POST", f"Contacts/{quote(contact_id, safe='')}/Notes", {"data": [self._note(story)]})
        yield from noted(story, remembered, note, expect=_expect_success, id_at=("data", 0, "details", "id"))

    def unsubscribe(self, email: str, access: Access | None) -> Steps:
        """Everybody with this address."""
        assert access is not None
        query = f"select id from Contacts where Email = '{_quoted(email)}' limit {MOST_CONTACTS}"
        found = yield _call(access, "POST", "coql", {"select_query": query})
        _expect_success(found)
        if found.status == 204:
            raise Skipped(NOBODY_THERE)
        ids = [found.needed("data", at, "id") for at in range(len(found.listed("data")))]
        rows = [{"id": contact_id, self.opt_out_field: True} for contact_id in ids]
        _expect_success((yield _call(access, "PUT", "Contacts", {"data": rows, "trigger": []})))

    def _note(self, story: Story) -> dict[str, str]:
        said = "\n".join(wording.lines(story, template=self.link))
        return {
            "Note_Title": wording.cut(wording.headline(story), TITLE),
            "Note_Content": wording.cut(said, CONTENT),
        }


def _changed(module: str, names: Sequence[str], place: Place, access: Access) -> Generator[Call, Reply, list[Record]]:
    columns = ", ".join(dict.fromkeys((CHANGED, *names)))
    order = f"order by {CHANGED} asc, id asc limit {AT_ONCE}"
    query = f"select {columns} from {module} where {_where(place)} {order}"
    reply = yield _call(access, "POST", "coql", {"select_query": query})
    _expect_success(reply)
    found = [] if reply.status == 204 else reply.listed("data")
    return [_record(reply, at, names) for at in range(len(found))]


def _where(place: Place) -> str:
    """Without a condition there is no query. More than two have to be put in pairs of brackets."""
    if place.since is None:
        return "id > 0"
    since = f"'{place.since.isoformat(timespec='seconds')}'"
    if not place.after:
        return f"{CHANGED} >= {since}"
    return f"({CHANGED} > {since} or ({CHANGED} = {since} and id > {int(place.after)}))"


def _record(reply: Reply, at: int, names: Sequence[str]) -> Record:
    """Fields of another record stand under both their names: `Account_Name.Phone`."""
    known = {name: reply.member("data", at, name) for name in (*names, CHANGED)}
    return Record(str(reply.needed_number("data", at, "id")), known)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "''")


def _upsert(access: Access, story: Story, fields: dict[str, Any]) -> Generator[Call, Reply, str]:
    """Without triggers, which could write to people."""
    first, last = story.names
    row = fields | {"Email": story.email, "Last_Name": last or story.who} | ({"First_Name": first} if last else {})
    body = {"data": [row], "duplicate_check_fields": ["Email"], "trigger": []}
    reply = yield _call(access, "POST", "Contacts/upsert", body)
    _expect_success(reply)
    return reply.needed("data", 0, "details", "id")


def _call(access: Access, method: str, path: str, body: Any = None) -> Call:
    place = f"{access.base_url}/crm/{VERSION}/{path}"
    return Call(method, place, body, {"authorization": f"Zoho-oauthtoken {access.token}"})


def _expect_success(reply: Reply) -> None:
    expect_success(reply)
    if reply.word("data", 0, "code") not in {None, "SUCCESS"}:
        raise Failed(Failure.REJECTED)
