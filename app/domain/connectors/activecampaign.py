"""ActiveCampaign: custom fields of the contact say how they scored last, and a note on it tells the story.

Custom fields have numbers that differ from account to account, so they are looked up by their personalisation tags.
Contacts are synchronised by e-mail address. A note whose reply was lost is written twice.
https://developers.activecampaign.com/reference/sync-a-contacts-data
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from app.domain.connectors import wording
from app.domain.connectors.field_mapping import a_mapping, mapped_fields
from app.domain.connectors.notes import noted
from app.domain.connectors.protocol import (
    EVERY_ANSWER,
    NOBODY_THERE,
    OPT_OUTS,
    Access,
    Call,
    Connector,
    Made,
    Remembered,
    Reply,
    Skipped,
    Steps,
    expect_success,
)
from app.domain.connectors.settings import a_base_url, a_link, a_token, setting
from app.domain.connectors.story import Story
from app.domain.webhooks.attempts import Failure

PAGE, MOST_PAGES = 100, 10  # custom fields; an account has some dozens
NOTE = 20_000  # characters
UNPAID = 402
UNSUBSCRIBED = 2  # its number for it
CONTACT = "contact"

Numbers = dict[str, str]  # tag → number


@dataclass(frozen=True)
class ActiveCampaign(Connector):
    kind = "activecampaign"
    per_second = 1  # of three requests, where five a second are what all programs of the account have
    usual_events = EVERY_ANSWER
    further_events = OPT_OUTS

    base_url: str = setting(a_base_url)
    api_token: str = setting(a_token, is_secret=True)
    fields: str | None = setting(a_mapping, default=None)
    link: str | None = setting(a_link, default=None)

    def tell(self, story: Story, remembered: Remembered) -> Steps:
        if not story.email:
            raise Skipped("Nothing was sent: without an e-mail address ActiveCampaign knows nobody.")
        contact_id = remembered.id_of(CONTACT)
        if contact_id is None or not remembered.tells(CONTACT, story.revision):
            contact = _contact(story, (yield from self._numbers()), mapping=self.fields)
            reply = yield self._call("POST", "contact/sync", {"contact": contact})
            _expect_success(reply)
            contact_id = str(reply.needed_number("contact", "id"))
            yield Made(CONTACT, contact_id, story.revision)
        said = wording.cut("\n".join(wording.lines(story, template=self.link)), NOTE)
        body = {"note": {"note": said, "relid": int(contact_id), "reltype": "Subscriber"}}
        note = self._call("POST", "notes", body)
        yield from noted(story, remembered, note, expect=_expect_success, id_at=("note", "id"))

    def unsubscribe(self, email: str, access: Access | None) -> Steps:  # noqa: ARG002 - has none
        """From every list they are on."""
        found = yield self._call("GET", f"contacts?email={quote(email, safe='')}")
        _expect_success(found)
        if not found.listed("contacts"):
            raise Skipped(NOBODY_THERE)
        contact_id = found.needed_number("contacts", 0, "id")
        lists = yield self._call("GET", f"contacts/{contact_id}/contactLists")
        _expect_success(lists)
        for at in range(len(lists.listed("contactLists"))):
            if lists.needed("contactLists", at, "status") != str(UNSUBSCRIBED):
                place = {"list": lists.needed_number("contactLists", at, "list"), "contact": contact_id}
                body = {"contactList": place | {"status": UNSUBSCRIBED}}
                _expect_success((yield self._call("POST", "contactLists", body)))

    def check(self) -> Steps:
        _expect_success((yield self._call("GET", "fields?limit=1")))

    def _numbers(self) -> Generator[Call, Reply, Numbers]:
        found: Numbers = {}
        for page in range(MOST_PAGES):
            reply = yield self._call("GET", f"fields?limit={PAGE}&offset={page * PAGE}")
            _expect_success(reply)
            listed = reply.listed("fields")
            for at in range(len(listed)):
                if tag := reply.word("fields", at, "perstag"):
                    found[tag.strip("%").upper()] = reply.needed("fields", at, "id")
            if len(listed) < PAGE:
                break
        return found

    def _call(self, method: str, path: str, body: Any = None) -> Call:
        return Call(method, f"{self.base_url}/api/3/{path}", body, {"api-token": self.api_token})


def _contact(story: Story, numbers: Numbers, *, mapping: str | None) -> dict[str, Any]:
    """Fields that nobody made are left out. Names are only given, never taken away."""
    first, last = story.names
    named = {"firstName": first, "lastName": last}
    said = {tag.upper(): text for tag, text in mapped_fields(story, mapping)} | dict(_values(story))
    values = [{"field": numbers[tag], "value": text} for tag, text in said.items() if tag in numbers]
    return {"email": story.email, "fieldValues": values} | {name: text for name, text in named.items() if text}


def _values(story: Story) -> Iterator[tuple[str, str]]:
    """Of the last answer; whoever changes an older one leaves it alone."""
    if not story.background.is_overtaken:
        yield "NPS_SCORE", str(story.score)
        yield "NPS_BAND", story.band.value


def _expect_success(reply: Reply) -> None:
    """A bill that was not paid says nothing about what was sent: it may be paid tomorrow."""
    expect_success(reply, {UNPAID: Failure.BAD_STATUS})
