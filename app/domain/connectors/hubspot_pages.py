"""Reading all contacts of HubSpot by its search, which sorts by one property only and shows no more than 10,000.

So each page is a search of its own: for whoever changed at the same millisecond as the last one or later. Where a whole
page changed in one millisecond, those are read by their numbers. Nobody is skipped when people change meanwhile: they
only move behind where we are. https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from app.domain.connectors.pages import Page, Place, Record
from app.domain.connectors.pages_by_instant import instant_in

AT_ONCE = 100
INDEXED_WITHIN = timedelta(minutes=5)  # usually seconds; until then a change is not found
CHANGED, COMPANY, NUMBER = "lastmodifieddate", "associatedcompanyid", "hs_object_id"
COMPANY_CHANGED = "hs_lastmodifieddate"  # companies call it otherwise
BEFORE_ALL = "0"


def search(names: Sequence[str], place: Place, *, changed: str = CHANGED) -> dict[str, Any]:
    """The body of the request for the page that begins here."""
    filters: list[dict[str, Any]] = []
    if place.since is not None:
        operator = "EQ" if place.after else "GTE"
        filters.append({"propertyName": changed, "operator": operator, "value": str(_milliseconds(place.since))})
    if place.after:
        filters.append({"propertyName": NUMBER, "operator": "GT", "value": place.after})
    return {
        "filterGroups": [{"filters": filters}] if filters else [],
        "sorts": [{"propertyName": NUMBER if place.after else changed, "direction": "ASCENDING"}],
        "properties": sorted({*names, changed}),
        "limit": AT_ONCE,
    }


def page_of(records: Sequence[Record], place: Place, *, changed: str = CHANGED) -> Page:
    """Raises Failed."""
    is_full = len(records) >= AT_ONCE
    if place.after:
        assert place.since is not None, "only an instant is read by numbers"
        following = Place(place.since, records[-1].id) if is_full else Place(place.since + timedelta(milliseconds=1))
        return Page(records, following, is_last=False)
    if not records:
        return Page(records, place, is_last=True)
    first, last = instant_in(records[0], changed), instant_in(records[-1], changed)
    return Page(records, Place(last, BEFORE_ALL if is_full and first == last else ""), is_last=not is_full)


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1_000)
