"""What an event says about a response, in the shape of the API's resource."""

from pydantic_core import to_json

from app.domain import ids
from app.domain.scores.metric import METRICS
from app.domain.scores.segment import VARIANT
from app.operations.responses.new_response import NewResponse

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
    return f"('{ids.PREFIXES[kind]}_' || encode(uuid_send({column}), 'hex'))"


def instant_sql(column: str) -> str:
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


# What came with an answer to an anonymous campaign, and what could single its person out: kept to count by, never told.
HIDDEN = (  # with blanks, or SQLAlchemy would take null for a parameter
    ', "language": null, "may_contact": null, "occasion": null, "import_id": null, "wave": null, "variant": null,'
    ' "properties": {}'
)


def told_as_recorded(response: NewResponse) -> tuple[str, str]:
    """What the answer itself says, as JSON text without its closing brace: PostgreSQL adds what only it knows. Then
    what goes on with it, unless the campaign is anonymous, which only PostgreSQL knows too.

    Putting text together costs PostgreSQL a quarter of what building the same JSON does.
    """
    said = {
        "id": ids.shown("response", response.id),
        "campaign_id": ids.shown("campaign", response.campaign_id),
        "channel": response.channel,
        "score": response.score,
        "comment": response.comment,
        "invitation_id": ids.shown("invitation", response.invitation_id) if response.invitation_id else None,
        "certainty": response.certainty,
        "answered_at": response.answered_at,
    }
    apart = {
        "language": response.language,
        "may_contact": response.may_contact,
        "occasion": response.occasion,
        "import_id": response.import_id,
        "wave": response.wave,
        "variant": response.variant,
    }
    answers = response.answers or "null"
    return (
        f'{to_json(said)[:-1].decode()},"answers":{answers}',
        f',{to_json(apart)[1:-1].decode()},"properties":{response.properties}',
    )


def unless_anonymous(told: str, apart: str, campaign: str) -> str:
    return f"{told} || CASE WHEN {campaign}.is_anonymous THEN '{HIDDEN}' ELSE {apart} END"


def told_sql(response: str, campaign: str) -> str:
    """The same, both parts of it, from a row of `responses` and one of `campaigns`."""
    told = f"""left(json_build_object(
        'id', {id_sql("response", f"{response}.id")},
        'campaign_id', {id_sql("campaign", f"{response}.campaign_id")},
        'channel', {response}.channel,
        'score', {response}.score,
        'comment', {response}.comment,
        'invitation_id', CASE WHEN {response}.invitation_id IS NOT NULL
            THEN {id_sql("invitation", f"{response}.invitation_id")} END,
        'certainty', {response}.certainty,
        'answered_at', {instant_sql(f"{response}.answered_at")},
        'answers', {response}.answers
    )::text, -1)"""
    apart = f"""', ' || left(substr(json_build_object(
        'language', {response}.language,
        'may_contact', {response}.may_contact,
        'occasion', {response}.occasion,
        'import_id', {response}.import_id,
        'wave', {response}.wave,
        'variant', {response}.segments ->> '{VARIANT}',
        'properties', {response}.properties
    )::text, 2), -1)"""
    return unless_anonymous(told, apart, campaign)


def body_sql(told: str, response: str, campaign: str, recipient: str, *, band: str, previous: str | None = None) -> str:
    """The `data` of a response event. Aliases of rows; `told`, `band` and `previous` (JSON text) are expressions."""
    person = f"{recipient}.id IS NULL THEN 'null' ELSE"
    before = f""" || ',"previous":' || {previous}""" if previous else ""
    return f"""(
        '{{"response":' || {told}
        || ',"survey_version":'
        || CASE WHEN {campaign}.is_anonymous THEN 'null' ELSE {response}.survey_version::text END || ',"recipient_id":'
        || CASE WHEN {person} '"' || {id_sql("recipient", f"{recipient}.id")} || '"' END
        || ',"band":"' || {band} || '","revision":' || {response}.revision
        || '}},"campaign":{{"id":"' || {id_sql("campaign", f"{campaign}.id")}
        || '","name":' || to_json({campaign}.name) || ',"kind":"' || {campaign}.kind
        || '","metric":"' || {campaign}.metric || '"}},"recipient":' || CASE WHEN {person}
            '{{"id":"' || {id_sql("recipient", f"{recipient}.id")} || '"'
            || ',"external_id":' || coalesce(to_json({recipient}.external_id)::text, 'null')
            || ',"email":' || coalesce(to_json({recipient}.email)::text, 'null')
            || ',"name":' || coalesce(to_json({recipient}.name)::text, 'null')
            || ',"properties":' || {recipient}.properties || '}}' END{before} || '}}'
    )::json"""
