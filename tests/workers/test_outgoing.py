from datetime import UTC, datetime
from pathlib import Path

from app.config import Settings
from app.outbound.http import Request
from app.workers.outgoing import outgoing
from tests.outbound.test_proxy import PUBLIC, a_proxy

WORKERS = Path(__file__).parents[2] / "app" / "workers"


async def test_the_way_out_leads_through_the_proxy() -> None:
    async with a_proxy(says=b"HTTP/1.1 502 Bad gateway\r\n\r\n") as proxy:
        async with outgoing(Settings(outbound_proxy=proxy.url)) as client:
            await client.ask(Request("GET", f"https://{PUBLIC}/", {}), now=datetime.now(UTC), deadline_seconds=5)
        assert proxy.targets == [f"{PUBLIC}:443"]


def test_no_worker_has_a_way_out_of_its_own() -> None:
    makers = [path.name for path in WORKERS.glob("*.py") if "GuardedClient(" in path.read_text()]
    assert makers == ["outgoing.py"]
