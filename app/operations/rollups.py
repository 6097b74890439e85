"""The arithmetic of rollups, kept here and nowhere else: whoever records, changes or removes answers adds deltas.

A change says what an answer was counted under and whether it is counted once more (delta 1) or once less (−1). It moves
the row of all answers (property_key '') and one row for each entry of its `segments`.
"""

from app.db.tables.scores import COUNTERS, RAW_SCORES

KEY = (
    "workspace_id",
    "campaign_id",
    "property_key",
    "property_value",
    "counted_on",
    "channel",
    "survey_version",
    "wave",
)


def rollup_ctes(changes: str = "changes", *, only_key: str | None = None) -> str:
    """Common table expressions that add what the relation `changes` holds; the last one is called `rollups`.

    `changes` has workspace_id, campaign_id, survey_version, wave, counted_on, channel, score, segments (jsonb: key →
    value counted under) and delta. `only_key` is an SQL expression: move only the rows of this property.

    Every upsert takes its rows in the order of their key, so that two of them wait for each other instead of
    deadlocking. One statement may contain these expressions once.
    """
    key, sums = ", ".join(KEY), ", ".join(map(_sum, RAW_SCORES))
    return f"""rollups AS (
    INSERT INTO score_rollups ({key}, {", ".join(COUNTERS)})
    SELECT {key}, {sums}
    FROM {changes} CROSS JOIN LATERAL ({_counted_under(only_key)}) AS counted_under (property_key, property_value)
    GROUP BY {key} ORDER BY {key}
    ON CONFLICT ({key}) DO UPDATE SET
        {", ".join(map(_added, COUNTERS))}
)"""


def _counted_under(only_key: str | None) -> str:
    if only_key is None:
        return "SELECT '', '' UNION ALL SELECT * FROM jsonb_each_text(segments)"
    return f"SELECT {only_key}, segments ->> {only_key} WHERE segments ->> {only_key} IS NOT NULL"


def _sum(score: int) -> str:
    return f"coalesce(sum(delta) FILTER (WHERE score = {score}), 0)"


def _added(counter: str) -> str:
    """A count below zero becomes null, which the column refuses: better a failed change than a false score."""
    return f"{counter} = nullif(greatest(score_rollups.{counter} + excluded.{counter}, -1), -1)"
