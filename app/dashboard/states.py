"""States as people read them."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.mail.domain_check.finding import DomainState
from app.domain.webhooks.attempts import Failure
from app.domain.webhooks.delivery import DeliveryState


@dataclass(frozen=True, slots=True)
class Wording:
    word: str
    tone: str  # good, bad, warn or calm: how it is coloured; the word says it as well


DELIVERIES: Mapping[DeliveryState, Wording] = {
    DeliveryState.PENDING: Wording("Waiting", "warn"),
    DeliveryState.DELIVERED: Wording("Delivered", "good"),
    DeliveryState.EXHAUSTED: Wording("Given up", "bad"),
    DeliveryState.CANCELLED: Wording("Cancelled", "calm"),
}

DOMAINS: Mapping[DomainState, Wording] = {
    DomainState.UNCHECKED: Wording("Not checked yet", "calm"),
    DomainState.PASSED: Wording("Passed", "good"),
    DomainState.FAILED: Wording("Failed", "bad"),
    DomainState.UNKNOWN: Wording("Unknown", "warn"),
}

_FAILURES: Mapping[Failure, str] = {
    Failure.BAD_URL: "Unreadable URL",
    Failure.DNS_FAILED: "Unknown host",
    Failure.PRIVATE_ADDRESS: "Private address",
    Failure.PLAIN_HTTP: "Plain http",
    Failure.REFUSED: "Connection refused",
    Failure.CONNECT_TIMEOUT: "No connection in time",
    Failure.TLS_FAILED: "TLS failed",
    Failure.TIMEOUT: "No answer in time",
    Failure.RESET: "Connection broke",
    Failure.NOT_HTTP: "Not HTTP",
    Failure.BAD_STATUS: "Not accepted",
}


def failure_word(failure: Failure) -> str:
    """Beside its hint, which says what to do."""
    return _FAILURES.get(failure) or failure.value.replace("_", " ").capitalize()
