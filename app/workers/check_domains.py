"""Looking into the DNS for the domains that mails come from: claimed, asked with no transaction open, settled."""

import asyncio

import structlog

from app.clock import utc_now
from app.config import Settings
from app.db.engine import Engine
from app.domain.ids import shown
from app.domain.mail.domain_check.check import check_domain
from app.operations.sender_domains import ClaimedDomain, claim_domain_checks, settle_domain_check
from app.outbound.dns import NameServers
from app.queries.instance import is_at_home

log = structlog.get_logger()


async def check_domains(engine: Engine, settings: Settings) -> None:
    async with engine.write() as tx:
        claimed = await claim_domain_checks(tx, now=utc_now()) if await is_at_home(tx) else []
    if claimed:
        name_servers = NameServers(settings.nameserver_places)
        await asyncio.gather(*(_check(engine, name_servers, one) for one in claimed))


async def _check(engine: Engine, name_servers: NameServers, claimed: ClaimedDomain) -> None:
    """One that fails for a reason of ours is tried again when its lease ends, and holds up no other."""
    try:
        check = await name_servers.run(check_domain(claimed.domain, claimed.sender))
    except Exception:
        log.exception("a domain could not be checked", workspace=shown("workspace", claimed.workspace_id))
        return
    async with engine.write() as tx:
        await settle_domain_check(tx, claimed, check, now=utc_now())
