from contextlib import suppress

import pytest

from app.domain.mail.domain_check.dmarc import Dmarc, check_dmarc
from app.domain.mail.domain_check.finding import Severity
from app.domain.mail.domain_check.look_ups import Answer, Question, RecordType, Status
from tests.domain.mail.domain_check.zone import Records, answered, codes


def dmarc(domain: str, **records: list[str]) -> Dmarc:
    """`shop_example` for _dmarc.shop.example."""
    txt: Records = {"_dmarc." + name.replace("_", "."): texts for name, texts in records.items()}
    return answered(check_dmarc(domain), txt=txt)


def test_a_domains_own_record_comes_first() -> None:
    found = dmarc(
        "mail.shop.example", mail_shop_example=["v=DMARC1; p=quarantine"], shop_example=["v=DMARC1;p=reject;sp=none"]
    )
    assert (found.policy, found.organisation, codes(found.findings)) == ("quarantine", "shop.example", [])


@pytest.mark.parametrize(
    ("record", "policy"),
    [
        ("v=DMARC1; p=reject; sp=quarantine; aspf=s", "quarantine"),
        ("v=DMARC1; p=reject", "reject"),
        ("v = DMARC1 ; P=Reject", "reject"),
    ],
)
def test_without_one_that_of_its_organisation_holds(record: str, policy: str) -> None:
    found = dmarc("mail.shop.example", shop_example=[record])
    assert (found.record, found.policy, found.organisation) == (record, policy, "shop.example")
    assert found.is_spf_strict == ("aspf=s" in record)
    assert codes(found.findings) == []


def test_a_record_that_only_watches_is_enough_and_could_be_more() -> None:
    (finding,) = dmarc("shop.example", shop_example=["v=DMARC1; p=none; rua=mailto:a@shop.example"]).findings
    assert (finding.code, finding.severity) == ("dmarc_only_watches", Severity.ADVICE)


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ([], "dmarc_missing"),
        (["v=DMARC2; p=none"], "dmarc_missing"),
        (["v=DMARC1; p=none", "v=DMARC1; p=reject"], "dmarc_two_records"),
        (["v=DMARC1; p=perhaps"], "dmarc_unreadable"),
        (["v=DMARC1"], "dmarc_unreadable"),
    ],
)
def test_what_receivers_do_not_obey_is_a_failure(records: list[str], code: str) -> None:
    (finding,) = dmarc("shop.example", shop_example=records).findings
    assert (finding.code, finding.severity, finding.name) == (code, Severity.FAILED, "_dmarc.shop.example")
    assert (finding.publish is None) == (code == "dmarc_two_records")


def test_public_suffixes_are_no_organisation() -> None:
    own, suffix = ["v=DMARC1; p=reject"], ["v=DMARC1; p=none; psd=y"]
    assert dmarc("mail.shop.co.example", shop_co_example=own, co_example=suffix).organisation == "shop.co.example"
    assert dmarc("mail.shop.co.example", mail_shop_co_example=own, co_example=suffix).organisation == "shop.co.example"
    end = ["v=DMARC1; p=reject; psd=n"]
    assert dmarc("mail.shop.example", mail_shop_example=end, shop_example=own).organisation == "mail.shop.example"


def test_of_a_long_name_only_the_last_seven_labels_are_looked_at() -> None:
    asked = [next(look_ups := check_dmarc("a.b.c.d.e.f.g.h.i.example"))]
    with suppress(StopIteration):
        while True:
            asked.append(look_ups.send(Answer(Status.NO_NAME)))
    assert asked[:2] == [
        Question("_dmarc.a.b.c.d.e.f.g.h.i.example", RecordType.TXT),
        Question("_dmarc.d.e.f.g.h.i.example", RecordType.TXT),
    ]
    assert len(asked) == 8


def test_silent_name_servers_prove_nothing() -> None:
    found = answered(check_dmarc("shop.example"), txt={"_dmarc.shop.example": Status.UNKNOWN})
    assert (found.organisation, codes(found.findings)) == (None, ["dns_unanswered"])
