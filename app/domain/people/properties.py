"""Properties: what callers know about a person, an account or an answer, as a flat object of JSON scalars."""

import json
import re
from collections.abc import Mapping
from typing import Any

from app.domain.errors import RuleViolation
from app.domain.pointer import json_pointer

MOST_PROPERTIES = 64
LONGEST_KEY, LONGEST_TEXT = 64, 1_000  # characters
LARGEST_WHOLE = 2**53  # what every JSON reader still reads exactly; other numbers stay below it
UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


class PropertiesInvalid(RuleViolation):
    """The properties are not valid."""

    code = "properties_invalid"


def check_properties(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns them. Null is allowed: merged, it removes the key. Raises PropertiesInvalid."""
    if not isinstance(properties, Mapping):
        raise PropertiesInvalid("Properties are an object.", pointer="/properties")
    check_size(properties)
    for key, value in properties.items():
        if not 1 <= len(key) <= LONGEST_KEY or UNSTORABLE.search(key):
            raise PropertiesInvalid(f"Keys have 1 to {LONGEST_KEY} characters.", pointer="/properties")
        check_value(key, value)
    return properties


def check_value(key: str, value: object) -> None:
    """Raises PropertiesInvalid."""
    if not _is_storable(value):
        detail = f"Give text of at most {LONGEST_TEXT} characters, a number, true, false or null."
        raise PropertiesInvalid(detail, pointer=json_pointer("properties", key))


def check_size(properties: Mapping[str, Any]) -> None:
    """Raises PropertiesInvalid."""
    if len(properties) > MOST_PROPERTIES:
        raise PropertiesInvalid(f"At most {MOST_PROPERTIES} properties.", pointer="/properties")


def merged(stored: Mapping[str, Any], given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Key by key; null removes, and None in place of them removes all.

    Raises PropertiesInvalid when together they become too many.
    """
    if given is None:
        return {}
    after = {**stored, **given}
    if None in after.values():
        after = {key: value for key, value in after.items() if value is not None}
    check_size(after)
    return after


def are_the_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """As PostgreSQL keeps JSON: to Python 1, 1.0 and True would be equal, and −0.0 would be written differently."""
    return one == other and _written(one) == _written(other)


def _written(properties: Mapping[str, Any]) -> str:
    return json.dumps(_without_signs_of_zeros(properties), sort_keys=True)


def _without_signs_of_zeros(value: Any) -> Any:
    match value:
        case float():
            return value + 0.0  # turns −0.0 into 0.0 and leaves every other number alone
        case Mapping():
            return {key: _without_signs_of_zeros(one) for key, one in value.items()}
        case list() | tuple():
            return [_without_signs_of_zeros(one) for one in value]
        case _:
            return value


def _is_storable(value: object) -> bool:
    match value:
        case str():
            return len(value) <= LONGEST_TEXT and (value.isprintable() or not UNSTORABLE.search(value))
        case None | bool():
            return True
        case int():
            return abs(value) <= LARGEST_WHOLE
        case float():
            return abs(value) < LARGEST_WHOLE
        case _:
            return False
