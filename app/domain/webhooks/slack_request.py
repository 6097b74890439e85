"""What Slack sends when somebody presses a button: whether it is Slack's, and what it says.

https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from app.domain.follow_up import LONGEST_NAME, FollowUpState, Press
from app.domain.ids import parsed

WINDOW_SECONDS = 300
ASSIGN, RESOLVE = "zeroten_assign", "zeroten_resolve"
MEANS: Mapping[str, FollowUpState] = {ASSIGN: FollowUpState.ASSIGNED, RESOLVE: FollowUpState.RESOLVED}


def is_from_slack(secret: str, *, timestamp: str, signature: str, body: bytes, now: datetime) -> bool:
    """`body` as it came. What is older than five minutes may be somebody else's recording."""
    if not timestamp.isascii() or not timestamp.isdecimal() or len(timestamp) > 12:
        return False
    if abs(now.timestamp() - int(timestamp)) > WINDOW_SECONDS:
        return False
    signed = hmac.digest(secret.encode(), b"v0:%s:%s" % (timestamp.encode(), body), "sha256").hex()
    return hmac.compare_digest(f"v0={signed}".encode(), signature.encode())


def read_press(body: bytes) -> Press | None:
    """None of anything else: links and other people's buttons are told as well, and Slack's own questions."""
    try:
        payload = json.loads(parse_qs(body.decode())["payload"][0])
        action, user = payload["actions"][0], payload["user"]
        response_id = parsed("response", str(action["value"]))
        pressed_at = datetime.fromtimestamp(float(action["action_ts"]), UTC)
        state, actor = MEANS[action["action_id"]], _name(user)
    except (ValueError, KeyError, IndexError, TypeError, OverflowError, RecursionError, AttributeError, OSError):
        return None
    return Press(response_id, state, actor, pressed_at) if response_id else None


def _name(user: Mapping[str, Any]) -> str:
    known = str(user.get("name") or user.get("username") or user["id"])
    return "".join(character for character in known if character.isprintable())[:LONGEST_NAME] or str(user["id"])
