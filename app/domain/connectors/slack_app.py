"""Slack, by an app with a bot token: what was said can be changed later. Refusals come under a 200 as `ok: false`.

https://docs.slack.dev/reference/methods/chat.postMessage
"""

from dataclasses import dataclass
from typing import Any

from app.domain.connectors import wording
from app.domain.connectors.protocol import (
    FOLLOWED_UP,
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
from app.domain.connectors.settings import a_base_url, a_link, a_text, a_token, setting
from app.domain.connectors.slack import greeting, message_of
from app.domain.connectors.story import Story
from app.domain.webhooks.attempts import Failure

MESSAGE = "message"
NO_MESSAGE = "Nothing was sent: no message is known about this answer."

REFUSED = frozenset({
    "invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "missing_scope",
    "no_permission", "org_login_required", "ekm_access_denied", "access_denied",
})  # fmt: skip
NOT_THERE = frozenset({"channel_not_found", "is_archived", "not_in_channel", "restricted_action"})
CANNOT_CHANGE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
PASSING = frozenset({
    "ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout",
    "message_limit_exceeded", "team_added_to_org",
})  # fmt: skip


@dataclass(frozen=True)
class SlackApp(Connector):
    kind = "slack_app"
    per_second = 1
    further_events = frozenset({FOLLOWED_UP})

    token: str = setting(a_token, is_secret=True)
    channel: str = setting(a_text)
    base_url: str = setting(a_base_url, default="https://slack.com/api")
    signing_secret: str | None = setting(a_token, is_secret=True, default=None)
    link: str | None = setting(a_link, default=None)

    def tell(self, story: Story, remembered: Remembered) -> Steps:
        is_followed_up = story.event_type == FOLLOWED_UP
        if remembered.tells(MESSAGE, story.revision) and not is_followed_up:
            return
        known = remembered.id_of(MESSAGE)
        if is_followed_up and known is None:
            raise Skipped(NO_MESSAGE)
        told = wording.with_its_past(story) if known else story
        message = message_of(told, link=self.link, has_buttons=self.signing_secret is not None)
        if known:
            channel, _, at = known.partition(" ")
            reply = yield self._call("chat.update", {**message, "channel": channel, "ts": at})
            if reply.word("error") not in CANNOT_CHANGE:
                _expect_ok(reply)
                yield Made(MESSAGE, known, story.revision)
                return
        reply = yield self._call("chat.postMessage", {**message, "channel": self.channel, "unfurl_links": False})
        _expect_ok(reply)
        yield Made(MESSAGE, f"{reply.needed('channel')} {reply.needed('ts')}", story.revision)

    def check(self) -> Steps:
        _expect_ok((yield self._call("auth.test", {})))

    def test(self) -> Steps:
        _expect_ok((yield self._call("chat.postMessage", {**greeting(), "channel": self.channel})))

    def _call(self, method: str, body: dict[str, Any]) -> Call:
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json; charset=utf-8"}
        return Call("POST", f"{self.base_url}/{method}", body, headers)


def _expect_ok(reply: Reply) -> None:
    expect_success(reply)
    if reply.member("ok") is True:
        return
    error = reply.word("error")
    if error in REFUSED:
        raise Failed(Failure.UNAUTHORIZED)
    if error in NOT_THERE:
        raise Failed(Failure.NOT_THERE)
    raise Failed(Failure.ERROR_IN_BODY if error in PASSING or error is None else Failure.REJECTED)
