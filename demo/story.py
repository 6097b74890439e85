"""What the demo does, step by step; every step is a call that any client could make."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any
from uuid import uuid4

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from app.domain.scores.metric import NPS, Band
from demo import people, tables
from demo.answers import MONTHS, Voices
from demo.api import ORIGIN, Api
from demo.asking import ask_by_mail
from demo.receiver import Arrival, Receiver
from demo.service import Service, ServiceFailed

AT_ONCE = 300  # answers in one bulk request, of which 500 are allowed
WAIT_SECONDS, POLL_SECONDS = 60.0, 0.05
SHOWN = 4  # webhooks of each band
SURVEY = {
    "default_language": "en",
    "languages": ["en", "de", "fr", "es", "pt"],
    "question": {
        "en": "How likely are you to recommend Tidewater Bikes to a friend or colleague?",
        "de": "Wie wahrscheinlich ist es, dass Sie Tidewater Bikes weiterempfehlen?",
        "fr": "Recommanderiez-vous Tidewater Bikes à un proche ou à un collègue ?",
        "es": "¿Qué probabilidad hay de que recomiende Tidewater Bikes?",
        "pt": "Qual é a probabilidade de você recomendar a Tidewater Bikes?",
    },
}


class Story:
    def __init__(self, console: Console, service: Service, receiver: Receiver) -> None:
        self.console, self.service, self.receiver = console, service, receiver
        self.voices = Voices(people.read())
        self.expected: Counter[Band] = Counter()  # of today's answers, those that somebody listens for
        self.campaign_id = ""
        self.api: Api

    def tell(self) -> None:
        self._start()
        self._set_up_a_campaign()
        self._bring_people()
        self._bring_history()
        self._listen()
        self._take_answers()
        self._see_webhooks()
        self._ask_by_mail()
        self._show_scores()
        self._examine()
        self.api.close()

    def _start(self) -> None:
        began = time.monotonic()
        with self.console.status("Starting PostgreSQL, the API and a worker …"):
            self.service.until_ready()
        keys = self.service.keys
        self.api = Api(
            self.service.address, secret_key=keys["secret", "live"], publishable_key=keys["publishable", "live"]
        )
        self._done(f"PostgreSQL, API and worker run, on an empty database ({time.monotonic() - began:.1f} s)")

    def _set_up_a_campaign(self) -> None:
        self.api.patch("/v1/workspace", {"name": "Tidewater Bikes", "time_zone": "Europe/Berlin"})
        body = {
            "name": "After delivery",
            "kind": "transactional",
            "metric": "nps",
            "goal": "delivery",
            "survey": SURVEY,
        }
        campaign = self.api.post("/v1/campaigns", body, idempotency_key=str(uuid4()))
        self.campaign_id = campaign["id"]
        launched = self.api.post(f"/v1/campaigns/{self.campaign_id}/launch")
        for key in ("plan", "country"):
            self.api.post("/v1/tracked-properties", {"key": key, "source": "recipient", "kind": "text"})
        self._until(lambda: all(each["state"] == "tracked" for each in self.api.get("/v1/tracked-properties")["data"]))
        self._done(f"Campaign “{campaign['name']}” is {launched['state']}, in {len(SURVEY['languages'])} languages")
        self._done("Scores will be split by the properties plan and country")

    def _bring_people(self) -> None:
        file = people.FILE.read_bytes()
        path = f"/v1/imports/recipients?campaign_id={self.campaign_id}"
        with self._progress("bytes") as progress:
            task = progress.add_task("Importing recipients.csv", total=len(file))
            found = self.api.upload(path, file, media_type="text/csv")
            while found["state"] not in {"completed", "failed"}:
                progress.update(task, completed=found["bytes_read"])
                time.sleep(POLL_SECONDS)
                found = self.api.get(f"/v1/imports/{found['id']}")
            progress.update(task, completed=len(file))
        rows = found["rows"]
        self._done(f"{rows['created']:,} recipients imported, {rows['rejected']} rows refused")

    def _bring_history(self) -> None:
        answers = [{"campaign_id": self.campaign_id, **answer} for answer in self.voices.history(datetime.now(UTC))]
        began, created = time.monotonic(), 0
        with self._progress("answers") as progress:
            for batch in progress.track(_batches(answers), description="Bringing older answers along"):
                created += self.api.post("/v1/responses/bulk", {"responses": batch})["created"]
        seconds = time.monotonic() - began
        self._done(f"{created:,} answers of the last {MONTHS} months recorded in {seconds:.1f} s; being old, no news")

    def _listen(self) -> None:
        body = {"url": self.receiver.url, "event_types": ["response.detractor", "response.promoter"]}
        self.receiver.secret = self.api.post("/v1/webhook-endpoints", body)["secret"]
        self._done(f"A receiver at {self.receiver.url} subscribes to response.detractor and response.promoter")

    def _take_answers(self) -> None:
        ways: list[tuple[str, str, int, Callable[[int], Iterable[int]]]] = [
            ("email", "one by one, with an Idempotency-Key", 60, self._one_by_one),
            ("sms", "in bulk", 120, self._in_bulk),
            ("web", f"from a browser at {ORIGIN}, first the score, then the comment", 40, self._from_a_browser),
            ("chat", "with somebody new, made along with the answer", 20, self._with_somebody_new),
            ("kiosk", "without a name", 20, self._without_a_name),
        ]
        with self._progress("answers") as progress:
            for channel, _, count, way in ways:
                task = progress.add_task(f"Answers by {channel}", total=count)
                for score in way(count):
                    self.expected[NPS.band_for(score)] += 1
                    progress.advance(task)
        self.console.print(tables.channels_table((channel, how, count) for channel, how, count, _ in ways))
        self._send_one_twice()
        self._change_one_mind()

    def _one_by_one(self, count: int) -> Iterable[int]:
        for _ in range(count):
            yield self._record(channel="email", **self.voices.answer(self.voices.somebody()))["score"]

    def _in_bulk(self, count: int) -> Iterable[int]:
        answers = [self.voices.answer(self.voices.somebody()) for _ in range(count)]
        body = {"responses": [{"campaign_id": self.campaign_id, "channel": "sms", **answer} for answer in answers]}
        yield from (result["response"]["score"] for result in self.api.post("/v1/responses/bulk", body)["results"])

    def _from_a_browser(self, count: int) -> Iterable[int]:
        for _ in range(count):
            answer = self.voices.answer(self.voices.somebody())
            part = {"campaign_id": self.campaign_id, "client_ref": str(uuid4()), "score": answer["score"]}
            self.api.post_from_browser({**part, "seq": 1})
            if answer["comment"]:
                self.api.post_from_browser({**part, "seq": 2, "comment": answer["comment"]})
            yield answer["score"]

    def _with_somebody_new(self, count: int) -> Iterable[int]:
        for number in range(count):
            somebody = self.voices.somebody()
            recipient = {
                "email": f"new.rider.{number}@post.example.test",
                "locale": somebody["locale"],
                "account": {"external_id": "A-9000", "name": "Saltmarsh Cycling Club"},
                "properties": {"plan": "free", "country": somebody["country"]},
            }
            answer = self.voices.answer({**somebody, "plan": "free"})
            yield self._record(channel="chat", **{**answer, "recipient": recipient})["score"]

    def _without_a_name(self, count: int) -> Iterable[int]:
        for _ in range(count):
            answer = self.voices.answer(self.voices.somebody())
            yield self._record(channel="kiosk", score=answer["score"], comment=answer["comment"])["score"]

    def _record(self, **answer: Any) -> dict[str, Any]:
        return self.api.post("/v1/responses", {"campaign_id": self.campaign_id, **answer}, idempotency_key=str(uuid4()))

    def _send_one_twice(self) -> None:
        key, answer = str(uuid4()), {"campaign_id": self.campaign_id, "score": 8, "channel": "email"}
        first, again = [self.api.post("/v1/responses", answer, idempotency_key=key) for _ in range(2)]
        same = "the same response" if first["id"] == again["id"] else "ANOTHER RESPONSE"
        self._done(f"One answer was sent twice by mistake: {first['outcome']}, then {again['outcome']}, {same}")

    def _change_one_mind(self) -> None:
        answer = self._record(score=4, channel="phone", comment="Nobody called me back.")
        self.expected[Band.DETRACTOR] += 1
        reason = {"score": 9, "comment": "Called back within the hour. Thank you!", "reason": "We called."}
        changed = self.api.patch(f"/v1/responses/{answer['id']}", reason)
        self.expected[Band.PROMOTER] += 1
        self._done(f"One was called back and changed their mind: {answer['score']} became {changed['score']}")

    def _see_webhooks(self) -> None:
        arrivals = self.receiver.arrivals
        expected = self.expected[Band.PROMOTER] + self.expected[Band.DETRACTOR]
        with self._progress("webhooks") as progress:
            task = progress.add_task("Verifying webhooks", total=expected)

            def are_here() -> bool:
                progress.update(task, completed=len(arrivals))
                return len(arrivals) >= expected

            self._until(are_here)
        detractors, promoters, moved = self._arrived(Band.DETRACTOR), self._arrived(Band.PROMOTER), self._moved()
        self.console.print(tables.arrivals_table([*detractors[:SHOWN], *promoters[:SHOWN], *moved]))
        self._check_arrivals(expected)
        milliseconds = 1000 * median(arrival.seconds for arrival in arrivals)
        self._done(
            f"{expected} webhooks ({len(detractors)} detractors, {len(promoters)} promoters, {len(moved)} moved), each "
            f"verified with the standardwebhooks library; half of them within {milliseconds:.0f} ms"
        )

    def _check_arrivals(self, expected: int) -> None:
        count, refused = len(self.receiver.arrivals), self.receiver.refused
        distinct = len({arrival.webhook_id for arrival in self.receiver.arrivals})
        if (count, distinct, refused) != (expected, expected, 0):
            raise ServiceFailed(f"{expected} webhooks were due; {count} came, {distinct} distinct, {refused} not ours")

    def _arrived(self, band: Band) -> list[Arrival]:
        return [
            arrival
            for arrival in self.receiver.arrivals
            if arrival.payload["type"] == "response.created" and arrival.payload["data"]["response"]["band"] == band
        ]

    def _moved(self) -> list[Arrival]:
        return [arrival for arrival in self.receiver.arrivals if arrival.payload["type"] == "response.band_changed"]

    def _ask_by_mail(self) -> None:
        for told in ask_by_mail(self.api, SURVEY, self._until):
            self._done(told)

    def _show_scores(self) -> None:
        today = datetime.now(UTC).date()
        asked = {"campaign_id": self.campaign_id}
        whole = self.api.get("/v1/scores", **asked)
        self.console.print(tables.score_panel(whole["score"], title="After delivery"))
        for by, title in (("property:plan", "plan"), ("property:country", "country"), ("month", "month")):
            period = {"from": str(today - timedelta(days=31 * MONTHS))} if by == "month" else {}
            groups = self.api.get("/v1/scores", **asked, **period, group_by=by)["groups"]
            self.console.print(tables.groups_table(groups, by=title))
        lately = {"from": str(today - timedelta(days=30)), "until": str(today + timedelta(days=1))}
        compared = self.api.get("/v1/scores", **asked, **lately, compare="previous_period")
        self.console.print(tables.change_line(compared["comparison"], of="The last 30 days"))

    def _examine(self) -> None:
        with self.console.status("Recounting every answer …"):
            said = self.service.run("doctor")
        if said.returncode != 0:
            raise ServiceFailed(said.stdout + said.stderr)
        self._done(f"zeroten doctor: {said.stdout.splitlines()[-1].removeprefix('✓ ')}")

    def _until(self, is_true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while not is_true() and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)

    def _done(self, what: str) -> None:
        self.console.print("[green]✓[/green]", what, markup=True, highlight=False)

    def _progress(self, unit: str) -> Progress:
        return Progress(
            SpinnerColumn(finished_text="[green]✓[/green]"),
            TextColumn("{task.description:<30}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn(unit),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )


def _batches(answers: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    return [answers[start : start + AT_ONCE] for start in range(0, len(answers), AT_ONCE)]
