"""A domain as a whole: keys, bounces, and whether what was checked belongs with what the reader sees."""

from base64 import b64encode
from collections.abc import Sequence

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.domain.mail.domain_check.check import DomainCheck, check_domain
from app.domain.mail.domain_check.finding import DomainState, Finding, Part, Severity
from app.domain.mail.domain_check.look_ups import Status
from app.domain.mail.sender import Sender
from tests.domain.mail.domain_check.zone import Records, answered, codes

DER = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
RSA = b64encode(RSAPublicNumbers(65_537, 2**1_023 + 1).public_key().public_bytes(*DER)).decode()
ED25519 = b64encode(Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()).decode()
# Of 512 bits, as nobody makes them any more.
SHORT = b64encode(
    bytes.fromhex("305c300d06092a864886f70d0101010500034b003048024100") + b"\xbb" * 64 + bytes.fromhex("0203010001")
).decode()
KEY, SPF = f"v=DKIM1; k=rsa; p={RSA}", "v=spf1 mx -all"
SOUND: Records = {
    "shop.example": [SPF], "_dmarc.shop.example": ["v=DMARC1; p=reject"], "s1._domainkey.shop.example": [KEY],
}  # fmt: skip
MX = {"shop.example": ["10 mx.shop.example."], "bounces.shop.example": ["10 mx.shop.example."]}


def check(
    domain: str = "shop.example",
    *,
    txt: Records | None = None,
    mx: Records = MX,
    selectors: Sequence[str] = ("s1",),
    bounce_address: str | None = None,
) -> DomainCheck:
    """Of the sound one, with these records in place of its own."""
    sender = Sender(from_email=f"surveys@{domain}", dkim_selectors=tuple(selectors), bounce_address=bounce_address)
    return answered(check_domain(domain, sender), txt={**SOUND, **(txt or {})}, mx=mx)


def parts(found: DomainCheck, part: Part) -> list[tuple[str, str]]:
    return [(one.code, one.severity.value) for one in found.findings if one.part is part]


def test_a_domain_with_everything_in_place_passes() -> None:
    found = check()
    assert (found.findings, found.state) == ((), DomainState.PASSED)
    assert found.found() == {
        "bounce_domain": "shop.example", "spf_record": SPF, "spf_look_ups": 1, "dmarc_record": "v=DMARC1; p=reject",
        "dmarc_policy": "reject",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (f"v=DKIM1; k=ed25519; p={ED25519}", None),
        (f"p={RSA[:60]} {RSA[60:]}", None),
        ("v=DKIM1; k=rsa; p=", "dkim_key_revoked"),
        ("v=DKIM1; k=rsa", "dkim_key_broken"),
        ("v=DKIM1; p=nonsense", "dkim_key_broken"),
        (f"v=DKIM1; k=ed25519; p={RSA}", "dkim_key_broken"),
        ("v=spf1 -all", "dkim_key_broken"),
        (f"v=DKIM1; p={SHORT}", "dkim_key_short"),
    ],
)
def test_a_key_has_to_be_one_that_can_be_used(record: str, code: str | None) -> None:
    found = check(txt={"s1._domainkey.shop.example": [record]})
    assert parts(found, Part.DKIM) == ([(code, "failed")] if code else [])


def test_one_good_key_of_several_is_enough() -> None:
    found = check(selectors=("old", "s1"), txt={"old._domainkey.shop.example": ["v=DKIM1; p="]})
    assert (parts(found, Part.DKIM), found.state) == ([("dkim_key_revoked", "advice")], DomainState.PASSED)


def test_a_missing_key_names_its_place() -> None:
    (finding,) = check(selectors=("s2",)).findings
    assert (finding.code, finding.name) == ("dkim_key_missing", "s2._domainkey.shop.example")


def test_without_selectors_nobody_knows() -> None:
    found = check(selectors=())
    assert (parts(found, Part.DKIM), found.state) == ([("dkim_selectors_unnamed", "unknown")], DomainState.UNKNOWN)


def test_the_organisations_key_will_do_unless_dmarc_is_strict() -> None:
    txt = {"mail.shop.example": [SPF]}
    mx = {"mail.shop.example": ["10 mx.shop.example."]}
    assert check("mail.shop.example", mx=mx, txt=txt).state is DomainState.PASSED
    txt = {**txt, "_dmarc.shop.example": ["v=DMARC1; p=reject; adkim=s"]}
    strict = check("mail.shop.example", mx=mx, txt=txt)
    assert parts(strict, Part.DKIM) == [("dkim_key_missing", "failed")]


@pytest.mark.parametrize(
    ("mx", "code"),
    [
        ({"shop.example": ["0 ."]}, ("bounces_refused", "failed")),
        ({}, ("bounces_lost", "failed")),
        ({"shop.example": Status.NO_RECORD}, ("bounces_lost", "failed")),
        ({"shop.example": Status.UNKNOWN}, ("dns_unanswered", "unknown")),
    ],
)
def test_bounces_need_a_way_back(mx: Records, code: tuple[str, str]) -> None:
    assert parts(check(mx=mx), Part.BOUNCES) == [code]


def test_an_address_of_the_domain_takes_bounces_too() -> None:
    look_ups = check_domain("shop.example", Sender(dkim_selectors=("s1",)))
    found = answered(look_ups, txt=SOUND, a={"shop.example": ["192.0.2.1"]})
    assert codes(found.findings) == ["bounces_go_to_address"]
    assert found.state is DomainState.PASSED


BOUNCES = "b@bounces.shop.example"


def test_spf_is_that_of_the_bounce_domain() -> None:
    found = check(bounce_address=BOUNCES, txt={"shop.example": ["v=spf1 +all"], "bounces.shop.example": [SPF]})
    assert (found.bounce_domain, found.state) == ("bounces.shop.example", DomainState.PASSED)
    assert parts(check(bounce_address=BOUNCES), Part.SPF) == [("spf_missing", "failed")]


@pytest.mark.parametrize(
    ("key", "severity"), [([KEY], "advice"), (["v=DKIM1; p="], "failed"), (Status.UNKNOWN, "unknown")]
)
def test_a_bounce_domain_of_somebody_else_leaves_all_to_dkim(key: list[str] | Status, severity: str) -> None:
    mx = {"mailer.example": ["10 mx.mailer.example."]}
    txt = {"mailer.example": [SPF], "s1._domainkey.shop.example": key}
    found = check(bounce_address="b@mailer.example", mx=mx, txt=txt)
    assert parts(found, Part.SPF) == [("spf_unaligned", severity)]


def test_strict_dmarc_wants_the_very_same_domain() -> None:
    txt = {"bounces.shop.example": [SPF], "_dmarc.shop.example": ["v=DMARC1; p=reject; aspf=s"]}
    assert parts(check(bounce_address=BOUNCES, txt=txt), Part.SPF) == [("spf_unaligned", "advice")]


def test_a_domain_with_letters_of_its_own_is_asked_for_as_the_dns_writes_it() -> None:
    look_ups = check_domain("müller.example", Sender(dkim_selectors=("s1",)))
    assert next(look_ups).name == "xn--mller-kva.example"


def test_a_finding_survives_being_stored() -> None:
    finding = Finding(Part.SPF, Severity.FAILED, "spf_missing", "Text", "shop.example")
    assert Finding.of(finding.to_json()) == finding
