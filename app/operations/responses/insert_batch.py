"""Storing a batch: the answers, what they change in the scores and what they announce, in one statement.

Being one statement it is its own transaction: everything of it is committed, or nothing. It refers to campaigns and
recipients as they stand in the database, not as a process remembers them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from operator import attrgetter

import asyncpg

from app.db.statements import next_revision
from app.domain.campaign import ACCEPTS_ANSWERS
from app.domain.scores.segment import VARIANT
from app.operations.events import CHANNEL
from app.operations.responses.bodies import METRIC_TABLE, band_sql, body_sql, told_as_recorded, unless_anonymous
from app.operations.responses.new_response import NewResponse
from app.operations.rollups import rollup_ctes
from app.operations.segments import segment_ctes

# name of the column, its array type, whether it goes into `responses` as it is
INPUT = (
    ("workspace_id", "uuid", True),
    ("id", "uuid", True),
    ("event_id", "uuid", False),
    ("campaign_id", "uuid", True),
    ("recipient_id", "uuid", True),
    ("score", "smallint", True),
    ("channel", "text", True),
    ("answered_at", "timestamptz", True),
    ("received_at", "timestamptz", False),
    ("comment", "text", True),
    ("language", "text", True),
    ("may_contact", "boolean", True),
    ("properties", "jsonb", True),
    ("occasion", "text", True),
    ("invitation_id", "uuid", True),
    ("asked_version", "integer", False),
    ("wave", "integer", True),
    ("variant", "text", False),
    ("certainty", "text", True),
    ("answers", "jsonb", True),
    ("import_id", "text", True),
    ("client_ref", "uuid", True),
    ("client_sequences", "jsonb", True),
    ("client_key_id", "uuid", True),
    ("idempotency_key", "uuid", True),
    ("request_digest", "uuid", True),
    ("is_news", "boolean", False),
    ("told", "text", False),
    ("told_apart", "text", False),
)
COPIED = ", ".join(name for name, _, is_stored in INPUT if is_stored)
COPIED_FROM_KNOWN = ", ".join(f"k.{name}" for name, _, is_stored in INPUT if is_stored)
VALUES = attrgetter(*(name for name, _, _ in INPUT if name not in {"told", "told_apart"}))
ARRAYS = ", ".join(f"${place}::{kind}[]" for place, (_, kind, _) in enumerate(INPUT, start=1))
NAMES = ", ".join(name for name, _, _ in INPUT)
ACCEPTING = ", ".join(f"'{state}'" for state in sorted(ACCEPTS_ANSWERS))


@dataclass(slots=True)
class Inserted:
    """What the statement says of one answer. `refusal` is a code; neither refused nor stored means a repeat."""

    is_stored: bool
    refusal: str | None
    state: str | None
    metric: str | None
    band: str | None
    slot: str | None
    survey_version: int | None
    counted_on: date | None


async def insert_batch(connection: asyncpg.Connection, batch: Sequence[NewResponse]) -> list[Inserted]:
    told, told_apart = zip(*(response.told or told_as_recorded(response) for response in batch), strict=True)
    rows = await connection.fetch(INSERT_BATCH, *zip(*map(VALUES, batch), strict=True), told, told_apart)
    return [Inserted(*row) for row in rows]


# Whether a campaign takes one answer per person may be changed while it runs: an answer from before then keeps its
# slot, and the next one has to meet it there. Looked up only where one of these decides, and without a join, which
# would read all responses of the workspace: nested loops are off where recording is planned.
SLOT_OF_PERSON = """
    SELECT r.slot FROM responses r
    WHERE r.workspace_id = i.workspace_id AND r.recipient_id = i.recipient_id AND r.campaign_id = i.campaign_id
    ORDER BY r.invitation_id = i.invitation_id DESC NULLS LAST, r.answered_at DESC LIMIT 1
"""
SLOT_OF_INVITATION = """
    SELECT r.slot FROM responses r WHERE r.workspace_id = i.workspace_id AND r.id = (
        SELECT v.response_id FROM invitations v WHERE v.workspace_id = i.workspace_id AND v.id = i.invitation_id
    )
