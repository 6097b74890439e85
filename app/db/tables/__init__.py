"""Every table, constraint and index. Core tables only: joins are written, nothing loads lazily.

Every tenant table starts its primary key with `workspace_id`, and so do its unique indexes and foreign keys: that is
the isolation between tenants, and the distribution column for whoever outgrows one machine.
"""

from app.db.tables.authorizations import authorizations
from app.db.tables.base import metadata
from app.db.tables.campaigns import campaign_recipients, campaigns, reward_codes, survey_versions
from app.db.tables.events import event_queue, events
from app.db.tables.follow_ups import follow_ups
from app.db.tables.imports import import_chunks, import_errors, imports
from app.db.tables.invitations import invitations, messages, sending_days, sending_work, touchpoints, waves
from app.db.tables.mail import captured_mails, mail_sources, mail_tokens, outgoing_mails, sender_domains, sns_posts
from app.db.tables.pulls import pulled_pages, pulls
from app.db.tables.recipients import accounts, recipients, suppressions
from app.db.tables.responses import response_revisions, responses
from app.db.tables.scores import score_rollups, tracked_properties, tracked_values
from app.db.tables.webhooks import (
    accesses,
    deliveries,
    delivery_attempts,
    delivery_log,
    endpoint_health,
    endpoint_secrets,
    endpoint_work,
    remote_records,
    replays,
    webhook_endpoints,
)
from app.db.tables.workspaces import (
    api_keys,
    dashboard_sessions,
    idempotency_keys,
    instance,
    instance_keys,
    logos,
    workspaces,
)

__all__ = [
    "accesses",
    "accounts",
    "api_keys",
    "authorizations",
    "campaign_recipients",
    "campaigns",
    "captured_mails",
    "dashboard_sessions",
    "deliveries",
    "delivery_attempts",
    "delivery_log",
    "endpoint_health",
    "endpoint_secrets",
    "endpoint_work",
    "event_queue",
    "events",
    "follow_ups",
    "idempotency_keys",
    "import_chunks",
    "import_errors",
    "imports",
    "instance",
    "instance_keys",
    "invitations",
    "logos",
    "mail_sources",
    "mail_tokens",
    "messages",
    "metadata",
    "outgoing_mails",
    "pulled_pages",
    "pulls",
    "recipients",
    "remote_records",
    "replays",
    "response_revisions",
    "responses",
    "reward_codes",
    "score_rollups",
    "sender_domains",
    "sending_days",
    "sending_work",
    "sns_posts",
    "suppressions",
    "survey_versions",
    "touchpoints",
    "tracked_properties",
    "tracked_values",
    "waves",
    "webhook_endpoints",
    "workspaces",
]
