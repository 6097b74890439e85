"""Buttons in Slack in the whole: pressed over HTTP, kept in a table, and the message changed by a worker."""

import hmac
import json
import time
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from app.domain.webhooks.slack_request import ASSIGN, RESOLVE
from tests.builders import a_campaign
from tests.conftest import client
from tests.outbound.connectors.service import Asked, Said, Service, at
from tests.workers.scene import Scene, until

PLACE = "/v1/webhook-endpoints"
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


class FakeSlackApp(Service):
    def __init__(self) -> None:
        super().__init__()
        self.messages: dict[str, Any] = {}

    def reply(self, asked: Asked) -> Said:
        if asked.path == "/chat.postMessage":
            at = f"17000000{len(self.messages)}.0001"
            self.messages[at] = asked.json
            return Said.of(200, {"ok": True, "channel": "C1", "ts": at})
        if asked.path == "/chat.update":
            if asked.json["ts"] not in self.messages:
                return Said.of(200, {"ok": False, "error": "message_not_found"})
            self.messages[asked.json["ts"]] = asked.json
        return Said.of(200, {"ok": True})

    def shows(self) -> str:
        (message,) = self.messages.values()
        return json.dumps(message)


async def press(
    scene: Scene, endpoint: dict[str, Any], response_id: str, action: str, *, by: str = "olga", **changes: Any
) -> httpx.Response:
    """As Slack sends it; `changes` of what is signed with."""
    now = changes.get("now", time.time())
    payload = {
        "type": "block_actions", "user": {"id": "U1", "name": by},
        "actions": [{"action_id": action, "value": response_id, "action_ts": f"{changes.get('pressed_at', now):.6f}"}],
    }  # fmt: skip
    body = urlencode({"payload": json.dumps(payload)}).encode()
    secret, timestamp = changes.get("secret", SECRET), str(int(now))
    signature = hmac.digest(secret.encode(), f"v0:{timestamp}:".encode() + body, "sha256").hex()
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "x-slack-request-timestamp": timestamp, "x-slack-signature": f"v0={signature}",
    }  # fmt: skip
    workspace = changes.get("workspace", f"ws_{scene.tenant.workspace_id.hex}")
    asked = changes.get("ep", endpoint["id"])
    async with client(scene.app) as slack:
        slack.event_hooks = {}
        path = f"/inbound/slack/{workspace}/{asked}"
        return await slack.post(path, content=body, headers=headers)


async def connected(scene: Scene, slack: Service, **settings: Any) -> dict[str, Any]:
    given = {"token": "xoxb", "channel": "C1", "base_url": slack.url, "signing_secret": SECRET, **settings}
    return await scene.post(
        PLACE, kind="slack_app", settings=given, delay_seconds=0, event_types=["response.detractor"]
    )


async def a_message(scene: Scene, endpoint: dict[str, Any]) -> str:
    """The answer that it is about."""
    campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
    answer = await scene.answer(campaign, score=3, comment="Slow.", recipient={"email": "ada@example.com"})
    await scene.settled(endpoint, 2)
    return str(answer["id"])


async def follow_up(scene: Scene, response_id: str) -> tuple[Any, ...]:
    found = await scene.get(f"/v1/responses/{response_id}/follow-up")
    return found["state"], found["owner"], found["changed_by"], found["revision"]


async def test_a_button_says_who_looks_after_it_and_another_that_it_is_done(scene: Scene) -> None:
    async with at(FakeSlackApp()) as slack:
        assert isinstance(slack, FakeSlackApp)
        endpoint = await connected(scene, slack)
        scene.work()
        answer = await a_message(scene, endpoint)
        assert await follow_up(scene, answer) == ("open", None, None, 0)
        assert "Assign to me" in slack.shows()
        assert (await press(scene, endpoint, answer, ASSIGN)).status_code == 200
        await scene.settled(endpoint, 3)
        assert "olga looks after this" in slack.shows()
        assert "Resolved" in slack.shows()
        assert await follow_up(scene, answer) == ("assigned", "olga", "olga", 1)
        assert (await press(scene, endpoint, answer, RESOLVE, by="piet")).status_code == 200
        await scene.settled(endpoint, 4)
        assert "Resolved by piet" in slack.shows()
        assert "Assign to me" not in slack.shows()
        assert "Slow." in slack.shows()
    assert await follow_up(scene, answer) == ("resolved", "olga", "piet", 2)
    (event, *_) = (await scene.get("/v1/events", type="response.followed_up"))["data"]
    assert event["data"]["response"]["score"] == 3
    assert "ada@example.com" not in json.dumps(event)


async def test_a_change_of_the_answer_keeps_what_was_said_about_it(scene: Scene) -> None:
    async with at(FakeSlackApp()) as slack:
        assert isinstance(slack, FakeSlackApp)
        endpoint = await connected(scene, slack)
        scene.work()
        answer = await a_message(scene, endpoint)
        await press(scene, endpoint, answer, ASSIGN)
        await scene.settled(endpoint, 3)
        await scene.tenant.api.patch(f"/v1/responses/{answer}", json={"score": 9})
        await scene.settled(endpoint, 4)
        assert "olga looks after this" in slack.shows()
        assert "Was 3, now 9" in slack.shows()
        await press(scene, endpoint, answer, RESOLVE)
        await scene.settled(endpoint, 5)
        assert "Resolved by olga" in slack.shows()
        assert "Was 3, now 9" in slack.shows()
        await scene.tenant.api.patch(f"/v1/responses/{answer}", json={"comment": "Better."})
        changed = {"event_types": ["response.updated"]}
        assert (await scene.tenant.api.patch(f"{PLACE}/{endpoint['id']}", json=changed)).status_code == 200
        await scene.tenant.api.patch(f"/v1/responses/{answer}", json={"comment": "Best."})
        await scene.settled(endpoint, 6)
        assert "Best." in slack.shows()
        assert "Was 3, now 9" in slack.shows()


