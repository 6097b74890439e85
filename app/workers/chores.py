"""What the timetable rings for: short transactions, in batches, until nothing is left to do."""

from datetime import timedelta

from app.clock import utc_now
from app.config import Settings
from app.db.engine import Engine
from app.db.vault import Vault
from app.domain.events import KEPT_FOR
from app.operations import failing_endpoints, partitions
from app.operations.authorizations import forget_authorizations as forget_some_authorizations
from app.operations.campaigns import advance_due_campaigns
from app.operations.captured_mails import forget_captured_mails as forget_some_mails
from app.operations.deliveries import cancel, replay, sweep
from app.operations.endpoint_secrets import destroy_expired_secrets
from app.operations.erasure import sweep_erasures
from app.operations.idempotency import forget_old_keys
from app.operations.import_uploads import drop_abandoned_uploads as drop_some_uploads
from app.operations.mail_sources import forget_mail_tokens as forget_some_mail_tokens
from app.operations.outgoing_mails import forget_outgoing_mails
from app.operations.prune_events import prune_events as prune_some_events
from app.operations.pulls import forget_pulled_pages
from app.operations.remote_records import forget_remote_records as forget_some_remote_records
from app.operations.reseal import reseal_secrets
from app.operations.responses.forget_keys import BEFORE_ALL, Place, forget_response_keys
from app.operations.sessions import forget_old_sessions
from app.workers.batches import in_batches


async def recompute_endpoint_work(engine: Engine, _: Settings) -> None:
    async with engine.write() as tx:
        await sweep.recompute_endpoint_work(tx)


async def cancel_hopeless_deliveries(engine: Engine, _: Settings) -> None:
    before = utc_now() - KEPT_FOR
    await in_batches(engine, cancel.cancel_orphaned_deliveries)
    await in_batches(engine, lambda tx: cancel.cancel_outdated_deliveries(tx, before=before))


async def prune_events(engine: Engine, _: Settings) -> None:
    now = utc_now()
    await in_batches(engine, lambda tx: prune_some_events(tx, now=now))


async def look_after_failing_endpoints(engine: Engine, _: Settings) -> None:
    now = utc_now()
    await in_batches(engine, lambda tx: failing_endpoints.warn_of_failing_endpoints(tx, now=now))
    await in_batches(engine, lambda tx: failing_endpoints.disable_failing_endpoints(tx, now=now))


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


async def forget_sessions(engine: Engine, _: Settings) -> None:
    await in_batches(engine, lambda tx: forget_old_sessions(tx, now=utc_now()))


async def forget_authorizations(engine: Engine, _: Settings) -> None:
    await in_batches(engine, lambda tx: forget_some_authorizations(tx, now=utc_now()))


async def forget_captured_mails(engine: Engine, _: Settings) -> None:
    now = utc_now()
    await in_batches(engine, lambda tx: forget_some_mails(tx, now=now))
    await in_batches(engine, lambda tx: forget_outgoing_mails(tx, now=now))


async def forget_mail_tokens(engine: Engine, _: Settings) -> None:
    await in_batches(engine, lambda tx: forget_some_mail_tokens(tx, now=utc_now()))


async def forget_remote_records(engine: Engine, _: Settings) -> None:
    now = utc_now()
    await in_batches(engine, lambda tx: forget_some_remote_records(tx, now=now))
    await in_batches(engine, lambda tx: forget_pulled_pages(tx, now=now))


async def destroy_old_secrets(engine: Engine, _: Settings) -> None:
    async with engine.write() as tx:
        await destroy_expired_secrets(tx, now=utc_now())


async def reseal_stored_secrets(engine: Engine, settings: Settings) -> None:
    vault = Vault.read(settings.secret_keys_text)
    await in_batches(engine, lambda tx: reseal_secrets(tx, vault))


async def advance_campaigns(engine: Engine, _: Settings) -> None:
    await in_batches(engine, lambda tx: advance_due_campaigns(tx, now=utc_now()))


async def finish_erasures(engine: Engine, _: Settings) -> None:
    await in_batches(engine, lambda tx: sweep_erasures(tx, now=utc_now()))


async def drop_abandoned_uploads(engine: Engine, _: Settings) -> None:
    await in_batches(engine, lambda tx: drop_some_uploads(tx, now=utc_now()))


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
