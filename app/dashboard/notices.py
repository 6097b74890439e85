"""What a page says after something was done. A cookie carries the name, so nobody else can put words here."""

from collections.abc import Mapping

NOTICES: Mapping[str, str] = {
    "test_sent": "A test event is on its way. It shows among the deliveries below in a moment; reload to see it.",
    "enabled": "The endpoint is enabled. What was waiting is being delivered; you can deliver again what it missed.",
    "enabled_replaying": "The endpoint is enabled. What was waiting and what it missed is being delivered.",
    "disabled": "The endpoint is disabled. Nothing is sent to it until you enable it again.",
    "retried": "Another try is due now. Reload in a moment to see how it went.",
    "cancelled": "The delivery is cancelled and will not be tried again.",
    "replay_cancelled": "The replay is cancelled. What it has delivered so far stays among the deliveries.",
    "replaying": "The replay has begun. What it delivers again shows among the deliveries.",
    "let_in": "The connector is authorized. It is being checked; the result shows among the deliveries.",
    "checking": "The DNS is being asked. Reload in a moment to see what it says.",
    "logged_out": "You are logged out.",
}
