from hypothesis import given
from hypothesis import strategies as st

from app.domain.asking.automatic_stop import (
    FEWEST_BOUNCES,
    FEWEST_COMPLAINTS,
    MOST_BOUNCES,
    MOST_COMPLAINTS,
    PausedReason,
    reason_to_pause,
)

counts = st.integers(0, 100_000)


@given(sent=counts, bounced=counts, complained=counts)
def test_a_campaign_pauses_exactly_beyond_a_limit_and_with_enough_to_go_by(
    sent: int, bounced: int, complained: int
) -> None:
    complaints = complained >= FEWEST_COMPLAINTS and complained > sent * MOST_COMPLAINTS
    bounces = bounced >= FEWEST_BOUNCES and bounced > sent * MOST_BOUNCES
    expected = PausedReason.COMPLAINTS if complaints else PausedReason.BOUNCES if bounces else None
    assert reason_to_pause(sent=sent, bounced=bounced, complained=complained) is expected


@given(sent=counts, bounced=counts, complained=counts, more=st.integers(1, 1_000))
def test_more_harm_never_unpauses_and_more_mails_that_arrive_never_pause(
    sent: int, bounced: int, complained: int, more: int
) -> None:
    before = reason_to_pause(sent=sent, bounced=bounced, complained=complained)
    worse = reason_to_pause(sent=sent, bounced=bounced + more, complained=complained + more)
    better = reason_to_pause(sent=sent + more, bounced=bounced, complained=complained)
    assert before is None or worse is not None
    assert before is not None or better is None


def test_a_single_angry_person_pauses_nothing() -> None:
    assert reason_to_pause(sent=3, bounced=0, complained=1) is None
    assert reason_to_pause(sent=3, bounced=4, complained=0) is None
    assert reason_to_pause(sent=1_000, bounced=50, complained=3) is None
    assert reason_to_pause(sent=1_000, bounced=51, complained=3) is PausedReason.BOUNCES
    assert reason_to_pause(sent=1_000, bounced=0, complained=4) is PausedReason.COMPLAINTS
