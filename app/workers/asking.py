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
from app.workers.batches import chore_of, in_batches

plan_campaigns = chore_of(plan_due_campaign, schedule_invitations, set_clocks_anew)
tend_invitations = chore_of(give_up_lost_mails, expire_invitations)


async def end_what_is_over(engine: Engine, _: Settings) -> None:
    now = utc_now()
    await in_batches(engine, lambda tx: end.close_waves(tx, now=now))
    await in_batches(engine, lambda tx: end.complete_finished_campaigns(tx, now=now))
    await in_transaction(engine, lambda tx: end.pause_harmful_campaigns(tx, now=now))
    await in_transaction(engine, lambda tx: hold_busy_days(tx, now=now))
    await in_transaction(engine, release_where_enough_is_known)
