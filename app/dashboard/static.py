"""Style sheet, font and icon: read once, and named by what is in them, so that browsers may keep them for ever."""

import hashlib
from dataclasses import dataclass
from functools import cache

from fastapi import Response

from app.api.pages import FOREVER, PAGES
from app.dashboard.headers import SAFE
from app.dashboard.places import STATIC
from app.dashboard.refusals import PageNotFound

FOLDER = PAGES / "dashboard" / "static"
MEDIA_TYPES = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".woff2": "font/woff2"}


@dataclass(frozen=True, slots=True)
class StaticFile:
    content: bytes
    media_type: str


async def serve_static(digest: str, name: str) -> Response:
    found = static_files().get(name)
    if found is None:
        raise PageNotFound
    lasts = FOREVER if digest == static_digest() else "no-cache"
    return Response(found.content, media_type=found.media_type, headers={**SAFE, "cache-control": lasts})


def static_path(name: str) -> str:
    return f"{STATIC}/{static_digest()}/{name}"


@cache
def static_digest() -> str:
    """Of all files together: the style sheet names the font beside it."""
    content = b"\0".join(static_files()[name].content for name in sorted(static_files()))
    return hashlib.sha256(content).hexdigest()[:12]


@cache
def static_files() -> dict[str, StaticFile]:
    paths = [path for path in FOLDER.iterdir() if path.suffix in MEDIA_TYPES]
    return {path.name: StaticFile(path.read_bytes(), MEDIA_TYPES[path.suffix]) for path in paths}
