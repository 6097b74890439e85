"""Whether the API process keeps anything of the answers it takes."""

from collections.abc import Callable, Collection
from itertools import cycle, islice

from bench import requests
from bench.client import send_all
from bench.figures import Findings, Spread
from bench.record import BULK_SIZE
from bench.rounds import Plan
from bench.stage import Stage

LOOKED_AT = (0.1, 0.5, 1.0)  # of all answers
CONNECTIONS = 8


async def measure_memory(stage: Stage, plan: Plan, _: Collection[str], say: Callable[[str], None]) -> Findings:
    marks = {round(plan.bulk_responses * share): 0.0 for share in LOOKED_AT}
    async with stage.database("bench_memory") as url, stage.api(url) as api:
        taken = 0

        def look() -> None:
            nonlocal taken
            taken += BULK_SIZE
            if taken in marks:
                marks[taken] = api.resident_megabytes()
                say(f"{taken:,} answers taken")

        sent = islice(cycle(requests.in_bulk(stage.tenant.token, size=BULK_SIZE)), plan.bulk_responses // BULK_SIZE)
        await send_all(sent, port=api.port, connections=CONNECTIONS, after_each=look)
    megabytes = list(marks.values())
    remark = ", ".join(f"{resident:.0f} MB after {count:,}" for count, resident in marks.items())
    return Findings(
        {"record_memory": Spread.of([megabytes[-1] / megabytes[0]])}, remarks=[f"record_memory: {remark} answers"]
    )
