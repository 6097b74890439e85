"""Sixty days of asking five hundred people, with everything that can go wrong, in a minute: nobody is asked twice."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from uuid import uuid4

import pytest

from app.db.engine import Engine
from app.domain.asking.invitation import MessageKind
from tests.conftest import _database
from tests.simulation import audit
from tests.simulation.audit import Wrong
from tests.simulation.campaigns import CAMPAIGNS
from tests.simulation.run import Record, simulate

pytestmark = pytest.mark.slow
PEOPLE, DAYS = 500, 60


@pytest.fixture(scope="module")
async def record(server_url: str, template: str) -> AsyncIterator[Record]:
    async with _database(server_url, f"simulated_{uuid4().hex[:8]}", template=template) as url:
        engine = Engine(url, pool_size=8)
        yield await simulate(engine, people=PEOPLE, days=DAYS)
        await engine.close()


def test_there_was_something_to_go_wrong(record: Record) -> None:
    """Or else the tests below would prove nothing."""
    firsts = Counter(audit.campaign_of(record, mail) for mail in record.mails if mail.kind is MessageKind.FIRST)
    states = Counter(row["state"] for row in record.invitations)
    reasons = Counter(row["skip_reason"] for row in record.invitations)
    assert set(firsts) == {planned.name for planned in CAMPAIGNS}
    assert min(firsts.values()) >= 10
    assert record.kills >= 50
    assert any(mail.kind is MessageKind.REMINDER for mail in record.mails)
    assert {"sent", "answered", "expired", "unknown", "planned", "failed"} <= set(states)
    assert {"quarantine", "cancelled", "reserved", "unsubscribed"} <= set(reasons)


@pytest.mark.parametrize("check", audit.CHECKS, ids=lambda check: check.__name__)
def test_never_is_anybody_or_anything(check: Callable[[Record], Wrong], record: Record) -> None:
    wrong = check(record)
    assert wrong[:5] == []


def test_what_is_unknown_was_in_the_hands_of_somebody_who_died(record: Record) -> None:
    unknown = [row for row in record.invitations if row["state"] == "unknown"]
    by_itself = 0.02 * len(record.mails)  # ended so at the postbox
    assert 0 < len(unknown) <= record.most_unknown + by_itself
