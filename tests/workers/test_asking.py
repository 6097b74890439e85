"""From a launch to the mails: campaigns plan, workers send, and nobody is asked twice."""

from typing import Any

from tests.askings import an_asking
from tests.campaigns import create, move
from tests.workers.scene import Scene, until, uuid_text


async def people(scene: Scene, count: int, **fields: Any) -> list[dict[str, Any]]:
    rows = [{"email": f"person{at}@example.com", "name": f"Person {at}", **fields} for at in range(count)]
    done = await scene.post("/v1/recipients/bulk", recipients=rows)
    return list(done["results"])


async def launched(scene: Scene, **asking: Any) -> dict[str, Any]:
    campaign = await create(scene.tenant, kind="relationship", asking=an_asking(window={"best_hour": False}, **asking))
    return await move(scene.tenant, campaign, "launch")


async def make_due(scene: Scene) -> None:
    await scene.database.execute("UPDATE invitations SET due_at = now() WHERE due_at IS NOT NULL")
    await scene.database.execute("UPDATE sending_work SET due_at = now()")


async def states(scene: Scene, campaign: dict[str, Any]) -> dict[str, int]:
    rows = await scene.database.fetch(
        "SELECT coalesce(skip_reason, state) AS state, count(*) AS count FROM invitations"
        " WHERE campaign_id = $1::uuid GROUP BY 1", uuid_text(campaign),
    )  # fmt: skip
    return {row["state"]: row["count"] for row in rows}


async def all_are(scene: Scene, campaign: dict[str, Any], **wanted: int) -> None:
    async def are_so() -> bool:
        await make_due(scene)
        return await states(scene, campaign) == wanted

    await until(are_so)


async def test_a_launched_campaign_asks_its_audience_by_mail(scene: Scene) -> None:
    await people(scene, 3)
    scene.work()

    campaign = await launched(scene)

    await all_are(scene, campaign, sent=3)
    mails = await scene.database.fetch("SELECT to_address, raw FROM captured_mails ORDER BY to_address")
    assert [mail["to_address"] for mail in mails] == [f"person{at}@example.com" for at in range(3)]
    assert b"/s/" in mails[0]["raw"]
    assert await scene.database.fetchval("SELECT count(*) FROM recipients WHERE asked_at IS NOT NULL") == 3


async def test_nobody_is_asked_by_a_second_campaign_within_the_quarantine(scene: Scene) -> None:
    await people(scene, 3)
    scene.work()
    first = await launched(scene)
    await all_are(scene, first, sent=3)

    second = await launched(scene)

    await all_are(scene, second, quarantine=3)
