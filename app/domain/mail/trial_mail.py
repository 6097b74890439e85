"""Mails that whoever makes a campaign looks at before anybody else does."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID, uuid4

from app.domain.asking.invitation import Addressee, AskingCampaign, ClaimedInvitation, MessageKind
from app.domain.errors import Conflict, RuleViolation
from app.domain.mail.sender import Sender
from app.domain.scores.period import day_of
from app.domain.survey.survey_token import TOKEN_CHARACTERS

MOST_ADDRESSES = 5
MOST_IN_AN_HOUR = 50  # of a workspace
SAMPLE = "robin@example.com"
NOWHERE = "0" * TOKEN_CHARACTERS  # a link that answers for nobody


class VariantUnknown(RuleViolation):
    """The campaign has no such variant."""

    code = "variant_unknown"


class TrialAddressRefused(RuleViolation):
    """Test mails go to colleagues only."""

    code = "test_address_refused"


class TooManyTrialMails(Conflict):
    """Too many test mails within an hour."""

    code = "too_many_test_mails"


def check_addresses(addresses: Collection[str], *, sender: Sender, livemode: bool) -> None:
    """Test workspaces mail nobody, so any address will do. Raises TrialAddressRefused."""
    strangers = [address for address in addresses if livemode and not sender.may_test_with(address)]
    if strangers:
        detail = (
            f"{strangers[0]} is at none of the domains that the workspace's sender may mail from, nor its reply-to or "
            "notification address."
        )
        raise TrialAddressRefused(detail, pointer="/to")


def sample_person(language: str | None) -> Addressee:
    return Addressee(uuid4(), SAMPLE, "Robin Sample", language, "Sample Ltd")


def made_up(
    campaign: AskingCampaign,
    addressee: Addressee,
    *,
    message_id: UUID,
    variant: str | None,
    kind: MessageKind,
    now: datetime,
) -> ClaimedInvitation:
    """As if they were asked now, or reminded."""
    nothing, reminders = UUID(int=0), 1 if kind is MessageKind.REMINDER else 0
    return ClaimedInvitation(
        campaign, addressee, nothing, nothing, message_id, kind, variant, now, day_of(now, campaign.zone), reminders,
        NOWHERE, NOWHERE,
    )  # fmt: skip
