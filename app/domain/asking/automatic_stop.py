"""When a campaign stops mailing by itself, before mail services stop taking its mail."""

from enum import StrEnum

# Google's and Yahoo's rules for senders refuse from 0.3 % complaints on; 5 % hard bounces are where Amazon SES reviews
# an account (all as published in 2024).
MOST_COMPLAINTS = 0.003
MOST_BOUNCES = 0.05
FEWEST_COMPLAINTS = 2  # one angry person is not a trend
FEWEST_BOUNCES = 5


class PausedReason(StrEnum):
    COMPLAINTS = "complaints"
    BOUNCES = "bounces"
    SENDER_DOMAIN = "sender_domain"  # many mails, from a domain whose check has failed


def reason_to_pause(*, sent: int, bounced: int, complained: int) -> PausedReason | None:
    if complained >= FEWEST_COMPLAINTS and complained > MOST_COMPLAINTS * sent:
        return PausedReason.COMPLAINTS
    if bounced >= FEWEST_BOUNCES and bounced > MOST_BOUNCES * sent:
        return PausedReason.BOUNCES
    return None
