import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.scores.student_t import NORMAL_FROM_DF, critical_t, critical_z, normal_two_sided_p, two_sided_p


@pytest.mark.parametrize(
    ("df", "at_90", "at_95", "at_99"),
    [  # any printed table of Student's t, two-sided
        (1, 6.314, 12.706, 63.657),
        (2, 2.920, 4.303, 9.925),
        (3, 2.353, 3.182, 5.841),
        (5, 2.015, 2.571, 4.032),
        (10, 1.812, 2.228, 3.169),
        (30, 1.697, 2.042, 2.750),
        (120, 1.658, 1.980, 2.617),
    ],
)
def test_critical_values_are_those_of_the_tables(df: int, at_90: float, at_95: float, at_99: float) -> None:
    found = [critical_t(level, df=df) for level in (0.9, 0.95, 0.99)]
    assert [round(t, 3) for t in found] == [at_90, at_95, at_99]


@pytest.mark.parametrize(
    ("t", "df", "p"),
    [  # from R's documentation of t.test: the data sets sleep (extra by group) and mtcars (mpg by am)
        (-1.8608, 17.776, 0.07939),
        (-3.7671, 18.332, 0.001374),
    ],
)
def test_p_values_of_fractional_degrees_of_freedom_are_those_r_prints(t: float, df: float, p: float) -> None:
    assert two_sided_p(t, df=df) == pytest.approx(p, rel=5e-4)


@given(st.floats(-50, 50))
def test_one_degree_of_freedom_is_cauchys_distribution(t: float) -> None:
    assert two_sided_p(t, df=1) == pytest.approx(1 - 2 * math.atan(abs(t)) / math.pi, abs=1e-12)


@given(st.floats(0.5, 0.999), st.floats(1, 1e6))
def test_the_critical_value_leaves_exactly_the_rest_in_the_tails(level: float, df: float) -> None:
    t = critical_t(level, df=df)
    assert t >= critical_z(level)
    assert two_sided_p(t, df=df) == pytest.approx(1 - level, rel=1e-9)


def test_there_is_no_step_where_the_normal_distribution_takes_over() -> None:
    below, above = critical_t(0.95, df=NORMAL_FROM_DF - 1), critical_t(0.95, df=NORMAL_FROM_DF)
    assert 0 <= below - above < 5e-6
    assert two_sided_p(2, df=NORMAL_FROM_DF) == pytest.approx(normal_two_sided_p(2))


def test_normal_values_are_those_of_the_tables() -> None:
    assert round(critical_z(0.95), 4) == 1.9600
    assert normal_two_sided_p(-1.959964) == pytest.approx(0.05, rel=1e-5)
