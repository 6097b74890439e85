"""Contestants take turns, A B C A B C …, so that a slow minute of the machine is everybody's."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from time import perf_counter

from bench.figures import Figures, Rounds
from bench.load import Load

CpuClock = Callable[[], float]  # seconds of CPU used so far
Contestant = Callable[[float], Awaitable[Figures]]  # told for how many seconds


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything."""

    rounds: int
    seconds: float  # of each contestant in each round
    bulk_responses: int
    score_sizes: tuple[int, ...]
    deliveries: int
    backlog: int
    probes: int
    import_rows: int
    wave_sizes: tuple[int, ...]


FULL = Plan(5, 5.0, 1_000_000, (10_000, 1_000_000, 5_000_000), 10_000, 1_000_000, 300, 1_000_000, (10_000, 100_000))
QUICK = Plan(2, 2.0, 20_000, (500, 2_000, 5_000), 500, 5_000, 20, 10_000, (10_000, 20_000))
WARM_UP_SECONDS = 2.0


async def take_turns(
    contestants: Mapping[str, Contestant], plan: Plan, say: Callable[[str], None], *, warm_up: bool = True
) -> Rounds:
    rounds: dict[str, list[Figures]] = {name: [] for name in contestants}
    for name, contestant in contestants.items() if warm_up else ():
        say(f"warming up: {name}")
        await contestant(WARM_UP_SECONDS)
    for number in range(1, plan.rounds + 1):
        for name, contestant in contestants.items():
            say(f"round {number} of {plan.rounds}: {name}")
            rounds[name].append(await contestant(plan.seconds))
    return rounds


class Watch:
    """How much CPU each process used between `start()` and `figures()`."""

    def __init__(self, **clocks: CpuClock) -> None:
        self.clocks = clocks
        self.start()

    def start(self) -> None:
        self.began = {name: clock() for name, clock in self.clocks.items()}
        self.began_at = perf_counter()

    def cpu_us(self, count: int) -> Mapping[str, float]:
        """For each of `count` things done."""
        return {name: (clock() - self.began[name]) / count * 1e6 for name, clock in self.clocks.items()}

    def figures(self, load: Load, *, each: int = 1) -> Figures:
        """`each`: how many things one request does."""
        if load.errors or not load.requests:
            raise RuntimeError(f"the load met errors, so its figures mean nothing: {load}")
        done = load.requests * each
        return Figures(done / load.seconds, load.p50_ms, load.p99_ms, self.cpu_us(done))
