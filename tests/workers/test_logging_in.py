"""Two processes, each with its own memory and its own connections, and one account to log in to."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from uuid import UUID

import pytest

from app.db.engine import Engine
from app.db.vault import Vault
from app.domain.connectors.protocol import Access
from app.domain.ids import shown
from app.domain.webhooks.attempts import Failure, Outcome, unsent
from app.workers.accesses import Accesses
from app.workers.logging_in import OthersLogIn, forget_for_all, log_in_for_all
from tests.builders import rows
from tests.conftest import SECRET_KEYS
from tests.faults import give_up
from tests.workers.scene import Scene

VAULT = Vault.read(SECRET_KEYS)


@dataclass(frozen=True)
class Endpoint:
    workspace_id: UUID
    id: UUID
    settings: str = "{}"  # by which a process remembers it


@dataclass
class Account:
    """Hands out a token at a time, and takes a while; `refusals` come first."""

    log_ins: int = 0
    at_once: int = 0
    most_at_once: int = 0
    refusals: int = 0
    is_stuck: bool = False
    rotates: bool = False
    used: list[str] = field(default_factory=list)  # refresh tokens
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def log_in(self, settings: Mapping[str, Any]) -> Access | Outcome:
        self.log_ins += 1
        self.used.append(settings.get("refresh_token", ""))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.asked.set()
        try:
            await asyncio.sleep(3_600 if self.is_stuck else 0.1)
        finally:
            self.at_once -= 1
        if self.refusals:
            self.refusals -= 1
            return unsent(Failure.UNAUTHORIZED, why="no")
        renewed = f"refresh{self.log_ins}" if self.rotates else None
        return Access(f"token{self.log_ins}", "https://crm.example.com", 600.0, renewed)


@dataclass
class Process:
    engine: Engine
    account: Account
    accesses: Accesses = field(default_factory=Accesses)

    async def enter(self, endpoint: Endpoint, *, seconds: float = 10.0) -> Access | Outcome:
        async def for_all() -> Access | Outcome:
            return await log_in_for_all(
                endpoint, self.account.log_in, engine=self.engine, vault=VAULT, ends_at=monotonic() + seconds
            )

        return await self.accesses.of(endpoint.id, settings=hash(endpoint.settings), log_in=for_all)

    async def refused(self, endpoint: Endpoint, access: Access) -> Access | Outcome:
        self.accesses.forget(endpoint.id, settings=hash(endpoint.settings), access=access)
        await forget_for_all(endpoint, access, engine=self.engine)
        return await self.enter(endpoint)


@pytest.fixture
async def processes(own_database_url: str) -> AsyncIterator[tuple[Process, Process, Account]]:
    account = Account()
    engines = Engine(own_database_url, pool_size=3), Engine(own_database_url, pool_size=3)
    yield Process(engines[0], account), Process(engines[1], account), account
    for engine in engines:
        await engine.close()


async def an_endpoint(scene: Scene, **further: str) -> Endpoint:
    settings = {"base_url": "https://x.my.salesforce.com", "client_id": "c", "client_secret": "s", **further}
    made = await scene.post("/v1/webhook-endpoints", kind="salesforce", settings=settings)
    return Endpoint(scene.tenant.workspace_id, UUID(made["id"].partition("_")[2]))


Processes = tuple[Process, Process, Account]


async def test_one_logs_in_and_all_use_what_it_got(scene: Scene, processes: Processes) -> None:
    here, there, account = processes
    endpoint = await an_endpoint(scene)
    got = await asyncio.gather(*(process.enter(endpoint) for process in (here, there) for _ in range(6)))
    assert {access.token for access in got if isinstance(access, Access)} == {"token1"}
    assert (account.log_ins, account.most_at_once) == (1, 1)
    (row,) = await rows(here.engine, "SELECT sealed FROM accesses")
    assert b"token1" not in bytes(row["sealed"])


async def test_what_was_refused_to_both_is_renewed_once(scene: Scene, processes: Processes) -> None:
    here, there, account = processes
    endpoint = await an_endpoint(scene)
    first = [await process.enter(endpoint) for process in (here, there)]
    assert all(isinstance(access, Access) for access in first)
    renewed = await asyncio.gather(
        *(process.refused(endpoint, access) for process, access in zip((here, there), first, strict=True)
          if isinstance(access, Access))
    )  # fmt: skip
    assert [access.token for access in renewed if isinstance(access, Access)] == ["token2", "token2"]
    assert account.log_ins == 2


async def test_other_credentials_are_another_access(scene: Scene, processes: Processes) -> None:
    here, there, account = processes
    endpoint = await an_endpoint(scene)
    await here.enter(endpoint)
    place = f"/v1/webhook-endpoints/{shown('endpoint', endpoint.id)}"
    assert (await scene.tenant.api.patch(place, json={"settings": {"client_id": "d"}})).status_code == 200
    changed = await there.enter(endpoint)
    assert isinstance(changed, Access)
    assert (changed.token, account.log_ins) == ("token2", 2)


async def test_whoever_was_refused_leaves_the_next_try_to_the_next(scene: Scene, processes: Processes) -> None:
    here, there, account = processes
    account.refusals = 1
    endpoint = await an_endpoint(scene)
    refused, entered = await here.enter(endpoint), await there.enter(endpoint)
    assert isinstance(refused, Outcome)
    assert isinstance(entered, Access)


async def test_what_goes_wrong_on_our_side_holds_up_nobody(scene: Scene, processes: Processes) -> None:
    here, there, account = processes
    endpoint = await an_endpoint(scene)

    async def stumble(_: Mapping[str, Any]) -> Access | Outcome:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await log_in_for_all(endpoint, stumble, engine=here.engine, vault=VAULT, ends_at=monotonic() + 3_600)
    assert isinstance(await there.enter(endpoint, seconds=5.0), Access)
    assert account.log_ins == 1


async def test_who_dies_while_logging_in_holds_up_nobody_for_longer_than_its_lease(
    scene: Scene, processes: Processes
) -> None:
    here, there, account = processes
    endpoint = await an_endpoint(scene)
    account.is_stuck = True
    dying = asyncio.ensure_future(here.enter(endpoint, seconds=1.0))
    await account.asked.wait()
    with pytest.raises(OthersLogIn):
        await there.enter(endpoint, seconds=0.3)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    account.is_stuck = False
    entered = await there.enter(endpoint, seconds=10.0)
    assert isinstance(entered, Access)
    assert account.most_at_once == 1


async def test_a_refresh_token_that_is_replaced_at_every_log_in_is_never_used_twice(
    scene: Scene, processes: Processes
) -> None:
    here, there, account = processes
    account.rotates = True
    endpoint = await an_endpoint(scene, refresh_token="refresh0")
    for process in (here, there, here, there):
        access = await process.enter(endpoint)
        assert isinstance(access, Access)
        await process.refused(endpoint, access)
    assert account.used == ["refresh0", "refresh1", "refresh2", "refresh3"]
    (row,) = await rows(here.engine, "SELECT * FROM webhook_endpoints")
    opened = json.loads(VAULT.open(row["credentials"], workspace_id=row["workspace_id"], row_id=row["id"]))
    assert (opened["refresh_token"], opened["client_secret"], row["revision"]) == ("refresh4", "s", 1)


async def test_a_refresh_token_that_somebody_gave_meanwhile_is_kept(scene: Scene, processes: Processes) -> None:
    here, there, account = processes
    account.rotates = True
    endpoint = await an_endpoint(scene, refresh_token="refresh0")
    entering = asyncio.ensure_future(here.enter(endpoint))
    await account.asked.wait()
    place = f"/v1/webhook-endpoints/{shown('endpoint', endpoint.id)}"
    await scene.tenant.api.patch(place, json={"settings": {"refresh_token": "given"}})
    await entering
    await there.enter(endpoint)
    assert account.used == ["refresh0", "given"]


@pytest.mark.parametrize("sqlstate", ["40P01", "08006"])
async def test_a_refresh_token_is_kept_though_the_database_gave_up_at_first(
    scene: Scene, processes: Processes, sqlstate: str
) -> None:
    here, there, account = processes
    account.rotates = True
    endpoint = await an_endpoint(scene, refresh_token="refresh0")
    await give_up(scene.engine, "webhook_endpoints", when="UPDATE", sqlstate=sqlstate)
    access = await here.enter(endpoint)
    assert isinstance(access, Access)
    await there.refused(endpoint, access)
    assert account.used == ["refresh0", "refresh1"]
