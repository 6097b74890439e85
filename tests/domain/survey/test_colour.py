import pytest
from hypothesis import given
from hypothesis import strategies as some

from app.domain.survey.colour import COLOUR, READABLE, VISIBLE, contrast, ink_on, seen_on

colours = some.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
CARDS = ["#ffffff", "#fbfaf8", "#1d1f24", "#000000"]


def test_contrast_is_computed_as_wcag_has_it() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize(("accent", "ink"), [("#1a5fb4", "#ffffff"), ("#ffd60a", "#000000"), ("#0078e1", "#000000")])
def test_ink_is_white_where_that_can_be_read(accent: str, ink: str) -> None:
    assert ink_on(accent) == ink


@given(colours)
def test_ink_can_be_read_on_every_accent(accent: str) -> None:
    assert contrast(ink_on(accent), accent) >= READABLE


@given(colours, some.sampled_from(CARDS), some.sampled_from([VISIBLE, READABLE]))
def test_every_accent_can_be_made_to_stand_out(accent: str, card: str, least: float) -> None:
    seen = seen_on(card, accent, at_least=least)
    assert COLOUR.fullmatch(seen)
    assert contrast(seen, card) >= least


@given(colours)
def test_an_accent_that_stands_out_stays_as_it_is(accent: str) -> None:
    if contrast(accent, "#ffffff") >= VISIBLE:
        assert seen_on("#ffffff", accent) == accent
