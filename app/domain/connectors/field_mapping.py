"""Which property of the recipient goes into which field of a CRM, as somebody says it: `plan=plan_c, seats=SEATS`.

`@score`, `@band`, `@comment`, `@answered_at` and `@campaign` are of the answer; a field of the person says how they
answered last, so there they are told of the latest answer only.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from app.domain.connectors.settings import a_text
from app.domain.connectors.story import Story
from app.domain.webhooks.payload import instant_text

MOST_FIELDS = 20
LONGEST_VALUE = 1_000  # characters
PAIR = re.compile(r"\s*([^=,]{1,100}?)\s*=\s*([A-Za-z0-9_]{1,100})\s*")


def a_mapping(value: Any) -> str:
    pairs = a_text(value).split(",")
    if len(pairs) > MOST_FIELDS or not all(PAIR.fullmatch(pair) for pair in pairs):
        raise ValueError(f"Say it as property=field, property=field, for up to {MOST_FIELDS} of them.")
    return ",".join(pairs)


def mapped_fields(story: Story, mapping: str | None) -> Iterator[tuple[str, str]]:
    """The same as texts, for services that take no others."""
    for name, value in mapped_values(story, mapping):
        yield name, str(value).lower() if isinstance(value, bool) else str(value)


def mapped_values(
    story: Story, mapping: str | None, *, of_person: bool = True
) -> Iterator[tuple[str, str | bool | int | float]]:
    """(field, value) of what is known; whatever is not, or is no single value, is left as it is there.

    `of_person`: the fields are of the person, not of something made for this very answer.
    """
    known = dict(story.person.properties if story.person else {})
    if not (of_person and story.background.is_overtaken):
        known |= _of_answer(story)
    for pair in (mapping or "").split(","):
        if found := PAIR.fullmatch(pair):
            value = known.get(found[1])
            if isinstance(value, str):
                yield found[2], value[:LONGEST_VALUE]
            elif isinstance(value, bool | int | float):
                yield found[2], value


def _of_answer(story: Story) -> Mapping[str, Any]:
    return {
        "@score": story.score,
        "@band": story.band.value,
        "@comment": story.comment or "",
        "@answered_at": instant_text(story.answered_at),
        "@campaign": story.campaign,
    }
