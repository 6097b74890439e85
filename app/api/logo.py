"""The logo of a workspace's brand: uploaded here, served by the pages that show it."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request

from app.api.dependencies import Now, Tx, WorkspaceWriter, services_of
from app.api.problem_types import refuses
from app.api.problems import Refused
from app.api.routing import router
from app.api.workspace import Workspace
from app.domain.survey.logo import MEDIA_TYPES, MOST_BYTES, LogoInvalid, LogoNotFound
from app.operations.logos import drop_logo, put_logo
from app.queries.workspaces import get_workspace

routes = router("workspace")
A_PICTURE: Mapping[str, Any] = {"schema": {"type": "string", "minLength": 1, "format": "binary"}}
PICTURE: dict[str, Any] = {
    "requestBody": {"required": True, "content": {name: dict(A_PICTURE) for name in MEDIA_TYPES.values()}}
}


@routes.put(
    "/v1/workspace/logo",
    summary="Upload the logo of your brand",
    openapi_extra=PICTURE,
    responses=refuses(LogoInvalid, "unsupported_media_type", "body_missing"),
)
async def upload_logo(caller: WorkspaceWriter, tx: Tx, now: Now, request: Request) -> Workspace:
    """The picture itself is the body: at most 100 kB, 16 to 2000 pixels on each side, not moving. Survey pages and
    mails show it, scaled down, in place of the initial and the name. A PNG of about 480 pixels width is shown by every
    mail program and sharp on every screen. Another one takes its place; mails that are out keep theirs."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in MEDIA_TYPES.values():
        wanted = ", ".join(MEDIA_TYPES.values())
        raise Refused("unsupported_media_type", f"Send {wanted}, not {media_type or 'nothing'}.")
    raw = await request.body()
    if not raw:
        raise Refused("body_missing", "Send the picture as the body of the request.")
    if len(raw) > MOST_BYTES:
        raise Refused("body_too_large", f"A logo has at most {MOST_BYTES} bytes; this has {len(raw)}.")
    await put_logo(tx, caller.workspace_id, raw, now=now)
    address = services_of(request).settings.public_address
    return Workspace.of(await get_workspace(tx, caller.workspace_id), address=address)


@routes.delete("/v1/workspace/logo", status_code=204, summary="Remove the logo", responses=refuses(LogoNotFound))
async def delete_logo(caller: WorkspaceWriter, tx: Tx) -> None:
    """From pages, from mails to come and from those that are out, together with the logos before it. Whoever keeps
    pictures of mails, as some mail programs do, may show it on."""
    await drop_logo(tx, caller.workspace_id)
