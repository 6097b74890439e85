"""Properties that scores can be split by: answers are counted under their values as they come in."""

from typing import Annotated
from uuid import UUID

from fastapi import Path
from pydantic import Field, StringConstraints

from app.api.dependencies import ReadTx, ScoreReader, Tx, WorkspaceWriter
from app.api.problem_types import refuses
from app.api.routing import router
from app.api.schemas import Instant, Listing, Reply, Request, Whole
from app.db import engine as database
from app.domain.scores.segment import (
    MOST_BOUNDARIES,
    MOST_VALUES,
    PROPERTY_KEY,
    DateBucket,
    PropertyKind,
    PropertySource,
    TrackedProperty,
    TrackedPropertyInvalid,
    buckets_from_json,
)
from app.domain.scores.tracking import (
    AlreadyTracked,
    StillBeingRemoved,
    TooManyTracked,
    TrackedPropertyNotFound,
    TrackingState,
)
from app.operations import tracked_properties as operations
from app.queries import tracked_properties as queries

routes = router("scores")

Key = Annotated[str, StringConstraints(pattern=f"^{PROPERTY_KEY.pattern}$")]
KeyInPath = Annotated[Key, Path(description="As it was declared.", examples=["plan"])]
Boundary = (
    Annotated[int, Field(strict=True, ge=-(2**53), le=2**53)]
    | Annotated[float, Field(strict=True, allow_inf_nan=False)]
)
Boundaries = Annotated[list[Boundary], Field(min_length=1, max_length=MOST_BOUNDARIES)]


class TrackedPropertyInput(Request):
    key: Key = Field(examples=["plan"])
    source: PropertySource = Field(description="Of the recipient, as it was when the answer came, or of the response.")
    kind: PropertyKind
    buckets: Boundaries | DateBucket | None = Field(
        None, description="Of numbers: where each bucket begins, ascending. Of dates: month, quarter or year."
    )
    value_limit: Annotated[Whole, Field(ge=1, le=MOST_VALUES)] = Field(
        100, description="Values met after this many count together as `(other)`."
    )

    def declared(self) -> TrackedProperty:
        """Raises TrackedPropertyInvalid."""
        return TrackedProperty(self.key, self.source, self.kind, buckets_from_json(self.buckets), self.value_limit)


class TrackedPropertyReply(Reply):
    key: str
    source: PropertySource
    kind: PropertyKind
    buckets: list[int | float] | DateBucket | None
    value_limit: int
    values: int = Field(description="How many different ones have been met.")
    state: TrackingState = Field(
        description="`declaring`: older responses are still being counted under it, so scores cannot be split by it "
        "yet. `removing`: they are being taken out, and then it is gone."
    )
    created_at: Instant


@routes.post(
    "/v1/tracked-properties",
    status_code=202,
    summary="Track a property",
    responses=refuses(TrackedPropertyInvalid, AlreadyTracked, StillBeingRemoved, TooManyTracked),
)
async def create_tracked_property(body: TrackedPropertyInput, caller: WorkspaceWriter, tx: Tx) -> TrackedPropertyReply:
    """Answers are counted under it from now on, older ones soon, and then it is `tracked`. May be repeated."""
    declared = body.declared()
    await operations.declare_property(tx, caller.workspace_id, declared)
    return await _read(tx, caller.workspace_id, declared.key)


@routes.get("/v1/tracked-properties", summary="List tracked properties")
async def list_tracked_properties(caller: ScoreReader, tx: ReadTx) -> Listing[TrackedPropertyReply]:
    """All of them: there are at most ten."""
    rows = await queries.list_tracked_properties(tx, caller.workspace_id)
    return Listing(data=[TrackedPropertyReply.model_validate(dict(row)) for row in rows])


@routes.get(
    "/v1/tracked-properties/{key}", summary="Read a tracked property", responses=refuses(TrackedPropertyNotFound)
)
async def get_tracked_property(key: KeyInPath, caller: ScoreReader, tx: ReadTx) -> TrackedPropertyReply:
    return await _read(tx, caller.workspace_id, key)


@routes.delete(
    "/v1/tracked-properties/{key}",
    status_code=202,
    summary="Stop tracking a property",
    responses=refuses(TrackedPropertyNotFound),
)
async def delete_tracked_property(key: KeyInPath, caller: WorkspaceWriter, tx: Tx) -> TrackedPropertyReply:
    """Scores cannot be split by it from now on. Its counts are taken out after this reply, and then it is gone."""
    await operations.remove_property(tx, caller.workspace_id, key)
    return await _read(tx, caller.workspace_id, key)


async def _read(tx: database.ReadTx | database.Tx, workspace_id: UUID, key: str) -> TrackedPropertyReply:
    return TrackedPropertyReply.model_validate(dict(await queries.get_tracked_property(tx, workspace_id, key)))
