"""Scores and webhooks, drawn."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from demo.receiver import Arrival

COLOURS = {"promoter": "green", "passive": "yellow", "detractor": "red"}
PATTERNS = {"promoter": "█", "passive": "▒", "detractor": "░"}
BAR = 40
Score = Mapping[str, Any]


def score_panel(score: Score, *, title: str) -> Panel:
    interval = score["interval"]
    headline = Text.assemble(
        ("NPS ", "bold"), (f"{score['value']:+.1f}", "bold cyan"), f" ± {score['margin_of_error']:.1f}",
        f"    n = {score['n']:,}    {interval['level']:.0%} interval {interval['low']:+.1f} to {interval['high']:+.1f}",
    )  # fmt: skip
    return Panel(Group(headline, _bar(score), _legend(score)), title=title, title_align="left", expand=False)


def _bar(score: Score) -> Text:
    """Of the same length whatever is rounded; told apart by colour, and by pattern where there is none."""
    bar, reached, drawn = Text(), 0.0, 0
    for band, colour in COLOURS.items():
        reached += BAR * score["percentages"][band] / 100
        bar.append(PATTERNS[band] * (round(reached) - drawn), colour)
        drawn = round(reached)
    return bar


def _legend(score: Score) -> Text:
    parts = [
        (f"{PATTERNS[band]} {band}s {score['counts'][band]:,} ({score['percentages'][band]:.1f} %)   ", colour)
        for band, colour in COLOURS.items()
    ]
    return Text.assemble(*parts)


def groups_table(groups: Sequence[Mapping[str, Any]], *, by: str) -> Table:
    table = Table(by, box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("n", "NPS", "±"):
        table.add_column(name, justify="right")
    table.add_column("promoters, passives, detractors")
    for group in groups:
        score = group["score"]
        if score["n"]:
            value, margin = f"{score['value']:+.1f}", f"{score['margin_of_error']:.1f}"
            key = group["key"][:7] if by == "month" else group["key"] or "–"
            table.add_row(key, f"{score['n']:,}", value, margin, _bar(score))
    return table


def change_line(comparison: Mapping[str, Any], *, of: str) -> Text:
    change = comparison["change"]
    return Text.assemble(
        f"{of}: ", (f"{change['points']:+.1f} points", "bold"),
        f" against the 30 days before (n = {comparison['score']['n']:,}). {change['words']}.",
    )  # fmt: skip


def channels_table(rows: Iterable[tuple[str, str, int]]) -> Table:
    table = Table("channel", "how", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("answers", justify="right")
    for channel, how, count in rows:
        table.add_row(channel, how, f"{count}")
    return table


def arrivals_table(arrivals: Sequence[Arrival]) -> RenderableType:
    table = Table("", "event", "score", "what they said", "webhook-id", box=box.SIMPLE_HEAD, pad_edge=False)
    for arrival in arrivals:
        answer = arrival.payload["data"]["response"]
        colour = COLOURS[answer["band"]]
        table.add_row(
            Text("✓", "green"),
            arrival.payload["type"],
            Text(f"{answer['score']}", colour),
            Text(answer["comment"] or "", overflow="ellipsis", no_wrap=True),
            Text(f"…{arrival.webhook_id[-8:]}", "dim"),
        )
    return table
