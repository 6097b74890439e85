"""What people read, in the same words wherever they read it. Escaping is each connector's own business."""

from collections.abc import Iterator
from dataclasses import replace
from html import escape
from urllib.parse import quote

from app.domain.connectors.story import SHOWN_PROPERTIES, Story
from app.domain.follow_up import FollowUpState
from app.domain.scores.metric import Band

COLOURS = {Band.PROMOTER: 0x1A7F4B, Band.PASSIVE: 0x9A6B00, Band.DETRACTOR: 0xB42318}
SIGNS = {
    Band.PROMOTER: "\N{LARGE GREEN CIRCLE}",
    Band.PASSIVE: "\N{LARGE YELLOW CIRCLE}",
    Band.DETRACTOR: "\N{LARGE RED CIRCLE}",
}
TEST_TITLE = "This is a test from Zeroten"
TEST_TEXT = "Answers will show up here. Nobody answered anything just now."
ELLIPSIS = "…"


def headline(story: Story) -> str:
    """Such as `Detractor: 3 of 10`."""
    return f"{story.band.value.capitalize()}: {story.score} of {story.best_score}"


def correction(story: Story) -> str | None:
    """Such as `Was 3, now 9`; none of an answer that is as it was."""
    if story.previous_score is None or story.previous_score == story.score:
        return None
    return f"Was {story.previous_score}, now {story.score}"


def with_its_past(story: Story) -> Story:
    """For what is told in place of what was told before: that it moved is still true when something else changes."""
    before = story.background.score_before
    is_old_news = story.previous_score in {None, story.score} and before is not None
    return replace(story, previous_score=before) if is_old_news else story


def summary(story: Story) -> str:
    """One line that says it all, for notifications."""
    account = f" ({story.background.account})" if story.background.account else ""
    corrected = correction(story)
    change = f" {corrected}." if corrected else ""
    test = "" if story.is_live else "[Test] "
    return f"{test}{headline(story)} from {story.who}{account}.{change}"


def facts(story: Story) -> Iterator[tuple[str, str]]:
    """(label, text), in reading order; what is not known is left out."""
    background, person = story.background, story.person
    yield "Who", _who(story)
    if background.account:
        owner = f", looked after by {background.account_owner}" if background.account_owner else ""
        yield "Account", f"{background.account}{owner}"
    for name in SHOWN_PROPERTIES:
        if person and person.properties.get(name) not in {None, ""}:
            yield name.capitalize(), str(person.properties[name])
    if corrected := correction(story):
        yield "Changed", corrected
    if background.last_score is not None:
        yield "Last time", f"{background.last_score} of {story.best_score}"
    yield "Campaign", story.campaign
    if story.occasion:
        yield "Occasion", story.occasion


def lines(story: Story, *, template: str | None) -> Iterator[str]:
    """The whole story as plain text, for notes and tickets."""
    yield headline(story)
    if story.comment:
        yield f"“{story.comment}”"
    yield from (f"{label}: {text}" for label, text in facts(story))
    if url := link(story, template):
        yield url


def html(story: Story, *, template: str | None, most: int) -> str:
    """The same for those who show HTML."""
    return "<br>".join(escape(cut(line, most)).replace("\n", "<br>") for line in lines(story, template=template))


def followed(story: Story) -> str | None:
    """Such as `Resolved by olga`; none while nobody looks after it."""
    follow_up = story.background.follow_up
    if follow_up is None:
        return None
    if follow_up.state is FollowUpState.RESOLVED:
        return f"Resolved by {follow_up.changed_by}"
    return f"{follow_up.owner} looks after this"


def _who(story: Story) -> str:
    person = story.person
    if person and person.name and person.email:
        return f"{person.name} ({person.email})"
    return story.who


def cut(text: str, limit: int) -> str:
    """At most `limit` characters, the last of them an ellipsis where something is missing."""
    return text if len(text) <= limit else text[: limit - len(ELLIPSIS)] + ELLIPSIS


def cut_utf16(text: str, limit: int) -> str:
    """The same where a character outside the basic plane counts as two."""
    if len(text.encode("utf-16-le")) // 2 <= limit:
        return text
    kept = text.encode("utf-16-le")[: 2 * (limit - len(ELLIPSIS))]
    return kept.decode("utf-16-le", errors="ignore") + ELLIPSIS


def link(story: Story, template: str | None) -> str | None:
    """Where to go on, with what is known of the answer filled in; none if something in it is not known."""
    if template is None:
        return None
    person = story.person
    known = {
        "response_id": story.response_id,
        "campaign_id": story.campaign_id,
        "recipient_id": person.id if person else None,
        "external_id": person.external_id if person else None,
        "email": person.email if person else None,
    }
    url = template
    for name, value in known.items():
        if f"{{{name}}}" in url:
            if not value:
                return None
            url = url.replace(f"{{{name}}}", quote(value, safe=""))
    return url
