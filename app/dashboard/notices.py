"""What a page says after something was done. A cookie carries the name, so nobody else can put words here."""

from collections.abc import Mapping

NOTICES: Mapping[str, str] = {
    "test_sent": "A test event is on its way. It shows among the deliveries below in a moment; reload to see it.",
    "enabled": "The endpoint is enabled. What was waiting is being delivered; what it missed you can deliver again.",
    "enabled_replaying": "The endpoint is enabled. What was waiting and what it missed is being delivered.",
    "disabled": "The endpoint is disabled. Nothing is sent to it until you enable it again.",
    "retried": "Another try is due now. Reload in a moment to see how it went.",
    "cancelled": "The delivery is cancelled and will not be tried again.",
    "replay_cancelled": "The replay is cancelled. What it has delivered by now stays among the deliveries.",
    "replaying": "The replay has begun. What it delivers again shows among the deliveries.",
    "let_in": "The connector is let in. It is being checked; how that ends shows among the deliveries.",
    "checking": "The name servers are being asked. Reload in a moment to see what they say.",
    "logged_out": "You are logged out.",
}
