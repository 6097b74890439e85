"""What is printed, and what is kept in bench/latest.json."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from app.db.embedded.binaries import find_binaries
from bench.figures import Figures, Findings, Spread, middle
from bench.load import GENERATOR
from bench.rows import ROWS, Row

LATEST = Path(__file__).with_name("latest.json")
VERDICTS = {True: "[green]met[/]", False: "[red]short[/]", None: ""}


def machine() -> str:
    cpus = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(": ")[2] for line in cpus if line.startswith("model name")), platform.machine())
    postgres, today = find_binaries(None, data_major=None).version, datetime.now(UTC).date()
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} × {model}, {gigabytes:.0f} GB, Linux {platform.release()}, "
        f"Python {platform.python_version()}, PostgreSQL {postgres}, load from {GENERATOR}, {today}"
    )


def print_figures(console: Console, findings: Findings) -> None:
    """What stands behind the rows, as soon as it is known."""
    if findings.rounds:
        console.print(_figures_table(findings.rounds))
    for remark in findings.remarks:
        console.print(remark)


def print_rows(console: Console, findings: Sequence[Findings]) -> None:
    values = {name: value for one in findings for name, value in one.values.items()}
    console.print(_rows_table([row for row in ROWS if row.name in values], values))


def _rows_table(rows: Sequence[Row], values: Mapping[str, Spread]) -> Table:
    table = Table("row", "what", "value", "over the rounds", "target", "", title=machine(), title_justify="left")
    for row in rows:
        value = values[row.name]
        wanted = "" if row.target is None else f"{'≤' if row.is_most else '≥'} {row.target:g}"
        spread = f"{_short(value.least)} – {_short(value.most)}"
        middle = f"{_short(value.middle)} {row.unit}"
        table.add_row(row.name, row.what, middle, spread, wanted, VERDICTS[row.is_met(value.middle)])
    return table


def _figures_table(rounds: Mapping[str, Sequence[Figures]]) -> Table:
    processes = sorted({process for figures in rounds.values() for one in figures for process in one.cpu_us})
    headings = ("medians", "a second", "p50 ms", "p99 ms", *(f"{process} CPU µs" for process in processes))
    table = Table(*headings)
    for name, figures in rounds.items():
        found = [middle(figures, lambda one: one.per_second), middle(figures, lambda one: one.p50_ms)]
        found.append(middle(figures, lambda one: one.p99_ms))
        found += [middle(figures, lambda one, process=process: one.cpu_us.get(process)) for process in processes]  # type: ignore[misc]  # a default argument is how a lambda keeps its own
        table.add_row(name, *map(_short, found))
    return table


def _short(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def keep(findings: Sequence[Findings], path: Path) -> None:
    """Rows that were not measured now keep what they had."""
    kept = json.loads(path.read_text()) if path.exists() else {}
    values = {name: value for one in findings for name, value in one.values.items()}
    for row in ROWS:
        if row.name in values:
            kept[row.name] = {"value": round(values[row.name].middle, 3), "target": row.target, "unit": row.unit}
    ordered = {row.name: kept[row.name] for row in ROWS if row.name in kept}
    path.write_text(json.dumps(ordered, indent=2, ensure_ascii=False) + "\n")
