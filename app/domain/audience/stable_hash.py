"""Chance that can be repeated: the same person always falls on the same side, today and after a restore.

The 48 leading bits of SHA-256 over the seed as UTF-8 and the sixteen bytes of the person's id. In PostgreSQL:

    ('x' || encode(substr(sha256(convert_to(seed, 'UTF8') || uuid_send(id)), 1, 6), 'hex'))::bit(48)::bigint / 2.0 ^ 48

Different seeds draw independently, so begin each with what it is for (`variant:`, `sample:`). Nothing here may ever
change: people would move from one variant to another in the middle of an experiment.
"""

from collections.abc import Sequence
from fractions import Fraction
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

_BITS = 48
_STEPS = 1 << _BITS


class Weighted(NamedTuple):
    """Weights are relative: 1 and 1 share in halves, 9 and 1 in nine tenths and one. A weight of 0 is never drawn."""

    key: str
    weight: int


def fraction_of(seed: str, person: UUID) -> float:
    """Uniform in [0, 1)."""
    return draw(seed, person) / _STEPS


def draw(seed: str, person: UUID) -> int:
    """Uniform among the whole numbers below 2⁴⁸."""
    return int.from_bytes(sha256(seed.encode() + person.bytes).digest()[: _BITS // 8])


def pick_variant(variants: Sequence[Weighted], *, seed: str, person: UUID) -> str:
    """The order of the variants matters, their keys do not. At least one weight must be positive."""
    total = sum(variant.weight for variant in variants)
    at = draw(seed, person) * total >> _BITS
    for variant in variants:
        at -= variant.weight
        if at < 0:
            return variant.key
    raise ValueError("There is no variant with a weight.")


def is_in_rotation(wave: int, *, share: Fraction, seed: str, person: UUID) -> bool:
    """Whether a person is among the `share` (0 < share ≤ 1) of everybody that a wave takes; waves count from 1.

    The waves take turns: who was left out comes before anybody is taken again. A third goes through everybody in three
    waves, and 40 % take the first tenth of the second round already into the third wave.
    """
    since_turn = (Fraction(draw(seed, person), _STEPS) - (wave - 1) * share) % 1
    return since_turn < share
