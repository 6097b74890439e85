"""The invitations that come so long after somebody was last asked, or answered: `after:2026-12-01T09:30:00+00:00`."""

from datetime import datetime

NEVER = "after:start"  # whoever was never asked before


def answer_slot(last: datetime | None) -> str:
    return f"after:{last.isoformat()}" if last else NEVER


def last_in(slot: str) -> datetime | None:
    """The other way round; None also of a slot that is about something else."""
    if not slot.startswith("after:") or slot == NEVER:
        return None
    return datetime.fromisoformat(slot.removeprefix("after:"))
