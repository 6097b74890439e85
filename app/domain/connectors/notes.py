from collections.abc import Callable

from app.domain.connectors.protocol import Call, Made, Remembered, Reply, Steps
from app.domain.connectors.story import Story


def noted(
    story: Story, remembered: Remembered, call: Call, *, expect: Callable[[Reply], None], id_at: tuple[str | int, ...]
) -> Steps:
    """A note for each event, unless it was written. `id_at` is where the reply names it."""
    name = f"note {story.event_id}"
    if remembered.id_of(name) is None:
        reply = yield call
        expect(reply)
        yield Made(name, reply.needed(*id_at), story.revision)
