"""What a filter may ask about, and how each thing can be compared."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID


class Kind(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    DAY = "day"
    INSTANT = "instant"
    FLAG = "flag"
    PRESENCE = "presence"  # there or not, and nothing else may be asked
    ANY = "any"  # a property: what its value turns out to be


class Operator(StrEnum):
    EQ = "eq"
    NE = "ne"
    IN = "in"
    EXISTS = "exists"
    LT = "lt"
    LTE = "lte"
    GT = "gt"
    GTE = "gte"
    SINCE = "since"
    BEFORE = "before"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"


IN_TIME = frozenset({Operator.SINCE, Operator.BEFORE})
BY_SIZE = frozenset({Operator.LT, Operator.LTE, Operator.GT, Operator.GTE})
IN_TEXT = frozenset({Operator.CONTAINS, Operator.STARTS_WITH})
_EQUALITY = frozenset({Operator.EQ, Operator.NE, Operator.IN})

OPERATORS: Mapping[Kind, frozenset[Operator]] = MappingProxyType(
    {
        Kind.TEXT: _EQUALITY | IN_TEXT | {Operator.EXISTS},
        Kind.NUMBER: _EQUALITY | BY_SIZE | {Operator.EXISTS},
        Kind.DAY: IN_TIME | {Operator.EXISTS},
        Kind.INSTANT: IN_TIME | {Operator.EXISTS},
        Kind.FLAG: frozenset({Operator.EQ}),
        Kind.PRESENCE: frozenset({Operator.EXISTS}),
        Kind.ANY: frozenset(Operator),
    }
)

PERSON: Mapping[str, Kind] = MappingProxyType(
    {
        "email": Kind.PRESENCE,
        "phone": Kind.PRESENCE,
        "email_domain": Kind.TEXT,
        "locale": Kind.TEXT,
        "time_zone": Kind.TEXT,
        "created_at": Kind.INSTANT,
        "unsubscribed_at": Kind.INSTANT,
    }
)
ACCOUNT: Mapping[str, Kind] = MappingProxyType(
    {
        "account.external_id": Kind.TEXT,
        "account.name": Kind.TEXT,
        "account.owner": Kind.TEXT,
        "account.tier": Kind.TEXT,
        "account.revenue": Kind.NUMBER,
        "account.renews_on": Kind.DAY,
    }
)
# Over all campaigns, or in the one that the condition names.
HISTORY: Mapping[str, Kind] = MappingProxyType(
    {
        "last_asked_at": Kind.INSTANT,
        "last_answered_at": Kind.INSTANT,
        "last_score": Kind.NUMBER,
        "last_band": Kind.TEXT,
        "asked_count": Kind.NUMBER,
        "answer_count": Kind.NUMBER,
    }
)
IN_ONE_CAMPAIGN: Mapping[str, Kind] = MappingProxyType({"is_listed": Kind.FLAG})


class Properties(StrEnum):
    """Whose. What follows the dot is the key, and may hold further dots."""

    OF_RECIPIENT = "properties"
    OF_ACCOUNT = "account.properties"
    OF_RESPONSE = "response.properties"


class About(StrEnum):
    """Answers know what was kept with them, and today's account of whoever gave them."""

    PEOPLE = "people"
    ANSWERS = "answers"


FIELDS: Mapping[About, Mapping[str, Kind]] = MappingProxyType(
    {About.PEOPLE: {**PERSON, **ACCOUNT, **HISTORY, **IN_ONE_CAMPAIGN}, About.ANSWERS: ACCOUNT}
)
PROPERTIES: Mapping[About, tuple[Properties, ...]] = MappingProxyType(
    {
        About.PEOPLE: (Properties.OF_ACCOUNT, Properties.OF_RECIPIENT),
        About.ANSWERS: (Properties.OF_ACCOUNT, Properties.OF_RESPONSE, Properties.OF_RECIPIENT),
    }
)


@dataclass(frozen=True, slots=True)
class Field:
    """`key`: of a property, whose name is then what holds it."""

    name: str
    kind: Kind
    key: str | None = None
    campaign_id: UUID | None = None

    @property
    def is_history(self) -> bool:
        return self.name in HISTORY or self.name in IN_ONE_CAMPAIGN


def find_field(name: str, about: About) -> Field | None:
    if name in FIELDS[about]:
        return Field(name, FIELDS[about][name])
    for holder in PROPERTIES[about]:
        if name.startswith(f"{holder}."):
            return Field(holder.value, Kind.ANY, key=name.removeprefix(f"{holder}."))
    return None
