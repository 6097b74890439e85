"""The official verifiers accept what we send: ten thousand payloads, with one secret and amid rotations."""

import json
import os
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from uuid import UUID

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from app.clock import utc_now
from app.domain.events import EventType
from app.domain.ids import shown
from app.domain.webhooks.payload import payload, rendered, thinned
from app.domain.webhooks.webhook_secret import new_private_key, new_shared_secret, public_key_of, read_secret
from app.outbound.webhook import headers_for

COUNT, SEED = 10_000, 20_261_122
JAVASCRIPT = Path(__file__).parent / "javascript"
LETTERS = "abc ,.{}[]\"'\\/\n\t<>&\u00e4\u20ac\u2603\u2028\U0001f600\u0000"
MOST_LIVE = 10


@dataclass(frozen=True)
class Sent:
    body: bytes
    headers: dict[str, str]
    keys: list[str]  # as the receiver has them
    strangers: list[str]

    def line(self) -> str:
        return json.dumps({**vars(self), "body": b64encode(self.body).decode()})


def ten_thousand() -> Iterator[Sent]:
    random = Random(SEED)
    shared = [new_shared_secret(random.randbytes(random.randint(24, 64))) for _ in range(50)]
    private = [new_private_key(random.randbytes(32)) for _ in range(10)]
    for _ in range(COUNT):
        live = random.sample(shared, random.choice([1, 1, 2, 3, MOST_LIVE - 2]))
        live += random.sample(private, random.choice([0, 0, 0, 1, 2]))
        random.shuffle(live)
        yield sent(random, live, stranger=random.choice([one for one in shared if one not in live]))


def sent(random: Random, live: list[str], *, stranger: str) -> Sent:
    event_id, body = UUID(int=random.getrandbits(128)), body_of(random)
    headers = headers_for(
        shown("event", event_id),
        timestamp=int(utc_now().timestamp()) + random.randint(-60, 60),
        body=body,
        secrets=[read_secret(secret) for secret in live],
    )
    keys = [secret if secret.startswith("whsec_") else public_key_of(secret) for secret in live]
    return Sent(body, headers, keys, [stranger])


def body_of(random: Random) -> bytes:
    data = json.dumps({"response": anything(random, depth=3)}, ensure_ascii=random.random() < 0.5)
    told = payload(
        UUID(int=random.getrandbits(128)),
        type=random.choice(list(EventType)),
        occurred_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=random.random() * 1e8),
        schema_version=1,
        livemode=random.random() < 0.5,
        workspace_id=UUID(int=random.getrandbits(128)),
        data=thinned(data) if random.random() < 0.1 else data,
    )
    return rendered(told)


def anything(random: Random, *, depth: int) -> object:
    scalars = (None, True, random.randint(-(2**53), 2**53), random.random(), text(random))
    if depth and random.random() < 0.6:
        return {text(random): anything(random, depth=depth - 1) for _ in range(random.randint(0, 4))}
    return random.choice(scalars)


def text(random: Random) -> str:
    return "".join(random.choices(LETTERS, k=random.choice([0, 1, 5, 40])))


def test_pythons_verifier_accepts_ten_thousand_payloads() -> None:
    count = 0
    for one in ten_thousand():
        for key in one.keys:
            if key.startswith("whsec_"):
                assert Webhook(key).verify(one.body, one.headers) == json.loads(one.body)
        with pytest.raises(WebhookVerificationError):
            Webhook(one.strangers[0]).verify(one.body, one.headers)
        count += 1
    assert count == COUNT


@pytest.mark.skipif(
    not ((JAVASCRIPT / "node_modules").is_dir() and shutil.which("node")) and not os.environ.get("CI"),
    reason="`make setup` installs JavaScript's verifier where there are node and npm",
)
def test_javascripts_verifier_accepts_them_too() -> None:
    lines = "\n".join(one.line() for one in ten_thousand())
    done = subprocess.run(
        ["node", "verify.js"], cwd=JAVASCRIPT, input=lines, capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.stdout.strip(), done.stderr) == (str(COUNT), "")
