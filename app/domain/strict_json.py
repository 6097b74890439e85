"""Reading JSON strictly: what two parsers could understand differently is refused before anybody acts on it."""

import json
import math
from typing import Any, NoReturn

from app.domain.errors import RuleViolation

MAX_DEPTH = 32


class UnreadableJson(RuleViolation):
    """The body is not JSON that we accept."""

    code = "unreadable_json"


def strict_json(raw: bytes, *, first_line: int = 1) -> Any:
    """Refuses duplicate keys, NUL, lone surrogates, NaN and deep nesting. Raises `UnreadableJson`.

    `first_line`: the number of its first line in a file of several documents.
    """
    try:
        text = raw.decode("utf-8")
        document = _DECODER.decode(text)
    except UnicodeDecodeError:
        raise UnreadableJson("The body is not UTF-8.") from None
    except json.JSONDecodeError as error:
        raise UnreadableJson(f"Line {first_line + error.lineno - 1}, column {error.colno}: {error.msg}.") from None
    except RecursionError:
        raise UnreadableJson(f"Nested more than {MAX_DEPTH} deep.") from None
    except ValueError:  # an integer of thousands of digits
        raise UnreadableJson("A number in the body is too large.") from None
    if "\\u" in text:
        _refuse_bad_escapes(document)
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH:
        _refuse_depth(document, MAX_DEPTH)
    return document


def _distinct_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]  # add() is the side effect
        raise UnreadableJson(f"The key {twice!r} stands twice in one object.")
    return members


def _no_such_number(name: str) -> NoReturn:
    raise UnreadableJson(f"{name} is not a JSON number.")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise UnreadableJson("A number in the body is too large.")
    return number


# json.loads makes a new one each time, which takes as long as a small document does.
_DECODER = json.JSONDecoder(object_pairs_hook=_distinct_keys, parse_constant=_no_such_number, parse_float=_finite)


def _refuse_bad_escapes(value: Any) -> None:
    """PostgreSQL stores neither NUL nor half a surrogate pair; better one clear refusal than a failed batch."""
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise UnreadableJson("Text may not contain NUL or lone surrogates.")
    elif isinstance(value, dict):
        for key, member in value.items():
            _refuse_bad_escapes(key)
            _refuse_bad_escapes(member)
    elif isinstance(value, list):
        for item in value:
            _refuse_bad_escapes(item)


def _refuse_depth(value: Any, left: int) -> None:
    if left == 0 and isinstance(value, dict | list):
        raise UnreadableJson(f"Nested more than {MAX_DEPTH} deep.")
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for member in members:
        _refuse_depth(member, left - 1)
