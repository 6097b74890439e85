"""What we send, judged by the types that vendors publish for their own APIs, where a misspelt member is an error too.

HubSpot's `sorts` are left out: its guide gives objects, and its types say texts.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from app.domain.connectors import discord, slack
from app.domain.connectors.pages import Place
from app.domain.connectors.story import Story
from app.domain.follow_up import FollowUp, FollowUpState
from tests.outbound.connectors.people import START, PullableHubSpot, a_pullable, crowd, read_page
from tests.outbound.connectors.service import at
from tests.outbound.connectors.stories import MOVED, STORY, Memory, a_connector, tell
from tests.outbound.connectors.test_crm import FakeHubSpot, FakePipedrive
from tests.outbound.connectors.test_google_sheets import FakeGoogle
from tests.outbound.connectors.test_google_sheets import connector as a_sheet

JAVASCRIPT = Path(__file__).parents[1] / "javascript"
COMPILER = JAVASCRIPT / "node_modules" / "typescript" / "bin" / "tsc"
LINK = "https://crm.example/p/{external_id}"
pytestmark = pytest.mark.skipif(
    not (COMPILER.is_file() and shutil.which("node")) and not os.environ.get("CI"),
    reason="`make setup` installs vendors' types where there are node and npm",
)
TYPES = """\
import type { KnownBlock } from "@slack/types";
import type { RESTPostAPIWebhookWithTokenJSONBody as DiscordMessage } from "discord-api-types/v10";
import type { sheets_v4 } from "@googleapis/sheets";
import type { AddNoteRequest } from "pipedrive/v1";
import type { AddPersonRequest, UpdatePersonRequest } from "pipedrive/v2";
import type { PublicObjectSearchRequest } from
    "@hubspot/api-client/lib/codegen/crm/contacts/models/PublicObjectSearchRequest";
import type { SimplePublicObjectInput } from
    "@hubspot/api-client/lib/codegen/crm/contacts/models/SimplePublicObjectInput";
import type { BatchReadInputSimplePublicObjectId } from
    "@hubspot/api-client/lib/codegen/crm/companies/models/BatchReadInputSimplePublicObjectId";
type Plain<T> = T extends string ? `${T}` : T extends object ? { [Key in keyof T]: Plain<T[Key]> } : T;
type Rows = sheets_v4.Schema$BatchUpdateSpreadsheetRequest;
type Ranges = sheets_v4.Schema$BatchGetValuesByDataFilterRequest;
type Search = Plain<Omit<PublicObjectSearchRequest, "sorts">>;
type Companies = Omit<BatchReadInputSimplePublicObjectId, "propertiesWithHistory">;
"""


@dataclass(frozen=True)
class Said:
    type: str
    body: Any


def compiled(said: Sequence[Said], directory: Path) -> str:
    """What the compiler has to say about it; nothing where all is as the vendors have it."""
    lines = [f"export const said{at}: {one.type} = {json.dumps(one.body)};" for at, one in enumerate(said)]
    (directory / "said.ts").write_text(TYPES + "\n".join(lines), encoding="utf-8")
    (directory / "node_modules").symlink_to(JAVASCRIPT / "node_modules")
    options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--target", "es2022"]
    # Nothing here comes from outside: the compiler is ours, and so is what it reads.
    done = subprocess.run(
        ["node", str(COMPILER), *options, "said.ts"], cwd=directory, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


async def everything_said() -> list[Said]:
    return [*chats(), *await to_hubspot(), *await to_pipedrive(), *await to_google()]


def chats() -> list[Said]:
    assigned, resolved = (FollowUp(state, "olga", "olga") for state in (FollowUpState.ASSIGNED, FollowUpState.RESOLVED))
    told: list[Story] = [
        STORY,
        MOVED,
        replace(STORY, background=replace(STORY.background, follow_up=assigned)),
        replace(STORY, background=replace(STORY.background, follow_up=resolved)),
    ]
    messages = [slack.message_of(story, link=LINK, has_buttons=True) for story in told]
    return [
        *(Said("KnownBlock[]", message["blocks"]) for message in messages),
        *(Said("DiscordMessage", discord.message_of(story, link=LINK)) for story in told),
    ]


async def to_hubspot() -> list[Said]:
    async with at(FakeHubSpot()) as told, at(PullableHubSpot(crowd(2))) as asked:
        assert isinstance(asked, PullableHubSpot)
        asked.people[0].fields["associatedcompanyid"] = "7"
        await answers_told(a_connector("hubspot", base_url=told.url, token="secret"))
        for place in (Place(), Place(START), Place(START, "0")):
            await read_page(a_pullable("hubspot", asked), place, None)
    contacts = [one.json for one in told.asked if "/contacts" in one.path and "properties" in (one.json or {})]
    searches = [without_sorts(one.json) for one in asked.asked if one.path.endswith("/search")]
    companies = [one.json for one in asked.asked if one.path.endswith("/batch/read")]
    return [
        *(Said("SimplePublicObjectInput", body) for body in contacts),
        *(Said("Search", body) for body in searches),
        *(Said("Companies", body) for body in companies),
    ]


async def to_pipedrive() -> list[Said]:
    kinds = {"/v1/notes": "AddNoteRequest", "/api/v2/persons": "AddPersonRequest"}
    async with at(FakePipedrive()) as service:
        await answers_told(a_connector("pipedrive", base_url=service.url, api_token="secret", fields="plan=f00"))
    return [Said(kinds.get(one.path, "UpdatePersonRequest"), one.json) for one in service.asked if one.json is not None]


async def to_google() -> list[Said]:
    async with at(FakeGoogle()) as service:
        await answers_told(a_sheet(service))
    rows = [one.json for one in service.asked if one.path.endswith(":batchUpdate")]
    ranges = [one.json for one in service.asked if one.path.endswith(":batchGetByDataFilter")]
    return [*(Said("Rows", body) for body in rows), *(Said("Ranges", body) for body in ranges)]


async def answers_told(connector: Any) -> None:
    memory = Memory()
    for story in (STORY, MOVED):
        assert (await tell(connector, story, memory=memory)).failure is None


def without_sorts(search: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in search.items() if name != "sorts"}


async def test_vendors_types_take_what_we_send(tmp_path: Path) -> None:
    said = await everything_said()
    assert {one.type for one in said} == {
        "KnownBlock[]", "DiscordMessage", "SimplePublicObjectInput", "Search", "Companies", "AddNoteRequest",
        "AddPersonRequest", "UpdatePersonRequest", "Rows", "Ranges",
    }  # fmt: skip
    assert compiled(said, tmp_path) == ""


SPOILT = [
    Said("KnownBlock[]", [{"type": "section", "feilds": []}]),
    Said("KnownBlock[]", [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}]),
    Said("DiscordMessage", {"embeds": [{"titel": "x"}]}),
    Said("Rows", {"requests": [{"insertDimensions": {}}]}),
    Said("Search", {"filterGroups": [{"filters": [{"propertyName": "x", "operator": "SINCE", "value": "1"}]}]}),
    Said("AddNoteRequest", {"content": "x", "person_id": "7"}),
]


async def test_they_notice_what_is_wrong(tmp_path: Path) -> None:
    complaints = compiled(SPOILT, tmp_path)
    assert [f"said.ts({TYPES.count(chr(10)) + at + 1}," in complaints for at in range(len(SPOILT))] == [True] * 6
