"""Recording, amending, excluding, deleting and importing the same answers at once leaves the counters exact."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.db.engine import Engine
from app.db.identifiers import new_id
from app.db.statements import fetch
from app.db.tables.scores import RAW_SCORES
from app.db.vault import Vault
from app.domain import ids
from app.domain.errors import DomainError
from app.domain.people.recipient import RecipientInput
from app.domain.response import Channel, IfAnswered
from app.operations.instance_keys import AddressKey
from app.operations.responses import change
from app.operations.responses.new_response import NewResponse, Recorded
from app.operations.responses.recorder import Recorder
from tests.builders import a_campaign, a_recipient, rows
from tests.conftest import SECRET_KEYS, Tenant

PEOPLE, OCCASIONS = 3, 2
moves = st.one_of(
    st.tuples(
        st.sampled_from(["record", "amend by slot"]),
        st.integers(0, PEOPLE - 1),
        st.integers(0, OCCASIONS - 1),
        st.integers(0, 10),
    ),
    st.tuples(
        st.sampled_from(["amend", "exclude", "restore", "delete"]),
        st.integers(0, PEOPLE - 1),
        st.integers(0, OCCASIONS - 1),
        st.integers(0, 10),
    ),
)


@pytest.fixture
async def recorders(engine: Engine) -> Any:
    """Two API processes."""
    key = AddressKey(engine, Vault.read(SECRET_KEYS))
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(Recorder(engine, address_key=key, queue_limit=10_000)) for _ in range(2)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(moves, min_size=5, max_size=40))
async def test_whatever_races_the_counters_equal_a_recount(
    engine: Engine, alice: Tenant, recorders: list[Recorder], history: list[tuple[str, int, int, int]]
) -> None:
    campaign = ids.parsed("campaign", await a_campaign(engine, alice.workspace_id))
    people = [ids.parsed("recipient", await a_recipient(engine, alice.workspace_id)) for _ in range(PEOPLE)]
    acts = [
        _act(engine, recorders[place % 2], alice.workspace_id, campaign, people[person], occasion, what, score)
        for place, (what, person, occasion, score) in enumerate(history)
    ]
    for ended in await asyncio.gather(*acts, return_exceptions=True):
        assert ended is None or isinstance(ended, DomainError | Recorded), ended
    assert await _counted(engine, campaign) == await _recounted(engine, campaign)
    assert await _unannounced(engine, campaign) == 0


async def _act(
    engine: Engine,
    recorder: Recorder,
    workspace_id: UUID,
    campaign: Any,
    person: Any,
    occasion: int,
    what: str,
    score: int,
) -> Any:
    now = datetime.now(UTC)
    if what in {"record", "amend by slot"}:
        how = IfAnswered.AMEND if what == "amend by slot" else IfAnswered.REFUSE
        return await recorder.submit(
            workspace_id,
            NewResponse(
                workspace_id, new_id(now), new_id(now), campaign, score, Channel.API, now, now,
                recipient_id=person, occasion=f"order-{occasion}", if_answered=how, actor="test",
            ),
        )  # fmt: skip
    response = await _find(engine, workspace_id, person, occasion) or uuid4()
    async with engine.write() as tx:
        match what:
            case "amend":
                await change.amend_response(
                    tx, workspace_id, response, changes={"score": score}, actor="test", reason=None, now=now
                )
            case "exclude":
                await change.exclude_response(tx, workspace_id, response, reason="x", actor="test", now=now)
            case "restore":
                await change.restore_response(tx, workspace_id, response, reason=None, actor="test", now=now)
            case "delete":
                await change.delete_response(tx, workspace_id, response, now=now)
    return None


async def _find(engine: Engine, workspace_id: UUID, person: Any, occasion: int) -> UUID | None:
    found = await rows(
        engine,
        "SELECT id FROM responses WHERE workspace_id = :w AND recipient_id = :r AND occasion = :o",
        w=workspace_id, r=person, o=f"order-{occasion}",
    )  # fmt: skip
    return found[0]["id"] if found else None


async def _counted(engine: Engine, campaign: Any) -> list[int]:
    sums = ", ".join(f"coalesce(sum(s{score}), 0)::int AS s{score}" for score in RAW_SCORES)
    [row] = await rows(
        engine, f"SELECT {sums} FROM score_rollups WHERE campaign_id = :c AND property_key = ''", c=campaign
    )
    return [row[f"s{score}"] for score in RAW_SCORES]


async def _recounted(engine: Engine, campaign: Any) -> list[int]:
    found = await rows(
        engine,
        "SELECT score, count(*) AS n FROM responses WHERE campaign_id = :c AND excluded_at IS NULL GROUP BY score",
        c=campaign,
    )
    counts = {row["score"]: row["n"] for row in found}
    return [counts.get(score, 0) for score in RAW_SCORES]


async def _unannounced(engine: Engine, campaign: Any) -> int:
    """Responses without exactly one event that created them, or events that are in no queue."""
    [row] = await rows(
        engine,
        """SELECT count(*) FILTER (WHERE created <> 1) AS n FROM (
               SELECT r.id, count(e.id) AS created FROM responses r
               LEFT JOIN events e ON e.workspace_id = r.workspace_id AND e.response_id = r.id
                   AND e.type = 'response.created'
               WHERE r.campaign_id = :c GROUP BY r.id
           ) counted""",
        c=campaign,
    )
    return int(row["n"])


async def test_one_commit_lost_on_the_wire_is_still_one_answer(
    engine: Engine, alice: Tenant, recorders: list[Recorder]
) -> None:
    """Same ids again, as the lane replays them: the row that is there already counts as recorded."""
    campaign = ids.parsed("campaign", await a_campaign(engine, alice.workspace_id))
    now = datetime.now(UTC)
    first, second = (new_id(now), new_id(now)), recorders[0]
    answer = NewResponse(alice.workspace_id, *first, campaign, 9, Channel.API, now, now)  # type: ignore[arg-type]  # ids out of a tuple
    assert [(await second.submit(alice.workspace_id, answer)).what for _ in range(2)] == ["created", "created"]
    assert sum(await _counted(engine, campaign)) == 1


async def test_an_open_transaction_of_one_tenant_holds_up_nobody_else(
    engine: Engine, alice: Tenant, charlie: Tenant, recorders: list[Recorder]
) -> None:
    theirs = ids.parsed("campaign", await a_campaign(engine, charlie.workspace_id))
    mine = ids.parsed("campaign", await a_campaign(engine, alice.workspace_id))
    person = ids.parsed("recipient", await a_recipient(engine, alice.workspace_id))
    now = datetime.now(UTC)

    def answer(workspace_id: UUID, campaign: Any, **fields: Any) -> NewResponse:
        return NewResponse(
            workspace_id, new_id(now), new_id(now), campaign, 9, Channel.API, now, now, **fields
        )  # fmt: skip

    blocked = answer(alice.workspace_id, mine, recipient_id=person, occasion="held")
    holder = await engine.connect()
    transaction = holder.transaction()
    await transaction.start()
    await holder.execute(
        "INSERT INTO score_rollups (workspace_id, campaign_id, property_key, property_value, counted_on, channel,"
        " survey_version, wave) VALUES ($1, $2, '', '', (now() AT TIME ZONE 'Europe/Berlin')::date, 'api', 1, 0)",
        alice.workspace_id, mine,
    )  # fmt: skip
    waiting = asyncio.create_task(recorders[0].submit(alice.workspace_id, blocked))
    async with asyncio.timeout(2):
        for _ in range(5):
            assert (await recorders[0].submit(charlie.workspace_id, answer(charlie.workspace_id, theirs))).revision == 1
    assert not waiting.done()
    await transaction.rollback()
    await holder.close()
    assert (await waiting).what == "created"


@pytest.mark.parametrize("held", ["the answer that is there", "the person that comes along"])
async def test_nor_does_one_that_holds_what_an_answer_refers_to(
    engine: Engine, alice: Tenant, charlie: Tenant, recorders: list[Recorder], held: str
) -> None:
    theirs = ids.parsed("campaign", await a_campaign(engine, charlie.workspace_id))
    mine = ids.parsed("campaign", await a_campaign(engine, alice.workspace_id))
    person = ids.parsed("recipient", await a_recipient(engine, alice.workspace_id, external_id="ada"))
    now = datetime.now(UTC)

    def answer(workspace_id: UUID, campaign: Any, score: int = 9, **fields: Any) -> NewResponse:
        return NewResponse(workspace_id, new_id(now), new_id(now), campaign, score, Channel.API, now, now, **fields)

    whose: dict[str, Any] = {"recipient_id": person, "occasion": "held", "if_answered": IfAnswered.AMEND}
    await recorders[0].submit(alice.workspace_id, answer(alice.workspace_id, mine, **whose))
    if held == "the person that comes along":
        whose = {"recipient": RecipientInput(alice.workspace_id, {"external_id": "ada", "name": "Ada"})}
    async with engine.write() as holder:
        await fetch(holder, "SELECT 1 FROM responses WHERE campaign_id = $1 FOR UPDATE", mine)
        await fetch(holder, "SELECT 1 FROM recipients WHERE id = $1 FOR UPDATE", person)
        waiting = asyncio.create_task(
            recorders[0].submit(alice.workspace_id, answer(alice.workspace_id, mine, 3, **whose))
        )
        async with asyncio.timeout(2):
            for _ in range(5):
                other = answer(charlie.workspace_id, theirs)
                assert (await recorders[0].submit(charlie.workspace_id, other)).revision == 1
        assert not waiting.done()
    assert (await waiting).score == 3
