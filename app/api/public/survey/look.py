"""What a workspace's brand makes of a page. Colours are computed so that everything on it can be read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from app.domain.survey.brand import ACCENT
from app.domain.survey.colour import COLOUR
from app.domain.survey.logo import PAGE_BOX, Logo

NAME = "Zeroten"


@dataclass(frozen=True, slots=True)
class Look:
    name: str
    accent: str = ACCENT
    privacy_url: str | None = None
    logo: Logo | None = None

    @property
    def initial(self) -> str:
        return self.name.strip()[:1].upper() or NAME[0]

    @property
    def logo_size(self) -> tuple[int, int]:
        return self.logo.fitted(PAGE_BOX) if self.logo else (0, 0)


PLAIN = Look(NAME)


def look_of(brand: Mapping[str, Any], *, workspace_name: str) -> Look:
    """Whatever the brand lacks, or has in a shape we do not know, is as if nobody had set it."""
    name, accent, privacy_url = brand.get("name"), brand.get("accent"), brand.get("privacy_url")
    return Look(
        name.strip() if isinstance(name, str) and name.strip() else workspace_name,
        accent if isinstance(accent, str) and COLOUR.fullmatch(accent) else ACCENT,
        privacy_url if isinstance(privacy_url, str) and urlsplit(privacy_url).scheme == "https" else None,
        Logo.of(brand.get("logo")),
    )
