"""Scores as counters, by which properties they are split, and the values that were met."""

from sqlalchemy import CheckConstraint, Column, Date, Integer, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from app.db.tables.base import belongs_to, created_at, metadata, workspace_column

RAW_SCORES = range(11)  # 0–10 holds every metric's scale
COUNTERS = tuple(f"s{score}" for score in RAW_SCORES)

# One wide row holds a histogram: a counter per raw score serves every metric and every formula.
# property_key '' is the row of all answers; else the row of one value of one tracked property.
score_rollups = Table(
    "score_rollups",
    metadata,
    workspace_column(),
    Column("campaign_id", Uuid, primary_key=True),
    Column("property_key", Text, primary_key=True),
    Column("property_value", Text, primary_key=True),
    Column("counted_on", Date, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("survey_version", Integer, primary_key=True),
    Column("wave", Integer, primary_key=True),  # 0: outside any wave
    *(Column(counter, Integer, nullable=False, server_default=text("0")) for counter in COUNTERS),
    # No CHECK that counts stay above zero: it would also judge the −1 that an upsert proposes before it finds the row
    # to add it to. operations/rollups.py has the guard instead.
    # Counters are updated in place many times a second: room on the page keeps every update off the index.
    postgresql_with={"fillfactor": 50},
)

tracked_properties = Table(
    "tracked_properties",
    metadata,
    workspace_column(),
    Column("key", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("buckets", JSONB),
    Column("value_limit", Integer, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'declaring'")),
    Column("scanned_to", Uuid),  # how far the worker came with older responses; none: not begun
    created_at(),
    belongs_to("workspaces", refers_to=("id",)),
    CheckConstraint("source IN ('recipient', 'response')", name="source"),
    CheckConstraint("kind IN ('text', 'number', 'date')", name="kind"),
    CheckConstraint("state IN ('declaring', 'tracked', 'removing')", name="state"),
)

# Values seen so far, so that a property gone wild counts its tail together instead of a row per value.
tracked_values = Table(
    "tracked_values",
    metadata,
    workspace_column(),
    Column("key", Text, primary_key=True),
    Column("value", Text, primary_key=True),
)
