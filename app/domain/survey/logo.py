"""The picture that stands for a brand, at the head of its pages and mails."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from app.domain.errors import NotFound, RuleViolation
from app.domain.survey.picture import Picture, PictureKind, read_picture

MOST_BYTES = 100_000  # it is loaded by everybody who opens the mail
LEAST_SIDE, MOST_SIDE = 16, 2_000  # pixels
PAGE_BOX, MAIL_BOX = (240, 48), (200, 40)  # CSS pixels that it is fitted into
MEDIA_TYPES: Mapping[PictureKind, str] = {kind: f"image/{kind.value}" for kind in PictureKind}
PLACE = "/s/logos"


class LogoInvalid(RuleViolation):
    """The logo is not valid.

    It is a PNG, JPEG, GIF or WebP that does not move, of at most 100 kB and between 16 and 2000 pixels on each side.
    SVG is not taken: it can hold programs, and mail programs do not show it.
    """

    code = "logo_invalid"


class LogoNotFound(NotFound):
    """There is no such logo."""

    code = "logo_not_found"


@dataclass(frozen=True, slots=True)
class Logo:
    path: str  # names what is in it, so that it can be kept for ever
    width: int  # pixels
    height: int
    is_see_through: bool

    @classmethod
    def of(cls, stored: Any) -> Self | None:
        """None for what we do not know."""
        try:
            return cls(stored["path"], stored["width"], stored["height"], stored["is_see_through"])
        except (TypeError, KeyError):
            return None

    def stored(self) -> dict[str, Any]:
        return {
            "path": self.path, "width": self.width, "height": self.height, "is_see_through": self.is_see_through,
        }  # fmt: skip

    def fitted(self, box: tuple[int, int]) -> tuple[int, int]:
        """Width and height that it is shown with: never larger than it is."""
        share = min(1.0, box[0] / self.width, box[1] / self.height)
        return max(1, round(self.width * share)), max(1, round(self.height * share))


def read_logo(raw: bytes) -> Picture:
    """Raises LogoInvalid."""
    if len(raw) > MOST_BYTES:
        raise LogoInvalid(f"A logo has at most {MOST_BYTES} bytes; this has {len(raw)}.")
    picture = read_picture(raw)
    if picture is None:
        raise LogoInvalid("This is no PNG, JPEG, GIF or WebP, or it is broken off, or something follows its end.")
    if picture.is_moving:
        raise LogoInvalid("A logo does not move: send one picture.")
    if not all(LEAST_SIDE <= side <= MOST_SIDE for side in (picture.width, picture.height)):
        size = f"{picture.width} × {picture.height}"
        raise LogoInvalid(f"Each side has {LEAST_SIDE} to {MOST_SIDE} pixels; this is {size}.")
    return picture


def logo_digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:32]


def logo_path(workspace_id: UUID, digest: str, kind: PictureKind) -> str:
    return f"{PLACE}/{workspace_id.hex}/{digest}.{kind.value}"
