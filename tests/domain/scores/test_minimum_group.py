"""Nothing that is told, and nothing that is left of the whole, is of fewer than five people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.scores.minimum_group import is_too_small, too_telling


@pytest.mark.parametrize(
    ("groups", "withheld"),
    [
        ({}, set()),
        ({"a": 0, "b": 5}, set()),
        ({"a": 4, "b": 9, "c": 5}, {"a", "c"}),  # or the whole less b and c were a
        ({"a": 2, "b": 2, "c": 9, "d": 20}, {"a", "b", "c"}),  # or the whole less c and d were four people
        ({"a": 3, "b": 2, "c": 9}, {"a", "b"}),
        ({"a": 3, "b": 0}, {"a"}),
    ],
)
def test_small_groups_take_the_next_smallest_along(groups: dict[str, int], withheld: set[str]) -> None:
    assert too_telling(groups) == withheld


@given(st.dictionaries(st.integers(), st.integers(0, 12)))
def test_what_is_told_leaves_at_least_two_groups_and_five_people(groups: dict[int, int]) -> None:
    withheld = too_telling(groups)
    assert not any(is_too_small(n) for key, n in groups.items() if key not in withheld)
    others = [n for key, n in groups.items() if n and key not in withheld]
    left = [groups[key] for key in withheld]
    assert not left or not others or (len(left) > 1 and sum(left) >= 5)
