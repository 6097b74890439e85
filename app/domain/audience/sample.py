"""How many of those who can be asked are: a share of them, or as many as a score takes to be precise."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Percentage:
    percent: float

    def to_json(self) -> dict[str, Any]:
        return {"percent": self.percent}


@dataclass(frozen=True, slots=True)
class Precision:
    """As many as it takes for a score within ± `margin` points. `confidence` and `response_rate` in percent."""

    margin: float
    confidence: float = 95
    response_rate: float = 20

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


Sample = Percentage | Precision
