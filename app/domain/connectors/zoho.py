"""Zoho CRM: the contact is upserted by e-mail address, and a note on it tells the story.

Each data centre has its own host for logging in, and the answer to that names the host of the API. Rows are judged one
by one under a 200. A note whose reply was lost is written twice. https://www.zoho.com/crm/developer/docs/api/v8/
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from app.domain.attempts import Failure
from app.domain.connectors import wording
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
    Skipped,
    Steps,
    expect_success,
    logged_in,
    usable_seconds,
)
from app.domain.connectors.settings import a_base_url, a_link, a_token, setting
from app.domain.connectors.story import Story

VERSION = "v8"
USUAL_SECONDS, EARLY_SECONDS = 3_600.0, 300.0  # how long a token holds; before it ends
TOO_MANY_LOG_INS = 600.0  # seconds; ten tokens in ten minutes is what there is
TITLE, CONTENT = 120, 30_000  # characters
CONTACT = "contact"


@dataclass(frozen=True)
class Zoho(Connector):
    kind = "zoho"
    address = "accounts_url"
    usual_events = EVERY_ANSWER

    client_id: str = setting(a_token)
    client_secret: str = setting(a_token, is_secret=True)
    refresh_token: str = setting(a_token, is_secret=True)
    accounts_url: str = setting(a_base_url, default="https://accounts.zoho.com")
    link: str | None = setting(a_link, default=None)

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
        access = yield from logged_in(self.log_in())
        reply = yield _call(access, "GET", "Contacts?fields=Email&per_page=1")
        if reply.status != 204:  # nobody is there yet
            _expect_success(reply)

    def tell(self, story: Story, remembered: Remembered) -> Steps:
        if not story.email:
            raise Skipped("Nothing was sent: without an e-mail address Zoho knows nobody.")
        access, note = remembered.access, f"note {story.event_id}"
        assert access is not None
        contact_id = remembered.id_of(CONTACT)
        if contact_id is None:
            contact_id = yield from _upsert(access, story)
            yield Made(CONTACT, contact_id, story.revision)
        if remembered.id_of(note) is None:
            said = "\n".join(wording.lines(story, template=self.link))
            row = {
                "Note_Title": wording.cut(wording.headline(story), TITLE),
                "Note_Content": wording.cut(said, CONTENT),
            }
            reply = yield _call(access, "POST", f"Contacts/{quote(contact_id, safe='')}/Notes", {"data": [row]})
            _expect_success(reply)
            yield Made(note, reply.needed("data", 0, "details", "id"), story.revision)


def _upsert(access: Access, story: Story) -> Generator[Call, Reply, str]:
    """Without triggers, which could write to people."""
    first, last = story.names
    row = {"Email": story.email, "Last_Name": last or story.who} | ({"First_Name": first} if last else {})
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
