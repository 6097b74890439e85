"""Every route, in reading order."""

from fastapi import FastAPI

from app.api import health


def include_routes(app: FastAPI) -> None:
    app.include_router(health.routes)
