"""The first wave of a new instance: tables grow from nothing sooner than PostgreSQL's statistics notice."""

from collections import Counter

from app.db.engine import Tx
from app.db.statements import fetch
from app.operations.invitations.claim import MailLease, claim_due_invitations
from app.operations.invitations.plan_campaigns import plan_due_campaign
from app.operations.invitations.schedule import schedule_invitations
from app.operations.invitations.settle import MailEnd, MailSettlement, settle_invitations
from tests.operations.invitations.office import LEASE_SECONDS, LINK_KEY, Office

PEOPLE, AT_ONCE = 1_500, 50
GROWING = ("invitations", "messages", "recipients")


async def launched_to_many(office: Office) -> None:
    for table in GROWING:
        await office.engine_says(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
    await office.launched(trigger={"kind": "once"})
    for first in range(0, PEOPLE, 500):
        await office.people(*(f"person-{number}" for number in range(first, first + 500)))


async def test_whoever_is_given_a_moment_is_read_and_nobody_else(office: Office) -> None:
    await launched_to_many(office)
    async with office.engine.write() as tx:
        await plan_due_campaign(tx, now=office.now)
    await office.engine_says("ANALYZE recipients, invitations")
    async with office.engine.write() as tx:
        before = await rows_read(tx)
        scheduled = await schedule_invitations(tx, now=office.now, limit=PEOPLE // 3)
        read = await rows_read(tx) - before
    assert scheduled == read["recipients"] == PEOPLE // 3


async def test_the_last_mail_of_many_reads_no_more_than_itself(office: Office) -> None:
    await launched_to_many(office)
    await office.plan()
    for _ in range(PEOPLE // AT_ONCE - 1):
        await office.settle(await office.claim(limit=AT_ONCE))

    async with office.engine.write() as tx:
        before = await rows_read(tx)
        claimed, _ = await claim_due_invitations(
            tx, lease=MailLease.of(LEASE_SECONDS), limit=AT_ONCE, link_key=LINK_KEY, now=office.now
        )
        claiming = await rows_read(tx) - before
    async with office.engine.write() as tx:
        before = await rows_read(tx)
        settled = await settle_invitations(tx, [MailSettlement(one, MailEnd.SENT) for one in claimed], now=office.now)
        settling = await rows_read(tx) - before
    assert settled == AT_ONCE
    for read in (claiming, settling):
        assert read["invitations"] + read["messages"] < 10 * AT_ONCE, read


async def rows_read(tx: Tx) -> Counter[str]:
    """By whoever uses this connection, of each table."""
    return Counter({row["relname"]: row["read"] for row in await fetch(tx, _READ, list(GROWING))})


_READ = """
    SELECT relname, (seq_tup_read + coalesce(idx_tup_fetch, 0))::int AS read
    FROM pg_stat_xact_user_tables WHERE relname = ANY($1::text[])
"""
