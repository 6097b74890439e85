from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.survey.scanner import FlagReason, Hit, ScannerRules, is_program, suspicion

RULES = ScannerRules()
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
MAILED = NOON - timedelta(hours=1)


def at(seconds: float, *, linked: int | None = None, sent: int | None = None, is_program: bool = False) -> Hit:
    return Hit(NOON + timedelta(seconds=seconds), linked, sent, is_program)


def judged(*hits: Hit, mailed_at: datetime | None = MAILED, rules: ScannerRules = RULES) -> FlagReason | None:
    return suspicion(hits, rules=rules, mailed_at=mailed_at)


def test_somebody_who_follows_one_link_and_sends_is_a_person() -> None:
    assert judged(at(0, linked=9), at(5, linked=9, sent=9), at(40, sent=8)) is None


def test_two_links_of_one_mail_within_a_minute_are_a_scanner() -> None:
    assert judged(at(0, linked=0), at(60, linked=1)) is FlagReason.MANY_LINKS
    assert judged(at(0, linked=0), at(61, linked=1)) is None
    assert judged(at(0, linked=4), at(1, linked=4)) is None


def test_what_a_scanner_followed_long_ago_says_nothing_of_an_answer_now() -> None:
    followed = [at(-3600 + score, linked=score) for score in range(11)]
    assert judged(*followed, at(0, linked=9), at(3, linked=9, sent=9)) is None


def test_one_may_think_again_once_but_not_twice_within_a_minute() -> None:
    assert judged(at(0, sent=9), at(20, sent=3)) is None
    assert judged(at(0, sent=9), at(20, sent=3), at(40, sent=4)) is FlagReason.MANY_SCORES


def test_nobody_answers_before_they_can_have_read_the_mail() -> None:
    assert judged(at(9.9, sent=9), mailed_at=NOON) is FlagReason.TOO_SOON
    assert judged(at(10, sent=9), mailed_at=NOON) is None
    assert judged(at(1, linked=9), at(30, linked=9, sent=9), mailed_at=NOON) is FlagReason.TOO_SOON
    assert judged(at(1, sent=9), mailed_at=None) is None


def test_a_program_that_says_so_is_believed() -> None:
    assert judged(at(0, linked=9, is_program=True)) is FlagReason.PROGRAM
    assert judged(at(0, linked=9, is_program=True), at(9, linked=9)) is None


def test_whoever_goes_where_no_person_can_is_a_program_for_a_minute() -> None:
    trapped = Hit(NOON, is_in_honeypot=True)
    assert judged(trapped) is FlagReason.HONEYPOT
    assert judged(at(0, linked=1), trapped, at(60, linked=2)) is FlagReason.HONEYPOT
    assert judged(trapped, at(61, linked=9)) is None


def test_thresholds_can_be_set() -> None:
    lax = ScannerRules(timedelta(seconds=1), timedelta(0), 12, 12)
    assert judged(*(at(score / 10, linked=score, sent=score) for score in range(11)), rules=lax) is None


@given(st.lists(st.integers(0, 3600), min_size=2, max_size=11))
def test_eleven_links_in_any_minute_are_always_noticed(seconds: list[int]) -> None:
    hits = [at(second, linked=score) for score, second in enumerate(sorted(seconds))]
    found = [judged(*hits[: place + 1]) for place in range(len(hits))]
    close = [after.at - before.at <= RULES.window for before, after in pairwise(hits)]
    assert [reason is FlagReason.MANY_LINKS for reason in found[1:]] == close


@pytest.mark.parametrize(
    "agent",
    [
        "", "  ", "curl/8.5", "python-httpx/0.28", "Mozilla/5.0 (compatible; bingbot/2.0)", "BarracudaCentral",
        "Mozilla/5.0 (X11) AppleWebKit/537.36 HeadlessChrome/120.0", "SkypeUriPreview Preview/0.5",
        "Mozilla/5.0 (compatible; Mimecast)", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    ],
)  # fmt: skip
def test_programs_are_known_by_what_they_say(agent: str) -> None:
    assert is_program(agent)


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile Safari/604.1",
        "Mozilla/5.0 (Linux; Android 9; CUBOT X19) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36",
        "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Lynx/2.9.0",
    ],
)  # fmt: skip
def test_browsers_are_not_taken_for_programs(agent: str) -> None:
    assert not is_program(agent)
