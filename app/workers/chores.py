"""What the timetable rings for: short transactions, in batches, until nothing is left to do."""

from datetime import timedelta

from app.clock import utc_now
from app.config import Settings
from app.db.engine import Engine
from app.db.vault import Vault
from app.domain.events import KEPT_FOR
from app.operations import (
    authorizations,
    captured_mails,
    failing_endpoints,
    import_uploads,
    mail_sources,
    outgoing_mails,
    partitions,
    pulls,
    remote_records,
)
from app.operations import prune_events as pruning
from app.operations.campaigns import advance_due_campaigns
from app.operations.deliveries import cancel, replay, sweep
from app.operations.endpoint_secrets import destroy_expired_secrets
from app.operations.erasure import sweep_erasures
from app.operations.idempotency import forget_old_keys
from app.operations.reseal import reseal_secrets
from app.operations.responses.forget_keys import BEFORE_ALL, Place, forget_response_keys
from app.operations.sessions import forget_old_sessions
from app.workers.batches import chore_of, in_batches

advance_campaigns = chore_of(advance_due_campaigns)
finish_erasures = chore_of(sweep_erasures)
look_after_failing_endpoints = chore_of(
    failing_endpoints.warn_of_failing_endpoints, failing_endpoints.disable_failing_endpoints
)
prune_events = chore_of(pruning.prune_events)
drop_abandoned_uploads = chore_of(import_uploads.drop_abandoned_uploads)
forget_sessions = chore_of(forget_old_sessions)
forget_authorizations = chore_of(authorizations.forget_authorizations)
forget_captured_mails = chore_of(captured_mails.forget_captured_mails, outgoing_mails.forget_outgoing_mails)
forget_mail_tokens = chore_of(mail_sources.forget_mail_tokens)
forget_remote_records = chore_of(remote_records.forget_remote_records, pulls.forget_pulled_pages)


async def recompute_endpoint_work(engine: Engine, _: Settings) -> None:
    async with engine.write() as tx:
        await sweep.recompute_endpoint_work(tx)


async def cancel_hopeless_deliveries(engine: Engine, _: Settings) -> None:
    before = utc_now() - KEPT_FOR
    await in_batches(engine, cancel.cancel_orphaned_deliveries)
    await in_batches(engine, lambda tx: cancel.cancel_outdated_deliveries(tx, before=before))


async def work_off_replays(engine: Engine, _: Settings) -> None:
    await in_batches(engine, replay.work_off_replays)
    async with engine.write() as tx:
        await replay.forget_old_replays(tx, before=utc_now() - KEPT_FOR)


async def forget_idempotency_keys(engine: Engine, _: Settings) -> None:
    now = utc_now()
    await in_batches(engine, lambda tx: forget_old_keys(tx, now=now))
    place: Place | None = BEFORE_ALL
    while place is not None:
        async with engine.write() as tx:
            place = await forget_response_keys(tx, behind=place, now=now)


async def destroy_old_secrets(engine: Engine, _: Settings) -> None:
    async with engine.write() as tx:
        await destroy_expired_secrets(tx, now=utc_now())


async def reseal_stored_secrets(engine: Engine, settings: Settings) -> None:
    vault = Vault.read(settings.secret_keys_text)
    await in_batches(engine, lambda tx: reseal_secrets(tx, vault))


async def keep_partitions(engine: Engine, settings: Settings) -> None:
    for table in partitions.PARTITIONED:
        await _keep_partitions_of(engine, table, kept_for=timedelta(days=settings.delivery_log_days))


async def _keep_partitions_of(engine: Engine, table: str, *, kept_for: timedelta) -> None:
    now = utc_now()
    async with engine.write() as tx:
        await partitions.ensure_partitions(tx, table, now=now)
    async with engine.write() as tx:
        await partitions.drop_old_partitions(tx, table, before=now - kept_for)
    await in_batches(engine, lambda tx: partitions.empty_default_partition(tx, table, before=now - kept_for))
