"""What a connector has to be told, which of it is secret, and what it may look like."""

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, field, fields
from typing import Any, TypeVar
from urllib.parse import urlsplit

from app.domain.connectors.protocol import FIELD_NAME, Connector
from app.domain.errors import RuleViolation
from app.domain.webhooks.receiver_url import UnusableURL, split_receiver_url

LONGEST_TEXT = 2_000  # characters
PLACES = re.compile(r"\{(?:response_id|campaign_id|recipient_id|external_id|email)\}")

Reader = Callable[[Any], Any]
Kind = TypeVar("Kind", bound=Connector)


class ConnectorSettingsUnusable(RuleViolation):
    """The settings do not fit the connector."""

    code = "connector_settings_unusable"


def read_settings(cls: type[Kind], given: Mapping[str, Any]) -> Kind:
    """Raises ConnectorSettingsUnusable."""
    known = {one.name: one for one in fields(cls)}
    for name in given:
        if name not in known:
            raise _unusable(name, f"There is no such setting; there are {', '.join(sorted(known))}.")
    made = cls(**{name: _value(one, given) for name, one in known.items()})
    if missing := made.what_is_missing():
        raise _unusable(*missing)
    return made


def secret_names(cls: type[Connector]) -> frozenset[str]:
    return frozenset(one.name for one in fields(cls) if one.metadata["is_secret"])


def settings_apart(connector: Connector) -> tuple[dict[str, Any], dict[str, Any]]:
    """(what may be seen, what is secret); of the former, what is not said is left out."""
    secret = secret_names(type(connector))
    values = {one.name: getattr(connector, one.name) for one in fields(connector)}
    public = {name: value for name, value in values.items() if name not in secret and value is not None}
    return public, {name: value for name, value in values.items() if name in secret}


def setting(read: Reader, *, is_secret: bool = False, default: Any = MISSING) -> Any:
    metadata = {"read": read, "is_secret": is_secret}
    if default is MISSING:
        return field(metadata=metadata, repr=not is_secret)
    return field(metadata=metadata, repr=not is_secret, default=default)


def _value(one: Field[Any], given: Mapping[str, Any]) -> Any:
    value = given.get(one.name)
    if value is None:
        if one.default is MISSING:
            raise _unusable(one.name, "This connector cannot do without it.")
        return one.default
    try:
        return one.metadata["read"](value)
    except UnusableURL as unusable:
        raise _unusable(one.name, unusable.detail) from None
    except ValueError as error:
        raise _unusable(one.name, str(error)) from None


def _unusable(name: str, detail: str) -> ConnectorSettingsUnusable:
    return ConnectorSettingsUnusable(detail, pointer=f"/settings/{name}")


def a_text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_TEXT:
        raise ValueError(f"Say it in 1 to {LONGEST_TEXT} characters.")
    if not value.isprintable():
        raise ValueError("It holds characters that cannot be printed.")
    return value.strip()


def a_token(value: Any) -> str:
    """It travels in a header, so it is ASCII."""
    token = a_text(value)
    if not token.isascii() or " " in token:
        raise ValueError("A token is printable ASCII without spaces.")
    return token


def a_field_name(value: Any) -> str:
    """It stands in paths and queries."""
    if not isinstance(value, str) or not FIELD_NAME.fullmatch(value) or "." in value:
        raise ValueError("A field's API name has letters, digits and underscores.")
    return value


def a_flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("Say true or false.")  # noqa: TRY004 - readers say ValueError
    return value


def a_number(value: Any) -> str:
    """Somebody's id for something. It stays a text, as it is nothing to reckon with."""
    digits = str(value)
    if isinstance(value, bool) or not isinstance(value, str | int) or not re.fullmatch("[0-9]{1,19}", digits):
        raise ValueError("It is a number of up to 19 digits.")
    return digits


def one_of(*choices: str) -> Reader:
    def read(value: Any) -> str:
        if value not in choices:
            raise ValueError(f"It is one of {', '.join(choices)}.")
        return str(value)

    return read


def a_url(value: Any) -> str:
    url = a_text(value)
    split_receiver_url(url)
    return url


def a_base_url(value: Any) -> str:
    """Of an API: paths are put behind it."""
    url = a_url(value)
    if "?" in url:
        raise ValueError("Leave out the query: paths are put behind this URL.")
    return url.rstrip("/")


def a_url_under(*beginnings: str) -> Reader:
    """A URL whose path starts like one of these."""

    def read(value: Any) -> str:
        url = a_url(value)
        if not urlsplit(url).path.startswith(beginnings):
            raise ValueError(f"Its path starts with {' or '.join(beginnings)}; copy it whole.")
        return url

    return read


def a_link(value: Any) -> str:
    """A URL with places for what is known of the answer, such as `https://crm.example/people/{external_id}`."""
    template = a_text(value)
    filled = PLACES.sub("x", template)
    if "{" in filled or "}" in filled:
        raise ValueError("Its places are {response_id}, {campaign_id}, {recipient_id}, {external_id} and {email}.")
    split_receiver_url(filled)
    return template
