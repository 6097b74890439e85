"""What an event says about a response, rendered by PostgreSQL, in the shape of the API's resource."""

from app.domain import ids
from app.domain.metric import METRICS

# The scale and the bands of every metric as a table, so that SQL has them from the one place that defines them.
METRIC_ROWS = ", ".join(
    f"('{metric.key}', {metric.lowest}, {metric.highest}, {metric.passive_from}, {metric.promoter_from})"
    for metric in METRICS.values()
)
METRIC_TABLE = f"(VALUES {METRIC_ROWS}) AS m (metric, lowest, highest, passive_from, promoter_from)"


def band_sql(score: str, metric: str = "m") -> str:
    return (
        f"CASE WHEN {score} >= {metric}.promoter_from THEN 'promoter'"
        f" WHEN {score} >= {metric}.passive_from THEN 'passive' ELSE 'detractor' END"
    )


def id_sql(kind: str, column: str) -> str:
    return f"('{ids.PREFIXES[kind]}_' || replace({column}::text, '-', ''))"


def instant_sql(column: str) -> str:
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


def response_body_sql(response: str, campaign: str, recipient: str, *, band: str, previous: str | None = None) -> str:
    """Aliases of rows; `band` and `previous` are expressions (`previous` gives an object)."""
    return f"""jsonb_build_object(
        'response', jsonb_build_object(
            'id', {id_sql("response", f"{response}.id")},
            'campaign_id', {id_sql("campaign", f"{response}.campaign_id")},
            'survey_version', {response}.survey_version,
            'recipient_id', {id_sql("recipient", f"{response}.recipient_id")},
            'channel', {response}.channel,
            'score', {response}.score,
            'band', {band},
            'comment', {response}.comment,
            'language', {response}.language,
            'may_contact', {response}.may_contact,
            'occasion', {response}.occasion,
            'import_id', {response}.import_id,
            'properties', {response}.properties,
            'answered_at', {instant_sql(f"{response}.answered_at")},
            'revision', {response}.revision
        ),
        'campaign', jsonb_build_object(
            'id', {id_sql("campaign", f"{campaign}.id")},
            'name', {campaign}.name, 'kind', {campaign}.kind, 'metric', {campaign}.metric
        ),
        'recipient', CASE WHEN {recipient}.id IS NOT NULL THEN jsonb_build_object(
            'id', {id_sql("recipient", f"{recipient}.id")},
            'external_id', {recipient}.external_id, 'email', {recipient}.email, 'name', {recipient}.name,
            'properties', {recipient}.properties
        ) END{f", 'previous', {previous}" if previous else ""}
    )"""
