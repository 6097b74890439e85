"""Filters: what they mean, and what is said about one that cannot be meant."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.domain.audience.audience import Condition, FilterInvalid, Relative, campaigns_in
from app.domain.audience.audience_fields import About
from app.domain.audience.audience_json import MOST_CONDITIONS, MOST_DEPTH, MOST_VALUES, read_filter
from app.domain.audience.audience_operands import Present
from tests.judge import Person, matches

CAMPAIGN = "camp_0198c1f2a7b3708c9d4e5f60718293a4"
PRESENT = Present(datetime(2026, 11, 22, 23, 30, tzinfo=UTC), ZoneInfo("Europe/Berlin"))  # there it is the 23rd
PRO = {"field": "properties.plan", "eq": "pro"}
ADA = Person(
    fields={
        "email": "ada@example.com",
        "email_domain": "example.com",
        "created_at": datetime(2026, 10, 23, 23, 30, tzinfo=UTC),
        "account.revenue": Decimal("1200.50"),
        "account.renews_on": date(2027, 1, 22),
    },
    properties={"plan": "pro", "seats": 12, "vip": True, "version": "3", "renews_on": "2027-01-22T08:00:00Z"},
    account_properties={},
    history={},
)


@pytest.mark.parametrize(
    ("document", "fits"),
    [
        (PRO, True),
        ({"field": "properties.plan", "in": ["free", "pro"]}, True),
        ({"field": "properties.seats", "gte": 10, "lt": 12}, False),
        ({"field": "properties.seats", "gte": 10, "lte": 12.0}, True),
        ({"field": "account.revenue", "gt": 1200.4, "ne": 1200.5}, False),
        ({"field": "properties.plan", "contains": "r"}, True),
        ({"field": "properties.plan", "starts_with": "Pro"}, False),
        ({"field": "email", "exists": True}, True),
        ({"field": "phone", "exists": False}, True),
        ({"field": "email_domain", "eq": "example.com"}, True),
        ({"field": "asked_count", "eq": 0}, True),
        ({"field": "asked_count", "campaign_id": CAMPAIGN, "eq": 0}, True),
        ({"field": "is_listed", "campaign_id": CAMPAIGN, "eq": False}, True),
        # what is not there, or of another type, is neither equal nor smaller nor larger; `ne` is the opposite of `eq`
        ({"field": "properties.city", "eq": "Rome"}, False),
        ({"field": "properties.city", "ne": "Rome"}, True),
        ({"field": "properties.city", "ne": "Rome", "exists": True}, False),
        ({"not": {"field": "properties.city", "eq": "Rome"}}, True),
        ({"not": {"field": "properties.seats", "lt": "12"}}, None),
        ({"not": {"field": "properties.plan", "lt": 12}}, True),
        ({"field": "properties.version", "eq": 3}, False),
        ({"field": "properties.version", "gte": 1}, False),
        ({"field": "properties.vip", "eq": 1}, False),
        ({"field": "properties.seats", "contains": "1"}, False),
        ({"field": "properties.plan", "before": {"days": 0}}, False),
        ({"field": "last_score", "lte": 6}, False),
        # instants are compared to the microsecond, days as days of the workspace
        ({"field": "created_at", "before": {"days": -30}}, False),
        ({"field": "created_at", "since": {"days": -30}}, True),
        ({"field": "created_at", "before": "2026-10-24"}, False),
        ({"field": "created_at", "since": "2026-10-24"}, True),
        ({"field": "account.renews_on", "since": {"days": 0}, "before": {"days": 60}}, False),
        ({"field": "account.renews_on", "since": {"days": 0}, "before": {"days": 61}}, True),
        ({"field": "properties.renews_on", "since": "2027-01-22", "before": "2027-01-23"}, True),
        ({"field": "properties.renews_on", "since": {"days": 60}}, True),
        ({"field": "properties.renews_on", "since": "2027-01-22T23:30:00Z"}, False),
        # and how conditions are joined
        ({"all": [PRO, {"not": PRO}]}, False),
        ({"any": [PRO, {"not": PRO}]}, True),
    ],
)
def test_what_a_filter_means(document: Any, fits: bool | None) -> None:
    if fits is None:
        with pytest.raises(FilterInvalid):
            read_filter(document)
    else:
        assert matches(read_filter(document), ADA, PRESENT) is fits


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        (None, ""),
        ([], ""),
        ({}, ""),
        ({"both": []}, ""),
        ({"all": [PRO], "any": [PRO]}, ""),
        ({"all": []}, "/all"),
        ({"any": PRO}, "/any"),
        ({"not": [PRO]}, "/not"),
        ({"all": [PRO, {"not": {"field": "plan", "eq": 1}}]}, "/all/1/not/field"),
        ({"field": 7, "eq": 1}, "/field"),
        ({"field": "name", "eq": "Ada"}, "/field"),
        ({"field": "email", "eq": "ada@example.com"}, "/eq"),
        ({"field": "properties.", "eq": 1}, "/field"),
        ({"field": f"properties.{'k' * 65}", "eq": 1}, "/field"),
        ({"field": "response.properties.order", "eq": 1}, "/field"),
        ({"field": "locale"}, ""),
        ({"field": "locale", "like": "d%"}, "/like"),
        ({"field": "locale", "lt": 3}, "/lt"),
        ({"field": "locale", "eq": 3}, "/eq"),
        ({"field": "locale", "eq": "x" * 1001}, "/eq"),
        ({"field": "locale", "in": "de"}, "/in"),
        ({"field": "locale", "in": []}, "/in"),
        ({"field": "locale", "in": ["de", None]}, "/in/1"),
        ({"field": "locale", "in": ["de"] * (MOST_VALUES + 1)}, "/in"),
        ({"field": "locale", "contains": ""}, "/contains"),
        ({"field": "locale", "exists": "yes"}, "/exists"),
        ({"field": "last_band", "eq": "promotor"}, "/eq"),
        ({"field": "last_score", "eq": True}, "/eq"),
        ({"field": "last_score", "lte": "6"}, "/lte"),
        ({"field": "last_score", "lte": 2**53 + 1}, "/lte"),
        ({"field": "last_score", "lte": 6, "campaign_id": "camp_1"}, "/campaign_id"),
        ({"field": "locale", "eq": "de", "campaign_id": CAMPAIGN}, "/campaign_id"),
        ({"field": "last_score", "lte": 6, "campaign_id": None}, "/campaign_id"),
        ({"field": "is_listed", "eq": True}, "/campaign_id"),
        ({"field": "is_listed", "eq": "true", "campaign_id": CAMPAIGN}, "/eq"),
        ({"field": "properties.plan", "eq": None}, "/eq"),
        ({"field": "properties.plan", "eq": ["pro"]}, "/eq"),
        ({"field": "properties.a/b~c", "eq": "pro", "l~/t": 1}, "/l~0~1t"),
        ({"field": "created_at", "before": 30}, "/before"),
        ({"field": "created_at", "before": "2026-02-30"}, "/before"),
        ({"field": "created_at", "before": "2026-11-22T10:00:00"}, "/before"),
        ({"field": "created_at", "before": "0001-01-01T00:00:00+14:00"}, "/before"),
        ({"field": "created_at", "before": "9999-12-31"}, "/before"),
        ({"field": "created_at", "before": {"days": 1.5}}, "/before"),
        ({"field": "created_at", "before": {"days": True}}, "/before"),
        ({"field": "created_at", "before": {"weeks": 2}}, "/before"),
        ({"field": "created_at", "before": {"days": 40_000}}, "/before"),
        ({"all": [PRO] * (MOST_CONDITIONS + 1)}, "/all"),
        ({"all": [{"any": [PRO] * 30}, {"any": [PRO] * 30}]}, "/all/1/any/20"),
    ],
)
def test_what_cannot_be_meant_is_refused_where_it_stands(document: Any, pointer: str) -> None:
    with pytest.raises(FilterInvalid) as refused:
        read_filter(document, at=("asking", "audience"))
    assert refused.value.pointer == f"/asking/audience{pointer}"


def test_filters_are_nested_only_so_deep() -> None:
    document: Any = PRO
    for _ in range(MOST_DEPTH - 1):
        document = {"not": document}
    read_filter(document)
    with pytest.raises(FilterInvalid):
        read_filter({"not": document})


@pytest.mark.parametrize(
    "field", ["properties.plan", "response.properties.a.b", "account.properties.x", "account.tier"]
)
def test_answers_are_filtered_by_what_was_kept_with_them_and_by_the_account(field: str) -> None:
    read_filter({"field": field, "eq": "pro"}, about=About.ANSWERS)
    for unknown in ("locale", "last_score", "is_listed"):
        with pytest.raises(FilterInvalid):
            read_filter({"field": unknown, "exists": True}, about=About.ANSWERS)


def test_a_key_may_hold_dots() -> None:
    read = read_filter({"field": "account.properties.a.b", "before": {"days": -30}})
    assert isinstance(read, Condition)
    assert (read.field.name, read.field.key) == ("account.properties", "a.b")
    assert read.comparisons[0].operand == Relative(-30)


def test_the_campaigns_that_a_filter_names_can_be_told() -> None:
    told = {"field": "last_score", "campaign_id": CAMPAIGN, "lte": 6}
    assert {one.hex for one in campaigns_in(read_filter({"any": [PRO, {"not": told}]}))} == {CAMPAIGN[5:]}
