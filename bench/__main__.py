"""`python -m bench [--quick] [--only ROW…]`: how fast it is, side by side with simpler ways to do the same."""

import asyncio
from argparse import ArgumentParser, Namespace
from collections.abc import Collection

from rich.console import Console

from bench.figures import Findings
from bench.report import LATEST, keep, print_figures, print_rows
from bench.rounds import FULL, QUICK, Plan
from bench.rows import ROWS
from bench.stage import set_up

NAMES = [row.name for row in ROWS]


def main() -> None:
    arguments = _arguments()
    console = Console()
    findings = asyncio.run(measure(QUICK if arguments.quick else FULL, arguments.only, console))
    print_rows(console, findings)


def _arguments() -> Namespace:
    parser = ArgumentParser(prog="python -m bench", description="Measure; takes about half an hour.")
    parser.add_argument("--quick", action="store_true", help="try that it works: too short to mean anything, not kept")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, metavar="ROW", help=", ".join(NAMES))
    return parser.parse_args()


async def measure(plan: Plan, wanted: Collection[str], console: Console) -> list[Findings]:
    """Rows that come from the same contest are measured together."""
    findings = []
    async with set_up() as stage:
        for measured_by in dict.fromkeys(row.measured_by for row in ROWS if row.name in wanted):
            names = [row.name for row in ROWS if row.measured_by is measured_by and row.name in wanted]
            with console.status("") as status:
                findings.append(await measured_by(stage, plan, names, status.update))
            print_figures(console, findings[-1])
            if plan is FULL:
                keep(findings, LATEST)  # now: a later contest may fail
    return findings


if __name__ == "__main__":
    main()
