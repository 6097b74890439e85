"""Test events, made by doing what they tell of. Only in a test workspace: what happens in a live one is counted."""

import asyncio
import secrets
from argparse import Namespace
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from rich.console import Console

from app.cli.refusal import Refusal
from app.cli.remote import Remote, Unreachable, reached
from app.clock import utc_now

CAMPAIGN = "Made by zeroten trigger"
SURVEY = {"default_language": "en", "languages": ["en"], "question": {"en": "How likely are you to recommend us?"}}
PERSON = {"external_id": "zeroten-trigger", "email": "ada@example.com", "name": "Ada", "properties": {"plan": "pro"}}
COMMENTS = {10: "Fast, friendly, would come again.", 8: "Good, a bit pricey.", 3: "It came two weeks late."}
LONG_AGO = timedelta(days=2)  # older than a day, an answer is imported, not news


def run(arguments: Namespace) -> int:
    play = STORIES.get(arguments.event)
    if play is None:
        raise Refusal(f"There is no story for {arguments.event}. There are: {', '.join(STORIES)}.")
    try:
        asyncio.run(_play(play, arguments))
    except Unreachable as trouble:
        raise Refusal(f"{trouble}.") from None
    return 0


async def _play(play: "Story", arguments: Namespace) -> None:
    async with reached(arguments) as api:
        if not api.is_test:
            raise Refusal("This key is for a live workspace, where test events would be counted. Use zt_sk_test_….")
        stage = Stage(api)
        try:
            await play(stage)
        finally:  # also what was made before something went wrong
            console = Console(highlight=False, soft_wrap=True)
            for thing, its_id in stage.made.items():
                console.print(f"{thing:<9}  {its_id}", markup=False)


@dataclass(frozen=True, slots=True)
class Stage:
    api: Remote
    made: dict[str, str] = field(default_factory=dict)  # what there is to look at afterwards: its id, by its name

    async def do(self, method: str, path: str, body: Any = None) -> Any:
        return await self.api.ask(method, f"/v1/{path}", body=body)

    async def campaign(self) -> str:
        """The one that all runs share, for answers."""
        cursor: str | None = None
        while True:
            params = [("state", "running"), ("limit", "500"), *([("cursor", cursor)] if cursor else [])]
            page = await self.api.ask("GET", "/v1/campaigns", params=params)
            for campaign in page["data"]:
                if campaign["name"] == CAMPAIGN:
                    return self._note("campaign", campaign)
            cursor = page["next_cursor"]
            if cursor is None:
                return await self.new_campaign("launch")

    async def new_campaign(self, *moves: str) -> str:
        made = await self.do("POST", "campaigns", {"name": CAMPAIGN, "kind": "transactional", "survey": SURVEY})
        for move in moves:
            await self.do("POST", f"campaigns/{made['id']}/{move}")
        return self._note("campaign", made)

    async def answer(self, score: int, **fields: Any) -> str:
        """By the same person as ever, about something new."""
        campaign_id = await self.campaign()
        recipient = await self.do("POST", "recipients", PERSON)
        self._note("recipient", recipient)
        answer = {"campaign_id": campaign_id, "recipient_id": recipient["id"], "occasion": _unique(), "score": score}
        made = await self.do("POST", "responses", {**answer, "comment": COMMENTS[score], **fields})
        return self._note("response", made)

    async def new_recipient(self) -> str:
        return self._note("recipient", await self.do("POST", "recipients", {**PERSON, **_somebody_new()}))

    async def imported(self) -> str:
        """Worked off by a worker, in a moment."""
        person = _somebody_new()
        file = f"external_id,email\n{person['external_id']},{person['email']}\n".encode()
        return self._note("import", await self.api.ask("POST", "/v1/imports/recipients", csv=file))

    def _note(self, thing: str, made: Mapping[str, Any]) -> str:
        self.made[thing] = made["id"]
        return str(made["id"])


Story = Callable[[Stage], Awaitable[Any]]


def _unique() -> str:
    return f"zeroten-trigger-{secrets.token_hex(8)}"


def _somebody_new() -> dict[str, str]:
    name = _unique()
    return {"external_id": name, "email": f"{name}@example.com"}


def _answered(score: int) -> Story:
    return lambda stage: stage.answer(score)


def _amended(**changes: Any) -> Story:
    async def play(stage: Stage) -> None:
        await stage.do("PATCH", f"responses/{await stage.answer(3)}", changes)

    return play


def _then(*acts: str) -> Story:
    async def play(stage: Stage) -> None:
        response_id = await stage.answer(3)
        for act in acts:
            await stage.do("POST", f"responses/{response_id}/{act}", {"reason": "zeroten trigger"})

    return play


async def _deleted(stage: Stage) -> None:
    await stage.do("DELETE", f"responses/{await stage.answer(3)}")


async def _followed_up(stage: Stage) -> None:
    said = {"state": "assigned", "by": "zeroten trigger"}
    await stage.do("PUT", f"responses/{await stage.answer(3)}/follow-up", said)


async def _imported(stage: Stage) -> None:
    await stage.answer(8, answered_at=(utc_now() - LONG_AGO).isoformat())


def _moved(*moves: str) -> Story:
    return lambda stage: stage.new_campaign(*moves)


async def _campaign_updated(stage: Stage) -> None:
    await stage.do("PATCH", f"campaigns/{await stage.new_campaign()}", {"goal": "trying out webhooks"})


async def _recipient_updated(stage: Stage) -> None:
    await stage.do("PATCH", f"recipients/{await stage.new_recipient()}", {"name": "Ada L."})


async def _recipient_unsubscribed(stage: Stage) -> None:
    await stage.do("POST", f"recipients/{await stage.new_recipient()}/unsubscribe")


async def _recipient_deleted(stage: Stage) -> None:
    await stage.do("DELETE", f"recipients/{await stage.new_recipient()}")


STORIES: Mapping[str, Story] = {
    "response.created": _answered(10),
    "response.promoter": _answered(10),
    "response.passive": _answered(8),
    "response.detractor": _answered(3),
    "response.updated": _amended(comment="It came three weeks late."),
    "response.band_changed": _amended(score=10, comment="You made up for it."),
    "response.followed_up": _followed_up,
    "response.excluded": _then("exclude"),
    "response.restored": _then("exclude", "restore"),
    "response.deleted": _deleted,
    "response.imported": _imported,
    "campaign.created": _moved(),
    "campaign.updated": _campaign_updated,
    "campaign.launched": _moved("launch"),
    "campaign.paused": _moved("launch", "pause"),
    "campaign.resumed": _moved("launch", "pause", "resume"),
    "campaign.completed": _moved("launch", "complete"),
    "campaign.archived": _moved("launch", "complete", "archive"),
    "recipient.created": Stage.new_recipient,
    "recipient.updated": _recipient_updated,
    "recipient.unsubscribed": _recipient_unsubscribed,
    "recipient.deleted": _recipient_deleted,
    "import.completed": Stage.imported,
}
