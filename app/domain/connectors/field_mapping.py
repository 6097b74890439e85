"""Which property of the recipient goes into which field of a CRM, as somebody says it: `plan=plan_c, seats=SEATS`."""

import re
from collections.abc import Iterator
from typing import Any

from app.domain.connectors.settings import a_text
from app.domain.connectors.story import Story

MOST_FIELDS = 20
LONGEST_VALUE = 1_000  # characters
PAIR = re.compile(r"\s*([^=,]{1,100}?)\s*=\s*([A-Za-z0-9_]{1,100})\s*")


def a_mapping(value: Any) -> str:
    pairs = a_text(value).split(",")
    if len(pairs) > MOST_FIELDS or not all(PAIR.fullmatch(pair) for pair in pairs):
        raise ValueError(f"Say it as property=field, property=field, for up to {MOST_FIELDS} of them.")
    return ",".join(pairs)


def mapped_fields(story: Story, mapping: str | None) -> Iterator[tuple[str, str]]:
    """(field, text) of what is known; whatever is not, or is no single value, is left as it is there."""
    known = story.person.properties if story.person else {}
    for pair in (mapping or "").split(","):
        if found := PAIR.fullmatch(pair):
            value = known.get(found[1])
            if isinstance(value, bool):
                yield found[2], str(value).lower()
            elif isinstance(value, str | int | float):
                yield found[2], str(value)[:LONGEST_VALUE]