"""

# The look-ups are LATERAL with a LIMIT so that they stay one index probe for each row, whatever the planner thinks of
# the tables' sizes; the insert comes first and the counters last, so that the hot rows are locked the shortest. The
# invitations, which are changed, are narrowed down by arrays first: a join alone would read all there are. All batches
# insert in one order, lest two wait for each other; of answers to the same thing, the first sent comes first.
INSERT_BATCH = f"""
WITH input AS MATERIALIZED (
    SELECT * FROM unnest({ARRAYS}) WITH ORDINALITY AS t ({NAMES}, place)
),
known AS MATERIALIZED (
    SELECT i.*, 1 AS revision, m.metric, {band_sql("i.score")} AS band,
        c.id AS c_id, c.name AS c_name, c.kind AS c_kind, c.is_anonymous, c.state,
        coalesce(i.asked_version, c.survey_version) AS survey_version,
        r.id AS r_id, r.external_id AS r_external_id, r.email AS r_email, r.name AS r_name,
        r.properties AS recipient_properties,
        CASE WHEN c.one_answer_per_recipient THEN coalesce(({SLOT_OF_PERSON}), 'campaign')
             WHEN i.invitation_id IS NOT NULL
                 THEN coalesce(({SLOT_OF_INVITATION}), 'invitation:' || i.invitation_id)
             WHEN i.occasion IS NOT NULL THEN 'occasion:' || i.occasion ELSE 'response:' || i.id END AS slot,
        (i.answered_at AT TIME ZONE w.time_zone)::date AS counted_on,
        CASE WHEN c.id IS NULL THEN 'campaign_not_found'
             WHEN c.state NOT IN ({ACCEPTING}) THEN 'campaign_not_accepting'
             WHEN i.score IS NULL THEN 'score_missing'
             WHEN i.score NOT BETWEEN m.lowest AND m.highest THEN 'score_out_of_range'
             WHEN c.is_anonymous AND i.recipient_id IS NOT NULL THEN 'campaign_is_anonymous'
             WHEN i.recipient_id IS NOT NULL AND r.id IS NULL THEN 'recipient_not_found' END AS refusal
    FROM input i
    JOIN LATERAL (SELECT time_zone FROM workspaces w WHERE w.id = i.workspace_id LIMIT 1) w ON true
    LEFT JOIN LATERAL (
        SELECT * FROM campaigns c WHERE c.workspace_id = i.workspace_id AND c.id = i.campaign_id LIMIT 1
    ) c ON true
    LEFT JOIN LATERAL (
        SELECT * FROM recipients r
        WHERE r.workspace_id = i.workspace_id AND r.id = i.recipient_id AND r.deleted_at IS NULL LIMIT 1
    ) r ON true
    LEFT JOIN {METRIC_TABLE} ON m.metric = c.metric
),
answers AS (
    SELECT workspace_id, id, properties, recipient_properties FROM known WHERE refusal IS NULL
),
{segment_ctes("answers")},
inserted AS (
    INSERT INTO responses (
        {COPIED}, survey_version, slot, recipient_properties, segments, counted_on, created_at, updated_at
    )
    SELECT {COPIED_FROM_KNOWN}, k.survey_version, k.slot, k.recipient_properties, 
        coalesce(s.segments, '{{}}') || CASE WHEN k.variant IS NULL THEN '{{}}' ELSE
            jsonb_build_object('{VARIANT}', k.variant) END,
        k.counted_on, k.received_at, k.received_at
    FROM known k LEFT JOIN segmented s ON s.id = k.id AND s.workspace_id = k.workspace_id
    WHERE k.refusal IS NULL
    ORDER BY k.workspace_id, k.campaign_id, coalesce(k.import_id, k.slot), k.place
    ON CONFLICT DO NOTHING
    RETURNING workspace_id, id, campaign_id, survey_version, wave, counted_on, channel, score, segments
),
announced AS (
    INSERT INTO events (
        workspace_id, id, type, campaign_id, recipient_id, response_id, band, score, occurred_at, created_at, body
    )
    SELECT k.workspace_id, k.event_id, CASE WHEN k.is_news THEN 'response.created' ELSE 'response.imported' END,
        k.campaign_id, k.recipient_id, k.id, k.band, k.score, k.received_at, k.received_at,
        {body_sql(unless_anonymous("k.told", "k.told_apart", "k"), "k", "c", "r", band="k.band")}
    FROM inserted JOIN known k USING (workspace_id, id),
        LATERAL (SELECT k.c_id AS id, k.c_name AS name, k.c_kind AS kind, k.metric, k.is_anonymous) c,
        LATERAL (
            SELECT k.r_id AS id, k.r_external_id AS external_id, k.r_email AS email, k.r_name AS name,
                k.recipient_properties AS properties
        ) r
    RETURNING workspace_id, id
),
queued AS (
    INSERT INTO event_queue (workspace_id, event_id) SELECT workspace_id, id FROM announced
),
changes AS (
    SELECT workspace_id, campaign_id, survey_version, wave, counted_on, channel, score, segments, 1 AS delta
    FROM inserted
),
asked AS (
    SELECT workspace_id, invitation_id FROM known WHERE invitation_id IS NOT NULL
),
answered AS (
    UPDATE invitations v SET state = 'answered', response_id = k.id, answered_at = k.received_at,
        commented_at = CASE WHEN k.comment IS NOT NULL THEN k.received_at END,
        due_at = NULL, {next_revision("v")}
    FROM inserted JOIN known k USING (workspace_id, id)
    WHERE v.workspace_id = k.workspace_id AND v.id = k.invitation_id
        AND v.workspace_id = ANY(ARRAY(SELECT DISTINCT workspace_id FROM asked))
        AND v.id = ANY(ARRAY(SELECT invitation_id FROM asked))
),
{rollup_ctes("changes")},
notified AS (
    SELECT pg_notify('{CHANNEL}', '') FROM inserted LIMIT 1
)
SELECT i.id IS NOT NULL, k.refusal, k.state, k.metric, k.band, k.slot, k.survey_version, k.counted_on
FROM known k LEFT JOIN inserted i ON i.id = k.id AND i.workspace_id = k.workspace_id LEFT JOIN notified ON true
ORDER BY k.place
"""
