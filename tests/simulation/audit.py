"""Was every promise kept? Each check looks at what left and at how things stand, and knows none of the code behind it.

Answers are lists of what is wrong, so that a failing test shows examples.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.domain.asking.invitation import MessageKind
from app.domain.campaign import CampaignMove
from tests.simulation.campaigns import CAMPAIGNS, HOME, PAUSED, QUARANTINE_DAYS, START
from tests.simulation.run import LONGEST_TICK, Record, is_stopped
from tests.simulation.workers import Mail
from tests.simulation.world import Someone

ASKING = {planned.name: planned.asking for planned in CAMPAIGNS}
BEGINS = {planned.name: START + planned.after for planned in CAMPAIGNS}
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ENDED = {"sent", "answered", "expired", "skipped", "unknown", "failed", "released"}
Wrong = list[Any]


def campaign_of(record: Record, mail: Mail) -> str:
    return record.world.names[mail.campaign_id]


def asked_too_soon(record: Record) -> Wrong:
    """Pairs of first mails to one person that are nearer than the later one's campaign allows."""
    firsts: dict[Any, list[Mail]] = defaultdict(list)
    for mail in record.mails:
        if mail.kind is MessageKind.FIRST:
            firsts[mail.recipient_id].append(mail)
    return [fault for mails in firsts.values() for fault in _too_soon(record, sorted(mails, key=lambda one: one.at))]


def _too_soon(record: Record, mails: Sequence[Mail]) -> Iterator[Any]:
    for place, mail in enumerate(mails):
        asking = ASKING[campaign_of(record, mail)]
        quarantine = timedelta(days=asking.get("quarantine_days", QUARANTINE_DAYS))
        journey = asking.get("journey")
        for other in mails[:place]:
            theirs = ASKING[campaign_of(record, other)].get("journey")
            same = journey is not None and theirs == journey
            least = timedelta(hours=journey["least_gap_hours"]) if same else quarantine
            if mail.at - other.at < least:
                yield campaign_of(record, other), other.at, campaign_of(record, mail), mail.at
        if journey is not None:
            inside = [one for one in mails[: place + 1] if ASKING[campaign_of(record, one)].get("journey") == journey]
            recent = [one for one in inside if mail.at - one.at < quarantine]
            if len(recent) > journey["most_per_person"]:
                yield "too often in the journey", mail


def outside_windows(record: Record) -> Wrong:
    return [mail for mail in record.mails if not _is_allowed(record, mail)]


def _is_allowed(record: Record, mail: Mail) -> bool:
    asking, person = ASKING[campaign_of(record, mail)], record.world.people[mail.recipient_id]
    is_open = _is_open(asking, mail.at.astimezone(ZoneInfo(person.zone or HOME)))
    return is_open and not _is_dark_for(asking, person, mail.at)


def _is_open(asking: Mapping[str, Any], local: datetime) -> bool:
    window = asking.get("window", {})
    begins, ends = (time.fromisoformat(window.get(name, "00:00")) for name in ("from", "until"))
    day, clock = local.date(), local.time()
    if begins < ends:
        is_open = begins <= clock < ends
    else:
        is_open = clock >= begins or clock < ends
        day -= timedelta(days=0 if clock >= begins else 1)
    return (
        is_open
        and DAYS[day.weekday()] in window.get("days", DAYS)
        and day.isoformat() not in window.get("holidays", ())
    )


def _is_dark_for(asking: Mapping[str, Any], person: Someone, at: datetime) -> bool:
    return any(_is_dark(one, person.plan, at) for one in asking.get("blackouts", ()))


def _is_dark(blackout: dict[str, Any], plan: str, at: datetime) -> bool:
    audience = blackout.get("audience")
    holds = audience is None or audience["eq"] == plan
    return holds and datetime.fromisoformat(blackout["from"]) <= at < datetime.fromisoformat(blackout["until"])


def sent_twice(record: Record) -> Wrong:
    mails = Counter((mail.invitation_id, mail.kind, mail.number) for mail in record.mails)
    return [key for key, times in mails.items() if times > 1]


def sent_to_who_had_answered_or_left(record: Record) -> Wrong:
    world = record.world
    gone = [mail for mail in record.mails if mail.at > world.unsubscribed_at.get(mail.recipient_id, mail.at)]
    return gone + [mail for mail in record.mails if mail.at > world.answered_at.get(mail.invitation_id, mail.at)]


