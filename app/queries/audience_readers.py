"""Where the fields of a filter stand in the tables."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, ScalarSelect, Select, Uuid, and_, case, func, literal, or_, select

from app.db.tables import accounts, campaign_recipients, campaigns, invitations, recipients, responses
from app.domain.audience.audience_fields import Field, Properties
from app.domain.scores.metric import METRICS, Band

EMAIL_DOMAIN = func.split_part(recipients.c.email, "@", 2)


def read_person(field: Field) -> ColumnElement[Any]:
    """Of a row of `recipients`."""
    if field.name == Properties.OF_RECIPIENT:
        return recipients.c.properties[field.key]
    if field.name.startswith("account."):
        return _of_account(field, recipients)
    if field.is_history:
        return _of_history(field.name, field.campaign_id)
    return EMAIL_DOMAIN if field.name == "email_domain" else recipients.c[field.name]


def read_answer(field: Field) -> ColumnElement[Any]:
    """Of a row of `responses`: properties as they were when it came, the account as it is today."""
    match field.name:
        case Properties.OF_RECIPIENT:
            return responses.c.recipient_properties[field.key]
        case Properties.OF_RESPONSE:
            return responses.c.properties[field.key]
    return _of_account(field, responses)


def _of_account(field: Field, judged: FromClause) -> ScalarSelect[Any]:
    account = accounts.alias()
    value = account.c.properties[field.key] if field.key else account.c[field.name.removeprefix("account.")]
    query = select(value).where(account.c.workspace_id == judged.c.workspace_id)
    if judged is recipients:
        return query.where(account.c.id == recipients.c.account_id).correlate(recipients).scalar_subquery()
    person = recipients.alias()
    whose = and_(person.c.workspace_id == account.c.workspace_id, person.c.account_id == account.c.id)
    query = query.join_from(account, person, whose).where(person.c.id == judged.c.recipient_id)
    return query.correlate(judged).scalar_subquery()


def _of_history(name: str, campaign_id: UUID | None) -> ColumnElement[Any]:
    match name:
        case "is_listed":
            return is_listed(campaign_id)
        case "last_asked_at" if campaign_id is None:
            return recipients.c.asked_at
        case "last_asked_at":
            return last_asked_in(campaign_id)
        case "asked_count":
            return _asks(campaign_id, func.count())
        case "answer_count":
            return _answers(campaign_id, func.count()).scalar_subquery()
        case "last_band":
            return _last_band(campaign_id)
    answer = responses.alias()
    column = answer.c.score if name == "last_score" else answer.c.answered_at
    return _latest(_answers(campaign_id, column, answer), answer)


def last_asked_in(campaign_id: UUID | None) -> ScalarSelect[Any]:
    return _asks(campaign_id, None)


def _asks(campaign_id: UUID | None, counted: ColumnElement[Any] | None) -> ScalarSelect[Any]:
    ask = invitations.alias()
    query = select(func.max(ask.c.asked_at) if counted is None else counted).select_from(ask)
    query = query.where(ask.c.asked_at.is_not(None), *_of_the_person(ask, campaign_id))
    return query.correlate(recipients).scalar_subquery()


def _answers(campaign_id: UUID | None, value: ColumnElement[Any], answer: FromClause | None = None) -> Select[Any]:
    answer = responses.alias() if answer is None else answer
    query = select(value).select_from(answer)
    query = query.where(answer.c.excluded_at.is_(None), *_of_the_person(answer, campaign_id))
    return query.correlate(recipients)


def _latest(query: Select[Any], answer: FromClause) -> ScalarSelect[Any]:
    return query.order_by(answer.c.answered_at.desc(), answer.c.id.desc()).limit(1).scalar_subquery()


def _last_band(campaign_id: UUID | None) -> ScalarSelect[Any]:
    answer, campaign = responses.alias(), campaigns.alias()
    asking = and_(campaign.c.workspace_id == answer.c.workspace_id, campaign.c.id == answer.c.campaign_id)
    query = select(_band(answer.c.score, campaign.c.metric)).select_from(answer.join(campaign, asking))
    query = query.where(answer.c.excluded_at.is_(None), *_of_the_person(answer, campaign_id))
    return _latest(query.correlate(recipients), answer)


def _band(score: ColumnElement[int], metric: ColumnElement[str]) -> ColumnElement[str]:
    bounds = [
        (and_(metric == of.key.value, score >= lowest), band.value)
        for of in METRICS.values()
        for band, lowest in ((Band.PROMOTER, of.promoter_from), (Band.PASSIVE, of.passive_from))
    ]
    return case(*bounds, else_=Band.DETRACTOR.value)


def is_listed(campaign_id: UUID | None) -> ColumnElement[bool]:
    row = campaign_recipients.alias().c
    theirs = select(row.recipient_id).where(
        row.workspace_id == recipients.c.workspace_id,
        row.campaign_id == literal(campaign_id, Uuid),
        row.recipient_id == recipients.c.id,
    )
    return theirs.correlate(recipients).exists()


def is_on_the_list(workspace_id: UUID, campaign_id: UUID | None) -> ColumnElement[bool]:
    """Everybody is, where the campaign has none."""
    row = campaigns.alias().c
    has_list = select(row.id).where(row.workspace_id == workspace_id, row.id == campaign_id, row.has_list)
    return or_(~has_list.exists(), is_listed(campaign_id))


def _of_the_person(table: FromClause, campaign_id: UUID | None) -> list[ColumnElement[bool]]:
    theirs: list[ColumnElement[bool]] = [
        table.c.workspace_id == recipients.c.workspace_id,
        table.c.recipient_id == recipients.c.id,
    ]
    return theirs if campaign_id is None else [*theirs, table.c.campaign_id == campaign_id]
