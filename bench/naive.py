"""What most people would write: FastAPI, an ORM session for each request, one commit for each answer.

It takes the same requests, stores the same rows in the same tables and sends the same reply. It does less: no
idempotency, no amendments, no tracked properties, no NOTIFY, no body cap, no metrics.
"""

import hashlib
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from pydantic_core import to_json
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from app.api.response_models import RecordedResponse, ResponseInput
from app.db import tables
from app.db.identifiers import new_id
from app.domain import ids
from app.domain.scores.metric import METRICS
from app.operations.rollups import KEY
from bench.serve import serve

POOL_SIZE = 20


class Base(DeclarativeBase):
    def __init__(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self, name, value)

    def __getattr__(self, name: str) -> Any:  # for mypy: the tables say which attributes there are
        raise AttributeError(name)


class ApiKey(Base):
    __table__ = tables.api_keys


class Workspace(Base):
    __table__ = tables.workspaces


class Campaign(Base):
    __table__ = tables.campaigns


class Recipient(Base):
    __table__ = tables.recipients


class Answer(Base):
    __table__ = tables.responses


class Event(Base):
    __table__ = tables.events


class QueuedEvent(Base):
    __table__ = tables.event_queue


async def _session(request: Request) -> AsyncIterator[AsyncSession]:
    async with request.app.state.sessions() as session:
        yield session


Session = Annotated[AsyncSession, Depends(_session)]


async def _workspace(session: Session, authorization: Annotated[str, Header()]) -> Workspace:
    digest = hashlib.sha256(authorization.removeprefix("Bearer ").encode()).digest()
    keys = tables.api_keys.c
    key = (await session.execute(select(ApiKey).where(keys.token_hash == digest))).scalar_one_or_none()
    if key is None or key.revoked_at is not None:
        raise HTTPException(401)
    return await session.get_one(Workspace, key.workspace_id)


async def record_response(
    body: ResponseInput, session: Session, workspace: Annotated[Any, Depends(_workspace)]
) -> RecordedResponse:
    now = datetime.now(UTC)
    campaign = await session.get(Campaign, (workspace.id, body.campaign_id))
    recipient = await session.get(Recipient, (workspace.id, body.recipient_id)) if body.recipient_id else None
    if campaign is None or campaign.state != "running":
        raise HTTPException(404)
    answer = _answer(body, workspace, campaign, recipient, now)
    session.add(answer)
    await session.flush()
    band = METRICS[campaign.metric].band_for(body.score)
    event = Event(**_event(answer, campaign, recipient, band, now))
    session.add(event)
    session.add(QueuedEvent(workspace_id=workspace.id, event_id=event.id))
    await session.flush()
    await session.execute(_count(answer))
    await session.commit()
    return RecordedResponse(**_said(answer), survey_version=1, band=band, revision=1, outcome="created")


def _answer(body: ResponseInput, workspace: Any, campaign: Any, recipient: Any, now: datetime) -> Any:
    response_id = new_id(now)
    return Answer(
        workspace_id=workspace.id,
        id=response_id,
        campaign_id=campaign.id,
        survey_version=campaign.survey_version,
        recipient_id=body.recipient_id,
        slot=f"response:{response_id}",
        channel=body.channel,
        score=body.score,
        comment=body.comment,
        wave=0,
        certainty="confirmed",
        answers=body.answers,
        properties=body.properties,
        recipient_properties=recipient.properties if recipient else None,
        segments={},
        counted_on=now.astimezone(ZoneInfo(workspace.time_zone)).date(),
        answered_at=now,
        created_at=now,
        updated_at=now,
        revision=1,
    )


MORE_TOLD = ("language", "may_contact", "occasion", "import_id", "wave", "certainty", "answers", "properties")


def _said(answer: Any) -> dict[str, Any]:
    names = ("id", "campaign_id", "recipient_id", "channel", "score", "comment", "answered_at")
    return {name: getattr(answer, name) for name in names}


def _event(answer: Any, campaign: Any, recipient: Any, band: str, now: datetime) -> Mapping[str, Any]:
    return {
        "workspace_id": answer.workspace_id,
        "id": new_id(now),
        "type": "response.created",
        "campaign_id": answer.campaign_id,
        "recipient_id": answer.recipient_id,
        "response_id": answer.id,
        "band": band,
        "score": answer.score,
        "occurred_at": now,
        "created_at": now,
        "body": {
            "response": _told(answer, band),
            "campaign": _which(campaign),
            "recipient": _person(recipient) if recipient else None,
        },
    }


def _told(answer: Any, band: str) -> Mapping[str, Any]:
    recorded = RecordedResponse(
        **_said(answer), survey_version=answer.survey_version, band=band, revision=1, outcome="created"
    )
    more = {name: getattr(answer, name) for name in MORE_TOLD}
    asked = {"invitation_id": None, "variant": None}
    return {**recorded.model_dump(mode="json", exclude={"outcome"}), **more, **asked}


def _which(campaign: Any) -> Mapping[str, Any]:
    return {
        "id": ids.shown("campaign", campaign.id),
        **{name: getattr(campaign, name) for name in ("name", "kind", "metric")},
    }


def _person(recipient: Any) -> Mapping[str, Any]:
    names = ("external_id", "email", "name", "properties")
    return {"id": ids.shown("recipient", recipient.id), **{name: getattr(recipient, name) for name in names}}


def _count(answer: Any) -> Any:
    counter = f"s{answer.score}"
    counted = {name: getattr(answer, name) for name in ("workspace_id", "campaign_id", "counted_on", "channel")}
    of_all = {"property_key": "", "property_value": "", "survey_version": answer.survey_version, "wave": 0}
    rollups = tables.score_rollups
    statement = insert(rollups).values(**counted, **of_all, **{counter: 1})
    return statement.on_conflict_do_update(index_elements=KEY, set_={counter: rollups.c[counter] + 1})


def create_app(database_url: str) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        url = database_url.replace("postgresql://", "postgresql+asyncpg://")
        serializer = lambda value: to_json(value).decode()  # noqa: E731
        engine = create_async_engine(url, pool_size=POOL_SIZE, max_overflow=0, json_serializer=serializer)
        app.state.sessions = async_sessionmaker(engine, expire_on_commit=False)
        yield
        await engine.dispose()

    app = FastAPI(lifespan=lifespan)
    app.post("/v1/responses", status_code=201)(record_response)
    return app


if __name__ == "__main__":
    serve(create_app(os.environ["ZEROTEN_DATABASE_URL"]))
