"""What pages and mails of a workspace look like, and who they say they are from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from app.domain.errors import RuleViolation
from app.domain.people.properties import UNSTORABLE
from app.domain.pointer import json_pointer
from app.domain.survey.colour import COLOUR, ink_on
from app.domain.survey.links import LONGEST_LINK, is_safe_link
from app.domain.survey.logo import Logo

ACCENT = "#3b4cca"
LONGEST_NAME, LONGEST_ADDRESS = 100, 500  # characters


class BrandInvalid(RuleViolation):
    """The brand is not valid."""

    code = "brand_invalid"


@dataclass(frozen=True, slots=True)
class Brand:
    name: str
    accent: str = ACCENT  # #rrggbb
    postal_address: str | None = None  # of the sender, as mails to many people must have it
    privacy_url: str | None = None
    logo: Logo | None = None  # uploaded by itself

    @classmethod
    def of(cls, stored: Mapping[str, Any], *, workspace_name: str) -> Self:
        """What nobody has set is the workspace's name and a colour of ours."""
        known = {name: stored[name] for name in FIELDS if stored.get(name) is not None}
        return cls(**{"name": workspace_name, **known}, logo=Logo.of(stored.get("logo")))

    @property
    def initial(self) -> str:
        """Stands where a logo would."""
        return self.name.strip()[:1].upper()

    @property
    def ink(self) -> str:
        """What is written on the accent."""
        return ink_on(self.accent)


OURS = Brand("Zeroten")  # of pages that belong to no workspace we know
FIELDS = ("name", "accent", "postal_address", "privacy_url")


def changed_brand(stored: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Field by field, None takes one back. Raises BrandInvalid."""
    for field, value in changes.items():
        fault = _fault(field, value)
        if fault:
            raise BrandInvalid(fault, pointer=json_pointer("brand", field))
    after = {**stored, **changes}
    return {field: after[field] for field in (*FIELDS, "logo") if after.get(field) is not None}


def _fault(field: str, value: str | None) -> str | None:
    if value is None:
        return None
    if not value.strip() or UNSTORABLE.search(value):
        return "The text is empty; say null to take it back."
    match field:
        case "accent":
            return None if COLOUR.fullmatch(value) else "Write a colour as #rrggbb, in small letters."
        case "privacy_url":
            return None if is_safe_link(value) else f"Give an https:// address of at most {LONGEST_LINK} characters."
        case "name":
            return None if _is_a_line(value) else f"Give one line of at most {LONGEST_NAME} characters."
        case _:
            return None if len(value) <= LONGEST_ADDRESS else f"Give at most {LONGEST_ADDRESS} characters."


def _is_a_line(value: str) -> bool:
    return len(value) <= LONGEST_NAME and value.isprintable()
