import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from app.domain.follow_up import FollowUpState
from app.domain.webhooks.slack_request import ASSIGN, RESOLVE, is_from_slack, read_press

# Slack's own example: https://docs.slack.dev/authentication/verifying-requests-from-slack
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
TIMESTAMP = "1531420618"
BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&"
    b"channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&"
    b"response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&"
    b"trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SIGNATURE = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
AT = datetime.fromtimestamp(1531420618, UTC)
ANSWER = "resp_0198c1f2a7b3708c9d4e5f60718293a4"


def fits(**changes: Any) -> bool:
    said: dict[str, Any] = {"timestamp": TIMESTAMP, "signature": SIGNATURE, "body": BODY, "now": AT, **changes}
    return is_from_slack(said.pop("secret", SECRET), **said)


def test_slacks_own_example_is_recognised() -> None:
    assert fits()


@pytest.mark.parametrize(
    "changes",
    [
        {"secret": "another"},
        {"body": BODY + b"&more=1"},
        {"timestamp": "1531420619"},
        {"timestamp": "-1531420618"},
        {"timestamp": ""},
        {"timestamp": "١٥٣١٤٢٠٦١٨"},
        {"signature": SIGNATURE.removeprefix("v0=")},
        {"signature": ""},
        {"signature": "v0=ä"},
        {"now": datetime.fromtimestamp(1531420618 + 301, UTC)},
        {"now": datetime.fromtimestamp(1531420618 - 301, UTC)},
    ],
)
def test_nothing_else_is(changes: dict[str, Any]) -> None:
    assert not fits(**changes)


def pressed(action: str = ASSIGN, **changes: Any) -> bytes:
    button = {"action_id": action, "value": ANSWER, "action_ts": "1531420618.25"} | changes
    payload = {"type": "block_actions", "user": {"id": "U1", "name": "olga"}, "actions": [button]}
    return urlencode({"payload": json.dumps(payload)}).encode()


def test_a_press_says_who_and_what() -> None:
    press = read_press(pressed(RESOLVE))
    assert press is not None
    assert (press.state, press.actor, press.pressed_at.microsecond) == (FollowUpState.RESOLVED, "olga", 250_000)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"ssl_check=1", b"payload=", b"payload=nonsense", b"payload=[]", b"payload=%ff", b"payload=1",
        urlencode({"payload": '{"actions": [], "user": {}}'}).encode(),
        pressed("somebody_elses"), pressed(value="resp_1"), pressed(action_ts="soon"), pressed(action_ts="1e400"),
        urlencode({"payload": "[" * 100_000}).encode(),
    ],
)  # fmt: skip
def test_whatever_else_is_sent_says_nothing(body: bytes) -> None:
    assert read_press(body) is None