def sent_while_paused(record: Record) -> Wrong:
    paused_at, resumed_at = (record.world.moved_at[move] for move in (CampaignMove.PAUSE, CampaignMove.RESUME))
    return [mail for mail in record.mails if campaign_of(record, mail) == PAUSED and paused_at < mail.at < resumed_at]


def reminders_out_of_order(record: Record) -> Wrong:
    """Each after its days, no more than there are, none nearer to the one before than it was meant to be."""
    wrong: Wrong = []
    mails: dict[Any, list[Mail]] = defaultdict(list)
    for mail in sorted(record.mails, key=lambda one: one.at):
        mails[mail.invitation_id].append(mail)
    asked_at = {row["id"]: row["asked_at"] for row in record.invitations}
    for invitation_id, sent in mails.items():
        days = [one["after_days"] for one in ASKING[campaign_of(record, sent[0])].get("reminders", ())]
        for mail in sent:
            if mail.kind is MessageKind.REMINDER:
                late_enough = mail.number <= len(days) and mail.at - asked_at[invitation_id] >= timedelta(
                    days=days[mail.number - 1]
                )
                wrong += [] if late_enough else [(mail, asked_at[invitation_id])]
        wrong += [
            (one, other)
            for one, other in pairwise(sent)
            if other.at - one.at < timedelta(days=1) or other.number <= one.number
        ]
    return wrong


def faster_than_allowed(record: Record) -> Wrong:
    """In any sixty minutes, or on any day of a warm-up."""
    wrong: Wrong = []
    for name, asking in ASKING.items():
        pace = asking.get("pace", {})
        mails = sorted((mail for mail in record.mails if campaign_of(record, mail) == name), key=lambda one: one.at)
        wrong += _beyond([mail.at for mail in mails], pace.get("per_hour"))
        for domain in {mail.domain for mail in mails}:
            wrong += _beyond([mail.at for mail in mails if mail.domain == domain], pace.get("per_domain_per_hour"))
        if "warm_up" in pace:
            days = Counter(mail.at.astimezone(ZoneInfo(HOME)).date() for mail in mails)
            caps = (pace["warm_up"]["first_day"] * pace["warm_up"]["growth"] ** day for day in range(len(days)))
            wrong += [day for day, cap in zip(sorted(days), caps, strict=True) if days[day] > cap]
    return wrong


def _beyond(instants: Sequence[datetime], cap: int | None) -> Wrong:
    if cap is None:
        return []
    hour = timedelta(hours=1)
    return [at for place, at in enumerate(instants[cap:]) if at - instants[place] < hour]


def forgotten(record: Record) -> Wrong:
    """What is due and was neither sent nor skipped, or waits for nothing; a pace lets nothing wait for an hour."""
    wrong: Wrong = [
        row for row in record.invitations
        if row["claim_id"] is not None or (row["due_at"] is None and row["state"] not in ENDED)
        or (row["due_at"] is not None and row["due_at"] <= record.ended_at and not _is_paced(record, row))
    ]  # fmt: skip
    return wrong


def _is_paced(record: Record, row: Mapping[str, Any]) -> bool:
    looked_at = row["looked_at_next"] or record.ended_at
    is_soon = record.ended_at < looked_at <= record.ended_at + timedelta(hours=1)
    return is_soon and "pace" in ASKING[record.world.names[row["campaign_id"]]]


def told_wrongly(record: Record) -> Wrong:
    """States against what left: sent means that a mail left, and what left is nowhere said not to have."""
    left = {mail.invitation_id for mail in record.mails}
    by_state = {"sent": True, "answered": True, "skipped": False, "released": False, "planned": False, "failed": False}
    return [
        (row["state"], row["id"]) for row in record.invitations
        if row["state"] in by_state and (row["id"] in left) != by_state[row["state"]]
    ]  # fmt: skip


def quarantines_begun_wrongly(record: Record) -> Wrong:
    """Of people to whom no mail left or may have left, none may be held for having been asked."""
    asked = {mail.recipient_id for mail in record.mails}
    asked |= {row["recipient_id"] for row in record.invitations if row["state"] == "unknown"}
    asked |= {row["recipient_id"] for row in record.invitations if row["state"] == "expired"}
    return [row["recipient_id"] for row in record.invitations if row["asked_at"] and row["recipient_id"] not in asked]


