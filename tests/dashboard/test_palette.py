"""WCAG 2.2: text at 4.5 to 1, what draws or bounds something at 3 to 1, in light and in dark."""

import gzip
import re

import pytest

from app.dashboard.static import FOLDER

SHEET = (FOLDER / "dashboard.css").read_text()
TONES = ("good", "bad", "warn", "calm")
TEXT = [
    *[(ink, back) for ink in ("ink", "muted", "accent") for back in ("card", "page")],
    ("ink", "chip"), ("muted", "chip"), ("on-accent", "accent"), ("bad-ink", "card"),
    *[(f"{tone}-ink", f"{tone}-back") for tone in TONES],
]  # fmt: skip
DRAWN = [("edge", "card"), ("accent", "card"), ("accent", "page"), *[(tone, "card") for tone in TONES]]


def palettes() -> dict[str, dict[str, str]]:
    light, dark = (
        dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))
        for block in re.findall(r":root \{\n(.*?)\n\s*\}\n", SHEET, re.DOTALL)[:2]
    )
    assert set(light) == set(dark)
    assert set(light) >= {name for pair in TEXT + DRAWN for name in pair}
    return {"light": light, "dark": dark}


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_computed_as_wcag_has_it() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "back"), TEXT)
def test_text_can_be_read(scheme: str, ink: str, back: str) -> None:
    colours = palettes()[scheme]
    assert contrast(colours[ink], colours[back]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "back"), DRAWN)
def test_what_is_drawn_can_be_seen(scheme: str, ink: str, back: str) -> None:
    colours = palettes()[scheme]
    assert contrast(colours[ink], colours[back]) >= 3


def test_no_colour_stands_outside_the_palette() -> None:
    """Or the dark scheme would miss it."""
    rules = re.sub(r":root \{.*?\}\n", "", SHEET, flags=re.DOTALL)
    assert re.findall(r"#[0-9a-f]{3,8}\b|\brgba?\(", rules) == []


def test_sides_are_logical() -> None:
    """Right-to-left then needs no sheet of its own."""
    side = "(?:left|right|top|bottom)"
    sided = rf"\b(?:margin|padding|border)-{side}|(?:^|[{{;\s])(?:{side}|width|height)\s*:|text-align: *(?:left|right)"
    assert re.findall(sided, SHEET) == []


def test_the_sheet_is_small() -> None:
    assert len(gzip.compress(SHEET.encode())) <= 5_000
