"""Campaigns: made, edited, moved through their life, and moved on by time."""

from collections.abc import Mapping
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, text, update

from app.db.engine import Tx
from app.db.identifiers import new_id
from app.db.statements import next_revision
from app.db.tables import campaigns
from app.domain.asking.asking import Asking, check_can_ask
from app.domain.asking.asking_invalid import AskingInvalid
from app.domain.asking.asking_parts import Stop
from app.domain.asking.stops_by_margin import check_margin_tells
from app.domain.asking.variants_asked import check_variants_kept, check_variants_translated
from app.domain.audience.audience_json import read_filter
from app.domain.campaign import CampaignMove, CampaignNotFound, CampaignState, check_dates, check_edit, moved
from app.domain.events import Event, EventType
from app.domain.ids import shown
from app.domain.mail.campaign_sender import check_from_email
from app.domain.mail.sender import Sender
from app.domain.scores.metric import METRICS
from app.domain.survey.survey import Survey, SurveyChange, check_questions, check_survey
from app.domain.webhooks.payload import instant_text
from app.operations.events import announce
from app.operations.invitations.clocks import has_other_clocks, note_stale_clocks
from app.operations.invitations.replan import begin_replanning
from app.operations.invitations.wave_clocks import move_open_wave, stop_wave_clocks
from app.operations.survey_versions import add_survey_version, rewrite_survey
from app.queries.audiences import check_campaigns_in, present_in
from app.queries.campaigns import get_campaign, get_campaigns
from app.queries.second_looks import BEFORE_ALL
from app.queries.tracked_properties import list_tracked_properties
from app.queries.workspaces import get_workspace

MOVED_EVENT: Mapping[CampaignMove, EventType] = {
    CampaignMove.LAUNCH: EventType.CAMPAIGN_LAUNCHED,
    CampaignMove.PAUSE: EventType.CAMPAIGN_PAUSED,
    CampaignMove.RESUME: EventType.CAMPAIGN_RESUMED,
    CampaignMove.COMPLETE: EventType.CAMPAIGN_COMPLETED,
    CampaignMove.ARCHIVE: EventType.CAMPAIGN_ARCHIVED,
}
MOVED_AT = {
    CampaignMove.LAUNCH: "launched_at",
    CampaignMove.COMPLETE: "completed_at",
    CampaignMove.ARCHIVE: "archived_at",
}
# What the API does not tell of them.
OUR_OWN = (
    "workspace_id",
    "changed_in",
    "plan_due_at",
    "replan_in",
    "second_look_behind",
    "scheduling_failed_at",
    "has_list",
)


async def create_campaign(
    tx: Tx, workspace_id: UUID, *, fields: Mapping[str, Any], survey: Survey, now: datetime
) -> UUID:
    """`fields` are the columns a caller chooses.

    Raises CampaignEndsBeforeStart, SurveyInvalid, AskingInvalid, FilterInvalid, UnknownCampaigns.
    """
    check_dates(starts_at=fields["starts_at"], ends_at=fields["ends_at"])
    fields = await _with_asking_read(tx, workspace_id, fields)
    check_survey(survey, metric=METRICS[fields["metric"]])
    _check_stops(fields)
    campaign_id = new_id(now)
    row = {"workspace_id": workspace_id, "id": campaign_id, **fields, "created_at": now, "updated_at": now}
    await tx.execute(insert(campaigns).values(row))
    await add_survey_version(tx, workspace_id, campaign_id, 1, survey=survey, change=SurveyChange.FIRST, now=now)
    await _announce(tx, workspace_id, campaign_id, EventType.CAMPAIGN_CREATED, now=now)
    return campaign_id


async def edit_campaign(
    tx: Tx,
    workspace_id: UUID,
    campaign_id: UUID,
    *,
    fields: Mapping[str, Any],
    survey: Survey | None = None,
    survey_change: SurveyChange | None = None,
    now: datetime,
) -> None:
    """Changes what differs; where nothing does, nobody is told. `survey`: None leaves it as it is.

    Raises CampaignNotFound, CampaignFieldFixed, CampaignEndsBeforeStart, SurveyInvalid, SurveyIncomplete,
    SurveyChangeMissing, AskingInvalid, FilterInvalid, UnknownCampaigns.
    """
    before, fields = await _lock(tx, workspace_id, campaign_id), await _with_asking_read(tx, workspace_id, fields)
    changed = {name: value for name, value in fields.items() if before[name] != value}
    rewritten = survey if survey is not None and survey.to_json() != before["survey"] else None
    if not changed and rewritten is None:
        return
    _check_edit(before, changed, rewritten, now=now)
    if rewritten is not None:
        changed["survey_version"] = await rewrite_survey(tx, before, rewritten, survey_change, now=now)
    if changed.keys() & {"asking", "ends_at"} and before["state"] != CampaignState.DRAFT:
        changed |= await _plan_anew(tx, {**before, **changed}, now=now)
        if has_other_clocks(before["asking"], changed.get("asking", before["asking"])):
            await note_stale_clocks(tx, workspace_id, campaign_id)
    await _update(tx, workspace_id, campaign_id, changed, now=now)
    await _announce(tx, workspace_id, campaign_id, EventType.CAMPAIGN_UPDATED, now=now)


