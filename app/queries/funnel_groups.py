"""By what invitations can be counted apart: an SQL expression over `invitations v`, and what is joined for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

GroupKey = int | str | None


class FunnelGrouping(StrEnum):
    WAVE = "wave"
    CHANNEL = "channel"
    VARIANT = "variant"
    PROPERTY = "property"


@dataclass(frozen=True, slots=True)
class FunnelGroups:
    """`property_key`: of a tracked property of recipients, as it is today."""

    grouping: FunnelGrouping
    property_key: str | None = None


@dataclass(frozen=True, slots=True)
class GroupSql:
    key: str
    joined: str = ""


TOGETHER = GroupSql("CAST(NULL AS text)")
GROUPED_BY: Mapping[FunnelGrouping, GroupSql] = {
    FunnelGrouping.WAVE: GroupSql("v.wave"),
    FunnelGrouping.CHANNEL: GroupSql("v.channel"),
    FunnelGrouping.VARIANT: GroupSql("v.variant"),
    FunnelGrouping.PROPERTY: GroupSql(
        "segment_label(p.properties -> t.key, t.kind, t.buckets)",
        """JOIN recipients p ON p.workspace_id = v.workspace_id AND p.id = v.recipient_id
        JOIN tracked_properties t ON t.workspace_id = v.workspace_id AND t.key = :property_key""",
    ),
}


def in_order(key: GroupKey) -> tuple[bool, int, str]:
    """Waves by number, the rest by name; what belongs to no group comes last."""
    return (key is None, key, "") if isinstance(key, int) else (key is None, 0, key or "")
