"""What a payload template may do to a value. None makes much more of it than there was."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from html import escape
from typing import Any
from urllib.parse import quote

from jinja2 import Undefined

LONGEST_TEXT = 65_536  # characters that come out of one filter


class TemplateTooBig(Exception):
    """A template makes too much out of this event."""


def json_text(value: Any) -> str:
    """As it may stand in JSON, quotes and all; what is not there is null."""
    return json.dumps(None if isinstance(value, Undefined) else value, ensure_ascii=False, allow_nan=False)


def as_text(value: Any) -> str:
    if value is None or isinstance(value, Undefined):
        return ""
    return value if isinstance(value, str) else json_text(value)


def _bounded(length: int) -> None:
    if length > LONGEST_TEXT:
        raise TemplateTooBig(f"A filter makes more than {LONGEST_TEXT} characters.")


def _default(value: Any, instead: Any = "") -> Any:
    return instead if value is None or isinstance(value, Undefined) else value


def _truncate(value: Any, length: int, end: str = "…") -> str:
    text = as_text(value)
    return text if len(text) <= length else text[: max(length - len(end), 0)] + end


def _replace(value: Any, old: str, new: str) -> str:
    text = as_text(value)
    _bounded(len(text) + text.count(old) * (len(new) - len(old)))
    return text.replace(old, new)


def _join(values: Iterable[Any], between: str = "") -> str:
    texts = [as_text(value) for value in values]
    _bounded(sum(len(text) + len(between) for text in texts))
    return between.join(texts)


def _items(value: Any) -> list[tuple[str, Any]]:
    return list(value.items()) if isinstance(value, Mapping) else []


def _unix_seconds(value: Any) -> int | None:
    """Of an instant as payloads write it."""
    return int(datetime.fromisoformat(value).timestamp()) if isinstance(value, str) else None


def _round(value: Any, digits: int = 0) -> Any:
    return round(value, digits) if digits else round(value)


FILTERS: Mapping[str, Callable[..., Any]] = {
    "default": _default,
    "first": lambda values: next(iter(values), None),
    "items": _items,
    "join": _join,
    "last": lambda values: values[-1] if values else None,
    "length": len,
    "lower": lambda value: as_text(value).lower(),
    "replace": _replace,
    "round": _round,
    "tojson": json_text,
    "trim": lambda value: as_text(value).strip(),
    "truncate": _truncate,
    "unix_seconds": _unix_seconds,
    "upper": lambda value: as_text(value).upper(),
    "urlencode": lambda value: quote(as_text(value), safe=""),
    "xml": lambda value: escape(as_text(value)),
}
