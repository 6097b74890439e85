"""What is round every page of a personal link: templates, words, headers. Nothing of it comes from anywhere else."""

import gzip
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from fastapi import Request
from starlette.responses import Response

from app.api.pages import templates_of
from app.api.public.survey.words import words_for
from app.domain.survey.brand import Brand
from app.domain.survey.language import direction
from app.domain.survey.logo import PAGE_BOX
from app.domain.survey.survey_link import HONEYPOT

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
SAFE = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",  # the address is the key to the page
}
PRIVATE = {**SAFE, "cache-control": "no-store", "x-robots-tag": "noindex, nofollow"}

templates = templates_of("survey")
templates.globals |= {"honeypot": HONEYPOT, "logo_box": PAGE_BOX}


def page(
    request: Request, template: str, *, language: str, brand: Brand, status: int = 200, **content: Any
) -> Response:
    """`language` is the survey's; what we ourselves say follows it as far as we speak it."""
    said = words_for(language)
    html = templates.get_template(template).render(
        language=language,
        direction=direction(language),
        words=said.texts,
        words_language=said.language,
        words_direction=said.direction,
        brand=brand,
        path=request.url.path,
        preview=getattr(request.state, "preview", ()),
        written=getattr(request.state, "written", ""),
        **content,
    )
    return compressed(request, html, "text/html; charset=utf-8", status=status, headers=PRIVATE)


def compressed(
    request: Request,
    content: str,
    media_type: str,
    *,
    status: int = 200,
    headers: Mapping[str, str],
    is_for_all: bool = False,
) -> Response:
    """A proxy that would do it may be missing, and whoever reads this on the road pays for each kilobyte.

    `is_for_all`: it is the same for everybody, so it may be remembered.
    """
    sent, raw = {**headers, "vary": "accept-encoding"}, content.encode()
    if "gzip" in request.headers.get("accept-encoding", ""):
        raw, sent = (_gzipped_once if is_for_all else _gzipped)(content), {**sent, "content-encoding": "gzip"}
    return Response(raw, status, sent, media_type)


def _gzipped(content: str) -> bytes:
    return gzip.compress(content.encode(), 6, mtime=0)


_gzipped_once = lru_cache(maxsize=64)(_gzipped)


def message(request: Request, name: str, *, language: str, brand: Brand, status: int = 200, **filled: str) -> Response:
    """A page that says one thing: the words called `name` and `name_text`."""
    said: Mapping[str, str] = words_for(language).texts
    title, text = said[name].format(**filled), said.get(f"{name}_text", "").format(**filled)
    return page(request, "message.html", language=language, brand=brand, status=status, title=title, text=text)
