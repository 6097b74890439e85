"""Webhooks for people: who listens and how that goes, what became of each event, and a button to try again."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import Query, Request
from pydantic import AfterValidator
from starlette.responses import Response

from app.api.delivery_models import delivery_of
from app.api.dependencies import Now, ReadTx, Tx
from app.api.pagination import NewestFirst, next_cursor
from app.api.schemas import EndpointId, storable
from app.dashboard.endpoint_summary import summary_of, totals_of, worst_first
from app.dashboard.forms import read_form
from app.dashboard.places import endpoint_path
from app.dashboard.shell import done, page
from app.dashboard.states import DELIVERIES
from app.dashboard.visitors import WebhookOperator, WebhookViewer
from app.dashboard.wording import host
from app.domain.connectors.catalogue import can_be_let_in
from app.domain.webhooks.delivery import DeliveryState
from app.domain.webhooks.replay import missed_while_disabled
from app.domain.webhooks.webhook_endpoint import MOST_ENDPOINTS, DisabledReason
from app.operations import webhook_endpoints as operations
from app.operations.deliveries.replay import ReplayCount, count_replay
from app.queries.deliveries import DeliveryFilter, list_deliveries
from app.queries.pages import Page
from app.queries.sessions import Visitor
from app.queries.webhook_endpoints import get_endpoint, list_endpoints

MOST_DELIVERIES = 25  # on a page
LONGEST_SEARCH = 320  # characters, of the longest e-mail address


async def show_webhooks(
    request: Request,
    visitor: WebhookViewer,
    tx: ReadTx,
    now: Now,
    from_here: NewestFirst,
    state: DeliveryState | None = None,
    about: Annotated[str, Query(max_length=LONGEST_SEARCH), AfterValidator(storable)] = "",
) -> Response:
    endpoints = await list_endpoints(tx, visitor.caller.workspace_id, Page(limit=MOST_ENDPOINTS), now=now)
    summaries = worst_first([await summary_of(tx, row, now=now) for row in endpoints.rows])
    names = {one.endpoint.id: one.endpoint.description or host(one.endpoint.url) for one in summaries}
    listed = await _deliveries(tx, visitor, _filter(state, about.strip()), from_here)
    return page(
        request, "webhooks.html", summaries=summaries, totals=totals_of(summaries), names=names, state=state,
        about=about.strip(), **listed,
    )  # fmt: skip


async def show_endpoint(
    request: Request,
    endpoint_id: EndpointId,
    visitor: WebhookViewer,
    tx: ReadTx,
    now: Now,
    from_here: NewestFirst,
    state: DeliveryState | None = None,
) -> Response:
    row = await get_endpoint(tx, visitor.caller.workspace_id, endpoint_id, now=now)
    summary = await summary_of(tx, row, now=now)
    may_change = visitor.caller.may("webhooks:write")
    listed = await _deliveries(tx, visitor, DeliveryFilter(state, endpoint_id=endpoint_id), from_here)
    return page(
        request, "endpoint.html", summary=summary, endpoint=summary.endpoint, names=None, state=state, about="",
        may_change=may_change, can_be_let_in=can_be_let_in(row["kind"]),
        missed=await _missed(tx, row, now=now) if may_change else None, **listed,
    )  # fmt: skip


async def _missed(tx: ReadTx, row: Mapping[str, Any], *, now: datetime) -> ReplayCount | None:
    """By a disabled one: what enabling it can deliver."""
    if row["disabled_at"] is None:
        return None
    missed = missed_while_disabled(row["disabled_at"], row["health"].failing_since, now=now)
    return await count_replay(tx, row["workspace_id"], row["id"], missed)


def _filter(state: DeliveryState | None, about: str) -> DeliveryFilter:
    """Whose e-mail or external id it is. An external id may look like an address; that is looked for as one."""
    if not about:
        return DeliveryFilter(state)
    return DeliveryFilter(state, email=about) if "@" in about else DeliveryFilter(state, external_id=about)


async def _deliveries(tx: ReadTx, visitor: Visitor, wanted: DeliveryFilter, from_here: Page) -> dict[str, Any]:
    workspace_id, here = visitor.caller.workspace_id, Page(limit=MOST_DELIVERIES, after=from_here.after)
    found = await list_deliveries(tx, workspace_id, wanted, here)
    return {
        "deliveries": [delivery_of(row) for row in found.rows],
        "states": DELIVERIES,
        "older": next_cursor(found),
        "is_first": here.after is None,
    }


async def send_test(request: Request, endpoint_id: EndpointId, visitor: WebhookOperator, tx: Tx, now: Now) -> Response:
    await operations.send_test(tx, visitor.caller.workspace_id, endpoint_id, now=now)
    return done(request, endpoint_path(endpoint_id), "test_sent")


async def enable(request: Request, endpoint_id: EndpointId, visitor: WebhookOperator, tx: Tx, now: Now) -> Response:
    deliver_missed = (await read_form(request)).get("deliver_missed") == "yes"
    enabled = await operations.enable_endpoint(
        tx, visitor.caller.workspace_id, endpoint_id, now=now, deliver_missed=deliver_missed
    )
    return done(request, endpoint_path(endpoint_id), "enabled_replaying" if enabled.replay_id else "enabled")


async def disable(request: Request, endpoint_id: EndpointId, visitor: WebhookOperator, tx: Tx, now: Now) -> Response:
    reason = DisabledReason.REQUESTED
    await operations.disable_endpoint(tx, visitor.caller.workspace_id, endpoint_id, reason=reason, now=now)
    return done(request, endpoint_path(endpoint_id), "disabled")
