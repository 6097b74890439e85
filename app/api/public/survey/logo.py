"""The logo on pages and in mails. Its address names what is in it, so whoever has it once need not ask again."""

import re
from uuid import UUID

from fastapi import Request
from starlette.responses import Response

from app.api.dependencies import services_of
from app.api.pages import FOREVER
from app.domain.survey.logo import MEDIA_TYPES, PLACE, LogoNotFound
from app.domain.survey.picture import PictureKind
from app.queries.logos import find_logo

LOGO_PATH = f"{PLACE}/{{workspace}}/{{name}}"
_WORKSPACE, _NAME = re.compile("[0-9a-f]{32}"), re.compile(rf"([0-9a-f]{{32}})\.({'|'.join(PictureKind)})")
SAFE = {
    "content-security-policy": "default-src 'none'; sandbox",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "cross-origin",  # mail is read on other sites
    "referrer-policy": "no-referrer",
    "cache-control": FOREVER,
}


async def serve_logo(workspace: str, name: str, request: Request) -> Response:
    """Raises LogoNotFound."""
    named = _NAME.fullmatch(name)
    if not (named and _WORKSPACE.fullmatch(workspace)):
        raise LogoNotFound("This is no logo.")
    async with services_of(request).engine.read() as tx:
        raw = await find_logo(tx, UUID(hex=workspace), named[1])
    if raw is None:
        raise LogoNotFound("There is no such logo any more.")
    return Response(raw, headers=SAFE, media_type=MEDIA_TYPES[PictureKind(named[2])])
