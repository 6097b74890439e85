"""Personal links for whoever mails by other means."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from fastapi import Request as HttpRequest
from fastapi import Response
from pydantic import Field

from app.api.authentication import require_scope
from app.api.dependencies import CampaignWriter, Now, Tx, services_of
from app.api.problem_types import refuses
from app.api.public.survey.words import words_for
from app.api.routing import router
from app.api.schemas import CampaignId, Instant, InvitationId, RecipientId, Reply, Request
from app.domain.asking.eligibility import Reason
from app.domain.asking.invitation import AskingCampaign
from app.domain.campaign import CampaignNotFound
from app.domain.scores.metric import METRICS
from app.domain.survey.brand import Brand
from app.domain.survey.language import direction
from app.domain.survey.link_snippet import PLACEHOLDER, buttons_html
from app.domain.survey.merge_fields import fill
from app.domain.survey.survey import pick_language
from app.operations.personal_links import MOST_LINKS, PersonalLink, make_links

routes = router("campaigns")
CSV = "text/csv"
COLUMNS = (
    "recipient_id",
    "external_id",
    "email",
    "survey_url",
    "unsubscribe_url",
    "variant",
    "expires_at",
    "reason",
    "until",
)
FORMULAS = ("=", "+", "-", "@", "\t", "\r")  # what spreadsheets would run


class LinksMake(Request):
    recipient_ids: Annotated[list[RecipientId], Field(min_length=1, max_length=MOST_LINKS)]
    language: str | None = Field(None, max_length=20, description="Of the `html`; the survey's own if left out.")


class ShownLink(Reply):
    recipient_id: RecipientId
    invitation_id: InvitationId | None
    survey_url: str | None = Field(description="Null: they may not be asked now. Add `?score=9` to choose a score.")
    unsubscribe_url: str | None = Field(description="A page; as `List-Unsubscribe` it takes the one click of RFC 8058.")
    variant: str | None = Field(description="What its page asks: take the `html` of that.")
    expires_at: Instant | None
    is_new: bool = Field(description="False: the open link that they had already, or none.")
    reason: Reason | None = Field(description="Why there is no link; `erased` also for ids that never were.")
    until: Instant | None = Field(description="When it would be decided anew.")


class MadeLinks(Reply):
    links: list[ShownLink] = Field(description="One for each id, in order.")
    html: str = Field(
        description=f"The buttons of the scale, for your own mail: put each person's link in place of `{PLACEHOLDER}`."
    )
    html_of_variants: dict[str, str] = Field(
        description="The same for variants that ask another question, since their pages ask that too."
    )


@routes.post(
    "/v1/campaigns/{campaign_id}/links",
    summary="Make personal links without sending them",
    response_model=MadeLinks,
    responses={200: {"content": {CSV: {"schema": {"type": "string"}}}}, **refuses(CampaignNotFound)},
)
async def make_personal_links(
    campaign_id: CampaignId, body: LinksMake, caller: CampaignWriter, tx: Tx, now: Now, request: HttpRequest
) -> Any:
    """For up to 500 people, whom you then write to yourself. Each counts as asked from now on: their quarantine begins,
    and whoever is still in one gets no link but the reason. With `Accept: text/csv` the reply is a file with
    their addresses, which takes the scope `recipients:read`."""
    if _wants_csv(request):
        require_scope(caller, "recipients:read")  # it has their addresses
    services = services_of(request)
    key = await services.survey_link_key.read()
    campaign, made = await make_links(tx, caller.workspace_id, campaign_id, body.recipient_ids, link_key=key, now=now)
    links = [_shown(link, services.settings.public_address) for link in made]
    if _wants_csv(request):
        name = f'attachment; filename="links-{campaign_id.hex}.csv"'
        return Response(_csv(links, made), media_type=f"{CSV}; charset=utf-8", headers={"content-disposition": name})
    asked = {one.key: one.question for one in campaign.asking.variants if one.question}
    return MadeLinks(
        links=links,
        html=_html(campaign, body.language, campaign.survey.question),
        html_of_variants={key: _html(campaign, body.language, question) for key, question in asked.items()},
    )


def _shown(link: PersonalLink, address: str) -> ShownLink:
    return ShownLink(
        recipient_id=link.recipient_id,
        invitation_id=link.invitation_id,
        survey_url=f"{address}/s/{link.token}" if link.token else None,
        unsubscribe_url=f"{address}/u/{link.unsubscribe_token}" if link.unsubscribe_token else None,
        variant=link.variant,
        expires_at=link.expires_at,
        is_new=link.is_new,
        reason=link.reason,
        until=link.until,
    )


def _wants_csv(request: HttpRequest) -> bool:
    return any(part.partition(";")[0].strip() == CSV for part in request.headers.get("accept", "").lower().split(","))


def _csv(links: Sequence[ShownLink], made: Sequence[PersonalLink]) -> str:
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(COLUMNS)
    for link, person in zip(links, made, strict=True):
        cells = {**link.model_dump(mode="json"), "external_id": person.external_id, "email": person.email}
        rows.writerow(_safe(cells[name] for name in COLUMNS))
    return written.getvalue()


def _safe(cells: Iterable[Any]) -> list[str]:
    texts = ["" if cell is None else str(cell) for cell in cells]
    return [f"'{text}" if text.startswith(FORMULAS) else text for text in texts]


def _html(campaign: AskingCampaign, wanted: str | None, question: Mapping[str, str]) -> str:
    survey = campaign.survey
    language = pick_language(survey, wanted=wanted)
    words: Mapping[str, str] = words_for(language).texts
    brand = Brand.of(campaign.brand, workspace_name=campaign.workspace_name)
    known = {"brand": brand.name}
    return buttons_html(
        METRICS[campaign.metric],
        question=fill(question.get(language) or survey.question.get(language, ""), known),
        accent=brand.accent,
        lowest=fill(survey.lowest_label.get(language, ""), known) or words.get(f"lowest_{campaign.metric}", ""),
        highest=fill(survey.highest_label.get(language, ""), known) or words.get(f"highest_{campaign.metric}", ""),
        direction=direction(language),
    )
