"""Every kind of endpoint on one page: plain webhooks, and the services we speak to in their own words."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from enum import StrEnum
from typing import Any

from app.domain.connectors.activecampaign import ActiveCampaign
from app.domain.connectors.airtable import Airtable
from app.domain.connectors.authorization import AuthorizationUnusable
from app.domain.connectors.discord import Discord
from app.domain.connectors.freshdesk import Freshdesk
from app.domain.connectors.getresponse import GetResponse
from app.domain.connectors.google_chat import GoogleChat
from app.domain.connectors.google_sheets import GoogleSheets
from app.domain.connectors.hubspot import HubSpot
from app.domain.connectors.intercom import Intercom
from app.domain.connectors.mailchimp import Mailchimp
from app.domain.connectors.mattermost import Mattermost
from app.domain.connectors.monday import Monday
from app.domain.connectors.pagerduty import PagerDuty
from app.domain.connectors.pipedrive import Pipedrive
from app.domain.connectors.protocol import Connector
from app.domain.connectors.salesforce import Salesforce
from app.domain.connectors.segment import Segment
from app.domain.connectors.settings import read_settings
from app.domain.connectors.slack import Slack
from app.domain.connectors.slack_app import SlackApp
from app.domain.connectors.teams import Teams
from app.domain.connectors.zendesk import Zendesk
from app.domain.connectors.zoho import Zoho
from app.domain.webhooks.webhook_endpoint import NotForConnectors


class EndpointKind(StrEnum):
    WEBHOOK = "webhook"
    SLACK = "slack"
    SLACK_APP = "slack_app"
    TEAMS = "teams"
    DISCORD = "discord"
    GOOGLE_CHAT = "google_chat"
    MATTERMOST = "mattermost"
    SALESFORCE = "salesforce"
    ZOHO = "zoho"
    HUBSPOT = "hubspot"
    PIPEDRIVE = "pipedrive"
    INTERCOM = "intercom"
    ZENDESK = "zendesk"
    FRESHDESK = "freshdesk"
    ACTIVECAMPAIGN = "activecampaign"
    GETRESPONSE = "getresponse"
    MAILCHIMP = "mailchimp"
    AIRTABLE = "airtable"
    GOOGLE_SHEETS = "google_sheets"
    MONDAY = "monday"
    PAGERDUTY = "pagerduty"
    SEGMENT = "segment"


CONNECTORS: Mapping[str, type[Connector]] = {
    connector.kind: connector
    for connector in (
        Slack, SlackApp, Teams, Discord, GoogleChat, Mattermost,
        HubSpot, Salesforce, Zoho, Pipedrive, Intercom, Zendesk, Freshdesk,
        ActiveCampaign, GetResponse, Mailchimp, Airtable, GoogleSheets, Monday, PagerDuty, Segment,
    )
}  # fmt: skip

# What connectors can tell about.
TOLD = frozenset({
    "response.created", "response.updated", "response.band_changed", "response.imported",
    "response.promoter", "response.passive", "response.detractor",
})  # fmt: skip

INSTEAD_OF_CONSENT = frozenset({"token", "service_account"})  # settings


def connector_of(kind: str, settings: Mapping[str, Any]) -> Connector:
    """Raises ConnectorSettingsUnusable."""
    return read_settings(CONNECTORS[kind], settings)


def can_be_let_in(kind: str) -> bool:
    """On its service's own page."""
    return kind in CONNECTORS and "refresh_token" in {one.name for one in fields(CONNECTORS[kind])}


def connector_asking(kind: str, settings: Mapping[str, Any]) -> Connector:
    """One that somebody is still to let in. Raises AuthorizationUnusable, ConnectorSettingsUnusable."""
    if not can_be_let_in(kind):
        detail = (
            f"{kind} takes a token or a URL. HubSpot, Salesforce, Zoho and Google Sheets can be authorized on their "
            "own page."
        )
        raise AuthorizationUnusable(detail, pointer="/kind")
    if given := sorted({"refresh_token", *INSTEAD_OF_CONSENT} & settings.keys()):
        raise AuthorizationUnusable(
            "Leave this out: the authorization is asked for in its place.", pointer=f"/settings/{given[0]}"
        )
    return connector_of(kind, {**settings, "refresh_token": "pending"})


def settings_to_ask_with(kind: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Of those of a connector: what it cannot do without, its app, and where its service is; others may change
    meanwhile. Raises AuthorizationUnusable, ConnectorSettingsUnusable.
    """
    connector = connector_asking(kind, settings)
    required = {one.name for one in fields(connector) if one.default is MISSING}
    needed = required | {*connector.addresses, "client_id", "client_secret"}
    return {name: value for name, value in settings.items() if name in needed}


def event_types_for(kind: str, chosen: Sequence[str]) -> list[str]:
    """Raises NotForConnectors."""
    told = TOLD | CONNECTORS[kind].further_events
    if unknown := sorted(set(chosen) - told):
        raise NotForConnectors(f"A connector cannot tell about {', '.join(unknown)}.", pointer="/event_types")
    return list(chosen or CONNECTORS[kind].usual_events)


def usual_pull(kind: str) -> dict[str, str]:
    """Which fields people are pulled with unless told otherwise; none where nobody is."""
    return dict(CONNECTORS[kind].pulled_fields) if kind in CONNECTORS else {}
