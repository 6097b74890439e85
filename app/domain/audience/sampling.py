"""Whom a sample takes of those who can be asked."""

from collections.abc import Sequence
from fractions import Fraction
from math import ceil
from uuid import UUID

from app.domain.audience.audience_selection import Selection
from app.domain.audience.sample import Percentage, Precision, Sample
from app.domain.audience.stable_hash import fraction_of, is_in_rotation
from app.domain.scores.sample_size import WantedPrecision, sample_size


def sampled(selection: Selection, sample: Sample | None) -> Sequence[UUID]:
    return selection.recipient_ids[: sample_of(selection.askable, sample)]


def sample_of(people: int, sample: Sample | None) -> int:
    """How many of so many."""
    if sample is None or not people:
        return people
    if isinstance(sample, Percentage):
        return ceil(people * sample.percent / 100)
    return min(people, _enough(sample, people))


def sampled_in_turn(people: Sequence[UUID], sample: Sample | None, *, turn_number: int, seed: str) -> Sequence[UUID]:
    """For campaigns that look at everybody again and again: in one turn the sample is the same people throughout.

    Turns count from 1. Those left out come in the next ones, before anybody is taken again.
    """
    if sample is None or not people:
        return people
    if isinstance(sample, Percentage):
        share = Fraction(sample.percent) / 100
    else:
        share = Fraction(_enough(sample, len(people)), len(people))
    return [one for one in people if is_in_rotation(turn_number, share=share, seed=seed, person=one)]


def is_drawn(sample: Sample | None, *, seed: str, about: UUID) -> bool:
    """Of what happens to people one by one: a percentage of it. How many it will be for a margin, nobody knows yet."""
    return not isinstance(sample, Percentage) or fraction_of(seed, about) * 100 < sample.percent


def _enough(sample: Precision, people: int) -> int:
    wanted = WantedPrecision(sample.margin, sample.confidence, people, sample.response_rate)
    return sample_size(wanted).invitations or people
