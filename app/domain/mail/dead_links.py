"""Mails whose links lead nowhere are not sent: nobody could answer, or refuse to be asked again."""

from app.domain.errors import Conflict

DEAD_LINKS = (
    "Mails would go out with links to this machine only. Set ZEROTEN_PUBLIC_URL to the address people reach it at."
)


class LinksLeadNowhere(Conflict):
    """Links in mails would lead nowhere."""

    code = "links_lead_nowhere"
