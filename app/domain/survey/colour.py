"""Colours a brand may choose freely, because what is written in or on them is computed. `#rrggbb` throughout."""

import re

COLOUR = re.compile(r"#[0-9a-f]{6}")
WHITE, BLACK = "#ffffff", "#000000"
READABLE = 4.5  # WCAG 2.2, 1.4.3: text
VISIBLE = 3.0  # WCAG 2.2, 1.4.11: what draws or bounds something


def contrast(one: str, other: str) -> float:
    """1 to 21 (WCAG 2.2, contrast ratio)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def ink_on(accent: str) -> str:
    """White wherever it can be read, else pure black: a softer one fails beside some accents, such as #0078e1."""
    return WHITE if contrast(WHITE, accent) >= READABLE else BLACK


def seen_on(back: str, accent: str, *, at_least: float = VISIBLE) -> str:
    """The accent, moved towards white or black no further than it takes to stand out from `back`."""
    goal = BLACK if contrast(back, BLACK) >= contrast(back, WHITE) else WHITE
    shades = (_mixed(accent, goal, percent) for percent in range(0, 101, 4))
    return next((shade for shade in shades if contrast(shade, back) >= at_least), goal)


def _luminance(colour: str) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in map(_share, _parts(colour))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _mixed(one: str, other: str, percent: int) -> str:
    mixed = (
        round(mine + (theirs - mine) * percent / 100) for mine, theirs in zip(_parts(one), _parts(other), strict=True)
    )
    return "#" + "".join(f"{part:02x}" for part in mixed)


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _share(part: int) -> float:
    return part / 255
