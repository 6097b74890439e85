"""For how many of those a campaign may ask the words of a fall-back would stand."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, not_, select

from app.db.engine import ReadTx, Tx
from app.db.tables import accounts, recipients
from app.domain.audience.audience_json import read_filter
from app.domain.survey.merge_fields import BLANKS
from app.queries.audience_readers import is_on_the_list, read_person
from app.queries.audience_sql import condition_of
from app.queries.audiences import present_in

PERSON = recipients.c


async def count_fallbacks(
    tx: ReadTx | Tx, campaign: Mapping[str, Any], fields: Collection[str], *, now: datetime
) -> tuple[int, Mapping[str, int]]:
    """(how many the campaign's audience has, for how many of them each field is empty).

    What somebody is asked about, such as an order, is not known before: its properties count as empty here.
    """
    names = sorted(fields)
    empty = [func.count().filter(_is_empty(name)) for name in names]
    query = select(func.count(), *empty).where(*await _audience(tx, campaign, now=now))
    everybody, *counts = (await tx.execute(query)).one()
    return everybody, dict(zip(names, counts, strict=True))


async def _audience(tx: ReadTx | Tx, campaign: Mapping[str, Any], *, now: datetime) -> list[ColumnElement[bool]]:
    workspace_id, campaign_id = campaign["workspace_id"], campaign["id"]
    is_meant = is_on_the_list(workspace_id, campaign_id)
    conditions = [PERSON.workspace_id == workspace_id, PERSON.deleted_at.is_(None), is_meant]
    document = (campaign["asking"] or {}).get("audience")
    if document is not None:
        present = await present_in(tx, workspace_id, now)
        conditions.append(condition_of(read_filter(document), read_person, present))
    return conditions


def _is_empty(field: str) -> ColumnElement[bool]:
    """As `domain.survey.merge_fields.fill` sees it: nothing but blanks, or neither text nor number."""
    if field == "brand":
        return false()
    if field == "name":
        return func.btrim(func.coalesce(PERSON.name, ""), BLANKS) == ""
    if field == "account":
        named = select(accounts.c.id).where(
            accounts.c.workspace_id == PERSON.workspace_id, accounts.c.id == PERSON.account_id,
            func.btrim(func.coalesce(accounts.c.name, ""), BLANKS) != "",
        )  # fmt: skip
        return ~named.correlate(recipients).exists()
    key = field.removeprefix("property.")
    is_shown = func.jsonb_typeof(PERSON.properties[key]).in_(["string", "number"])
    return not_(func.coalesce(and_(is_shown, func.btrim(PERSON.properties[key].astext, BLANKS) != ""), false()))