async def move_campaign(tx: Tx, workspace_id: UUID, campaign_id: UUID, move: CampaignMove, *, now: datetime) -> None:
    """Raises CampaignNotFound, CampaignMoveRefused, SurveyIncomplete, AskingInvalid."""
    before = await _lock(tx, workspace_id, campaign_id)
    state = moved(
        CampaignState(before["state"]), move, now=now, starts_at=before["starts_at"], ends_at=before["ends_at"]
    )
    if move is CampaignMove.LAUNCH:
        check_questions(Survey.from_json(before["survey"]))
        if (asking := _asking_of(before)) is not None:
            check_variants_translated(asking, before["survey"]["languages"])
        await _check_asking(tx, before, now=now)
    changes: dict[str, Any] = {"state": state.value} | ({MOVED_AT[move]: now} if move in MOVED_AT else {})
    if before["asking"] is not None and move is not CampaignMove.PAUSE:
        changes |= {"plan_due_at": now, "paused_reason": None, "second_look_behind": BEFORE_ALL}
    if move is CampaignMove.PAUSE:
        await stop_wave_clocks(tx, workspace_id, campaign_id, now=now)
    await _update(tx, workspace_id, campaign_id, changes, now=now)
    await _announce(tx, workspace_id, campaign_id, MOVED_EVENT[move], now=now)


async def advance_due_campaigns(tx: Tx, *, now: datetime, limit: int = 100) -> int:
    """What time alone brings about, in all workspaces. One batch: come back until it is fewer than `limit`.

    Harmless to run twice: a campaign that somebody else is moving is left to them, or to the next time.
    """
    advanced = (await tx.execute(_ADVANCE, {"now": now, "limit": limit})).all()
    for workspace_id, rows in groupby(sorted(advanced), key=lambda row: row.workspace_id):
        found = await get_campaigns(tx, workspace_id, [row.id for row in rows])
        await announce(tx, workspace_id, [_event(row, _AFTER_TIME[row["state"]], now=now) for row in found])
    return len(advanced)


# `domain.campaign.state_due` in SQL; a test compares the two.
_ADVANCE = text(f"""
    WITH due AS (
        SELECT workspace_id, id, ends_at IS NOT NULL AND ends_at <= :now AS is_over FROM campaigns
        WHERE (state IN ('scheduled', 'running') AND ends_at <= :now)
            OR (state = 'scheduled' AND (starts_at IS NULL OR starts_at <= :now))
        LIMIT :limit
        FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE campaigns c SET
        state = CASE WHEN due.is_over THEN 'completed' ELSE 'running' END,
        completed_at = CASE WHEN due.is_over THEN CAST(:now AS timestamptz) END,
        plan_due_at = CASE WHEN c.asking IS NOT NULL THEN CAST(:now AS timestamptz) END,
        updated_at = :now, {next_revision("c")}
    FROM due WHERE c.workspace_id = due.workspace_id AND c.id = due.id
    RETURNING c.workspace_id, c.id
""")
# A start needs no event of its own: `campaign.launched` has told of it when somebody decided it.
_AFTER_TIME = {"completed": EventType.CAMPAIGN_COMPLETED, "running": EventType.CAMPAIGN_UPDATED}


async def _lock(tx: Tx, workspace_id: UUID, campaign_id: UUID) -> dict[str, Any]:
    """The row is read after the lock, in a statement of its own: joined, it could be one version too old."""
    row = select(campaigns.c.id).where(campaigns.c.workspace_id == workspace_id, campaigns.c.id == campaign_id)
    if (await tx.execute(row.with_for_update(key_share=True))).one_or_none() is None:
        raise CampaignNotFound("There is no campaign with this id.")
    return await get_campaign(tx, workspace_id, campaign_id)


