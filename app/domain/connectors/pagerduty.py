"""PagerDuty: an alert for an answer that needs somebody now, resolved when the answer moves out of the detractors.

Told of who looks after answers, it is acknowledged when somebody takes the answer on, and resolved when it is done.

The response's id is the `dedup_key`, so whatever is repeated is one alert.
https://developer.pagerduty.com/docs/send-alert-event
"""

from dataclasses import dataclass
from typing import Any

from app.domain.connectors import wording
from app.domain.connectors.protocol import (
    FOLLOWED_UP,
    Call,
    Connector,
    Made,
    Remembered,
    Reply,
    Skipped,
    Steps,
    expect_success,
)
from app.domain.connectors.settings import a_base_url, a_link, a_token, one_of, setting
from app.domain.connectors.story import Story
from app.domain.follow_up import FollowUpState
from app.domain.webhooks.attempts import Failure
from app.domain.webhooks.payload import instant_text

SUMMARY, DETAIL = 1_024, 10_000  # characters
ALERT = "alert"
NO_ALERT = "Nothing was sent: no alert is known about this answer."


@dataclass(frozen=True)
class PagerDuty(Connector):
    kind = "pagerduty"
    usual_events = ("response.detractor",)
    further_events = frozenset({FOLLOWED_UP})

    routing_key: str = setting(a_token, is_secret=True)
    base_url: str = setting(a_base_url, default="https://events.pagerduty.com")
    severity: str = setting(one_of("critical", "error", "warning", "info"), default="warning")
    link: str | None = setting(a_link, default=None)

    def tell(self, story: Story, remembered: Remembered) -> Steps:
        if story.event_type == FOLLOWED_UP:
            yield from self._follow(story, remembered)
            return
        if remembered.tells(ALERT, story.revision):
            return
        if story.is_over and remembered.id_of(ALERT) is None:
            return  # nobody was woken
        asked = {"event_action": "resolve"} if story.is_over else self._trigger(story)
        _expect_taken((yield self._call({**asked, "dedup_key": story.response_id})))
        yield Made(ALERT, story.response_id, story.revision)

    def _follow(self, story: Story, remembered: Remembered) -> Steps:
        """Acknowledging what is resolved is ignored there."""
        follow_up, known = story.background.follow_up, remembered.id_of(ALERT)
        if follow_up is None or known is None:
            raise Skipped(NO_ALERT)
        action = "resolve" if follow_up.state is FollowUpState.RESOLVED else "acknowledge"
        _expect_taken((yield self._call({"event_action": action, "dedup_key": known})))

    def check(self) -> Steps:
        """Resolving what was never triggered changes nothing, but tells whether the key is good."""
        _expect_taken((yield self._call({"event_action": "resolve", "dedup_key": "zeroten-check"})))

    def test(self) -> Steps:
        payload = {"summary": wording.TEST_TITLE, "source": "Zeroten", "severity": "info"}
        for action in ("trigger", "resolve"):
            asked = {"event_action": action, "dedup_key": "zeroten-test", "payload": payload}
            _expect_taken((yield self._call(asked)))

    def _trigger(self, story: Story) -> dict[str, Any]:
        details = {label: wording.cut(text, DETAIL) for label, text in wording.facts(story)}
        if story.comment:
            details["Comment"] = wording.cut(story.comment, DETAIL)
        asked: dict[str, Any] = {
            "event_action": "trigger",
            "client": "Zeroten",
            "payload": {
                "summary": wording.cut(wording.summary(story), SUMMARY),
                "source": wording.cut(story.campaign, SUMMARY),
                "severity": self.severity,
                "timestamp": instant_text(story.answered_at),
                "class": story.band.value,
                "custom_details": details,
            },
        }
        if url := wording.link(story, self.link):
            asked["links"] = [{"href": url, "text": "Follow up"}]
        return asked

    def _call(self, asked: dict[str, Any]) -> Call:
        return Call("POST", f"{self.base_url}/v2/enqueue", {"routing_key": self.routing_key, **asked})


def _expect_taken(reply: Reply) -> None:
    """A bad key is a 400 like any other; only its message tells."""
    if reply.status == 400 and "routing" in reply.text.lower():
        expect_success(reply, {400: Failure.UNAUTHORIZED})
    expect_success(reply, {403: Failure.BAD_STATUS})  # how it used to say that there is too much
