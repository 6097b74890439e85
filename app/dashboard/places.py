"""Where the pages are."""

from typing import Any
from urllib.parse import urlsplit

from app.domain.ids import shown

HOME = "/dashboard"
LOG_IN = f"{HOME}/log-in"
LOG_OUT = f"{HOME}/log-out"
STATIC = f"{HOME}/static"
WEBHOOKS = f"{HOME}/webhooks"
ENDPOINT = f"{WEBHOOKS}/{{endpoint_id}}"
REPLAY = f"{ENDPOINT}/replay"
AUTHORIZE = f"{ENDPOINT}/authorize"
DELIVERY = f"{ENDPOINT}/deliveries/{{delivery_id}}"
MAILS = f"{HOME}/mail"
SENDER_DOMAINS = f"{MAILS}/domains"
MAIL = f"{MAILS}/{{mail_id}}"
MAIL_BODY = f"{MAIL}/body"


def endpoint_path(endpoint_id: Any) -> str:
    return ENDPOINT.format(endpoint_id=shown("endpoint", endpoint_id))


def replay_path(endpoint_id: Any) -> str:
    return f"{endpoint_path(endpoint_id)}/replay"


def authorize_path(endpoint_id: Any) -> str:
    return f"{endpoint_path(endpoint_id)}/authorize"


def delivery_path(endpoint_id: Any, delivery_id: Any) -> str:
    return f"{endpoint_path(endpoint_id)}/deliveries/{shown('delivery', delivery_id)}"


def mail_path(mail_id: Any) -> str:
    return MAIL.format(mail_id=shown("mail", mail_id))


def page_of_ours(text: str) -> str:
    """Where to go after logging in: the page that was asked for, if it is one of these; never another site."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return WEBHOOKS
    is_ours = not parts.scheme and not parts.netloc and parts.path.startswith(f"{HOME}/")
    is_plain = text.isprintable() and text.isascii() and not {"\\", " "} & set(text) and ".." not in text
    return text if is_ours and is_plain and parts.path not in {LOG_IN, LOG_OUT} else WEBHOOKS
