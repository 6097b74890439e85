"""Answers that their campaign does not take.

Found before their people are brought in, so that they leave nobody behind; the insert looks once more, because a
campaign may be archived meanwhile.
"""

from collections.abc import Sequence

from app.db.engine import Tx
from app.db.statements import fetch
from app.domain.campaign import (
    NAMES_NOBODY,
    CampaignIsAnonymous,
    CampaignNotFound,
    CampaignState,
    check_accepts_answers,
)
from app.domain.errors import DomainError
from app.domain.scores.metric import METRICS
from app.operations.responses.new_response import NewResponse


async def campaign_refusals(tx: Tx, responses: Sequence[NewResponse]) -> list[DomainError | None]:
    """Of answers that each bring a person along."""
    workspaces = [response.workspace_id for response in responses]
    campaigns = await fetch(tx, _READ_CAMPAIGNS, workspaces, [response.campaign_id for response in responses])
    return [
        campaign_refusal(campaign["state"], campaign["metric"], score=response.score)
        or (CampaignIsAnonymous(NAMES_NOBODY, pointer="/recipient") if campaign["is_anonymous"] else None)
        for campaign, response in zip(campaigns, responses, strict=True)
    ]


def campaign_refusal(state: str | None, metric: str | None, *, score: int | None) -> DomainError | None:
    """`state` and `metric` are None where there is no such campaign."""
    if state is None or metric is None:
        return CampaignNotFound("There is no campaign with this id.", pointer="/campaign_id")
    try:
        check_accepts_answers(CampaignState(state))
        if score is not None:
            METRICS[metric].band_for(score)
    except DomainError as error:
        return error
    return None


_READ_CAMPAIGNS = """
    SELECT c.state, c.metric, c.is_anonymous
    FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS i (workspace_id, id, place)
    LEFT JOIN campaigns c ON c.workspace_id = i.workspace_id AND c.id = i.id
    ORDER BY i.place
"""
