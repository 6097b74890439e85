"""Is it alive, is it ready, how is it doing."""

import hmac
from typing import Annotated

from fastapi import Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import Field

from app.api.authentication import unauthorized
from app.api.dependencies import services_of
from app.api.problem_types import refuses
from app.api.problems import Refused
from app.api.routing import router
from app.api.schemas import Reply
from app.api.security_schemes import MAY_NEED_METRICS_TOKEN
from app.queries.health import is_ready

routes = router("operation")

LOOPBACK = frozenset({"127.0.0.1", "::1"})


class Health(Reply):
    status: Annotated[str, Field(examples=["ok"])]


@routes.get("/livez", summary="The process answers")
async def livez() -> Health:
    return Health(status="ok")


@routes.get("/readyz", summary="The database answers and its schema is this version's", responses=refuses("not_ready"))
async def readyz(request: Request) -> Health:
    if not await is_ready(services_of(request).engine):
        raise Refused("not_ready", "The database does not answer.", headers={"Retry-After": "1"})
    return Health(status="ok")


@routes.get(
    "/metrics",
    summary="Figures for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **refuses("unauthorized")},
    openapi_extra=MAY_NEED_METRICS_TOKEN,
)
async def metrics(request: Request) -> Response:
    _check_may_see_metrics(request)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def _check_may_see_metrics(request: Request) -> None:
    token = services_of(request).settings.metrics_token
    if token is None:
        allowed = request.client is not None and request.client.host in LOOPBACK
    else:
        presented = request.headers.get("authorization", "").removeprefix("Bearer ")
        allowed = hmac.compare_digest(presented.encode(), token.get_secret_value().encode())
    if not allowed:
        raise unauthorized("Metrics need the bearer token of ZEROTEN_METRICS_TOKEN.")
