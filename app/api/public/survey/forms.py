"""What a form of a survey page says, in whatever shape a browser or a program sends it."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import parse_qs

from fastapi import Request

from app.api.problems import Refused
from app.domain.scores.metric import Metric
from app.domain.survey.answers import LONGEST_ANSWER
from app.domain.survey.questions import Answer, Question, QuestionKind
from app.domain.survey.survey_link import Sign

BODY_LIMIT_BYTES = 262_144
MOST_FIELDS = 1_000
_UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")

Form = Mapping[str, list[str]]


async def read_form(request: Request) -> Form:
    """Nothing, if it was sent in any other way than browsers do. Raises `Refused` 413."""
    raw = await request.body()
    if len(raw) > BODY_LIMIT_BYTES:
        raise Refused("body_too_large", f"A form has at most {BODY_LIMIT_BYTES} bytes.")
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/x-www-form-urlencoded":
        return {}
    try:
        return parse_qs(raw.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        return {}


def one(form: Form, name: str) -> str:
    return form.get(name, [""])[-1]


def score_in(text: str | None, metric: Metric) -> int | None:
    """None for whatever is no score of this metric."""
    is_number = text is not None and text.isascii() and text.isdigit() and len(text) <= 2
    return int(text) if is_number and text is not None and int(text) in metric.scores else None


def sign_in(text: str) -> Sign | None:
    return Sign(text) if text in list(Sign) and text != Sign.SEND else None


def text_in(text: str) -> str | None:
    """As it was typed, without what no database or page can hold; None for nothing."""
    plain = _UNWRITABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    return plain[:LONGEST_ANSWER] or None


def written_in(form: Form, questions: Sequence[Question]) -> str:
    """Whatever was typed, in one piece, for its writer to copy where it is not recorded."""
    typed = (f"q-{question.id}" for question in questions if question.kind is QuestionKind.TEXT)
    texts = [text_in(one(form, name)) for name in ("comment", *typed)]
    return "\n\n".join(text for text in texts if text)


def again(now: datetime) -> str:
    """What a form carries that comes back because its first press was doubted."""
    return str(int(now.timestamp() * 1000) + 1)


def asked_again_in(form: Form) -> datetime | None:
    asked_at = _milliseconds(one(form, "again"))
    return datetime.fromtimestamp(asked_at / 1000, UTC) if asked_at is not None else None


def done_at_in(form: Form) -> int | None:
    """When it was done, by the clock of the page; None without its script."""
    return _milliseconds(one(form, "at"))


def _milliseconds(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 13 else None


def answer_in(form: Form, question: Question) -> Answer:
    """What does not fit is as if nothing had been said."""
    given = [value for value in form.get(f"q-{question.id}", ()) if value]
    match question.kind:
        case QuestionKind.TEXT:
            return text_in(given[0]) if given else None
        case QuestionKind.SCALE:
            return _step(given, question)
        case QuestionKind.ONE_OF:
            return given[0] if given and given[0] in question.option_ids else None
        case QuestionKind.MANY_OF:
            return [option for option in question.option_ids if option in given] or None


def _step(given: Sequence[str], question: Question) -> int | None:
    is_number = bool(given) and given[0].isascii() and given[0].isdigit() and len(given[0]) <= 3
    is_step = is_number and question.scale is not None and int(given[0]) in question.scale.values
    return int(given[0]) if is_step else None