def _check_edit(
    before: Mapping[str, Any], changed: Mapping[str, Any], rewritten: Survey | None, *, now: datetime
) -> None:
    state, after = CampaignState(before["state"]), {**before, **changed}
    has_started = before["launched_at"] is not None and (before["starts_at"] is None or before["starts_at"] <= now)
    check_edit(state, changed=[*changed, *(["survey"] if rewritten else [])], has_started=has_started)
    check_dates(starts_at=after["starts_at"], ends_at=after["ends_at"])
    if changed.keys() & {"asking", "metric"}:
        _check_stops(after)
    if rewritten is not None or "metric" in changed:
        survey = rewritten or Survey.from_json(before["survey"])
        check_survey(survey, metric=METRICS[after["metric"]])
    if state is not CampaignState.DRAFT:
        if rewritten is not None:
            check_questions(rewritten)
        asked, asking = _asking_of(before), _asking_of(after)
        check_variants_kept(asked, asking)
        if asking is not None:
            check_variants_translated(asking, rewritten.languages if rewritten else before["survey"]["languages"])


def _check_stops(campaign: Mapping[str, Any]) -> None:
    asking = _asking_of(campaign)
    if asking is not None:
        check_margin_tells(asking, METRICS[campaign["metric"]])


def _asking_of(campaign: Mapping[str, Any]) -> Asking | None:
    return None if campaign.get("asking") is None else Asking.from_json(campaign["asking"])


async def _with_asking_read(tx: Tx, workspace_id: UUID, fields: Mapping[str, Any]) -> dict[str, Any]:
    """As it is stored, every default written down."""
    said = fields.get("asking")
    if said is None:
        return dict(fields)
    asking = Asking.from_json(said)
    await _check_sender(tx, workspace_id, asking)
    audiences = [asking.audience, *(blackout.audience for blackout in asking.blackouts)]
    for audience in audiences:
        if audience is not None:
            await check_campaigns_in(tx, workspace_id, read_filter(audience), pointer="/asking")
    await _check_stop(tx, workspace_id, asking.stop)
    return {**fields, "asking": asking.to_json()}


async def _check_stop(tx: Tx, workspace_id: UUID, stop: Stop | None) -> None:
    if stop is None or stop.property is None:
        return
    if stop.property not in {row["key"] for row in await list_tracked_properties(tx, workspace_id)}:
        detail = "Answers are counted by tracked properties only: declare this one first."
        raise AskingInvalid(detail, pointer="/asking/stop/property")


async def _check_asking(tx: Tx, campaign: Mapping[str, Any], *, now: datetime) -> None:
    if campaign["asking"] is not None:
        asking, present = Asking.from_json(campaign["asking"]), await present_in(tx, campaign["workspace_id"], now)
        check_can_ask(asking, zone=present.zone, now=now)
        await _check_sender(tx, campaign["workspace_id"], asking)


async def _check_sender(tx: Tx, workspace_id: UUID, asking: Asking) -> None:
    """When it is saved, and once more before it asks: a domain may have been taken away meanwhile."""
    if asking.email.from_email is not None:
        workspace = await get_workspace(tx, workspace_id)
        check_from_email(asking.email, Sender.of(workspace["sender"]))


async def _plan_anew(tx: Tx, campaign: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    """What is planned and not sent gets another moment, by what holds now."""
    await _check_asking(tx, campaign, now=now)
    asking = _asking_of(campaign)
    if asking is not None:
        await move_open_wave(tx, campaign["workspace_id"], campaign["id"], asking, now=now)
    await begin_replanning(tx, campaign["workspace_id"], campaign["id"])
    return {"plan_due_at": now}


async def _update(tx: Tx, workspace_id: UUID, campaign_id: UUID, changes: Mapping[str, Any], *, now: datetime) -> None:
    await tx.execute(
        update(campaigns)
        .where(campaigns.c.workspace_id == workspace_id, campaigns.c.id == campaign_id)
        .values(
            **changes,
            updated_at=now,
            revision=campaigns.c.revision + 1,
            changed_in=func.pg_current_xact_id(),
        )
    )


async def _announce(tx: Tx, workspace_id: UUID, campaign_id: UUID, event_type: EventType, *, now: datetime) -> None:
    row = await get_campaign(tx, workspace_id, campaign_id)
    await announce(tx, workspace_id, [_event(row, event_type, now=now)])


def _event(row: Mapping[str, Any], event_type: EventType, *, now: datetime) -> Event:
    return Event(event_type, {"campaign": _body(row)}, now, revision=row["revision"], campaign_id=row["id"])


def _body(row: Mapping[str, Any]) -> dict[str, Any]:
    """The API's `Campaign`."""
    shown_row = {name: instant_text(value) if isinstance(value, datetime) else value for name, value in row.items()}
    for ours in OUR_OWN:
        del shown_row[ours]
    return {**shown_row, "id": shown("campaign", row["id"])}
