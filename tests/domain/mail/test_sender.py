import pytest

from app.domain.mail.sender import Sender, SenderInvalid, changed_sender, is_to_be_checked

STORED = {"from_name": "Shop", "from_email": "surveys@shop.example"}


def test_a_sender_is_changed_field_by_field_and_null_takes_one_back() -> None:
    after = changed_sender(STORED, {"reply_to": "Help@Shop.example", "from_name": None})
    assert after == {"from_email": "surveys@shop.example", "reply_to": "help@shop.example"}
    assert Sender.of(after) == Sender(from_email="surveys@shop.example", reply_to="help@shop.example")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("from_name", " "), ("from_name", "two\nlines"), ("from_name", "x" * 101), ("from_email", "surveys"),
        ("reply_to", "a b@shop.example"), ("bounce_address", "x" * 32 + "@shop.example"),
        ("notify_email", "x@" + "y" * 250 + ".example"), ("domains", ["shop"]), ("domains", ["*.shop.example"]),
        ("domains", [f"d{n}.example" for n in range(21)]), ("dkim_selectors", ["s1._domainkey", "a b"]),
        ("dkim_selectors", [f"s{n}" for n in range(11)]), ("dkim_selectors", ["x" * 101]),
    ],
)  # fmt: skip
def test_what_is_no_sender_is_refused_by_its_field(field: str, value: object) -> None:
    with pytest.raises(SenderInvalid) as refused:
        changed_sender(STORED, {field: value})
    assert str(refused.value.pointer).startswith(f"/sender/{field}")


def test_mails_come_from_our_domains_only() -> None:
    sender = Sender.of({**STORED, "domains": ["shop.test"]})
    assert sender.may_send_as("kim@shop.example")
    assert sender.may_send_as("kim@shop.test")
    assert not sender.may_send_as("kim@mail.shop.example")
    assert not sender.may_send_as("kim@notshop.example")
    assert not Sender().may_send_as("kim@shop.example")


def test_tests_go_to_colleagues() -> None:
    sender = Sender.of({**STORED, "reply_to": "help@desk.example"})
    assert sender.may_test_with("anybody@shop.example")
    assert sender.may_test_with("help@desk.example")
    assert not sender.may_test_with("ada@example.org")


def test_selectors_are_kept_once_and_a_flag_is_taken_back() -> None:
    after = changed_sender(STORED, {"dkim_selectors": ["s1", " s1 ", "a.b"], "send_unaligned": True})
    assert Sender.of(after).dkim_selectors == ("s1", "a.b")
    assert Sender.of(after).send_unaligned
    assert not Sender.of(changed_sender(after, {"send_unaligned": False})).send_unaligned
    assert "send_unaligned" not in changed_sender(after, {"send_unaligned": None})


@pytest.mark.parametrize(
    ("changes", "is_new"),
    [
        ({"from_name": "Store"}, False), ({"notify_email": "a@shop.example"}, False), ({"send_unaligned": True}, False),
        ({"from_email": "b@shop.example"}, True), ({"bounce_address": "b@shop.example"}, True),
        ({"domains": ["shop.test"]}, True), ({"dkim_selectors": ["s1"]}, True),
    ],
)  # fmt: skip
def test_what_the_dns_has_a_say_in_is_looked_into_anew(changes: dict[str, object], is_new: bool) -> None:
    assert is_to_be_checked(STORED, changed_sender(STORED, changes)) is is_new
