"""Whom a sample takes of those who can be asked."""

from collections.abc import Sequence
from math import ceil
from uuid import UUID

from app.domain.asking_parts import Percentage, Sample
from app.domain.audience_selection import Selection
from app.domain.sample_size import Precision, sample_size


def sampled(selection: Selection, sample: Sample | None) -> Sequence[UUID]:
    people = selection.recipient_ids
    if sample is None or not people:
        return people
    if isinstance(sample, Percentage):
        return people[: ceil(len(people) * sample.percent / 100)]
    wanted = Precision(sample.margin, sample.confidence, len(people), sample.response_rate)
    return people[: sample_size(wanted).invitations]
