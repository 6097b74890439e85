"""Style sheet, script and icon of the pages of personal links, named by what is in them so that they keep for ever.

The style sheet comes in the colour of the brand: an inline style would need a hole in the policy.
"""

import hashlib
from functools import cache

from fastapi import Request, Response

from app.api.pages import FOREVER, PAGES
from app.api.public.survey.shell import compressed, templates
from app.domain.survey.brand import ACCENT
from app.domain.survey.colour import COLOUR, READABLE, ink_on, seen_on

FOLDER = PAGES / "survey" / "static"
CARD, DARK_CARD, CELL, DARK_CELL = "#ffffff", "#1b1d26", "#f4f5fa", "#282b36"
GLOWING = 5.8  # contrast on the dark card: what is merely readable looks dull there
OF_FILES = {
    "content-security-policy": "default-src 'none'",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
}


async def serve_survey_style(digest: str, accent: str, request: Request) -> Response:
    colour = f"#{accent}"
    if not COLOUR.fullmatch(colour):
        colour = ACCENT
    return _static(request, digest, _style(colour), "text/css; charset=utf-8")


async def serve_survey_script(digest: str, request: Request) -> Response:
    return _static(request, digest, _read("survey.js"), "text/javascript; charset=utf-8")


async def serve_survey_icon(digest: str, request: Request) -> Response:
    return _static(request, digest, _read("icon.svg"), "image/svg+xml")


def style_path(accent: str) -> str:
    return f"/s/static/{static_digest()}/{accent.removeprefix('#')}.css"


def script_path() -> str:
    return f"/s/static/{static_digest()}/survey.js"


def icon_path() -> str:
    return f"/s/static/{static_digest()}/icon.svg"


@cache
def static_digest() -> str:
    content = b"\0".join(path.read_bytes() for path in sorted(FOLDER.iterdir()))
    return hashlib.sha256(content).hexdigest()[:12]


def _static(request: Request, digest: str, content: str, media_type: str) -> Response:
    lasts = FOREVER if digest == static_digest() else "no-cache"
    return compressed(request, content, media_type, headers={**OF_FILES, "cache-control": lasts}, is_for_all=True)


@cache
def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _style(accent: str) -> str:
    light, dark = seen_on(CARD, accent, at_least=READABLE), seen_on(DARK_CARD, accent, at_least=GLOWING)
    colours = {
        "light-accent": light, "light-ink": ink_on(light), "dark-accent": dark, "dark-ink": ink_on(dark),
        "card": CARD, "dark-card": DARK_CARD, "cell": CELL, "dark-cell": DARK_CELL,
    }  # fmt: skip
    sheet = _read("survey.css")
    for name, colour in colours.items():
        sheet = sheet.replace(f"[{name}]", colour)
    return sheet


templates.globals |= {"style_path": style_path, "script_path": script_path, "icon_path": icon_path}
