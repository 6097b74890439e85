"""Bringing people in from other services, one page at a time, so that no pull holds up another.

1. claim       the pull longest due
2. read        a page, with no transaction open
3. keep        the page, and how far it got; or when to try again
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from app.clock import utc_now
from app.domain.connectors.catalogue import CONNECTORS, connector_of
from app.domain.connectors.companies import ReadsCompanies
from app.domain.connectors.pages import Page, Place
from app.domain.connectors.protocol import Access, Connector, Kept, Steps
from app.domain.ids import shown
from app.domain.people.recipient_import import TooManyImports
from app.domain.webhooks.attempts import Failure, Outcome
from app.operations import pulls
from app.operations.pulls import ClaimedPull, PullTakenOver
from app.outbound.connectors.run import run_steps
from app.workers.deliver_webhooks import OUR_TROUBLE
from app.workers.run_connector import Means, OutOfTurn, access_of, left_of, renewed_access, settings_of
from app.workers.worker import Worker

log = structlog.get_logger()

PAGE_BYTES = 8_000_000  # some hundred people with all their fields
IMPORTS_WAIT = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Puller:
    worker: Worker

    async def step(self) -> bool:
        """Whether there was anything to do."""
        async with self.worker.engine.write() as tx:
            claimed = await pulls.claim_pull(tx, lease_seconds=self.worker.settings.lease_seconds)
        if claimed is None:
            return False
        try:
            await self._settle(claimed, await self._read(claimed))
        except PullTakenOver:
            log.warning("a pull was taken over", endpoint=shown("endpoint", claimed.id))
        except OutOfTurn:
            await self._put_off(claimed, OUR_TROUBLE)
        except TooManyImports:
            await self._put_off(claimed, IMPORTS_WAIT)
        except Exception:
            log.exception("a pull could not be tried", endpoint=shown("endpoint", claimed.id))
            await self._put_off(claimed, OUR_TROUBLE)
        return True

    async def _read(self, claimed: ClaimedPull) -> Page | Outcome:
        """A log-in that has run out is renewed once."""
        means = self.worker.means(now=utc_now())
        connector = connector_of(claimed.kind, settings_of(claimed, means.vault))
        access = await access_of(claimed, connector, means)
        if isinstance(access, Outcome):
            return access
        page = await _page(claimed, connector, access, means)
        if access is None or isinstance(page, Page) or page.failure is not Failure.UNAUTHORIZED:
            return page
        renewed = await renewed_access(claimed, connector, access, means)
        return renewed if isinstance(renewed, Outcome) else await _page(claimed, connector, renewed, means)

    async def _settle(self, claimed: ClaimedPull, got: Page | Outcome) -> None:
        async with self.worker.engine.write() as tx:
            now = utc_now()
            if not isinstance(got, Page):
                await pulls.fail_pull(tx, claimed, got, now=now)
            elif claimed.is_at_companies:
                await pulls.keep_companies(tx, claimed, got, now=now)
            else:
                kind = CONNECTORS[claimed.kind]
                reads_companies = issubclass(kind, ReadsCompanies) and kind.reads_companies(claimed.fields)
                await pulls.keep_page(tx, claimed, got, reads_companies=reads_companies, overlap=kind.overlap, now=now)

    async def _put_off(self, claimed: ClaimedPull, wait: timedelta) -> None:
        async with self.worker.engine.write() as tx:
            await pulls.put_off(tx, claimed, wait=wait, now=utc_now())


async def _page(claimed: ClaimedPull, connector: Connector, access: Access | None, means: Means) -> Page | Outcome:
    pages: list[Page] = []

    async def keep(thing: Kept) -> None:
        if isinstance(thing, Page):
            pages.append(thing)

    is_new = claimed.position is None
    place = Place.read(claimed.cursor).earlier(connector.overlap) if is_new else Place.read(claimed.position)
    steps = _reading(connector, place)([*claimed.fields], place, access)
    outcome = await run_steps(
        means.client, steps, keep=keep, now=means.now, deadline_seconds=left_of(means), reply_bytes=PAGE_BYTES
    )
    return pages[0] if pages and outcome.failure is None else outcome


def _reading(connector: Connector, place: Place) -> Callable[[Sequence[str], Place, Access | None], Steps]:
    if not place.of_companies:
        return connector.pull
    assert isinstance(connector, ReadsCompanies), "only of these is a place among companies kept"
    return connector.pull_companies
