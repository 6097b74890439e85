"""Delivering again what an endpoint missed: first how much that would be, then a button."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from fastapi import Request
from starlette.responses import Response

from app.api.dependencies import Now, ReadTx, Tx
from app.api.replays import Replay
from app.api.schemas import EndpointId
from app.api.webhook_models import endpoint_of
from app.dashboard.forms import read_form
from app.dashboard.places import replay_path
from app.dashboard.refusals import PageNotFound
from app.dashboard.shell import done, page
from app.dashboard.visitors import WebhookOperator
from app.domain.ids import parsed
from app.domain.webhooks.replay import ReplayRange
from app.operations.deliveries import replay as operations
from app.queries.pages import Page
from app.queries.replays import list_replays
from app.queries.webhook_endpoints import get_endpoint

MOST_REPLAYS = 5  # the latest


class Period(StrEnum):
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


LENGTHS: Mapping[Period, tuple[timedelta, str]] = {
    Period.HOUR: (timedelta(hours=1), "Last hour"),
    Period.DAY: (timedelta(hours=24), "24 hours"),
    Period.WEEK: (timedelta(days=7), "7 days"),
    Period.MONTH: (timedelta(days=30), "30 days"),  # events are kept no longer
}


async def show_replay(
    request: Request,
    endpoint_id: EndpointId,
    visitor: WebhookOperator,
    tx: ReadTx,
    now: Now,
    period: Period = Period.DAY,
) -> Response:
    workspace_id = visitor.caller.workspace_id
    endpoint = endpoint_of(await get_endpoint(tx, workspace_id, endpoint_id, now=now))
    found = await list_replays(tx, workspace_id, endpoint_id, Page(limit=MOST_REPLAYS))
    return page(
        request, "replay.html", endpoint=endpoint, period=period, periods={one: LENGTHS[one][1] for one in Period},
        missed=await operations.count_replay(tx, workspace_id, endpoint_id, _range(period, now=now)),
        replays=[Replay.of(row) for row in found.rows],
    )  # fmt: skip


async def start_replay(
    request: Request, endpoint_id: EndpointId, visitor: WebhookOperator, tx: Tx, now: Now
) -> Response:
    form = await read_form(request)
    if form.get("period") not in set(Period):
        raise PageNotFound
    wanted = _range(Period(form["period"]), include_never_attempted=form.get("never_attempted") == "yes", now=now)
    await operations.start_replay(tx, visitor.caller.workspace_id, endpoint_id, wanted, now=now)
    return done(request, replay_path(endpoint_id), "replaying")


async def cancel_replay(request: Request, endpoint_id: EndpointId, visitor: WebhookOperator, tx: Tx) -> Response:
    replay_id = parsed("replay", (await read_form(request)).get("replay_id", ""))
    if replay_id is None:
        raise PageNotFound
    await operations.cancel_replay(tx, visitor.caller.workspace_id, replay_id)
    return done(request, replay_path(endpoint_id), "replay_cancelled")


def _range(period: Period, *, include_never_attempted: bool = False, now: datetime) -> ReplayRange:
    return ReplayRange(now - LENGTHS[period][0], now, include_never_attempted)
