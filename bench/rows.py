"""Every row of the table on one page: what it says, and what it should come to."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from bench.asking import measure_asking
from bench.backlog import measure_backlog
from bench.deliveries import measure_deliveries
from bench.figures import Findings
from bench.imports import measure_imports
from bench.interaction import measure_interaction
from bench.isolation import measure_isolation
from bench.latency import measure_latency
from bench.links import measure_links
from bench.memory import measure_memory
from bench.record import measure_recording
from bench.rounds import Plan
from bench.scores import measure_scores
from bench.stage import Stage

Measure = Callable[[Stage, Plan, Collection[str], Callable[[str], None]], Awaitable[Findings]]


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    what: str
    unit: str
    target: float | None  # none: reported, not judged
    measured_by: Measure
    is_most: bool = False  # the target is the most it may be, not the least

    def is_met(self, value: float) -> bool | None:
        if self.target is None:
            return None
        return value <= self.target if self.is_most else value >= self.target


ROWS = (
    Row("record_vs_naive", "answers recorded ÷ naive FastAPI and ORM, 64 connections", "×", 40, measure_recording),
    Row("record_vs_pgbench_64", "the same ÷ pgbench, a transaction for each, 64 clients", "×", 1.3, measure_recording),
    Row("record_vs_pgbench_150", "the same at 150 ÷ pgbench at 150", "×", 1.5, measure_recording),
    Row("bulk_vs_pgbench", "answers in bulks of 500, 8 connections, ÷ pgbench at 64", "×", 5, measure_recording),
    Row("record_memory", "memory of the API process: 1 M answers ÷ 100 k", "×", 1.15, measure_memory, is_most=True),
    Row("score_read", "reading a score: slowest size ÷ quickest", "×", 1.5, measure_scores, is_most=True),
    Row("score_read_by_week", "the same, grouped by week", "×", 1.5, measure_scores, is_most=True),
    Row("deliver_vs_bare", "webhooks delivered ÷ a loop that only posts", "×", 0.35, measure_deliveries),
    Row("deliver_vs_naive", "the same ÷ httpx and a queue row by row", "×", 20, measure_deliveries),
    Row("backlog_drain", "the end of a backlog of 1 M webhooks ÷ its beginning", "×", 0.9, measure_backlog),
    Row("isolation_p50", "a webhook beside 20 endpoints that hang ÷ alone", "×", 1.1, measure_isolation, is_most=True),
    Row("isolation_p99", "the same, of a hundred the slowest", "×", 1.5, measure_isolation, is_most=True),
    Row("webhook_latency_idle_p50", "from answer to webhook, at rest", "ms", None, measure_latency),
    Row("webhook_latency_idle_p99", "the same, of a hundred the slowest", "ms", None, measure_latency),
    Row("webhook_latency_loaded_p50", "amid 1,000 answers a second", "ms", None, measure_latency),
    Row("webhook_latency_loaded_p99", "the same, of a hundred the slowest", "ms", None, measure_latency),
    Row("import_vs_copy", "people imported ÷ COPY into the same table", "×", 0.35, measure_imports),
    Row("plan_growth", "planning a wave of 100 k people ÷ one of 10 k", "×", 12, measure_asking, is_most=True),
    Row("mail_growth", "2,000 mails of 100 k that are due ÷ of 10 k", "×", 1.5, measure_asking, is_most=True),
    Row("mails_per_second", "claimed, written, captured and settled", "/s", None, measure_asking),
    Row("link_growth", "an answer through one of 100 k links ÷ of 10 k", "×", 1.5, measure_links, is_most=True),
    Row("links_per_second", "answers through links, recorded and thanked for", "/s", None, measure_links),
    Row("import_memory", "most memory of the process that imports", "MB", 100, measure_imports, is_most=True),
    Row("interaction_vs_empty", "longest wait: survey page ÷ empty page", "×", 3, measure_interaction, is_most=True),
    Row("interaction_latency", "the same in itself, with a processor 4 × slower", "ms", None, measure_interaction),
)  # fmt: skip
