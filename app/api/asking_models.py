"""Whom a campaign asks, when and how: what callers write. What they read is the same document, all fields filled in."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from app.api.audience_models import AudienceFilter, MostPerAccount, Renewal, Tenure
from app.api.schemas import Flag, Instant, Name, Request, Whole
from app.domain.asking.asking_parts import LONGEST_SUBJECT, LONGEST_TEXT, MOST_VARIANTS, SenderKind
from app.domain.asking.blackouts import MOST_BLACKOUTS
from app.domain.asking.reminders import MOST_REMINDERS
from app.domain.asking.rhythm import Spread, Unit
from app.domain.asking.sending_window import MOST_HOLIDAYS, Weekday
from app.domain.asking.triggers import MOST_CANCELLING
from app.domain.people.properties import LONGEST_KEY
from app.domain.survey.survey_link import Confirmation

Key = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_KEY)]
TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$")]
Day = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
Number = Annotated[int, Field(strict=True)] | Annotated[float, Field(strict=True, allow_inf_nan=False)]
Subjects = dict[str, Annotated[str, StringConstraints(max_length=LONGEST_SUBJECT)]]
Texts = dict[str, Annotated[str, StringConstraints(max_length=LONGEST_TEXT)]]


class OnceTrigger(Request):
    """Once, from the campaign's start."""

    kind: Literal["once"]


class EveryTrigger(Request):
    """Every so many days, weeks or months from the campaign's start, by the workspace's clock: everybody in a wave, or
    each person at their own moment of the period."""

    kind: Literal["every"]
    count: Whole
    unit: Unit
    spread: Spread = Spread.WAVE


class AfterAnswerTrigger(Request):
    """So many days after each person's last answer; who did not answer waits as long from being asked."""

    kind: Literal["after_answer"]
    days: Whole


class TouchpointTrigger(Request):
    """After a touchpoint, unless one that cancels it comes first."""

    kind: Literal["touchpoint"]
    name: Name
    delay_minutes: Whole = 0
    cancelled_by: list[Name] = Field(
        [], max_length=MOST_CANCELLING, description="With an external_id, those cancel the touchpoint of the same one."
    )
    max_lateness_hours: Whole = Field(
        48,
        description="Later than that, nobody is asked any more; counted from when the window is open first, blackouts"
        " left aside.",
    )


class DateTrigger(Request):
    """So many days after a date of the recipient's, or before it where negative. Moving the date moves the mail."""

    kind: Literal["date_property"]
    property: Key = Field(examples=["exam_on"])
    offset_days: Whole = 0
    at: TimeOfDay | None = Field(
        None,
        description="By the recipient's own clock. If left out: when the window opens, and at 09:00 where that has no"
        " hours.",
    )
    max_lateness_days: Whole = 7


class SampleInput(Request):
    """Either a percent, or as many as it takes for a margin of error."""

    percent: Number | None = None
    margin: Number | None = Field(None, description="In points, as of a score.")
    confidence: Number | None = Field(None, description="In percent; 95 if left out.")
    response_rate: Number | None = Field(None, description="In percent, as you expect it; 20 if left out.")


class JourneyInput(Request):
    """Campaigns of the same journey may ask a person within the quarantine, so far apart and so often."""

    name: Name
    least_gap_hours: Whole = 24
    most_per_person: Whole = Field(2, description="Within the length of the quarantine.")


class WindowInput(Request):
    """In the recipient's own time zone; the workspace's where theirs is not known."""

    days: list[Weekday] = Field(list(Weekday), min_length=1, max_length=7)
    from_: TimeOfDay = Field("00:00", alias="from")
    until: TimeOfDay = "24:00"
    holidays: list[Day] = Field([], max_length=MOST_HOLIDAYS)
    best_hour: Flag = Field(default=False, description="Prefer the hour in which most have answered so far.")


class BlackoutInput(Request):
    """Nobody is written to, or nobody of this audience; the clocks of reminders and expiry stand still."""

    from_: Instant = Field(alias="from")
    until: Instant
    audience: AudienceFilter | None = None


class WarmUpInput(Request):
    first_day: Whole
    growth: Number


class PaceInput(Request):
    per_hour: Whole | None = None
    per_domain_per_hour: Whole | None = None
    warm_up: WarmUpInput | None = None


class ReminderInput(Request):
    after_days: Whole


class StopInput(Request):
    """At a number of answers or at a margin of error; with a property, for each of its values by itself."""

    answers: Whole | None = None
    margin: Number | None = None
    property: Key | None = None


class VariantInput(Request):
    key: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    weight: Whole = 1
    question: Texts = Field({})
    subject: Subjects = Field({})


class EmailInput(Request):
    """What is left out comes from the workspace."""

    from_name: Name | None = None
    from_email: Name | None = None
    reply_to: Name | None = None
    sender: SenderKind = SenderKind.WORKSPACE
    subject: Subjects = Field({}, description="By language.")
    intro: Texts = Field({}, description="By language.")
    confirmation: Confirmation = Field(
        Confirmation.AUTO, description="Whether a score clicked in a mail counts at once, or once it was confirmed."
    )


class AskingInput(Request):
    """Replaces the whole; null: the campaign asks nobody by itself."""

    trigger: OnceTrigger | EveryTrigger | AfterAnswerTrigger | TouchpointTrigger | DateTrigger = Field(
        discriminator="kind"
    )
    audience: AudienceFilter | None = None
    exclude_newer_than_days: Tenure | None = None
    sample: SampleInput | None = None
    most_per_account: MostPerAccount | None = None
    hold_renewal_within_days: Renewal | None = None
    hold_open_follow_up: Flag = Field(
        default=False, description="Leaves accounts alone while somebody looks after an answer of theirs."
    )
    quarantine_days: Whole | None = Field(None, description="Null: the workspace's.")
    priority: Whole = Field(0, description="0 to 100. Who is soon asked by a more important campaign is left to it.")
    journey: JourneyInput | None = None
    window: WindowInput = WindowInput()
    blackouts: list[BlackoutInput] = Field([], max_length=MOST_BLACKOUTS)
    wave_days: Whole = Field(14, description="How long a wave waits for people who are not free yet.")
    spread_days: Whole = Field(0, description="Over so many days a wave is spread; 0: all at once, as windows open.")
    pace: PaceInput = PaceInput()
    reminders: list[ReminderInput] = Field([], max_length=MOST_REMINDERS)
    expires_after_days: Whole = 30
    stop: StopInput | None = None
    variants: list[VariantInput] = Field([], max_length=MOST_VARIANTS)
    email: EmailInput = EmailInput()

    def document(self) -> dict[str, Any]:
        """With types checked, as `Asking.from_json` reads it."""
        return self.model_dump(by_alias=True, mode="json")
