"""What callers do all day, each on answers of its own, so that it knows how they should stand."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

from tests.end_to_end.crash.insisting import Caller, NeverAnswered, Reply
from tests.end_to_end.crash.ledger import Answer

CHANNELS = ("email", "web", "in_app", "api")
STORES = ("Berlin", "Hamburg", "Leipzig", "Bremen", "Jena", "Ulm", "Kiel", "Trier")  # more than are counted apart
COMMENTS = (None, "Fast, friendly, a bit pricey.", 'Ünïcode ✓ and “quotes”, \\ and " too.', "Late again.")
REMEMBERED = 40  # answers that a client may still change
PARTS = 3  # of a widget's answer


@dataclass(frozen=True, slots=True)
class World:
    campaign_id: str
    once_campaign_id: str  # takes one answer from each person
    recipient_ids: Sequence[str]
    publishable_key: str


@dataclass(slots=True)
class Client:
    number: int
    world: World
    caller: Caller
    chance: Random
    pause_seconds: float
    mine: list[tuple[Answer, Mapping[str, Any] | None]] = field(default_factory=list)  # with what makes its slot

    async def work(self, stop: asyncio.Event) -> None:
        acts = list(ACTS)
        while not stop.is_set():
            act = self.chance.choices(acts, list(ACTS.values()))[0]
            try:
                await act(self)
            except NeverAnswered:
                return
            await asyncio.sleep(self.chance.uniform(0, 2 * self.pause_seconds))

    # recording

    async def record_with_key(self) -> None:
        answer = self.new_answer()
        await self.record(answer, self.said(answer), key=f"key-{answer.mark}")

    async def record_twice_at_once(self) -> None:
        """An impatient caller: the same request again while the first is under way."""
        answer = self.new_answer()
        calls = [self.record(answer, self.said(answer), key=f"key-{answer.mark}", alone=False) for _ in range(2)]
        replies = await asyncio.gather(*calls)
        if all(reply.is_certain for reply in replies):
            self.expect(sorted(reply.status for reply in replies) == [200, 201], "one of two makes it", replies[0])

    async def record_in_slot(self) -> None:
        answer = self.new_answer()
        slot = {"recipient_id": self.chance.choice(self.world.recipient_ids), "occasion": f"order-{answer.mark}"}
        await self.record(answer, self.said(answer, **slot), slot=slot)

    async def record_with_person(self) -> None:
        answer = self.new_answer()
        number = self.chance.randrange(200)  # few enough that callers meet over the same person
        person = {
            "external_id": f"customer-{number}",
            "email": f"customer-{number}@example.com",
            "properties": {"plan": self.chance.choice(["free", "pro"])},
        }
        said = {"recipient": person, "occasion": f"visit-{answer.mark}"}
        await self.record(answer, self.said(answer, **said))

    async def record_once_each(self) -> None:
        answer = self.new_answer()
        person = {"recipient": {"external_id": f"once-{answer.mark}"}, "campaign_id": self.world.once_campaign_id}
        await self.record(answer, self.said(answer, **person))

    async def record(
        self,
        answer: Answer,
        said: Mapping[str, Any],
        *,
        key: str | None = None,
        slot: Mapping[str, Any] | None = None,
        alone: bool = True,
    ) -> Reply:
        headers = {"idempotency-key": key} if key else {}
        reply = await self.caller.insist("POST", "/v1/responses", said, headers=headers)
        is_right = reply.status in {200, 201} if not (alone and reply.is_certain) else reply.status == 201
        if self.expect(is_right, "a new answer is recorded", reply):
            is_first = answer.id is None
            self.caller.ledger.note_recorded(answer, reply.body["id"])
            if is_first:
                self.mine = [*self.mine[-REMEMBERED:], (answer, slot)]
        return reply

    async def record_in_bulk(self) -> None:
        answers = [self.new_answer() for _ in range(self.chance.randint(2, 30))]
        waiting = {place: self._bulk_row(answer) for place, answer in enumerate(answers)}
        waiting[len(answers)] = {"campaign_id": f"camp_{'0' * 32}", "score": 5}  # never holds up the others
        while waiting:
            places = list(waiting)
            reply = await self.caller.insist("POST", "/v1/responses/bulk", {"responses": list(waiting.values())})
            if not self.expect(reply.status == 200, "a bulk is answered", reply):
                return
            for place, row in zip(places, reply.body["results"], strict=True):
                if row["status"] != 503:
                    del waiting[place]
                    self._note_row(answers[place] if place < len(answers) else None, Reply(row["status"], row, False))

    def _bulk_row(self, answer: Answer) -> Mapping[str, Any]:
        if self.chance.random() < 0.5:
            return self.said(answer, import_id=f"import-{answer.mark}")
        person = self.chance.choice(self.world.recipient_ids)
        return self.said(answer, recipient_id=person, occasion=f"order-{answer.mark}")

    def _note_row(self, answer: Answer | None, row: Reply) -> None:
        if answer is None:
            self.expect(row.status == 404, "a row of an unknown campaign is refused", row)
        elif self.expect(row.status in {200, 201}, "a row is recorded", row):
            self.caller.ledger.note_recorded(answer, row.body["response"]["id"])

    async def record_from_widget(self) -> None:
        """Parts of one answer, some overtaking others; the highest `seq` wins."""
        answer = self.new_answer()
        reference = str(UUID(int=self.chance.getrandbits(128)))
        parts: list[dict[str, Any]] = [
            {"score": self.chance.randint(0, 10), "comment": f"part {seq}"} for seq in range(1, PARTS + 1)
        ]
        answer.score, answer.comment, answer.revision = parts[-1]["score"], parts[-1]["comment"], None
        calls = [
            self._send_part(answer, self.said(answer, client_ref=reference, seq=seq, channel="web", **part))
            for seq, part in enumerate(parts, start=1)
        ]
        self.chance.shuffle(calls)
        await asyncio.gather(*calls)
        self.caller.ledger.note_recorded(answer, f"widget:{reference}")

    async def _send_part(self, answer: Answer, said: Mapping[str, Any]) -> None:
        path = f"/v1/widget/responses?key={self.world.publishable_key}"
        headers = {"content-type": "text/plain", "origin": "https://shop.example"}
        reply = await self.caller.insist("POST", path, said, headers=headers)
        self.expect(reply.status in {200, 201}, "a part is taken", reply)

    # changing

    async def amend(self) -> None:
        if (chosen := self.choose()) is None:
            return
        answer, _ = chosen
        said = {"score": self.chance.randint(0, 10), "comment": f"second thought {self.chance.random()}"}
        reply = await self.caller.insist("PATCH", f"/v1/responses/{answer.id}", said)
        self._changed(answer, reply, reply.status == 200, "an amendment is made", **said)

    async def amend_by_slot(self) -> None:
        if (chosen := self.choose(with_slot=True)) is None:
            return
        answer, slot = chosen
        score, comment = (answer.score + 1) % 11, f"said again {self.chance.random()}"
        said = {"score": score, "comment": comment}
        refused = await self.caller.insist("POST", "/v1/responses", self.said(answer, **said, **(slot or {})))
        self.expect(
            refused.status == 409 and refused.body["response_id"] == answer.id, "a taken slot is taken", refused
        )
        reply = await self.caller.insist(
            "POST", "/v1/responses", self.said(answer, **said, **(slot or {}), if_answered="amend")
        )
        self._changed(answer, reply, reply.status == 200 and reply.body["id"] == answer.id, "a slot is amended", **said)

    async def exclude_or_restore(self) -> None:
        if (chosen := self.choose()) is None:
            return
        answer, _ = chosen
        act, body = ("restore", {}) if answer.is_excluded else ("exclude", {"reason": "a test"})
        reply = await self.caller.insist("POST", f"/v1/responses/{answer.id}/{act}", body)
        is_done_before = not reply.is_certain and reply.code == "exclusion_refused"
        is_right = reply.status == 200 or is_done_before
        self._changed(answer, reply, is_right, f"{act} is done", is_excluded=not answer.is_excluded)

    async def delete(self) -> None:
        if (chosen := self.choose()) is None:
            return
        answer, _ = chosen
        self.mine.remove(chosen)
        reply = await self.caller.insist("DELETE", f"/v1/responses/{answer.id}")
        is_done_before = not reply.is_certain and reply.status == 404
        self._changed(answer, reply, reply.status == 204 or is_done_before, "a deletion is done", is_deleted=True)

    def _changed(self, answer: Answer, reply: Reply, is_right: bool, what: str, **now: Any) -> None:
        if not self.expect(is_right, what, reply):
            return
        for name, value in now.items():
            setattr(answer, name, value)
        assert answer.revision is not None
        answer.revision += 1
        self.caller.ledger.note_changed()
        if reply.status == 200 and not now.get("is_deleted"):
            self.expect(reply.body["revision"] == answer.revision, f"{what} exactly once", reply)

    # setting up

    async def create_campaign(self) -> None:
        """Not one of the hot routes: here the key itself is stored, with what it has led to."""
        name = f"campaign-{self.number}-{self.chance.getrandbits(64)}"
        said = {"name": name, "kind": "transactional"}
        reply = await self.caller.insist("POST", "/v1/campaigns", said, headers={"idempotency-key": name})
        if self.expect(reply.status == 201, "a campaign is created", reply):
            self.caller.ledger.campaigns[name] = reply.body["id"]

    # looking

    async def look(self) -> None:
        what = self.chance.choice(
            [
                f"/v1/scores?campaign_id={self.world.campaign_id}",
                f"/v1/responses?campaign_id={self.world.campaign_id}&limit=20",
                f"/v1/recipients/{self.chance.choice(self.world.recipient_ids)}",
            ]
        )
        reply = await self.caller.insist("GET", what)
        self.expect(reply.status == 200, "a look is answered", reply)

    # telling

    def new_answer(self) -> Answer:
        return self.caller.ledger.new_answer(self.chance.randint(0, 10), self.chance.choice(COMMENTS))

    def said(self, answer: Answer, **more: Any) -> Mapping[str, Any]:
        return {
            "campaign_id": self.world.campaign_id,
            "score": answer.score,
            "comment": answer.comment,
            "channel": CHANNELS[answer.mark % len(CHANNELS)],
            "properties": {"mark": answer.mark, "store": STORES[answer.mark % len(STORES)]},
            **more,
        }

    def choose(self, *, with_slot: bool = False) -> tuple[Answer, Mapping[str, Any] | None] | None:
        fitting = [one for one in self.mine if one[1] is not None or not with_slot]
        return self.chance.choice(fitting) if fitting else None

    def expect(self, is_right: bool, what: str, reply: Reply) -> bool:
        if not is_right:
            certain = "at once" if reply.is_certain else "after tries that went unanswered"
            self.caller.ledger.trouble(f"{what}: not so, but {reply.status} {certain}: {str(reply.body)[:300]}")
        return is_right


ACTS: Mapping[Callable[[Client], Awaitable[None]], float] = {
    Client.record_with_key: 6,
    Client.record_twice_at_once: 1,
    Client.record_in_slot: 4,
    Client.record_with_person: 3,
    Client.record_once_each: 1,
    Client.record_in_bulk: 1,
    Client.record_from_widget: 1,
    Client.amend: 2,
    Client.amend_by_slot: 1,
    Client.exclude_or_restore: 1,
    Client.delete: 1,
    Client.create_campaign: 0.3,
    Client.look: 2,
}
