"""A workspace with a key, campaigns and people whose ids pgbench can put together from a number."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import insert, text

from app.db.engine import Engine, Tx
from app.db.tables import campaigns, survey_versions
from app.domain.keys import KeyKind
from app.operations.api_keys import issue_key
from app.operations.workspaces import create_workspace

SECRET_KEYS = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="  # 32 bytes, for measuring only
# Ten campaigns by three channels make thirty counter rows a day: neither one row that everybody waits for, nor none.
CAMPAIGNS, PEOPLE = 10, 10_000
CHANNELS = ("email", "web", "in_app")
CAMPAIGN_PREFIX, PERSON_PREFIX = "01900000-0000-7000-8000-", "01900000-0000-7000-9000-"


@dataclass(frozen=True, slots=True)
class Tenant:
    workspace_id: UUID
    token: str


def campaign_id(number: int) -> UUID:
    """`number` counts from 1, as generate_series and pgbench do."""
    return UUID(f"{CAMPAIGN_PREFIX}{number:012x}")


def person_id(number: int) -> UUID:
    return UUID(f"{PERSON_PREFIX}{number:012x}")


async def make_tenant(engine: Engine) -> Tenant:
    now = datetime.now(UTC)
    async with engine.write() as tx:
        workspace_id = (await create_workspace(tx, "Bench", time_zone="Europe/Berlin", now=now)).live_id
        key = await issue_key(tx, workspace_id, mode="live", kind=KeyKind.SECRET, name="bench", now=now)
        await _make_campaigns(tx, workspace_id)
        await tx.execute(_PEOPLE, {"workspace_id": workspace_id, "people": PEOPLE, "prefix": PERSON_PREFIX})
    async with engine.raw.connect() as connection:
        await (await connection.execution_options(isolation_level="AUTOCOMMIT")).execute(text("VACUUM ANALYZE"))
    return Tenant(workspace_id, key.token)


async def _make_campaigns(tx: Tx, workspace_id: UUID) -> None:
    numbers = range(1, CAMPAIGNS + 1)
    common = {"workspace_id": workspace_id, "kind": "transactional", "metric": "nps", "state": "running"}
    await tx.execute(insert(campaigns), [{**common, "id": campaign_id(n), "name": f"Order {n}"} for n in numbers])
    asked = {"workspace_id": workspace_id, "version": 1, "change": "first", "default_language": "en", "content": {}}
    await tx.execute(insert(survey_versions), [{**asked, "campaign_id": campaign_id(n)} for n in numbers])


_PEOPLE = text("""
    INSERT INTO recipients (workspace_id, id, external_id, email, name, locale, properties)
    SELECT :workspace_id, (:prefix || lpad(to_hex(n), 12, '0'))::uuid, 'customer-' || n,
        'person' || n || '@example.com', 'Person ' || n, 'en',
        jsonb_build_object('plan', (ARRAY['free', 'pro', 'team'])[n % 3 + 1], 'country', 'DE', 'seats', n % 40)
    FROM generate_series(1, CAST(:people AS int)) AS n
""")
