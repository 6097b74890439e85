"""Every column that can hold text, and whether it may say something about a person who can be asked.

A test fails for a column that stands in neither list, and another writes a mark into each personal one, erases the
person and looks for the mark in the whole database.
"""

from collections.abc import Mapping

# column → what becomes of it when its person is erased
PERSONAL: Mapping[str, str] = {
    "recipients.external_id": "null",
    "recipients.email": "null",
    "recipients.phone": "null",
    "recipients.name": "null",
    "recipients.locale": "null",
    "recipients.time_zone": "null",
    "recipients.properties": "emptied",
    "responses.slot": "the response's own id",
    "responses.occasion": "null",
    "responses.comment": "null",
    "responses.language": "null",
    "responses.properties": "emptied",
    "responses.recipient_properties": "null",
    "responses.excluded_reason": "a fixed word",
    "response_revisions.comment": "null",
    "response_revisions.excluded_reason": "null",
    "response_revisions.reason": "null",
    "events.body": "ids and score only, and `redacted`",
    "deliveries.body": "null, which means the event's",
    "delivery_log.body": "null, which means the event's",
    "delivery_attempts.reply_head": "emptied: receivers like to repeat what they got",
}

# These outlive the person on purpose, or end by themselves.
NOT_ERASED: Mapping[str, str] = {
    "suppressions.address_hmac": "a keyed digest: it says that somebody said no, not who",
    "import_chunks.bytes": "deleted when the import ends; rows of people erased meanwhile are refused",
    "import_errors.detail": "written by us, never quotes the row",
    "responses.import_id": "names the answer, not the person; without it a repeated import would count it again",
    "responses.segments": "what the answer is counted under; needed to take it out of the counters again",
    "score_rollups.property_value": "counts of many answers",
    "tracked_values.value": "values that many answers share, capped in number",
}

_OURS = "ours, not a recipient's"
_FIXED = "one of a few fixed words"

NOT_PERSONAL: Mapping[str, str] = {
    "accounts.external_id": "of a company",
    "accounts.name": "of a company",
    "accounts.owner": "of the workspace's staff",
    "accounts.tier": "of a company",
    "accounts.properties": "of a company",
    "api_keys.allowed_origins": _OURS,
    "api_keys.hint": _OURS,
    "api_keys.kind": _FIXED,
    "api_keys.name": _OURS,
    "api_keys.scopes": _FIXED,
    "api_keys.token_hash": _OURS,
    "campaigns.goal": _OURS,
    "campaigns.kind": _FIXED,
    "campaigns.metric": _FIXED,
    "campaigns.name": _OURS,
    "campaigns.state": _FIXED,
    "dashboard_sessions.token_hash": _OURS,
    "deliveries.last_failure": _FIXED,
    "delivery_attempts.failure": _FIXED,
    "delivery_log.last_failure": _FIXED,
    "delivery_log.state": _FIXED,
    "endpoint_secrets.ciphertext": _OURS,
    "endpoint_secrets.hint": _OURS,
    "events.band": _FIXED,
    "events.previous_band": _FIXED,
    "events.type": _FIXED,
    "import_errors.code": _FIXED,
    "import_errors.field": "the name of a field or column",
    "imports.failure": "written by us, never quotes the file",
    "imports.format": _FIXED,
    "imports.state": _FIXED,
    "instance.fingerprint": _OURS,
    "response_revisions.actor": "an API key",
    "response_revisions.change": _FIXED,
    "responses.channel": _FIXED,
    "score_rollups.channel": _FIXED,
    "score_rollups.property_key": _OURS,
    "survey_versions.change": _FIXED,
    "survey_versions.content": _OURS,
    "survey_versions.default_language": _OURS,
    "survey_versions.languages": _OURS,
    "tracked_properties.buckets": _OURS,
    "tracked_properties.key": _OURS,
    "tracked_properties.kind": _FIXED,
    "tracked_properties.source": _FIXED,
    "tracked_properties.state": _FIXED,
    "tracked_values.key": _OURS,
    "webhook_endpoints.bands": _FIXED,
    "webhook_endpoints.description": _OURS,
    "webhook_endpoints.disabled_reason": _OURS,
    "webhook_endpoints.event_types": _FIXED,
    "webhook_endpoints.recipient_properties": "values that many people share, written down by the workspace",
    "webhook_endpoints.url": _OURS,
    "workspaces.mode": _FIXED,
    "workspaces.name": _OURS,
    "workspaces.time_zone": _OURS,
}
