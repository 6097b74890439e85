import pytest
from hypothesis import given
from hypothesis import strategies as some

from app.domain.survey.merge_fields import BLANKS, LONGEST_VALUE, fields_in, fill, merge_field_faults, merge_values

HELLO = "Hello {name|there}, how is your {property.plan|current} plan at {account|work}?"


def test_what_is_known_is_filled_in() -> None:
    values = merge_values(name="Ann", account="Acme", properties={"plan": "pro"})
    assert fill(HELLO, values) == "Hello Ann, how is your pro plan at Acme?"


@pytest.mark.parametrize("value", [None, "", "  \n", BLANKS, False, True])
def test_the_fall_back_stands_for_what_is_missing_or_says_nothing(value: object) -> None:
    assert fill("Your {property.plan|current} plan", {"property.plan": value}) == "Your current plan"
    assert fill("Hello {name|there}", merge_values()) == "Hello there"


def test_values_are_short_and_on_one_line() -> None:
    assert fill("{name|you}", {"name": " Ann\r\nBcc:\tbob "}) == "Ann Bcc: bob"
    assert len(fill("{name|you}", {"name": "x" * 1000})) == LONGEST_VALUE
    assert fill("{property.seats|some} seats", {"property.seats": 12}) == "12 seats"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1234567890123456, "1234567890123456"), (1e15, "1000000000000000"), (0.1 + 0.2, "0.3"), (19.9, "19.9"),
        (-0.0, "0"), (0.00001, "0.00001"), (-7, "-7"), (1e-300, "0"),
        (-1e-300, "0"),
    ],
)  # fmt: skip
def test_a_number_is_written_as_people_write_numbers(value: float, shown: str) -> None:
    assert fill("order {property.order|x}", {"property.order": value}) == f"order {shown}"


def test_a_value_is_not_read_again() -> None:
    assert fill("{name|you}", {"name": "{account|none}", "account": "Acme"}) == "{account|none}"


def test_fields_are_found() -> None:
    assert fields_in([HELLO, "{name|you}", "nothing"]) == {"name", "property.plan", "account"}


@pytest.mark.parametrize(
    "text",
    ["{", "}", "{name}", "{name|}", "{name| }", "{Name|x}", "{surname|x}", "{property.|x}", "{property.a b|x}",
     "{{name|x}}", "{name|{brand|x}}", "{name|x", "{name|a|b}", "{name.__class__|x}", "{ name|x}"],
)  # fmt: skip
def test_other_braces_are_faults(text: str) -> None:
    assert len(list(merge_field_faults(text))) == 1


@given(some.text(), some.dictionaries(some.sampled_from(["name", "account", "brand"]), some.text()))
def test_a_text_without_faults_leaves_no_brace_of_ours(text: str, values: dict[str, str]) -> None:
    if not list(merge_field_faults(text)):
        clean = {key: value.replace("{", "").replace("}", "") for key, value in values.items()}
        assert not {"{", "}"} & set(fill(text, clean))


def test_a_value_turns_nothing_round_that_comes_after_it() -> None:
    assert fill("{name|you}, how was it?", {"name": "\u202eAnn\u2066 \u200fعلي"}) == "Ann \u200fعلي, how was it?"
