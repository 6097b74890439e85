"""Under which segments answers are counted: the label of each tracked property, after its cap on values."""

from app.domain.scores.segment import OTHER


def segment_ctes(answers: str = "answers", *, tracked: str = "t.state <> 'removing'") -> str:
    """Common table expressions from the relation `answers`; the last one, `segmented`, has workspace_id, id, segments.

    `answers` has workspace_id, id, properties and recipient_properties (jsonb, or null). An answer without any segment
    has no row in `segmented`. `tracked` chooses among the properties `t` of the answer's workspace.

    A value seen for the first time takes one of its property's places while there are any, and is noted in
    tracked_values; then it counts as "(other)". Two batches at once may each fill the last places, so a property can
    end a few values above its limit; every answer is still counted under exactly what its row says.
    """
    return f"""labelled AS MATERIALIZED (
    SELECT a.workspace_id, a.id, t.key, t.value_limit, segment_label(
        CASE t.source WHEN 'recipient' THEN a.recipient_properties ELSE a.properties END -> t.key, t.kind, t.buckets
    ) AS label
    FROM {answers} a JOIN tracked_properties t ON t.workspace_id = a.workspace_id AND {tracked}
),
unmet AS MATERIALIZED (
    SELECT workspace_id, key, label, value_limit, row_number() OVER (PARTITION BY workspace_id, key ORDER BY first_id)
        + (SELECT count(*) FROM tracked_values v WHERE v.workspace_id = l.workspace_id AND v.key = l.key) AS place
    FROM (
        SELECT workspace_id, key, label, value_limit, min(id::text) AS first_id FROM labelled
        WHERE label IS NOT NULL GROUP BY workspace_id, key, label, value_limit
    ) l
    WHERE NOT EXISTS (
        SELECT FROM tracked_values v WHERE v.workspace_id = l.workspace_id AND v.key = l.key AND v.value = l.label
    )
),
met AS (
    INSERT INTO tracked_values (workspace_id, key, value)
    SELECT workspace_id, key, label FROM unmet WHERE place <= value_limit ORDER BY workspace_id, key, label
    ON CONFLICT DO NOTHING
),
segmented AS MATERIALIZED (
    SELECT workspace_id, id, jsonb_object_agg(
        key, CASE WHEN place > value_limit THEN '{OTHER}' ELSE label END
    ) AS segments
    FROM labelled LEFT JOIN unmet USING (workspace_id, key, label, value_limit)
    WHERE label IS NOT NULL GROUP BY workspace_id, id
)"""
