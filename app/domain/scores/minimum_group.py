"""Of anonymous campaigns, a number that tells of fewer than five people is not told."""

from collections.abc import Hashable, Mapping
from enum import StrEnum
from typing import TypeVar

LEAST_ANSWERS = 5

Key = TypeVar("Key", bound=Hashable)


class Withheld(StrEnum):
    MINIMUM_GROUP = "minimum_group"


def is_too_small(anonymous_answers: int) -> bool:
    """No answers tell of nobody."""
    return 0 < anonymous_answers < LEAST_ANSWERS


def too_telling(anonymous_answers: Mapping[Key, int]) -> set[Key]:
    """Which of the groups that share out a whole to withhold.

    Those that are too small, and as many of the next smallest as it takes that the whole less the rest is two groups
    at least and five answers.
    """
    ascending = sorted((n, place, key) for place, (key, n) in enumerate(anonymous_answers.items()) if n)
    withheld: set[Key] = set()
    answers = 0
    for n, _, key in ascending:
        if not is_too_small(n) and (not withheld or (len(withheld) > 1 and not is_too_small(answers))):
            break
        withheld.add(key)
        answers += n
    return withheld
