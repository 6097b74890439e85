"""What a campaign's mails look like, before anybody gets one."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Query, Response
from fastapi import Request as HttpRequest
from pydantic import Field, StringConstraints

from app.api.authentication import require_scope
from app.api.dependencies import CampaignReader, CampaignWriter, MailReader, Now, ReadTx, Tx, services_of
from app.api.pagination import NewestFirst, listing
from app.api.problem_types import refuses
from app.api.response_models import Language
from app.api.routing import router
from app.api.schemas import CampaignId, Instant, Listing, MailId, RecipientId, Reply, Request
from app.db.identifiers import new_id
from app.domain.asking.invitation import MessageKind
from app.domain.campaign import CampaignNotFound
from app.domain.mail.letter import Mailbox
from app.domain.mail.letter_body import html_of, plain_text_of
from app.domain.mail.trial_mail import MOST_ADDRESSES, TooManyTrialMails, TrialAddressRefused, VariantUnknown
from app.domain.people.recipient import LONGEST_EMAIL, RecipientInvalid, RecipientNotFound
from app.domain.survey.survey import SurveyIncomplete
from app.domain.survey.survey_preview import PreviewLinks
from app.operations.trial_mails import send_trials
from app.queries.campaigns import get_campaign
from app.queries.outgoing_mails import list_test_mails
from app.queries.trial_letters import Trial, campaign_to_show, previewed, trial_letter

routes = router("campaigns")

Key = Annotated[str, StringConstraints(min_length=1, max_length=40)]


class EmailPreview(Reply):
    language: str
    sender: str = Field(examples=["Shop <surveys@shop.example>"])
    reply_to: str | None
    to: str
    subject: str
    html: str
    text: str


class SurveyPreview(Reply):
    url: str = Field(description="Whoever has it may look.")
    expires_at: Instant


class TestMailsSend(Request):
    to: Annotated[list[Annotated[str, StringConstraints(max_length=LONGEST_EMAIL)]], Field(min_length=1)] = Field(
        max_length=MOST_ADDRESSES, examples=[["kim@shop.example"]],
        description="Colleagues: at a domain that the workspace's sender may mail from.",
    )  # fmt: skip
    recipient_id: RecipientId | None = Field(
        None,
        description="Written as if to them, which takes the scope `recipients:read`. Without one, to somebody made up.",
    )
    language: Language | None = None
    variant: Key | None = None
    kind: MessageKind = Field(MessageKind.FIRST, description="The first mail, or what reminds of it.")


class TestMail(Reply):
    id: MailId
    to_address: str
    subject: str
    state: str = Field(description="`waiting`, `sent`, `captured` (read it in the dashboard), `failed` or `unknown`.")
    failure: str | None
    reply_code: int | None = Field(description="What the SMTP server said.")
    created_at: Instant
    settled_at: Instant | None


class TestMails(Reply):
    mails: list[TestMail]


async def _trial(
    recipient_id: Annotated[RecipientId | None, Query(description="As they would get it.")] = None,
    language: Language | None = None,
    variant: Key | None = None,
    kind: Annotated[MessageKind, Query(description="The first mail, or what reminds of it.")] = MessageKind.FIRST,
) -> Trial:
    return Trial(recipient_id, language, variant, kind)


@routes.get(
    "/v1/campaigns/{campaign_id}/email-preview",
    summary="See the mail of a campaign",
    responses=refuses(CampaignNotFound, VariantUnknown, RecipientNotFound, SurveyIncomplete),
)
async def preview_campaign_email(
    campaign_id: CampaignId,
    caller: MailReader,
    tx: ReadTx,
    now: Now,
    trial: Annotated[Trial, Depends(_trial)],
    request: HttpRequest,
) -> EmailPreview:
    """Its links, the one to unsubscribe too, lead to a preview, which stores nothing. Without a recipient it is
    written to somebody made up.
    """
    letter = await trial_letter(
        tx, caller.workspace_id, campaign_id, trial, message_id=new_id(now), links=await _links(request), now=now
    )
    return EmailPreview(
        language=letter.language, sender=_shown(letter.sender), reply_to=letter.reply_to and letter.reply_to.email,
        to=_shown(letter.to), subject=letter.subject, html=html_of(letter), text=plain_text_of(letter),
    )  # fmt: skip


@routes.get(
    "/v1/campaigns/{campaign_id}/survey-preview",
    summary="Get a link to walk through the survey of a campaign",
    responses=refuses(CampaignNotFound, VariantUnknown, SurveyIncomplete),
)
async def preview_campaign_survey(
    campaign_id: CampaignId,
    caller: CampaignReader,
    tx: ReadTx,
    now: Now,
    request: HttpRequest,
    language: Language | None = None,
    variant: Key | None = None,
) -> SurveyPreview:
    """Every page of it, as somebody made up would meet it, with nothing stored: show the link to whoever should look
    before it is launched. It shows the survey as it then is, also later versions."""
    await campaign_to_show(tx, caller.workspace_id, campaign_id, variant=variant)
    shown = previewed(caller.workspace_id, campaign_id, Trial(None, language, variant), now=now)
    return SurveyPreview(url=(await _links(request)).to(shown), expires_at=shown.until)


@routes.post(
    "/v1/campaigns/{campaign_id}/test-mails",
    status_code=202,
    summary="Send the mail of a campaign to colleagues",
    responses=refuses(
        CampaignNotFound,
        VariantUnknown,
        RecipientNotFound,
        SurveyIncomplete,
        RecipientInvalid,
        TrialAddressRefused,
        TooManyTrialMails,
    ),
)
async def send_test_mails(
    campaign_id: CampaignId, body: TestMailsSend, caller: CampaignWriter, tx: Tx, now: Now, request: HttpRequest
) -> TestMails:
    """A worker sends them; the list of test mails tells how that went. Nothing of it counts: their links, the
    one to unsubscribe too, lead to a preview, which stores nothing. Where no SMTP server is set, and in test
    workspaces, they are captured.
    """
    if body.recipient_id is not None:
        require_scope(caller, "recipients:read")  # what is written to them tells who they are
    trial = Trial(body.recipient_id, body.language, body.variant, body.kind)
    sent = await send_trials(
        tx, caller.workspace_id, campaign_id, trial, to=body.to, livemode=caller.livemode,
        links=await _links(request), now=now,
    )  # fmt: skip
    return TestMails(mails=[TestMail(**row) for row in sent])


@routes.get(
    "/v1/campaigns/{campaign_id}/test-mails",
    response_model=Listing[TestMail],
    summary="List the test mails of a campaign",
    responses=refuses(CampaignNotFound),
)
async def list_campaign_test_mails(
    campaign_id: CampaignId, caller: MailReader, tx: ReadTx, page: NewestFirst, request: HttpRequest, response: Response
) -> Mapping[str, Any]:
    """Those of the last week."""
    await get_campaign(tx, caller.workspace_id, campaign_id)
    found = await list_test_mails(tx, caller.workspace_id, campaign_id, page)
    return listing(request, response, found, [TestMail(**row) for row in found.rows])


async def _links(request: HttpRequest) -> PreviewLinks:
    services = services_of(request)
    return PreviewLinks(services.settings.public_address, await services.survey_link_key.read())


def _shown(box: Mailbox) -> str:
    return f"{box.name} <{box.email}>" if box.name else box.email
