"""No mail leaves with links that lead to the machine itself."""

import pytest

from app.config import Settings
from app.db.engine import Engine
from tests.askings import an_asking
from tests.campaigns import create
from tests.conftest import a_tenant, running_app

ELSEWHERE, HERE = "smtp://mail.example.com", "smtp://127.0.0.1:2525"


@pytest.mark.parametrize(
    ("smtp_url", "public_url", "is_dead"),
    [
        (None, "", False),  # all mail is captured
        (HERE, "", True),  # whoever it passes mail on to
        (ELSEWHERE, "", True),
        (ELSEWHERE, "http://localhost:8010", True),
        (HERE, "http://localhost:8010", False),  # to try things out
        (ELSEWHERE, "https://nps.example.com", False),
    ],
)
def test_links_that_lead_to_this_machine_are_dead(smtp_url: str | None, public_url: str, is_dead: bool) -> None:
    assert Settings(smtp_url=smtp_url, public_url=public_url).has_dead_links is is_dead


async def test_a_launch_with_dead_links_is_refused_where_it_would_mail(database_url: str, engine: Engine) -> None:
    async with running_app(database_url, smtp_url=ELSEWHERE) as app, a_tenant(app, engine, "Alice") as alice:
        asking = await create(alice, asking=an_asking())
        refused = await alice.api.post(f"/v1/campaigns/{asking['id']}/launch")
        assert (refused.status_code, refused.json()["code"]) == (409, "links_lead_nowhere")
        assert "ZEROTEN_PUBLIC_URL" in refused.json()["detail"]
        silent = await create(alice)
        assert (await alice.api.post(f"/v1/campaigns/{silent['id']}/launch")).status_code == 200
