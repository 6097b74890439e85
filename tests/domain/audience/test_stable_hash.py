import math
from collections import Counter
from fractions import Fraction
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.audience.stable_hash import Weighted, draw, fraction_of, is_in_rotation, pick_variant

PEOPLE = [UUID(int=at) for at in range(20_000)]
WEIGHTS = st.lists(st.integers(0, 50), min_size=1, max_size=6).filter(any)


def chi_squared(found: list[int], expected: list[float]) -> float:
    return sum((count - hoped) ** 2 / hoped for count, hoped in zip(found, expected, strict=True))


def test_the_draw_is_the_same_for_ever() -> None:
    # Changing these numbers would move people from one variant to another: never do.
    assert draw("variant:", UUID("01939b2a-0000-7000-8000-000000000001")) == 132591616500379
    assert fraction_of("variant:", UUID("01939b2a-0000-7000-8000-000000000001")) == 132591616500379 / 2**48
    assert draw("größe", UUID(int=0)) == 90804521990259


def test_people_numbered_one_after_the_other_spread_uniformly() -> None:
    hundredths = Counter(int(100 * fraction_of("sample:autumn", person)) for person in PEOPLE)
    assert set(hundredths) == set(range(100))
    # 99 degrees of freedom: beyond 160 lies a ten-thousandth of all honest draws, and ours never changes.
    assert chi_squared(list(hundredths.values()), [len(PEOPLE) / 100] * 100) < 160


@pytest.mark.parametrize(("one", "other"), [("a", "b"), ("variant:1", "sample:1"), ("campaign", "campaign ")])
def test_two_seeds_know_nothing_of_each_other(one: str, other: str) -> None:
    cells = Counter((int(10 * fraction_of(one, who)), int(10 * fraction_of(other, who))) for who in PEOPLE)
    assert chi_squared([cells[a, b] for a in range(10) for b in range(10)], [len(PEOPLE) / 100] * 100) < 160


@given(st.text(max_size=30), st.uuids())
def test_a_fraction_lies_between_nought_and_one(seed: str, person: UUID) -> None:
    assert 0 <= fraction_of(seed, person) < 1
    assert fraction_of(seed, person) == fraction_of(seed, UUID(str(person)))


@given(WEIGHTS, st.text(max_size=10), st.uuids())
def test_a_variant_without_weight_is_never_drawn(weights: list[int], seed: str, person: UUID) -> None:
    variants = [Weighted(str(at), weight) for at, weight in enumerate(weights)]
    assert weights[int(pick_variant(variants, seed=seed, person=person))] > 0


def test_variants_are_drawn_as_often_as_they_weigh() -> None:
    variants = [Weighted("a", 5), Weighted("none", 0), Weighted("b", 3), Weighted("c", 2)]
    drawn = Counter(pick_variant(variants, seed="variant:1", person=person) for person in PEOPLE)
    assert set(drawn) == {"a", "b", "c"}
    n = len(PEOPLE)
    assert chi_squared([drawn[key] for key in "abc"], [n * 0.5, n * 0.3, n * 0.2]) < 18  # 2 degrees: one in 8 000


def test_the_variant_of_one_campaign_says_nothing_about_that_of_another() -> None:
    variants = [Weighted("a", 1), Weighted("b", 1)]
    both = Counter(
        (pick_variant(variants, seed="variant:1", person=who), pick_variant(variants, seed="variant:2", person=who))
        for who in PEOPLE
    )
    assert chi_squared(list(both.values()), [len(PEOPLE) / 4] * 4) < 21  # 3 degrees: one in 10 000


def test_all_variants_without_weight_are_refused() -> None:
    with pytest.raises(ValueError, match="no variant"):
        pick_variant([Weighted("a", 0)], seed="", person=UUID(int=1))


@given(st.fractions(Fraction(1, 1000), 1), st.uuids(), st.integers(1, 50))
def test_nobody_is_taken_again_before_everybody_had_a_turn(share: Fraction, person: UUID, after: int) -> None:
    rounds = math.ceil(1 / share)
    taken = [
        wave for wave in range(after, after + 3 * rounds + 3)
        if is_in_rotation(wave, share=share, seed="s", person=person)
    ]  # fmt: skip
    assert len(taken) >= 2
    assert all(rounds - 1 <= later - earlier <= rounds for earlier, later in pairwise(taken))


@given(st.fractions(Fraction(1, 100), 1), st.integers(1, 200))
def test_a_wave_takes_its_share(share: Fraction, wave: int) -> None:
    people = PEOPLE[:1000]
    taken = sum(is_in_rotation(wave, share=share, seed="s", person=person) for person in people)
    assert abs(taken - 1000 * share) < 5 * math.sqrt(1000 * share * (1 - share)) + 1
