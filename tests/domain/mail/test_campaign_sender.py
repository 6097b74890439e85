import pytest

from app.domain.asking.asking_invalid import AskingInvalid
from app.domain.asking.asking_parts import EmailSettings, SenderKind
from app.domain.mail.campaign_sender import (
    LARGE_WAVE,
    check_from_email,
    failed_domains,
    from_address,
    from_domains,
    warnings_about,
)
from app.domain.mail.domain_check.finding import DomainState
from app.domain.mail.sender import Sender

SENDER = Sender(from_email="surveys@shop.example", domains=("shop.test",))
FAILED = {"shop.example": DomainState.FAILED}


@pytest.mark.parametrize("address", ["ada@shop.example", "ada@shop.test", None])
def test_a_campaign_may_mail_from_the_workspaces_domains(address: str | None) -> None:
    email = EmailSettings(from_email=address)
    check_from_email(email, SENDER)
    assert from_address(email, SENDER) == (address or "surveys@shop.example")


@pytest.mark.parametrize("address", ["ada@mail.shop.example", "ada@bank.example"])
def test_and_from_no_others(address: str) -> None:
    email = EmailSettings(from_email=address)
    with pytest.raises(AskingInvalid, match="none of the domains") as refused:
        check_from_email(email, SENDER)
    assert refused.value.pointer == "/asking/email/from_email"
    assert from_address(email, SENDER) == "surveys@shop.example"


def test_a_workspace_that_has_no_sender_lends_no_domain() -> None:
    with pytest.raises(AskingInvalid):
        check_from_email(EmailSettings(from_email="ada@shop.example"), Sender())


def test_mails_of_account_owners_may_come_from_any_of_them() -> None:
    assert from_domains(EmailSettings(), SENDER) == {"shop.example"}
    assert from_domains(EmailSettings(from_email="ada@shop.test"), SENDER) == {"shop.test"}
    assert from_domains(EmailSettings(sender=SenderKind.ACCOUNT_OWNER), SENDER) == {"shop.example", "shop.test"}
    assert from_domains(EmailSettings(), Sender()) == frozenset()


def test_only_what_is_known_to_be_set_up_wrong_has_failed() -> None:
    others = [state for state in DomainState if state is not DomainState.FAILED]
    states = {"shop.test": DomainState.FAILED, **FAILED, **{f"{state}.example": state for state in others}}
    assert failed_domains(states) == ["shop.example", "shop.test"]


def test_a_warning_says_whether_the_wave_will_be_held() -> None:
    (held,) = warnings_about(LARGE_WAVE + 1, FAILED, SENDER)
    (sent,) = warnings_about(LARGE_WAVE + 1, FAILED, Sender(send_unaligned=True))
    assert held.text.startswith(sent.text)
    assert "pauses" in held.text.removeprefix(sent.text)
    assert list(warnings_about(LARGE_WAVE, FAILED, SENDER)) == []
