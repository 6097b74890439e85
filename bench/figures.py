"""What was measured, and the ratios and medians made of it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Self


@dataclass(frozen=True, slots=True)
class Figures:
    """One contestant in one round. `cpu_us` is by process, for each thing done."""

    per_second: float
    p50_ms: float | None = None
    p99_ms: float | None = None
    cpu_us: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spread:
    """Over the rounds; the middle is what is quoted."""

    middle: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        ordered = sorted(values)
        return cls(median(ordered), ordered[0], ordered[-1])


Rounds = Mapping[str, Sequence[Figures]]


@dataclass(frozen=True, slots=True)
class Findings:
    """Of one measurement: what its rows came to, the figures behind them, and remarks."""

    values: Mapping[str, Spread]
    rounds: Rounds = field(default_factory=dict)
    remarks: Sequence[str] = ()


def ratio(rounds: Rounds, over: str, under: str) -> Spread:
    """Of what was done in a second, taken inside each round: whatever the machine did, it did to both."""
    return Spread.of(a.per_second / b.per_second for a, b in zip(rounds[over], rounds[under], strict=True))


def middle(figures: Sequence[Figures], of: Callable[[Figures], float | None]) -> float | None:
    values = [value for value in map(of, figures) if value is not None]
    return median(values) if values else None


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Of values in ascending order; nan of none."""
    if not ordered:
        return float("nan")
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
