"""When exactly somebody of a wave is written to."""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from app.domain.asking import Asking
from app.domain.rhythm import Wave
from app.domain.scheduling import Turn, schedule

NOW = datetime(2026, 5, 4, 7, 30, tzinfo=UTC)
WAVE = Wave(1, NOW, NOW + timedelta(days=14))
WORKING_HOURS = {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "until": "17:00"}


def due(number: int, **asking: object) -> datetime:
    document = Asking.from_json({"trigger": {"kind": "once"}, **asking})
    turn = Turn(UUID(int=1), UUID(int=number), ZoneInfo("Europe/Berlin"), WAVE)
    moment = schedule(document, turn, now=NOW).due_at
    assert moment is not None
    return moment


def test_a_wave_asks_everybody_at_once_unless_it_is_to_be_spread() -> None:
    assert {due(number) for number in range(50)} == {NOW}


def test_a_spread_wave_has_asked_everybody_after_so_many_days_of_its_window() -> None:
    moments = [due(number, spread_days=3, window=WORKING_HOURS) for number in range(300)]
    local = [moment.astimezone(ZoneInfo("Europe/Berlin")) for moment in moments]
    per_day = [sum(moment.day == day for moment in local) for day in (4, 5, 6, 7)]
    assert all(9 <= moment.hour < 17 for moment in local)
    assert min(moments) >= NOW
    assert max(moments) < NOW + timedelta(days=3)
    assert all(count > 50 for count in per_day[:3])
