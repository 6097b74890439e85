"""The mail that an invitation becomes."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from app.domain.asking.asking_parts import SenderKind, Variant
from app.domain.asking.invitation import AskingCampaign, ClaimedInvitation
from app.domain.ids import shown
from app.domain.mail.campaign_sender import from_address
from app.domain.mail.letter import Letter, Mailbox, Purpose, verp_address
from app.domain.mail.letter_words import words_in
from app.domain.mail.sender import Sender
from app.domain.people.recipient import RecipientInvalid, email_address
from app.domain.scores.metric import METRICS
from app.domain.survey.brand import Brand
from app.domain.survey.merge_fields import fill, merge_values
from app.domain.survey.survey import pick_language

NO_VARIANT = Variant("")


def letter_to(invitation: ClaimedInvitation, *, public_url: str, now: datetime) -> Letter:
    campaign, addressee = invitation.campaign, invitation.addressee
    survey, variant = campaign.survey, _variant(invitation)
    language, brand = pick_language(survey, wanted=addressee.locale), _brand(campaign)
    values = merge_values(
        name=addressee.name,
        account=addressee.account_name,
        brand=brand.name,
        properties=addressee.properties,
    )
    question = fill(_said(variant.question, language) or survey.question[language], values)
    email = campaign.asking.email
    subject = _said(variant.subject, language) or _said(email.subject, language)
    intro = _said(email.intro, language)
    sender = sender_of(invitation, public_url=public_url)
    letter = Letter(
        message_id=invitation.message_id,
        purpose=Purpose(invitation.kind.value),
        to=Mailbox(addressee.email, addressee.name),
        sender=sender,
        reply_to=Mailbox(email.reply_to) if email.reply_to else _mailbox(campaign.sender.get("reply_to")),
        envelope_sender=_envelope_sender(campaign, sender, invitation),
        sent_at=now,
        feedback_ids=(shown("campaign", campaign.id), shown("workspace", campaign.workspace_id)),
        language=language,
        subject=fill(subject, values) if subject else question,
        intro=fill(intro, values) if intro else None,
        question=question,
        metric=METRICS[campaign.metric],
        lowest_label=fill(survey.lowest_label.get(language, ""), values) or None,
        highest_label=fill(survey.highest_label.get(language, ""), values) or None,
        survey_url=f"{public_url}/s/{invitation.token}",
        unsubscribe_url=f"{public_url}/u/{invitation.unsubscribe_token}",
        brand=brand,
        logo_url=public_url + brand.logo.path if brand.logo else None,
    )
    return reminding(letter) if letter.purpose is Purpose.REMINDER else letter


def reminding(letter: Letter) -> Letter:
    """In words of its own, for who saw the first mail and did not answer; in a language that has none, as the first."""
    language, words = words_in(letter.language)
    if language.partition("-")[0] != letter.language.partition("-")[0]:
        return letter
    hello = words["hello_name"].format(name=letter.to.name) if letter.to.name else words["hello"]
    subject = words["reminder_subject"].format(subject=letter.subject)
    return replace(letter, subject=subject, intro=f"{hello}\n\n{words['reminder']}")


def sender_of(invitation: ClaimedInvitation, *, public_url: str) -> Mailbox:
    campaign, email = invitation.campaign, invitation.campaign.asking.email
    own = Sender.of(campaign.sender)
    name = email.from_name or own.from_name or _brand(campaign).name
    owner = _mailbox(invitation.addressee.account_owner)
    if email.sender is SenderKind.ACCOUNT_OWNER and owner is not None and own.may_send_as(owner.email):
        return owner
    host = public_url.partition("://")[2].partition("/")[0].partition(":")[0]
    return Mailbox(from_address(email, own) or f"surveys@{host}", name)


def _envelope_sender(campaign: AskingCampaign, sender: Mailbox, invitation: ClaimedInvitation) -> str:
    bounces_to = campaign.sender.get("bounce_address")
    return verp_address(bounces_to, invitation.message_id) if bounces_to else sender.email


def _variant(invitation: ClaimedInvitation) -> Variant:
    variants = invitation.campaign.asking.variants
    return next((one for one in variants if one.key == invitation.variant), NO_VARIANT)


def _said(texts: Mapping[str, str], language: str) -> str | None:
    """In that language, or the nearest broader one."""
    tag = language
    while tag:
        if tag in texts:
            return texts[tag]
        tag = tag.rpartition("-")[0]
    return None


def _brand(campaign: AskingCampaign) -> Brand:
    return Brand.of(campaign.brand, workspace_name=campaign.workspace_name)


def _mailbox(address: object) -> Mailbox | None:
    """None of what is no address: owners of accounts may be names."""
    try:
        return Mailbox(email_address(address)) if isinstance(address, str) else None
    except RecipientInvalid:
        return None
