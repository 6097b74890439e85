"""What a text may say of the person who reads it: `Hello {name|there}`, `your {property.plan|current} plan`.

    {name|…}          the recipient's name            {account|…}        their account's name
    {property.KEY|…}  one of the recipient's, or of   {brand|…}          the name the workspace goes by
                      what they are asked about

Every field has a fall-back after the bar, so that nobody reads "Hello ,". Braces mean nothing else and cannot be
written.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

LONGEST_VALUE = 100  # characters of what is filled in
FIELD = re.compile(r"\{(name|account|brand|property\.[^{}|\s]{1,64})\|([^{}|]*[^{}|\s][^{}|]*)\}")
HOW_TO_WRITE = "{name|there}, {account|…}, {brand|…} or {property.plan|…}, with the words for whoever has none"
WITHOUT_TURNS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])  # embeddings, overrides, isolates

# Of a text of these nothing is shown.
BLANKS = "".join(chr(letter) for letter in range(0x3001) if chr(letter).isspace() or letter in WITHOUT_TURNS)


def fill(text: str, values: Mapping[str, object]) -> str:
    """`values` by field, as `merge_values` gives them; where one is missing or empty, the fall-back stands."""
    return FIELD.sub(lambda field: _shown(values.get(field[1])) or field[2], text)


def fields_in(texts: Iterable[str]) -> frozenset[str]:
    """The fields that are read: `name`, `account`, `brand`, `property.plan`."""
    return frozenset(field[1] for text in texts for field in FIELD.finditer(text))


def merge_values(
    *,
    name: str | None = None,
    account: str | None = None,
    brand: str | None = None,
    properties: Mapping[str, Any] | None = None,
) -> dict[str, object]:
    """What there is to fill in. `properties`: the recipient's, under those of what they are asked about."""
    known = {"name": name, "account": account, "brand": brand}
    return known | {f"property.{key}": value for key, value in (properties or {}).items()}


def merge_field_faults(text: str) -> Iterator[str]:
    """A brace that is not part of a field would be shown as it stands."""
    rest = FIELD.sub("", text)
    if "{" in rest or "}" in rest:
        yield f"Braces enclose what is filled in and nothing else: {HOW_TO_WRITE}."


def _shown(value: object) -> str:
    """On one line, of bounded length and turning nothing after it round: a name is not a place to write an essay."""
    match value:
        case bool() | None:
            return ""
        case int():
            return str(value)
        case float():
            return f"{Decimal(f'{round(value, 15):.15g}') + 0:f}"  # as people write numbers, without powers of ten
        case _:
            return " ".join(str(value).translate(WITHOUT_TURNS).split())[:LONGEST_VALUE].rstrip()
