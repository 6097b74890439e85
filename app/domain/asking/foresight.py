"""What would become of somebody's turn: when it comes, and how it is decided then, by what is known now."""

from dataclasses import replace
from datetime import datetime

from app.domain.asking.asking import Asking
from app.domain.asking.eligibility import Decision, Person, Reason, Rules, Skip, Wanted, decide
from app.domain.asking.scheduling import Turn, schedule


def foresee(
    asking: Asking, turn: Turn, person: Person, wanted: Wanted, rules: Rules, *, best: int | None, now: datetime
) -> tuple[Decision, datetime]:
    """The decision, and the moment it is about. `best`: as `schedule` takes it."""
    appointment = schedule(asking, replace(turn, zone=person.zone), best=best, now=now)
    if appointment.due_at is None:
        return Skip(Reason.WINDOW), now
    wanted = replace(wanted, latest_at=appointment.latest_at)
    return decide(person, wanted, rules, appointment.due_at), appointment.due_at
