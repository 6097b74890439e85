"""The rival: PostgreSQL's own load generator, one single-statement transaction for each answer.

The statement does by hand, for one answer, what ours does for a batch: the same look-ups, snapshot, columns, event and
counters, and ids made the cheapest way there is. It spares itself what ours pays for: HTTP, reading and checking JSON,
the API key, the arrays, NOTIFY, and telling anybody what was stored.
"""

import asyncio
import re
import shutil
import tempfile
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import asyncpg

from app.db.embedded.binaries import find_binaries
from app.db.tables.scores import RAW_SCORES
from app.operations.responses.bodies import METRIC_TABLE, band_sql, body_sql, id_sql, instant_sql
from app.operations.responses.insert_batch import ACCEPTING
from app.operations.rollups import KEY
from bench.figures import Figures, percentile
from bench.requests import COMMENT
from bench.rounds import Watch
from bench.tenant import CAMPAIGN_PREFIX, CAMPAIGNS, CHANNELS, PEOPLE, PERSON_PREFIX

COUNTERS = [f"s{score}" for score in RAW_SCORES]
THREADS = 2
LOGGED = 0.1  # of the transactions, for the percentiles
NAME = "bench-rival"  # in pg_stat_activity


async def run_pgbench(url: str, script: Path, *, clients: int, seconds: float, watch: Watch) -> Figures:
    with tempfile.TemporaryDirectory(prefix="zeroten-pgbench-") as directory:
        command = _command(script, Path(directory) / "log", clients=clients, seconds=seconds)
        process = await asyncio.create_subprocess_exec(*command, env=_environment(url), stdout=PIPE, stderr=STDOUT)
        await _until_connected(url, clients, process)
        watch.start()
        output = (await process.communicate())[0].decode()
        done, per_second = _found(r"actually processed: (\d+)", output), _found(r"tps = ([0-9.]+)", output)
        cpu_us, latencies = watch.cpu_us(int(done)), _latencies_ms(Path(directory))
    return Figures(per_second, percentile(latencies, 50), percentile(latencies, 99), cpu_us)


def _command(script: Path, log: Path, *, clients: int, seconds: float) -> list[str]:
    ours = find_binaries(None, data_major=None).bindir / "pgbench"
    program = str(ours) if ours.exists() else shutil.which("pgbench")
    if program is None:
        raise RuntimeError("there is no pgbench beside PostgreSQL, nor on PATH")
    load = ["-M", "prepared", "-n", "-j", str(THREADS), "-c", str(clients), "-T", str(max(1, round(seconds)))]
    return [program, *load, "-l", f"--sampling-rate={LOGGED}", f"--log-prefix={log}", "-f", str(script)]


def _environment(url: str) -> Mapping[str, str]:
    parts = urlsplit(url)
    where = parse_qs(parts.query)
    who = {"PGUSER": parts.username or "", "PGPASSWORD": parts.password or "", "PGDATABASE": parts.path[1:]}
    return {**who, "PGHOST": where["host"][0], "PGPORT": where["port"][0], "PGAPPNAME": NAME}


async def _until_connected(url: str, clients: int, process: asyncio.subprocess.Process) -> None:
    """Logging in is dear, and not what is measured: pgbench itself begins when all are connected."""
    connection = await asyncpg.connect(url)
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1"
    while process.returncode is None and await connection.fetchval(query, NAME) < clients:
        await asyncio.sleep(0.01)
    await connection.close()


def _found(pattern: str, output: str) -> float:
    found = re.search(pattern, output)
    if found is None or _found_errors(output):
        raise RuntimeError(f"pgbench failed:\n{output}")
    return float(found[1])


def _found_errors(output: str) -> bool:
    return "aborted" in output or "ERROR" in output


def _latencies_ms(directory: Path) -> list[float]:
    """The third column of its log is microseconds."""
    lines = (line for log in directory.iterdir() for line in log.read_text().splitlines())
    return sorted(int(line.split()[2]) / 1e3 for line in lines)


def script(workspace_id: UUID, *, major: int) -> str:
    statement = _statement(workspace_id, new_id="uuidv7()" if major >= 18 else "gen_random_uuid()")
    return f"""\\set person random(1, {PEOPLE})
\\set campaign random(1, {CAMPAIGNS})
\\set channel random(1, {len(CHANNELS)})
\\set score random(0, 10)
\\set commented random(1, 10)
{_without_false_variables(statement)};
"""


def _without_false_variables(statement: str) -> str:
    """pgbench takes a colon before a letter or a digit for a variable, inside quotes too."""
    return re.sub(r'":(?=\w)', '": ', statement.replace("HH24:MI:SS", 'HH24":"MI":"SS'))


def _numbered(prefix: str, variable: str) -> str:
    return f"('{prefix}' || lpad(to_hex((:{variable})::int), 12, '0'))::uuid"


def _statement(workspace_id: UUID, *, new_id: str) -> str:
    return f"WITH {_look_ups(workspace_id, new_id=new_id)}, {_inserts()} {_rollup()}"


