"""What would become of somebody's turn: when it comes, and how it is decided then, by what is known now."""

from dataclasses import dataclass, replace
from datetime import datetime

from app.domain.asking.asking import Asking
from app.domain.asking.eligibility import Decision, Person, Reason, Rules, Skip, Wait, Wanted, decide
from app.domain.asking.scheduling import Turn, schedule


@dataclass(frozen=True, slots=True)
class Prospect:
    """`due_at`: when they are to be asked, having waited; of whoever is skipped, when that is decided."""

    decision: Decision
    due_at: datetime
    latest_at: datetime | None = None


def foresee(
    asking: Asking, turn: Turn, person: Person, wanted: Wanted, rules: Rules, *, best: int | None, now: datetime
) -> Prospect:
    """`best`: as `schedule` takes it."""
    if turn.outlived is not None:
        return Prospect(Skip(turn.outlived), now)
    appointment = schedule(asking, replace(turn, zone=person.zone), best=best, now=now)
    if appointment.due_at is None:
        return Prospect(Skip(Reason.WINDOW), now)
    wanted = replace(wanted, latest_at=appointment.latest_at, planned_at=turn.planned_at or now)
    decision = decide(person, wanted, rules, appointment.due_at)
    due_at = decision.until if isinstance(decision, Wait) else appointment.due_at
    return Prospect(decision, due_at, appointment.latest_at)