def left_out_of_waves(record: Record) -> Wrong:
    """Everybody whom a wave is for has an invitation of it."""
    wrong: Wrong = []
    has = Counter((row["campaign_id"], row["wave"], row["recipient_id"]) for row in record.invitations)
    gone = record.world.unsubscribed_at | record.world.bounced_at
    for wave in record.waves:
        name, place = record.world.names[wave["campaign_id"]], (wave["campaign_id"], wave["number"])
        audience = ASKING[name].get("audience")
        for person in record.world.people.values():
            is_meant = audience is None or person.plan in audience["in"]
            was_gone = gone.get(person.id, record.ended_at) <= wave["created_at"]
            if is_meant and not was_gone and has[*place, person.id] != 1:
                wrong.append((name, wave["number"], person, has[*place, person.id]))
    return wrong


def waves_amiss(record: Record) -> Wrong:
    """Each begins when the calendar says; of those missed during the stop only the last was opened."""
    wrong: Wrong = []
    for name, unit_days in (("relationship", None), ("pulse", 21), ("launch", 0)):
        starts = sorted(
            wave["starts_at"].astimezone(ZoneInfo(HOME))
            for wave in record.waves if record.world.names[wave["campaign_id"]] == name
        )  # fmt: skip
        begins = BEGINS[name].astimezone(ZoneInfo(HOME))
        expected = list(_calendar(begins, unit_days, until=record.ended_at))
        missing = [day for day in expected if day not in [start.date() for start in starts]]
        extra = [start for start in starts if start.date() not in expected or start.time() != begins.time()]
        wrong += [(name, "extra", start) for start in extra] + [(name, "missing", day) for day in missing]
    return wrong


def closed_though_open(record: Record) -> Wrong:
    """Whoever was free to be asked is not told that no hour was open, if one was in the time of their wave.

    Where a pace let people come too late, many of these waited for it, or for a campaign that did.
    """
    crowded = _crowded_waves(record)
    waves = {(wave["campaign_id"], wave["number"]): wave for wave in record.waves}
    asked = _asked_instants(record)
    wrong: Wrong = []
    for row in record.invitations:
        if row["skip_reason"] == "window" and row["wave"]:
            wave, name = waves[row["campaign_id"], row["wave"]], record.world.names[row["campaign_id"]]
            person = record.world.people[row["recipient_id"]]
            quarantine = timedelta(days=ASKING[name].get("quarantine_days", QUARANTINE_DAYS))
            free_at = max((at + quarantine for at in asked[person.id] if at < wave["ends_at"]), default=START)
            begins = max(free_at, wave["created_at"]) + LONGEST_TICK
            was_held_up = is_stopped(wave["ends_at"]) or any(
                one["starts_at"] < wave["ends_at"] and wave["starts_at"] < one["ends_at"] for one in crowded
            )
            if not was_held_up and _opens(ASKING[name], person, begins, wave["ends_at"]):
                wrong.append((name, row["wave"], person, begins, wave["ends_at"]))
    return wrong


def _crowded_waves(record: Record) -> list[Mapping[str, Any]]:
    """Of which some were left over; where a wave ends on a closed day, they are told that no hour was open."""
    reasons = {"too_late", "window"}
    late = {(row["campaign_id"], row["wave"]) for row in record.invitations if row["skip_reason"] in reasons}
    paced = [wave for wave in record.waves if "pace" in ASKING[record.world.names[wave["campaign_id"]]]]
    return [wave for wave in paced if (wave["campaign_id"], wave["number"]) in late]


def _asked_instants(record: Record) -> Mapping[UUID, list[datetime]]:
    asked: dict[UUID, list[datetime]] = defaultdict(list)
    for mail in record.mails:
        asked[mail.recipient_id].append(mail.at)
    for row in record.invitations:
        if row["asked_at"] is not None:  # perhaps
            asked[row["recipient_id"]].append(row["asked_at"])
    return asked


def _opens(asking: Mapping[str, Any], person: Someone, begins: datetime, ends: datetime) -> bool:
    zone, at = ZoneInfo(person.zone or HOME), begins
    while at < ends:
        if _is_open(asking, at.astimezone(zone)) and not _is_dark_for(asking, person, at):
            return True
        at += timedelta(minutes=20)
    return False


