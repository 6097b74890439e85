"""What somebody came back with from a service becomes a refresh token, while the code is good."""

from dataclasses import dataclass
from functools import partial

import structlog

from app.clock import utc_now
from app.db.again import in_transaction_by_all_means
from app.domain.connectors.authorization import AuthorizationFailure, Code, Granted, NotGranted
from app.domain.connectors.catalogue import connector_of
from app.domain.connectors.protocol import Kept
from app.domain.ids import shown
from app.domain.webhooks.attempts import Outcome, head_text
from app.operations.authorizations import (
    ClaimedAuthorization,
    claim_authorization,
    grant_authorization,
    put_off_authorization,
    refuse_authorization,
)
from app.outbound.connectors.run import run_steps
from app.workers.worker import Worker

log = structlog.get_logger()

KEPT_WITHIN_SECONDS = 30.0  # a code is good once
TOKENS = ("access_token", "refresh_token", "id_token")


@dataclass(frozen=True, slots=True)
class Exchange:
    worker: Worker

    async def step(self) -> bool:
        """Whether there was anything to do."""
        async with self.worker.engine.write() as tx:
            claimed = await claim_authorization(tx, lease_seconds=self.worker.settings.lease_seconds)
        if claimed is None:
            return False
        try:
            await self._settle(claimed, *(await self._ask(claimed)))
        except Exception:
            log.exception("a code could not be exchanged", authorization=shown("authorization", claimed.id))
            async with self.worker.engine.write() as tx:
                await put_off_authorization(tx, claimed, now=utc_now())
        return True

    async def _ask(self, claimed: ClaimedAuthorization) -> tuple[Granted | NotGranted | None, Outcome]:
        """None if there was no answer that says either."""
        got: list[Granted | NotGranted] = []

        async def keep(thing: Kept) -> None:
            if isinstance(thing, Granted | NotGranted):
                got.append(thing)

        kept = claimed.opened(self.worker.keys.vault)
        connector = connector_of(claimed.kind, {**claimed.settings, **kept["settings"]})
        steps = connector.exchange(Code(claimed.redirect_url, kept["code"], kept["verifier"]))
        seconds = self.worker.settings.attempt_deadline_seconds
        outcome = await run_steps(self.worker.client, steps, keep=keep, now=utc_now(), deadline_seconds=seconds)
        return (got[0] if got else None), outcome

    async def _settle(self, claimed: ClaimedAuthorization, got: Granted | NotGranted | None, outcome: Outcome) -> None:
        now, engine, vault = utc_now(), self.worker.engine, self.worker.keys.vault
        if isinstance(got, Granted):
            grant = partial(grant_authorization, vault=vault, claimed=claimed, refresh_token=got.refresh_token, now=now)
            await in_transaction_by_all_means(engine, grant, seconds=KEPT_WITHIN_SECONDS)
            return
        async with engine.write() as tx:
            if isinstance(got, NotGranted):
                await refuse_authorization(tx, claimed, got.failure, reply=self._said(claimed, outcome), now=now)
            elif now < claimed.expires_at:
                await put_off_authorization(tx, claimed, now=now)
            else:
                failure = AuthorizationFailure.UNREACHABLE
                await refuse_authorization(tx, claimed, failure, reply=self._said(claimed, outcome), now=now)

    def _said(self, claimed: ClaimedAuthorization, outcome: Outcome) -> str:
        """A reply that brings access, or says again what it was told in confidence, is not kept."""
        kept = claimed.opened(self.worker.keys.vault)
        secrets = {kept["code"], kept["verifier"], *kept["settings"].values()}
        said = head_text(outcome.head)
        return "" if any(str(one) in said for one in (*TOKENS, *secrets) if one) else said