def _look_ups(workspace_id: UUID, *, new_id: str) -> str:
    channels = ", ".join(f"'{channel}'" for channel in CHANNELS)
    return f"""said AS MATERIALIZED (
    SELECT '{workspace_id}'::uuid AS workspace_id, {new_id} AS id, {new_id} AS event_id,
        {_numbered(CAMPAIGN_PREFIX, "campaign")} AS campaign_id, {_numbered(PERSON_PREFIX, "person")} AS recipient_id,
        (:score)::smallint AS score, (ARRAY[{channels}])[(:channel)::int] AS channel, now() AS answered_at,
        CASE WHEN (:commented)::int <= 4 THEN '{COMMENT}' END AS comment,
        '{{"order": "A-123456", "store": "Berlin"}}'::jsonb AS properties
),
known AS MATERIALIZED (
    SELECT s.*, 1 AS revision, m.metric, {band_sql("s.score")} AS band, c.survey_version,
        c.id AS c_id, c.name AS c_name, c.kind AS c_kind, c.is_anonymous,
        r.id AS r_id, r.external_id, r.email, r.name, r.properties AS recipient_properties,
        CASE WHEN c.one_answer_per_recipient THEN 'campaign' ELSE 'response:' || s.id END AS slot,
        (s.answered_at AT TIME ZONE w.time_zone)::date AS counted_on,
        coalesce((
            SELECT jsonb_object_agg(t.key, segment_label(r.properties -> t.key, t.kind, t.buckets))
            FROM tracked_properties t WHERE t.workspace_id = s.workspace_id
        ), '{{}}') AS segments
    FROM said s
    JOIN workspaces w ON w.id = s.workspace_id
    JOIN campaigns c ON c.workspace_id = s.workspace_id AND c.id = s.campaign_id AND c.state IN ({ACCEPTING})
    JOIN recipients r ON r.workspace_id = s.workspace_id AND r.id = s.recipient_id AND r.deleted_at IS NULL
    JOIN {METRIC_TABLE} ON m.metric = c.metric
)"""


def _inserts() -> str:
    return f"""inserted AS (
    INSERT INTO responses (workspace_id, id, campaign_id, recipient_id, score, channel, answered_at, comment,
        properties, survey_version, slot, recipient_properties, segments, counted_on)
    SELECT workspace_id, id, campaign_id, recipient_id, score, channel, answered_at, comment, properties,
        survey_version, slot, recipient_properties, segments, counted_on
    FROM known
    ON CONFLICT DO NOTHING
    RETURNING workspace_id, id, campaign_id, survey_version, counted_on, channel, score, segments
),
announced AS (
    INSERT INTO events (workspace_id, id, type, campaign_id, recipient_id, response_id, band, score, occurred_at, body)
    SELECT k.workspace_id, k.event_id, 'response.created', k.campaign_id, k.recipient_id, k.id, k.band, k.score,
        k.answered_at, {body_sql(_told(), "k", "c", "r", band="k.band")}
    FROM inserted JOIN known k USING (workspace_id, id),
        LATERAL (SELECT k.c_id AS id, k.c_name AS name, k.c_kind AS kind, k.metric, k.is_anonymous) c,
        LATERAL (SELECT k.r_id AS id, k.external_id, k.email, k.name, k.recipient_properties AS properties) r
    RETURNING workspace_id, id
),
queued AS (
    INSERT INTO event_queue (workspace_id, event_id) SELECT workspace_id, id FROM announced
)"""


def _rollup() -> str:
    counted = ", ".join(f"(score = {score})::int" for score in range(len(COUNTERS)))
    added = ", ".join(f"{counter} = score_rollups.{counter} + excluded.{counter}" for counter in COUNTERS)
    return f"""INSERT INTO score_rollups ({", ".join(KEY)}, {", ".join(COUNTERS)})
SELECT workspace_id, campaign_id, property_key, property_value, counted_on, channel, survey_version, 0, {counted}
FROM inserted, LATERAL (
    SELECT '', '' UNION ALL SELECT * FROM jsonb_each_text(segments)
) AS counted_under (property_key, property_value)
ON CONFLICT ({", ".join(KEY)}) DO UPDATE SET {added}"""


def _told() -> str:
    """The text that our API process would hand over ready-made, joined together the cheapest way."""
    return f"""('{{"id":"' || {id_sql("response", "k.id")}
        || '","campaign_id":"' || {id_sql("campaign", "k.campaign_id")}
        || '","channel":"' || k.channel || '","score":' || k.score
        || ',"comment":' || CASE WHEN k.comment IS NULL THEN 'null' ELSE '"' || k.comment || '"' END
        || ',"language":null,"may_contact":null,"occasion":null,"import_id":null,"invitation_id":null'
        || ',"wave":0,"variant":null,"certainty":"confirmed","answered_at":"' || {instant_sql("k.answered_at")}
        || '","answers":null,"properties":' || k.properties)"""
