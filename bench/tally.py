import gc
import json
from time import perf_counter, process_time


class Tally:
    """What a courier has done until its time is over, not counting how long it took to start."""

    def __init__(self, seconds: float) -> None:
        gc.freeze()  # as our own processes do
        gc.set_threshold(10_000, 20, 50)
        self.done = 0
        self.began_at, self.cpu_began_at = perf_counter(), process_time()
        self.ends_at = self.began_at + seconds

    @property
    def is_over(self) -> bool:
        return perf_counter() > self.ends_at

    def tell(self) -> None:
        seconds, cpu_seconds = perf_counter() - self.began_at, process_time() - self.cpu_began_at
        print(json.dumps({"done": self.done, "seconds": seconds, "cpu_seconds": cpu_seconds}))
