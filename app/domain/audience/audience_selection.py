"""Who of an audience is asked now: everybody it fits, less those whom something holds back, in a fair order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

LONGEST_TENURE, FARTHEST_RENEWAL = 36_500, 3_650  # days
MOST_PER_ACCOUNT = 100_000


class HeldBack(StrEnum):
    """The first that applies is the one that is counted."""

    NO_ADDRESS = "no_address"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    ALREADY_ANSWERED = "already_answered"  # where a campaign takes one answer per person
    TOO_NEW = "too_new"
    RENEWAL_NEAR = "renewal_near"
    FOLLOW_UP_OPEN = "follow_up_open"
    ACCOUNT_FULL = "account_full"  # enough of the same account come before


@dataclass(frozen=True, slots=True)
class Restraint:
    """What holds people of an audience back; None: nothing does.

    Accounts that renew within `hold_renewal_within_days`, today included, are left alone; with
    `hold_open_follow_up` also those of which somebody looks after an answer.
    """

    exclude_newer_than_days: int | None = None
    most_per_account: int | None = None
    hold_renewal_within_days: int | None = None
    hold_open_follow_up: bool = False
    free_if_asked_before: datetime | None = None  # asked later, by any campaign: these come after all others


@dataclass(frozen=True, slots=True)
class Selection:
    """`recipient_ids`: whom to ask, first those never asked by the campaign, then those asked longest ago.

    `matched` = `askable` + the sum of `excluded`; of the askable, those beyond the limit are left out this time.
    """

    recipient_ids: Sequence[UUID]
    matched: int
    askable: int
    excluded: Mapping[HeldBack, int]

    @property
    def left_out(self) -> int:
        return self.askable - len(self.recipient_ids)
