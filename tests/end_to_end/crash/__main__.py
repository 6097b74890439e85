"""See `python -m tests.end_to_end.crash --help`. The last line is for machines; the exit status is 1 on any loss."""

import asyncio
import signal
import sys
from argparse import ArgumentParser
from random import SystemRandom
from time import monotonic

from tests.end_to_end.crash.run import Outcome, Plan, crash


def main() -> int:
    parser = ArgumentParser(prog="crash", description="Kill -9 API, worker and PostgreSQL under load, and count.")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=60.0, help="after which no more is killed")
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(10**6), help="of every random choice")
    arguments = parser.parse_args()
    print(
        f"seed {arguments.seed}; processes die, the machine does not: fsync is off, synchronous_commit on", flush=True
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that nothing is left behind
    started = monotonic()
    outcome = asyncio.run(
        crash(
            Plan(arguments.kills, arguments.minutes * 60, arguments.seed),
            say=lambda what: print(f"[{monotonic() - started:6.1f}] {what}", flush=True),
        )
    )
    tell(outcome)
    return 0 if outcome.is_clean else 1


def tell(outcome: Outcome) -> None:
    ledger, found = outcome.ledger, outcome.findings
    print("killed: " + ", ".join(f"{name} {count}" for name, count in sorted(outcome.kills.items())))
    print(f"changes acknowledged {ledger.changes}, requests sent again {ledger.repeats}")
    arrivals = outcome.arrivals
    print(
        f"webhooks {len(arrivals.first)}, in {len(arrivals.times)} attempts, {outcome.needless} of them for no reason; "
        f"the receiver's moods: {dict(arrivals.moods)}"
    )
    print(f"API memory {min(outcome.api_megabytes, default=0):.0f} to {max(outcome.api_megabytes, default=0):.0f} MB")
    for what, count in ledger.troubles.items():
        print(f"TROUBLE {count} × {what}")
    for what, examples in found.examples.items():
        print(f"FOUND {what}: " + "; ".join(examples))
    print("rollups: differ" if "a counter differs from a recount" in found.others else "rollups: exact")
    print(outcome.line(), flush=True)


if __name__ == "__main__":
    sys.exit(main())
