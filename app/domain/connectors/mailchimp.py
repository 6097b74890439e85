"""Mailchimp: merge fields of the audience's member say how they scored last, and a note tells the story.

Members are named by the MD5 of their address. Nobody is subscribed by this: somebody new is added as transactional, and
the status of others is left alone. https://mailchimp.com/developer/marketing/api/list-members/add-or-update-list-member/
"""

import hashlib
from base64 import b64encode
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
    Failed,
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

NOTE = 1_000  # characters
SHUT_OUT_SECONDS = 120.0
MEMBER = "member"


@dataclass(frozen=True)
class Mailchimp(Connector):
    kind = "mailchimp"
    usual_events = EVERY_ANSWER
    further_events = OPT_OUTS

    base_url: str = setting(a_base_url)
    api_key: str = setting(a_token, is_secret=True)
    audience_id: str = setting(a_token)
    fields: str | None = setting(a_mapping, default=None)
    link: str | None = setting(a_link, default=None)

    def tell(self, story: Story, remembered: Remembered) -> Steps:
        if not story.email:
            raise Skipped("Nothing was sent: without an e-mail address Mailchimp knows nobody.")
        member, place = self._member(story.email)
        if not remembered.tells(MEMBER, story.revision):
            body = {
                "email_address": story.email,
                "status_if_new": "transactional",
                "merge_fields": dict(mapped_fields(story, self.fields)) | _score(story),
            }
            _expect_success((yield self._call("PUT", f"{place}?skip_merge_validation=true", body)))
            yield Made(MEMBER, member, story.revision)
        said = wording.cut("\n".join(wording.lines(story, template=self.link)), NOTE)
        note = self._call("POST", f"{place}/notes", {"note": said})
        yield from noted(story, remembered, note, expect=_expect_success, id_at=("id",))

    def unsubscribe(self, email: str, access: Access | None) -> Steps:  # noqa: ARG002 - has none
        """From this audience."""
        reply = yield self._call("PATCH", self._member(email)[1], {"status": "unsubscribed"})
        if reply.status == 404:
            raise Skipped(NOBODY_THERE)
        _expect_success(reply)

    def check(self) -> Steps:
        _expect_success((yield self._call("GET", f"/lists/{quote(self.audience_id, safe='')}?fields=id")))

    def _member(self, email: str) -> tuple[str, str]:
        """Their name there, and their place."""
        member = hashlib.md5(email.lower().encode(), usedforsecurity=False).hexdigest()
        return member, f"/lists/{quote(self.audience_id, safe='')}/members/{member}"

    def _call(self, method: str, path: str, body: Any = None) -> Call:
        login = b64encode(f"zeroten:{self.api_key}".encode()).decode()
        return Call(method, f"{self.base_url}/3.0{path}", body, {"authorization": f"Basic {login}"})


def _score(story: Story) -> dict[str, Any]:
    """Of the last answer; whoever changes an older one leaves it alone."""
    return {} if story.background.is_overtaken else {"NPSSCORE": story.score, "NPSBAND": story.band.value}


def _expect_success(reply: Reply) -> None:
    """More than ten requests at a time are refused by a 403 that is not JSON, which says nothing about the key."""
    if reply.status == 403 and reply.member("title") is None:
        raise Failed(Failure.BAD_STATUS, wait_seconds=SHUT_OUT_SECONDS)
    expect_success(reply)
