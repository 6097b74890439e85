"""Clients' ledger, database and receiver compared. The database is asked in SQL of our own, not in the service's."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.db.engine import Engine, ReadTx
from app.domain import ids
from tests.end_to_end.crash.arrivals import Arrivals
from tests.end_to_end.crash.ledger import Answer, Ledger

MOST_EXAMPLES = 5


@dataclass(slots=True)
class Findings:
    lost: int = 0
    doubled: int = 0
    changed_id: int = 0
    others: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.doubled or self.changed_id or self.others.total())

    def note(self, kind: str, what: str, example: object, count: int = 1) -> None:
        """`kind` is one of the fields above, or anything else that must not be."""
        if count < 1:
            return
        if kind in {"lost", "doubled", "changed_id"}:
            setattr(self, kind, getattr(self, kind) + count)
        else:
            self.others[what] += count
        if len(self.examples[what]) < MOST_EXAMPLES:
            self.examples[what].append(str(example))


async def audit(engine: Engine, workspace_id: UUID, ledger: Ledger, arrivals: Arrivals) -> Findings:
    findings = Findings()
    async with engine.read() as tx:
        await _check_answers(tx, workspace_id, ledger, findings)
        await _check_campaigns(tx, workspace_id, ledger, findings)
        await _check_counters(tx, workspace_id, findings)
        await _check_events(tx, workspace_id, ledger, arrivals, findings)
        await _check_queues(tx, findings)
    return findings


async def _check_answers(tx: ReadTx, workspace_id: UUID, ledger: Ledger, findings: Findings) -> None:
    stored: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for row in (await tx.execute(_ANSWERS, {"workspace_id": workspace_id})).mappings():
        stored[row["mark"]].append(dict(row))
    for answer in ledger.answers:
        _check_answer(answer, stored.pop(answer.mark, []), findings)
    findings.note("other", "answers that nobody gave", list(stored)[:3], len(stored))


def _check_answer(answer: Answer, rows: list[Mapping[str, Any]], findings: Findings) -> None:
    findings.note("doubled", "stored more than once", answer, max(0, len(rows) - 1))
    if answer.id is None:
        return  # its caller gave up, which is a trouble of its own
    if answer.is_deleted:
        findings.note("lost", "deleted, but here", answer, len(rows))
        return
    if not rows:
        findings.note("lost", "acknowledged, but not stored", answer)
        return
    row = rows[0]
    if not answer.id.startswith("widget:") and ids.shown("response", row["id"]) != answer.id:
        findings.note("lost", "acknowledged under another id", (answer, row))
    if (row["score"], row["comment"], row["is_excluded"]) != (answer.score, answer.comment, answer.is_excluded):
        findings.note("lost", "a change was acknowledged, but not stored", (answer, row))
    if answer.revision is not None and row["revision"] != answer.revision:
        kind = "doubled" if row["revision"] > answer.revision else "lost"
        findings.note(kind, "changed another number of times than told", (answer, row))


async def _check_campaigns(tx: ReadTx, workspace_id: UUID, ledger: Ledger, findings: Findings) -> None:
    stored = defaultdict(list)
    for row in await tx.execute(_CAMPAIGNS, {"workspace_id": workspace_id}):
        stored[row.name].append(ids.shown("campaign", row.id))
    for name, campaign_id in ledger.campaigns.items():
        findings.note("lost", "a campaign was acknowledged, but not stored", name, campaign_id not in stored[name])
        findings.note("doubled", "a campaign was made more than once", stored[name], len(stored[name]) - 1)


async def _check_counters(tx: ReadTx, workspace_id: UUID, findings: Findings) -> None:
    for row in (await tx.execute(_COUNTERS, {"workspace_id": workspace_id})).mappings():
        findings.note("other", "a counter differs from a recount", dict(row))


async def _check_events(tx: ReadTx, workspace_id: UUID, ledger: Ledger, arrivals: Arrivals, findings: Findings) -> None:
    await _check_announced(tx, workspace_id, ledger, findings)
    told = {
        ids.shown("event", row.id): row.type
        for row in await tx.execute(_EVENTS, {"workspace_id": workspace_id})
    }  # fmt: skip
    wanted = {"now": set(told), "later": {event for event, kind in told.items() if kind == "response.created"}}
    for endpoint, events in wanted.items():
        arrived = arrivals.at(endpoint)
        missing, unknown = events - arrived, arrived - events
        findings.note("lost", f"an event never reached /{endpoint}", sorted(missing)[:3], len(missing))
        findings.note("changed_id", f"/{endpoint} got an id that no event has", sorted(unknown)[:3], len(unknown))
    findings.note("changed_id", "a change was told under two ids", "", arrivals.renamed)
    findings.note("changed_id", "an event came with two bodies", "", arrivals.rewritten)
    findings.note("other", "a signature was wrong", "", arrivals.forged)


async def _check_announced(tx: ReadTx, workspace_id: UUID, ledger: Ledger, findings: Findings) -> None:
    """One event for each revision of a response; a deletion counts as one."""
    rows = (await tx.execute(_ANNOUNCED, {"workspace_id": workspace_id})).all()
    announced = {ids.shown("response", row.id): row for row in rows}
    for answer in ledger.answers:
        if answer.id is None or answer.id.startswith("widget:") or answer.revision is None:
            continue
        row = announced.get(answer.id)
        count = 0 if row is None else row.revisions
        findings.note("lost", "a change was not announced", (answer, row), max(0, answer.revision - count))
        findings.note("doubled", "a change was announced twice", (answer, row), (row.events - count) if row else 0)
    for row in rows:
        findings.note("lost", "a revision was not announced", row, row.latest - row.revisions)


async def _check_queues(tx: ReadTx, findings: Findings) -> None:
    for row in await tx.execute(_WAITING):
        findings.note("other", f"{row.what} is not empty", row.waiting, row.waiting)


async def is_quiet(engine: Engine) -> bool:
    """Whether nothing waits to be fanned out or delivered."""
    async with engine.read() as tx:
        return not any(row.waiting for row in await tx.execute(_WAITING))


_ANSWERS = text("""
    SELECT (properties ->> 'mark')::int AS mark, id, score, comment, excluded_at IS NOT NULL AS is_excluded, revision
    FROM responses WHERE workspace_id = :workspace_id