async def test_whoever_has_a_key_says_it_as_well_and_the_message_shows_it(scene: Scene) -> None:
    async with at(FakeSlackApp()) as slack:
        assert isinstance(slack, FakeSlackApp)
        endpoint = await connected(scene, slack)
        scene.work()
        answer = await a_message(scene, endpoint)
        place = f"/v1/responses/{answer}/follow-up"
        said = [await scene.tenant.api.put(place, json={"state": "assigned", "by": "piet"}) for _ in range(2)]
        await scene.settled(endpoint, 3)
        assert "piet looks after this" in slack.shows()
        done = await scene.tenant.api.put(place, json={"state": "resolved", "by": "olga"})
        await scene.settled(endpoint, 4)
        assert "Resolved by olga" in slack.shows()
    assert [one.json()["revision"] for one in (*said, done)] == [1, 1, 2]
    assert (done.json()["owner"], done.json()["resolved_at"] is not None) == ("piet", True)
    for wrong in ({"state": "open", "by": "x"}, {"state": "assigned", "by": " "}, {"state": "assigned"}):
        assert (await scene.tenant.api.put(place, json=wrong)).status_code == 422
    nobodys = f"/v1/responses/resp_{'0' * 32}/follow-up"
    assert (await scene.tenant.api.put(nobodys, json={"state": "assigned", "by": "x"})).status_code == 404


async def test_pressing_again_and_older_presses_change_nothing(scene: Scene) -> None:
    async with at(FakeSlackApp()) as slack:
        endpoint = await connected(scene, slack)
        scene.work()
        answer = await a_message(scene, endpoint)
        now = time.time()
        for _ in range(3):
            await press(scene, endpoint, answer, ASSIGN, pressed_at=now)
        await press(scene, endpoint, answer, ASSIGN, by="piet", pressed_at=now - 20)  # a recording of an earlier press
        assert await follow_up(scene, answer) == ("assigned", "olga", "olga", 1)
        await press(scene, endpoint, answer, ASSIGN, by="piet", pressed_at=now + 1)
        await press(scene, endpoint, answer, RESOLVE, by="piet", pressed_at=now + 2)
        await press(scene, endpoint, answer, ASSIGN, by="olga", pressed_at=now + 3)  # too late
    assert await follow_up(scene, answer) == ("resolved", "piet", "piet", 3)


@pytest.mark.parametrize(
    "changes",
    [
        {"secret": "guessed"},
        {"now": time.time() - 10_000},
        {"workspace": f"ws_{'0' * 32}"},
        {"workspace": "nonsense"},
        {"ep": f"ep_{'0' * 32}"},
        {"ep": "nonsense"},
    ],
)
async def test_strangers_are_turned_away(scene: Scene, changes: dict[str, Any]) -> None:
    async with at(FakeSlackApp()) as slack:
        endpoint = await connected(scene, slack)
        campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
        answer = (await scene.answer(campaign, score=3))["id"]
        assert (await press(scene, endpoint, answer, ASSIGN, **changes)).status_code == 401
    assert await follow_up(scene, answer) == ("open", None, None, 0)


async def test_without_a_signing_secret_nobody_is_let_in_and_there_are_no_buttons(scene: Scene) -> None:
    async with at(FakeSlackApp()) as slack:
        assert isinstance(slack, FakeSlackApp)
        endpoint = await connected(scene, slack, signing_secret=None)
        scene.work()
        answer = await a_message(scene, endpoint)
        assert "Assign to me" not in slack.shows()
        assert (await press(scene, endpoint, answer, ASSIGN)).status_code == 401
        assert (await press(scene, endpoint, answer, ASSIGN, secret="")).status_code == 401


async def test_other_buttons_and_answers_of_others_are_acknowledged_and_nothing_else(scene: Scene) -> None:
    async with at(FakeSlackApp()) as slack:
        endpoint = await connected(scene, slack)
        for answer, action in ((f"resp_{'0' * 32}", ASSIGN), ("", "link"), ("resp_1", RESOLVE)):
            assert (await press(scene, endpoint, answer, action)).status_code == 200
    assert await scene.database.fetchval("SELECT count(*) FROM follow_ups") == 0


async def test_the_state_goes_with_the_answer(scene: Scene) -> None:
    async with at(FakeSlackApp()) as slack:
        endpoint = await connected(scene, slack)
        campaign = await a_campaign(scene.engine, scene.tenant.workspace_id)
        answer = (await scene.answer(campaign, score=3))["id"]
        await press(scene, endpoint, answer, ASSIGN)
        assert (await scene.tenant.api.delete(f"/v1/responses/{answer}")).status_code == 204
    await until(lambda: scene.database.fetchval("SELECT count(*) = 0 FROM follow_ups"))
