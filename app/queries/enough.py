"""Of whom enough is known, by a campaign's `stop`."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from app.db.engine import ReadTx, Tx
from app.db.statements import fetch
from app.db.tables.scores import COUNTERS
from app.domain.asking.asking_parts import Stop
from app.domain.asking.invitation import AskingCampaign
from app.domain.asking.rhythm import Every
from app.domain.scores.metric import METRICS, Metric
from app.domain.scores.scoring import Histogram, score_of
from app.domain.scores.segment import OTHER

Known = list[tuple[str, int | None]]  # values of the property, and waves, of which enough is known


async def is_enough_known(tx: Tx | ReadTx, campaign: AskingCampaign) -> bool:
    """Of everybody: nobody need be planned any more."""
    stop = campaign.asking.stop
    return stop is not None and stop.property is None and bool(await enough_of(tx, campaign))


async def enough_of(tx: Tx | ReadTx, campaign: AskingCampaign) -> Known:
    stop, metric = campaign.asking.stop, METRICS[campaign.metric]
    if stop is None:
        return []
    key, by_wave = stop.property or "", isinstance(campaign.asking.trigger, Every)
    rows = await fetch(tx, _COUNT_ANSWERS, campaign.workspace_id, campaign.id, key, by_wave)
    return [(row["property_value"], row["of_wave"]) for row in rows if _is_enough(stop, row, metric)]


def _is_enough(stop: Stop, row: Mapping[str, Any], metric: Metric) -> bool:
    histogram = Histogram(tuple(row[counter] for counter in COUNTERS))
    if stop.answers is not None:
        return histogram.n >= stop.answers
    margin = score_of(histogram, metric=metric).margin_of_error
    return margin is not None and stop.margin is not None and margin <= stop.margin


async def who_is_known_enough(
    tx: Tx | ReadTx, campaign: AskingCampaign, recipient_ids: Sequence[UUID], *, wave: int | None
) -> Collection[UUID]:
    """Of these, whom no answer is wanted of any more. `wave`: whose answers count, where they are counted by wave.

    What a property of the response will be, nobody knows before.
    """
    stop = campaign.asking.stop
    values = [value for value, of_wave in await enough_of(tx, campaign) if of_wave in {None, wave}]
    if stop is None or not values:
        return ()
    if stop.property is None:
        return set(recipient_ids)
    rows = await fetch(tx, _FIND_KNOWN, campaign.workspace_id, list(recipient_ids), stop.property, values, OTHER)
    return {row["id"] for row in rows}


_COUNT_ANSWERS = f"""
    SELECT property_value, CASE WHEN $4 THEN wave END AS of_wave,
        {", ".join(f"sum({counter})::int AS {counter}" for counter in COUNTERS)}
    FROM score_rollups WHERE workspace_id = $1 AND campaign_id = $2 AND property_key = $3
    GROUP BY property_value, of_wave
"""
_FIND_KNOWN = """
    SELECT p.id FROM recipients p
    JOIN tracked_properties t ON t.workspace_id = p.workspace_id AND t.key = $3 AND t.source = 'recipient'
    CROSS JOIN LATERAL (SELECT segment_label(p.properties -> t.key, t.kind, t.buckets) AS label) said
    LEFT JOIN tracked_values m ON m.workspace_id = p.workspace_id AND m.key = $3 AND m.value = said.label
    WHERE p.workspace_id = $1 AND p.id = ANY($2::uuid[]) AND said.label IS NOT NULL
        AND coalesce(m.value, $5) = ANY($4::text[])
"""
