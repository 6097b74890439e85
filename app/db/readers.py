"""Who may still be working from an older view of a table."""

from sqlalchemy import text

from app.db.engine import ReadTx, Tx


async def transactions_that_read(tx: ReadTx | Tx, table: str) -> frozenset[str]:
    """Virtual ids of the transactions, other than this one, that have read or written the table and not yet ended.

    A statement locks its tables before it takes its snapshot. So whoever does not see what was committed before this
    call is among these: once all of them are gone, everybody sees it. (Transaction ids would not do: a statement may
    begin before a commit and get its own id after it.) A pg_dump holds every table for as long as it runs, and only
    reads.
    """
    return frozenset((await tx.execute(_LOCKS, {"table": table})).scalars())


_LOCKS = text("""
    SELECT DISTINCT l.virtualtransaction
    FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.locktype = 'relation' AND l.relation = CAST(:table AS regclass)
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND l.pid IS DISTINCT FROM pg_backend_pid() AND a.application_name IS DISTINCT FROM 'pg_dump'
""")