""")

_CAMPAIGNS = text("SELECT id, name FROM campaigns WHERE workspace_id = :workspace_id AND name LIKE 'campaign-%'")

_COUNTERS = text("""
    WITH answers AS (
        SELECT r.campaign_id, c.key, c.value, r.counted_on, r.channel, r.survey_version, r.score, count(*) AS n
        FROM responses r CROSS JOIN LATERAL (
            SELECT '' AS key, '' AS value UNION ALL SELECT * FROM jsonb_each_text(r.segments)
        ) c
        WHERE r.workspace_id = :workspace_id AND r.excluded_at IS NULL
        GROUP BY 1, 2, 3, 4, 5, 6, 7
    ), counters AS (
        SELECT s.campaign_id, s.property_key, s.property_value, s.counted_on, s.channel, s.survey_version, k.score,
            sum(k.n) AS n
        FROM score_rollups s CROSS JOIN LATERAL (VALUES
            (0, s0), (1, s1), (2, s2), (3, s3), (4, s4), (5, s5), (6, s6), (7, s7), (8, s8), (9, s9), (10, s10)
        ) AS k (score, n)
        WHERE s.workspace_id = :workspace_id AND k.n <> 0
        GROUP BY 1, 2, 3, 4, 5, 6, 7
    )
    (SELECT 'recounted' AS side, * FROM (TABLE answers EXCEPT TABLE counters) a)
    UNION ALL
    (SELECT 'counted', * FROM (TABLE counters EXCEPT TABLE answers) b)
""")

_EVENTS = text("SELECT id, type FROM events WHERE workspace_id = :workspace_id")

_ANNOUNCED = text("""
    SELECT response_id AS id, count(*) AS events, count(DISTINCT revision) AS revisions,
        max(revision) AS latest
    FROM events WHERE workspace_id = :workspace_id AND response_id IS NOT NULL
    GROUP BY response_id
""")

_WAITING = text("""
    SELECT 'event_queue' AS what, (SELECT count(*) FROM event_queue) AS waiting
    UNION ALL SELECT 'deliveries', (SELECT count(*) FROM deliveries)
    UNION ALL SELECT 'deliveries given up', (
        SELECT count(*) FROM delivery_log WHERE state <> 'delivered'
    )
""")
