"""Postmark's webhooks: one object each. It signs nothing, so the address they are sent to is the secret."""

from app.domain.mail.mail_events.event import MailEvent, MailEventKind, mail_event, member, word

HARD = frozenset({"HardBounce", "BadEmailAddress", "ManuallyDeactivated"})
IGNORED = frozenset({"AutoResponder", "AddressChange", "ChallengeVerification", "OpenRelayTest"})
COMPLAINTS = frozenset({"SpamComplaint"})
TIMES = ("BouncedAt", "DeliveredAt", "ChangedAt")


def events_of_postmark(content: object) -> list[MailEvent]:
    kind = _kind(content)
    if kind is None:
        return []
    address = member(content, "Email") or member(content, "Recipient")
    at = next((found for name in TIMES if (found := member(content, name))), None)
    return [mail_event(kind, header=member(content, "Metadata", "message"), address=address, at=at)]


def _kind(content: object) -> MailEventKind | None:
    said = word(content, "Type")
    match member(content, "RecordType"):
        case "Delivery":
            return MailEventKind.DELIVERED
        case "SpamComplaint":
            return MailEventKind.COMPLAINED
        case "Bounce" if said in COMPLAINTS:
            return MailEventKind.COMPLAINED
        case "Bounce" if said not in IGNORED:
            return MailEventKind.HARD_BOUNCE if said in HARD else MailEventKind.SOFT_BOUNCE
        case "SubscriptionChange" if member(content, "SuppressSending") is True:
            is_theirs = member(content, "SuppressionReason") == "ManualSuppression"
            return MailEventKind.UNSUBSCRIBED if is_theirs else None  # the others come as events of their own
    return None
