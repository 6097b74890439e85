from collections import Counter
from uuid import UUID

from app.domain.audience.audience_selection import Selection
from app.domain.audience.sample import Percentage, Precision
from app.domain.audience.sampling import is_drawn, sampled, sampled_in_turn

PEOPLE = [UUID(int=at) for at in range(2_000)]
TENTH = Percentage(10)


def in_turn(number: int, sample: Percentage | Precision | None = TENTH) -> set[UUID]:
    return set(sampled_in_turn(PEOPLE, sample, turn_number=number, seed="sample:1"))


def test_a_wave_takes_the_first_in_the_order_of_fairness() -> None:
    selection = Selection(recipient_ids=PEOPLE, matched=2_000, askable=2_000, excluded={})
    assert sampled(selection, TENTH) == PEOPLE[:200]
    assert sampled(selection, None) == PEOPLE
    assert len(sampled(selection, Precision(5, 95, 50))) == 1_740  # for 870 answers of 2 000


def test_who_is_left_out_of_a_turn_comes_in_the_next_ones() -> None:
    turns = [in_turn(number) for number in range(1, 11)]
    assert Counter(person for taken in turns for person in taken) == Counter(PEOPLE)
    assert in_turn(11) == turns[0]


def test_a_turn_takes_the_same_people_however_often_it_looks_and_in_whatever_order() -> None:
    backwards = sampled_in_turn(PEOPLE[::-1], TENTH, turn_number=3, seed="sample:1")
    assert set(backwards) == in_turn(3)
    assert 150 <= len(backwards) <= 250


def test_a_margin_takes_as_many_as_it_needs() -> None:
    taken = in_turn(1, Precision(5, 95, 50))
    assert 1_700 <= len(taken) <= 1_800
    assert in_turn(1, Precision(1, 95, 10)) == set(PEOPLE)  # not even everybody would be enough


def test_without_a_sample_everybody_is_taken() -> None:
    assert in_turn(1, None) == set(PEOPLE)


def test_of_what_happens_one_by_one_a_percentage_is_drawn() -> None:
    drawn = {person for person in PEOPLE if is_drawn(TENTH, seed="sample:1:2026-12-01", about=person)}
    assert 150 <= len(drawn) <= 250
    assert all(is_drawn(sample, seed="", about=person) for sample in (None, Precision(5)) for person in PEOPLE[:50])
