"""The API process: what it is made of, and what lives as long as it does."""

import gc
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from app.api import problems
from app.api.authentication import Keyring
from app.api.dependencies import Services
from app.api.edge import Edge
from app.api.event_watch import EventWatch
from app.api.hot_route import Place, straight_to
from app.api.openapi import serve_document
from app.api.public.survey.anonymous_marks import AnonymousMarks
from app.api.public.survey.page import include_survey_pages
from app.api.public.survey.visits import Visits
from app.api.rate_limit import RateLimit
from app.api.routes import include_routes
from app.clock import utc_now
from app.config import Settings
from app.dashboard.routes import include_dashboard
from app.db.engine import Engine
from app.db.vault import Vault
from app.domain.webhooks.addresses import Guard
from app.operations.instance_keys import SURVEY_LINKS, AddressKey, InstanceKey
from app.operations.responses.recorder import Recorder
from app.queries.check_secrets import check_secrets


def create_app(settings: Settings) -> FastAPI:
    """Needs no database until its lifespan begins, so that openapi.yaml can be written anywhere."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with _services(settings) as services:
            app.state.services = services
            _let_the_collector_rest()
            yield

    app = Service(
        title="Zeroten",
        version=version("zeroten"),
        lifespan=lifespan,
        generate_unique_id_function=lambda route: route.name,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a path is right or unknown; a POST must not wander
    )
    problems.install(app)
    include_routes(app)
    include_survey_pages(app)
    include_dashboard(app)
    serve_document(app)
    limit, log_all = settings.body_limit_bytes, settings.access_log == "all"
    app.add_middleware(Edge, body_limit_bytes=limit, log_all=log_all)
    app.straight = {
        place: Edge(answer, body_limit_bytes=limit, log_all=log_all) for place, answer in straight_to(app.routes)
    }
    return app


class Service(FastAPI):
    """Hands requests for the hot routes to them at once. The edge is round these as round everything else; FastAPI's
    own layers, none of which concerns them, are not.
    """

    straight: Mapping[Place, Edge] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self.straight.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if route is None:
            await super().__call__(scope, receive, send)
            return
        scope["app"] = self
        await route(scope, receive, send)


def _let_the_collector_rest() -> None:
    """A third of a request's time went into looking through modules and routes for garbage that is never there."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


@asynccontextmanager
async def _services(settings: Settings) -> AsyncIterator[Services]:
    if settings.database_url is None:
        raise RuntimeError("ZEROTEN_DATABASE_URL is not set; `zeroten up` starts an embedded PostgreSQL instead")
    engine = Engine(settings.database_url.get_secret_value(), pool_size=settings.pool_size)
    vault = Vault.read(settings.secret_keys_text)
    try:
        async with engine.read() as tx:
            await check_secrets(tx, vault, now=utc_now())
        address_key = AddressKey(engine, vault)
        async with Recorder(engine, address_key=address_key, queue_limit=settings.record_queue_limit) as recorder:
            yield Services(
                settings=settings,
                engine=engine,
                vault=vault,
                address_key=address_key,
                survey_link_key=InstanceKey(engine, vault, SURVEY_LINKS),
                keyring=Keyring(engine),
                recorder=recorder,
                event_watch=EventWatch(engine),
                rate_limit=RateLimit(settings.rate_limit_per_second),
                public_rate_limit=RateLimit(settings.public_rate_limit_per_second),
                link_rate_limit=RateLimit(settings.link_rate_limit_per_second),
                visits=Visits(),
                anonymous_marks=AnonymousMarks(),
                guard=Guard.read(settings.receivers_allow_cidrs, allow_loopback=settings.receivers_allow_loopback),
            )
    finally:
        await engine.close()
