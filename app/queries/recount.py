"""Counting every answer anew, to compare with the rollups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.db.engine import ReadTx
from app.db.tables.scores import COUNTERS, RAW_SCORES


@dataclass(frozen=True, slots=True)
class Difference:
    """One row of the rollups that is not what its answers say; where there is no such row, `stored` is all zeros."""

    key: Mapping[str, Any]
    stored: tuple[int, ...]
    counted: tuple[int, ...]


async def rollup_differences(tx: ReadTx, workspace_id: UUID) -> list[Difference]:
    """Answers and rollups are read by one statement, so from one snapshot: exact while others go on recording."""
    rows = (await tx.execute(_DIFFERENCES, {"workspace_id": workspace_id})).mappings()
    return [Difference(_key(row), _counts(row, "stored_"), _counts(row, "counted_")) for row in rows]


def _key(row: Mapping[Any, Any]) -> Mapping[str, Any]:
    return {name: row[name] for name in KEY}


def _counts(row: Mapping[Any, Any], prefix: str) -> tuple[int, ...]:
    return tuple(row[f"{prefix}{counter}"] for counter in COUNTERS)


KEY = ("campaign_id", "property_key", "property_value", "counted_on", "channel", "survey_version", "wave")
_KEY = ", ".join(KEY)
_DIFFERENCES = text(f"""
    WITH counted AS (
        SELECT {_KEY}, {", ".join(f"count(*) FILTER (WHERE score = {score}) AS s{score}" for score in RAW_SCORES)}
        FROM (
            SELECT campaign_id, counted_on, channel, survey_version, wave, score, segments FROM responses
            WHERE workspace_id = :workspace_id AND excluded_at IS NULL
        ) r CROSS JOIN LATERAL (
            SELECT '', '' UNION ALL SELECT * FROM jsonb_each_text(r.segments)
        ) AS under (property_key, property_value)
        GROUP BY {_KEY}
    ),
    stored AS (SELECT {_KEY}, {", ".join(COUNTERS)} FROM score_rollups WHERE workspace_id = :workspace_id)
    SELECT {_KEY},
        {", ".join(f"coalesce(s.{counter}, 0) AS stored_{counter}" for counter in COUNTERS)},
        {", ".join(f"coalesce(c.{counter}, 0) AS counted_{counter}" for counter in COUNTERS)}
    FROM counted c FULL JOIN stored s USING ({_KEY})
    WHERE {" OR ".join(f"coalesce(s.{counter}, 0) <> coalesce(c.{counter}, 0)" for counter in COUNTERS)}
    ORDER BY {_KEY}
""")


async def miscounted_segments(tx: ReadTx, workspace_id: UUID) -> Sequence[tuple[str, int]]:
    """Tracked properties whose value some answers have, but are not counted under; with how many.

    And keys that answers are counted under although no such property is tracked.
    """
    rows = await tx.execute(_MISCOUNTED, {"workspace_id": workspace_id})
    return [(row.key, row.answers) for row in rows]


_MISCOUNTED = text("""
    SELECT key, count(*) AS answers FROM (
        SELECT t.key FROM responses r JOIN tracked_properties t ON t.workspace_id = r.workspace_id
        WHERE r.workspace_id = :workspace_id AND t.state = 'tracked' AND NOT jsonb_exists(r.segments, t.key)
            AND segment_label(
                CASE t.source WHEN 'recipient' THEN r.recipient_properties ELSE r.properties END -> t.key,
                t.kind, t.buckets
            ) IS NOT NULL
        UNION ALL
        SELECT k.key FROM responses r CROSS JOIN LATERAL jsonb_object_keys(r.segments) AS k (key)
        WHERE r.workspace_id = :workspace_id AND k.key NOT LIKE '@%' AND NOT EXISTS (
            SELECT FROM tracked_properties t WHERE t.workspace_id = r.workspace_id AND t.key = k.key
        )
    ) wrong GROUP BY key ORDER BY key
""")
