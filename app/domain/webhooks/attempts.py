"""How one HTTP attempt ended."""

from dataclasses import dataclass
from enum import StrEnum

LONGEST_WAIT_SECONDS = 24 * 3_600.0  # that a receiver may ask for


class Failure(StrEnum):
    """Why an attempt did not deliver. Stored and shown: values may be added, never renamed."""

    BAD_URL = "bad_url"
    DNS_FAILED = "dns_failed"
    PRIVATE_ADDRESS = "private_address"
    PLAIN_HTTP = "plain_http"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    CONNECT_TIMEOUT = "connect_timeout"
    TLS_FAILED = "tls_failed"
    TIMEOUT = "timeout"
    RESET = "reset"
    NOT_HTTP = "not_http"
    REDIRECT = "redirect"
    GONE = "gone"
    BAD_STATUS = "bad_status"
    # Only connectors know their service well enough to tell these apart.
    ERROR_IN_BODY = "error_in_body"
    REJECTED = "rejected"
    UNAUTHORIZED = "unauthorized"
    NOT_THERE = "not_there"
    TEMPLATE_FAILED = "template_failed"  # our side, by the endpoint's own template
    CUT_SHORT = "cut_short"  # our side, when something had been sent already

    @property
    def hint(self) -> str:
        """One sentence for whoever runs the receiver."""
        return HINTS[self]


HINTS = {
    Failure.BAD_URL: "The URL cannot be read; save it again.",
    Failure.DNS_FAILED: "The host name could not be resolved; check its spelling and its DNS records.",
    Failure.PRIVATE_ADDRESS: "The host leads to an address that is not on the open internet, so we did not connect.",
    Failure.PLAIN_HTTP: "Plain http is only for networks the operator allows; use https.",
    Failure.REFUSED: "Nothing listens at that host and port.",
    Failure.UNREACHABLE: "That host cannot be reached from here.",
    Failure.CONNECT_TIMEOUT: "No connection was made in time, TLS included; a firewall may be in the way.",
    Failure.TLS_FAILED: "The TLS handshake failed; the certificate must be valid, complete and made for this host.",
    Failure.TIMEOUT: "No complete answer arrived in time; answer first, then do the work.",
    Failure.RESET: "The connection broke before an answer arrived.",
    Failure.NOT_HTTP: "What came back was not HTTP, or its headers were too long.",
    Failure.REDIRECT: "The receiver answered with a redirect, which is never followed; update your URL.",
    Failure.GONE: "The receiver answered 410 Gone, so nothing more is sent to it until it is enabled again.",
    Failure.BAD_STATUS: "The receiver did not answer with a 2xx status.",
    Failure.ERROR_IN_BODY: "The service answered 2xx, but its body reports an error; see the reply.",
    Failure.REJECTED: "The service refused what was sent, and would refuse it again; see the reply.",
    Failure.UNAUTHORIZED: "The service refused the credentials; save new ones, which are checked at once.",
    Failure.NOT_THERE: "The service no longer has this webhook, channel or account; save a new one, which is checked.",
    Failure.TEMPLATE_FAILED: "The payload template gave nothing that could be sent; see the reply for why.",
    Failure.CUT_SHORT: "Something went wrong on our side after a request had been sent; it is tried again.",
}
DISABLING = frozenset({Failure.GONE, Failure.UNAUTHORIZED, Failure.NOT_THERE})  # nothing more is sent there
FINAL = DISABLING | {Failure.REJECTED, Failure.TEMPLATE_FAILED}  # this delivery is not tried again


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one attempt brought back. The status line decides; a body that breaks off afterwards changes nothing."""

    status: int | None  # none: no answer came
    failure: Failure | None  # none: delivered
    retry_after_seconds: float | None  # as the receiver asked, 0 to 24 h
    head: bytes  # the first bytes of the body, as they came
    duration_ms: int
    sent: bool  # whether the receiver may have seen the request
    request_head: str = ""  # as the log keeps it


def unsent(failure: Failure, *, why: str) -> Outcome:
    """Nothing was sent; `why` stands where the receiver's answer would."""
    return Outcome(None, failure, None, head=why.encode(), duration_ms=0, sent=False)


def head_text(head: bytes) -> str:
    """The head as people may read it: a receiver may send anything, NUL bytes too."""
    return head.decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


def failure_of(status: int) -> Failure | None:
    if 200 <= status <= 299:
        return None
    if 300 <= status <= 399:
        return Failure.REDIRECT
    return Failure.GONE if status == 410 else Failure.BAD_STATUS