def _calendar(begins: datetime, unit_days: int | None, *, until: datetime) -> Iterator[date]:
    """Every month on the 16th, every so many days, or once."""
    day = begins.date()
    while datetime.combine(day, begins.time(), begins.tzinfo) < until:
        yield day
        if unit_days == 0:
            return
        if unit_days is None:
            day = date(day.year + day.month // 12, day.month % 12 + 1, day.day)
        else:
            day += timedelta(days=unit_days)


def orders_amiss(record: Record) -> Wrong:
    """Each is asked about in both campaigns, or it is said why not; in time, and not when it was sent back."""
    told = {row["id"]: row for row in record.touchpoints}
    about = Counter((record.world.names[row["campaign_id"]], row["touchpoint_id"]) for row in record.invitations)
    wrong: Wrong = [(name, key) for key in told for name in ("order", "habit") if about[name, key] != 1]
    slots = {row["id"]: told[row["touchpoint_id"]] for row in record.invitations if row["touchpoint_id"]}
    for mail in record.mails:
        if mail.invitation_id in slots:
            trigger, order = ASKING[campaign_of(record, mail)]["trigger"], slots[mail.invitation_id]
            due_at = order["occurred_at"] + timedelta(minutes=trigger["delay_minutes"])
            in_time = (
                due_at <= mail.at < _opened_at(record, mail, due_at) + timedelta(hours=trigger["max_lateness_hours"])
            )
            returned_at = record.world.returned_at.get(order["external_id"], mail.at)
            wrong += [] if in_time and mail.at <= returned_at else [(mail, due_at, returned_at)]
    return wrong


def _opened_at(record: Record, mail: Mail, due_at: datetime) -> datetime:
    """Its window for this person, to the minute."""
    asking, person = ASKING[campaign_of(record, mail)], record.world.people[mail.recipient_id]
    zone, at = ZoneInfo(person.zone or HOME), due_at
    while not _is_open(asking, at.astimezone(zone)):
        at += timedelta(minutes=1)
    return at


def exams_amiss(record: Record) -> Wrong:
    """Asked about the day that was true when the mail left, three days after it and not much later."""
    slots = {row["id"]: date.fromisoformat(row["slot"][-10:]) for row in record.invitations if "date:" in row["slot"]}
    wrong: Wrong = []
    for mail in record.mails:
        if mail.invitation_id in slots and mail.kind is MessageKind.FIRST:
            person, day = record.world.people[mail.recipient_id], slots[mail.invitation_id]
            today = mail.at.astimezone(ZoneInfo(person.zone or HOME)).date()
            known = [said for since, said in record.world.exams[person.id] if since < mail.at]
            at_once = [said for since, said in record.world.exams[person.id] if since == mail.at]  # it raced
            if day.isoformat() not in (known[-1:] + at_once) or not 3 <= (today - day).days < 9:
                wrong.append((mail, day, known))
    return wrong + _exams_missed(record)


def _exams_missed(record: Record) -> Wrong:
    """Whoever's exam came has an invitation about it, unless it was moved to a day too long past."""
    asked = {(row["recipient_id"], row["slot"][-10:]) for row in record.invitations if row["slot"].startswith("date:")}
    wrong: Wrong = []
    for person, said in record.world.exams.items():
        since, day = said[-1]
        due_on = date.fromisoformat(day) + timedelta(days=3)
        came = due_on + timedelta(days=1) < record.ended_at.date() and due_on > START.date()
        if came and since.date() < due_on + timedelta(days=5) and (person, day) not in asked:
            wrong.append((person, said))
    return wrong


def regulars_too_soon(record: Record) -> Wrong:
    """Of a campaign that comes so many days after the last answer or ask; a change of clocks may cost an hour."""
    wrong: Wrong = []
    last: dict[Any, datetime] = {}
    for mail in sorted(record.mails, key=lambda one: one.at):
        if campaign_of(record, mail) == "regulars":
            before = last.get(mail.recipient_id)
            if before is not None and mail.at - before < timedelta(days=25, hours=-1):
                wrong.append((mail, before))
            last[mail.recipient_id] = record.world.answered_at.get(mail.invitation_id, mail.at)
    return wrong


CHECKS = (
    asked_too_soon,
    outside_windows,
    sent_twice,
    sent_to_who_had_answered_or_left,
    sent_while_paused,
    reminders_out_of_order,
    faster_than_allowed,
    forgotten,
    told_wrongly,
    quarantines_begun_wrongly,
    left_out_of_waves,
    waves_amiss,
    closed_though_open,
    orders_amiss,
    exams_amiss,
    regulars_too_soon,
)
