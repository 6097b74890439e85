"""Who listens: what an endpoint may be set to, and what its state forbids."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Any

from app.domain.errors import Conflict, NotFound, RuleViolation
from app.domain.webhooks.webhook_secret import PUBLIC

LONGEST_DELAY = timedelta(hours=1)
LONGEST_OVERLAP = timedelta(days=7)
USUAL_OVERLAP = timedelta(hours=24)
MOST_ENDPOINTS = 100  # of a workspace; every event is compared with each
ONLY_FOR_WEBHOOKS = {
    "payload": "full",
    "template": None,
    "headers": None,
    "delighted_key": None,
}  # what it is if not told
MOST_SECRETS = 10  # that sign at the same time; each adds an entry to a header


class EndpointState(StrEnum):
    ENABLED = "enabled"
    DISABLED = "disabled"


class DisabledReason(StrEnum):
    REQUESTED = "requested"
    GONE = "gone"  # the receiver answered 410
    FAILING = "failing"  # nothing arrived for days
    UNAUTHORIZED = "unauthorized"  # a connector's service refused the credentials
    NOT_THERE = "not_there"  # a connector's service no longer knows the webhook, channel or account


class Signing(StrEnum):
    SHARED = "shared"  # HMAC-SHA256, a secret that both sides know
    ED25519 = "ed25519"  # we keep the private key, the receiver gets the public one


class WebhookEndpointNotFound(NotFound):
    """There is no such webhook endpoint."""

    code = "webhook_endpoint_not_found"


class WebhookEndpointDisabled(Conflict):
    """The webhook endpoint is disabled."""

    code = "webhook_endpoint_disabled"


class TooManyEndpoints(Conflict):
    """The workspace has as many webhook endpoints as it may have."""

    code = "too_many_webhook_endpoints"


class TooManySecrets(Conflict):
    """Too many secrets sign at the same time."""

    code = "too_many_secrets"


class ScoreRangeEmpty(RuleViolation):
    """No score is in this range."""

    code = "score_range_empty"


class UnknownCampaigns(RuleViolation):
    """The filter names campaigns that do not exist."""

    code = "unknown_campaigns"


class SecretsNeededAgain(RuleViolation):
    """What is secret has to be given again for another host."""

    code = "secrets_needed_again"


class EndpointDoesNotSign(Conflict):
    """Only webhooks are signed, not what connectors send."""

    code = "webhook_endpoint_not_signed"


class NothingToCheck(RuleViolation):
    """Only connectors have credentials that can be checked."""

    code = "nothing_to_check"


class NotForConnectors(RuleViolation):
    """Connectors tell about answers only, in words of their own."""

    code = "webhook_endpoint_is_connector"


def check_score_range(lowest: int | None, highest: int | None) -> None:
    """Raises ScoreRangeEmpty."""
    if lowest is not None and highest is not None and lowest > highest:
        raise ScoreRangeEmpty("highest_score is below lowest_score, so no event would pass.", pointer="/highest_score")


def check_secrets_given_again(missing: Sequence[str]) -> None:
    """For a change that sends elsewhere: who may make it need not know the secrets, and must not learn them by it.

    `missing` are the pointers of those that would go along. Raises SecretsNeededAgain.
    """
    if missing:
        told = f"This sends to another host, so give again what is secret, or null: {', '.join(missing)}."
        raise SecretsNeededAgain(told, pointer=missing[0], further=missing[1:])


def check_fields_of_connector(fields: Mapping[str, Any]) -> None:
    """A connector speaks its service's language, with what lets it in among its settings. Raises NotForConnectors."""
    for name, usual in ONLY_FOR_WEBHOOKS.items():
        if fields.get(name) and fields[name] != usual:
            raise NotForConnectors(f"Only webhooks take {name}.", pointer=f"/{name}")


def signing_of(hint: str) -> Signing:
    """`hint` is what may be shown of a secret: the end of a shared one, or a whole public key."""
    return Signing.ED25519 if hint.startswith(PUBLIC) else Signing.SHARED
