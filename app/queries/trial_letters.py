"""A campaign's mail as somebody would get it now, of whom nobody is asked."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from app.db.engine import ReadTx, Tx
from app.domain.asking.invitation import AskingCampaign, MessageKind
from app.domain.mail.invitation_letter import letter_to
from app.domain.mail.letter import Letter, Purpose
from app.domain.mail.trial_mail import VariantUnknown, made_up, sample_person
from app.domain.survey.survey import check_questions
from app.domain.survey.survey_preview import LASTS, Previewed, PreviewLinks
from app.queries.asking_campaigns import get_campaign_as_if_asking
from app.queries.outgoing_mails import get_addressee


@dataclass(frozen=True, slots=True)
class Trial:
    """Without a recipient it is written to somebody made up, in that language."""

    recipient_id: UUID | None = None
    language: str | None = None
    variant: str | None = None
    kind: MessageKind = MessageKind.FIRST


async def trial_letter(
    tx: ReadTx | Tx,
    workspace_id: UUID,
    campaign_id: UUID,
    trial: Trial,
    *,
    message_id: UUID,
    links: PreviewLinks,
    now: datetime,
) -> Letter:
    """Its links lead to a preview, which stores nothing; the one click to unsubscribe leads nowhere.

    Raises CampaignNotFound, VariantUnknown, RecipientNotFound, SurveyIncomplete.
    """
    campaign = await campaign_to_show(tx, workspace_id, campaign_id, variant=trial.variant)
    if trial.recipient_id is None:
        person = sample_person(trial.language)
    else:
        person = await get_addressee(tx, workspace_id, trial.recipient_id)
        person = replace(person, locale=trial.language or person.locale)
    invitation = made_up(campaign, person, message_id=message_id, variant=trial.variant, kind=trial.kind, now=now)
    letter = letter_to(invitation, public_url=links.address, now=now)
    preview = links.to(previewed(workspace_id, campaign_id, trial, now=now))
    return replace(letter, purpose=Purpose.TEST, survey_url=preview, leave_url=f"{preview}?leave")


async def campaign_to_show(
    tx: ReadTx | Tx, workspace_id: UUID, campaign_id: UUID, *, variant: str | None
) -> AskingCampaign:
    """Further questions may lack texts: nobody is asked what there are no words for.

    Raises CampaignNotFound, VariantUnknown, SurveyIncomplete.
    """
    campaign = await get_campaign_as_if_asking(tx, workspace_id, campaign_id)
    if variant is not None and variant not in {one.key for one in campaign.asking.variants}:
        raise VariantUnknown(f"There is no variant {variant}.", pointer="/variant")
    check_questions(replace(campaign.survey, questions=()))
    return campaign


def previewed(workspace_id: UUID, campaign_id: UUID, trial: Trial, *, now: datetime) -> Previewed:
    return Previewed(workspace_id, campaign_id, now + LASTS, trial.recipient_id, trial.language, trial.variant)
