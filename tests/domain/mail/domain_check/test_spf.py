from collections.abc import Sequence

import pytest

from app.domain.mail.domain_check.finding import Severity
from app.domain.mail.domain_check.look_ups import Status
from app.domain.mail.domain_check.spf import COUNTED_TO, Spf, check_spf
from tests.domain.mail.domain_check.zone import Records, answered, codes

SHOP = "shop.example"


def spf(*records: str, **others: Sequence[str]) -> Spf:
    """Of shop.example, with the records of a.example and so on."""
    txt = {SHOP: records, **{f"{name}.example": texts for name, texts in others.items()}}
    return answered(check_spf(SHOP), txt=txt)


@pytest.mark.parametrize(
    ("record", "look_ups"),
    [
        ("v=spf1 -all", 0),
        ("V=SPF1 ip4:192.0.2.0/24 ip6:2001:db8::/32 ~all", 0),
        ("v=spf1 a mx a:mail.shop.example mx/24 exists:%{i}.shop.example ptr ~all", 6),
        ("v=spf1 include:a.example -all", 3),
        ("v=spf1 redirect=a.example", 3),
        ("v=spf1 -all include:a.example", 0),
        ("v=spf1 include:%{d}.example exp=why.example -all", 1),
    ],
)
def test_a_sound_record_is_understood_to_its_end(record: str, look_ups: int) -> None:
    found = spf(record, "google-site-verification=1", a=["v=spf1 a include:b.example -all"], b=["v=spf1 ~all"])
    assert (found.record, found.look_ups, codes(found.findings)) == (record, look_ups, [])


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ([], "spf_missing"),
        (["v=spf10 -all"], "spf_missing"),
        (["v=spf1 -all", "v=spf1 ~all"], "spf_two_records"),
        (["v=spf1 include:gone.example -all"], "spf_include_missing"),
        (["v=spf1 include:two.example -all"], "spf_two_records"),
        (["v=spf1 +all"], "spf_lets_everybody"),
        (["v=spf1 all"], "spf_lets_everybody"),
        (["v=spf1 redirect=open.example"], "spf_lets_everybody"),
        (["v=spf1 ip4:192.0.2 -all"], "spf_unreadable"),
        (["v=spf1 ip4:2001:db8::1 -all"], "spf_unreadable"),
        (["v=spf1 ipv4:192.0.2.1 -all"], "spf_unreadable"),
        (["v=spf1 include: -all"], "spf_unreadable"),
    ],
)
def test_what_receivers_take_for_broken_is_a_failure(records: list[str], code: str) -> None:
    found = spf(*records, two=["v=spf1 -all", "v=spf1 -all"], open=["v=spf1 +all"])
    assert codes(found.findings) == [code]
    assert found.findings[0].severity is Severity.FAILED


def test_a_missing_record_comes_with_one_to_publish() -> None:
    (finding,) = spf().findings
    assert (finding.name, finding.publish) == (SHOP, "v=spf1 include:YOUR-MAIL-SERVICE ~all")


def test_ten_look_ups_are_allowed_and_eleven_are_not() -> None:
    nine = " ".join(f"a:mail{n}.example" for n in range(9))
    assert codes(spf(f"v=spf1 include:a.example {nine} -all", a=["v=spf1 -all"]).findings) == []
    found = spf(f"v=spf1 include:a.example {nine} -all", a=["v=spf1 mx -all"])
    assert (found.look_ups, codes(found.findings)) == (11, ["spf_too_many_look_ups"])
    assert "11 look-ups" in found.findings[0].text


def test_records_that_include_each_other_end() -> None:
    found = spf("v=spf1 include:a.example -all", a=["v=spf1 include:shop.example -all"])
    assert codes(found.findings) == ["spf_includes_itself"]


def test_records_that_branch_without_end_are_not_followed_for_ever() -> None:
    names = [f"n{n}" for n in range(12)]
    each = "v=spf1 " + " ".join(f"include:{name}.example" for name in names) + " -all"
    found = spf(each, **{name: [each] for name in names})
    assert found.look_ups >= COUNTED_TO
    assert "spf_too_many_look_ups" in codes(found.findings)


@pytest.mark.parametrize("record", ["v=spf1 a ?all", "v=spf1 a"])
def test_an_open_end_is_advised_against(record: str) -> None:
    (finding,) = spf(record).findings
    assert (finding.code, finding.severity) == ("spf_ends_open", Severity.ADVICE)


@pytest.mark.parametrize(
    "txt", [{SHOP: Status.UNKNOWN}, {SHOP: ["v=spf1 include:a.example -all"], "a.example": Status.UNKNOWN}]
)
def test_silent_name_servers_prove_nothing(txt: Records) -> None:
    (finding,) = answered(check_spf(SHOP), txt=txt).findings
    assert (finding.code, finding.severity) == ("dns_unanswered", Severity.UNKNOWN)
