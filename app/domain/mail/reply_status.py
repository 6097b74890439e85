"""What the enhanced status of a refusal is about: RFC 3463, §3."""

OF_SENDER = ("5.1.7", "5.1.8")  # its address or its domain is bad, whomever the mail is for
SWITCHED_OFF = "5.2.1"


def is_about_sender(status: str) -> bool:
    return status in OF_SENDER


def is_about_mailbox(status: str) -> bool:
    """There is none such, or no longer."""
    return status == SWITCHED_OFF or (status.startswith("5.1.") and not is_about_sender(status))
