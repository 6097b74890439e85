"""What the timetable rings for to plan, and to end, the asking."""

from app.clock import utc_now
from app.config import Settings
from app.db.again import in_transaction
from app.db.engine import Engine
from app.operations.invitations import end
from app.operations.invitations.clocks import set_clocks_anew
from app.operations.invitations.enough import release_where_enough_is_known
from app.operations.invitations.hold import hold_busy_days
from app.operations.invitations.plan_campaigns import plan_due_campaign
from app.operations.invitations.schedule import schedule_invitations
from app.operations.invitations.settle import expire_invitations, give_up_lost_mails
from app.workers.batches import in_batches


async def plan_campaigns(engine: Engine, _: Settings) -> None:
    now = utc_now()
    await in_batches(engine, lambda tx: plan_due_campaign(tx, now=now))
    await in_batches(engine, lambda tx: schedule_invitations(tx, now=now))
    await in_batches(engine, lambda tx: set_clocks_anew(tx, now=now))


async def tend_invitations(engine: Engine, _: Settings) -> None:
    now = utc_now()
    await in_batches(engine, lambda tx: give_up_lost_mails(tx, now=now))
    await in_batches(engine, lambda tx: expire_invitations(tx, now=now))


async def end_what_is_over(engine: Engine, _: Settings) -> None:
    now = utc_now()
    await in_batches(engine, lambda tx: end.close_waves(tx, now=now))
    await in_batches(engine, lambda tx: end.complete_finished_campaigns(tx, now=now))
    await in_transaction(engine, lambda tx: end.pause_harmful_campaigns(tx, now=now))
    await in_transaction(engine, lambda tx: hold_busy_days(tx, now=now))
    await in_transaction(engine, release_where_enough_is_known)
