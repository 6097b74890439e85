from app.api.event_models import PAYLOADS
from app.domain.events import EventType
from app.domain.webhooks.template_trial import TRIAL


def test_what_templates_are_tried_on_is_an_event_as_we_send_it() -> None:
    read = PAYLOADS[EventType.RESPONSE_CREATED].model_validate(TRIAL)
    assert set(read.model_dump(mode="json")["data"]["response"]) == set(TRIAL["data"]["response"])
