"""The workspace a key belongs to."""

from typing import Annotated, Literal

from pydantic import Field

from app.api.dependencies import ReadTx, Tx, WorkspaceReader, WorkspaceWriter
from app.api.problem_types import refuses
from app.api.routing import router
from app.api.schemas import Instant, Name, Reply, Request, WorkspaceId, absent
from app.domain.period import UnknownTimeZone
from app.operations.workspaces import change_workspace
from app.queries.workspaces import get_workspace as read_workspace

routes = router("workspace")


class Workspace(Reply):
    id: WorkspaceId
    name: str
    mode: Literal["live", "test"]
    time_zone: str = Field(examples=["Europe/Berlin"])
    sibling_id: WorkspaceId | None = Field(description="The test workspace of a live one, and the other way round.")
    created_at: Instant
    revision: int


class WorkspaceEdit(Request):
    name: Name = absent()
    time_zone: Annotated[Name, Field(description="From the IANA list. Decides the day of later answers only.")] = (
        absent()
    )


@routes.get("/v1/workspace", summary="Your workspace")
async def get_workspace(caller: WorkspaceReader, tx: ReadTx) -> Workspace:
    return Workspace.model_validate(await read_workspace(tx, caller.workspace_id))


@routes.patch("/v1/workspace", summary="Change its name or time zone", responses=refuses(UnknownTimeZone))
async def update_workspace(body: WorkspaceEdit, caller: WorkspaceWriter, tx: Tx) -> Workspace:
    await change_workspace(tx, caller.workspace_id, body.model_dump(exclude_unset=True))
    return Workspace.model_validate(await read_workspace(tx, caller.workspace_id))
