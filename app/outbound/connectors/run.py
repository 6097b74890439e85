"""Takes the steps of a connector over the network, one after the other, within one attempt's deadline."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime

from app.domain.connectors.protocol import Call, Failed, Kept, Reply, Skipped, Step, Steps
from app.domain.webhooks.attempts import Outcome
from app.outbound.http import GuardedClient, Request

REPLY_BYTES = 262_144  # enough for a person with all their fields
LEAST_SECONDS = 0.5  # for a last step; the lease is longer than the deadline

Keep = Callable[[Kept], Awaitable[None]]
TOLD_ALREADY = "Nothing was sent: this had been told already."
NO_REPLY = Reply(0, {}, b"")


class CutShort(Exception):
    """Something was sent, then something went wrong on our side, which is the cause."""

    def __init__(self, last: Outcome) -> None:
        super().__init__()
        self.last = last


async def run_steps(
    client: GuardedClient,
    steps: Steps,
    *,
    keep: Keep,
    now: datetime,
    deadline_seconds: float,
    reply_bytes: int = REPLY_BYTES,
) -> Outcome:
    """How the last step ended, and how long all of them took. `keep` is told of everything that was made, at once.

    Raises CutShort, or whatever goes wrong before anything was sent.
    """
    clock = asyncio.get_running_loop().time
    started = clock()
    run = _Run(client, keep, now, ends_at=started + deadline_seconds, reply_bytes=reply_bytes)
    outcome = await run.take(steps)
    return replace(outcome, duration_ms=round((clock() - started) * 1_000))


def nothing_sent(why: str) -> Outcome:
    """Delivered, as there was nothing to deliver. People read why where the reply would be."""
    return Outcome(None, None, None, why.encode(), 0, sent=False)


class _Run:
    def __init__(self, client: GuardedClient, keep: Keep, now: datetime, *, ends_at: float, reply_bytes: int) -> None:
        self._client, self._keep, self._now = client, keep, now
        self._ends_at, self._reply_bytes = ends_at, reply_bytes
        self._last, self._reply = nothing_sent(TOLD_ALREADY), NO_REPLY

    async def take(self, steps: Steps) -> Outcome:
        try:
            step = next(steps)
            while await self._step(step):
                step = steps.send(self._reply)
        except StopIteration:
            return replace(self._last, failure=None)
        except Skipped as skipped:
            return replace(self._last, failure=None, head=skipped.detail.encode())
        except Failed as failed:
            return _failed(self._last, failed)
        except Exception as error:
            if not self._last.sent:
                raise
            raise CutShort(self._last) from error
        finally:
            steps.close()
        return self._last

    async def _step(self, step: Step) -> bool:
        """Whether there is a reply to go on with."""
        if not isinstance(step, Call):
            await self._keep(step)
            return True
        seconds = self._ends_at - asyncio.get_running_loop().time()
        headers = {"content-type": step.content_type, **step.headers} if step.body else step.headers
        answer = await self._client.ask(
            Request(step.method, step.url, headers, step.body, has_id=False, has_secrets=True),
            now=self._now,
            deadline_seconds=max(seconds, LEAST_SECONDS),
            head_bytes=self._reply_bytes,
        )
        self._last = answer.outcome
        if answer.outcome.status is None:
            return False
        headers = {name.lower(): value for name, value in answer.headers.items()}
        self._reply = Reply(answer.outcome.status, headers, answer.outcome.head)
        return True


def _failed(last: Outcome, failed: Failed) -> Outcome:
    waits = [seconds for seconds in (last.retry_after_seconds, failed.wait_seconds) if seconds is not None]
    return replace(
        last,
        failure=failed.failure,
        retry_after_seconds=max(waits, default=None),
        head=last.head if last.status else failed.detail.encode(),
    )
