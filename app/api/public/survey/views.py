"""What the pages of a link show, ready for their templates."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

from markupsafe import Markup

from app.api.public.survey.opened import Opened, number_of
from app.api.public.survey.words import name_of, words_for
from app.domain.scores.metric import Band, MetricKey
from app.domain.survey.answers import LONGEST_ANSWER
from app.domain.survey.merge_fields import fill, merge_values
from app.domain.survey.questions import Answer, Question, Texts
from app.domain.survey.survey_link import Confirmation, LinkState, Sign, masked_email


def round_view(opened: Opened, *, chosen: int | None = None) -> dict[str, Any]:
    """What stands under every page. The score that was `chosen` outlives another language."""
    link, language = opened.link, opened.language
    words = words_for(language)
    kept = ({"score": chosen} if chosen is not None else {}) | opened.carried
    return {
        "language": language,
        "words_language": words.language,
        "words_direction": words.direction,
        "brand": opened.brand.name,
        "privacy_url": opened.brand.privacy_url,
        "is_test": link.mode == "test",
        "is_anonymous": link.is_anonymous,
        "who": who(opened),
        "not_me_path": at(opened, "not-me"),
        "leave_path": opened.leave_path,
        "languages": [
            {"tag": tag, "name": name_of(tag), "path": f"{opened.path}?{urlencode({'lang': tag, **kept})}",
             "is_shown": tag == language}
            for tag in link.survey.languages
        ],
    }  # fmt: skip


def ask_view(opened: Opened, *, chosen: int | None, wrong: str = "", comment: str = "") -> dict[str, Any]:
    """`wrong` says what is, when a form comes back."""
    words, answered = words_for(opened.language).texts, opened.link.answered
    kind = opened.metric.key.value
    lowest, highest = _ends(opened)
    is_answered = opened.state is LinkState.ANSWERED and answered is not None
    return round_view(opened, chosen=chosen) | {
        "question": question_of(opened),
        "kind": kind,
        "cells": _cells(opened, lowest, highest),
        "lowest_label": "" if kind == MetricKey.THUMBS else lowest,
        "highest_label": "" if kind == MetricKey.THUMBS else highest,
        "chosen": chosen,
        "saved": words["answered_text" if kind == MetricKey.THUMBS else "saved"],
        "wrong": wrong,
        "status": _status(opened, words) if is_answered else "",
        "follow_ups": _follow_ups(opened, words["comment"]),
        "comment": comment,
        "has_comment": is_answered and answered is not None and answered.has_comment,
        "longest_comment": LONGEST_ANSWER,
        "may_contact": bool(answered and answered.may_contact),
        "is_auto": opened.confirmation is Confirmation.AUTO,
        "is_open": opened.state is LinkState.OPEN,
        "at": number_of(opened, Sign.SEND),
    }


def more_view(opened: Opened, questions: Sequence[Question], missing: Sequence[str] = ()) -> dict[str, Any]:
    answers = opened.link.answered.answers if opened.link.answered else {}
    shown = [_question(opened, one, answers.get(one.id), is_wrong=one.id in missing) for one in questions]
    words, is_any_required = words_for(opened.language).texts, any(one.is_required for one in questions)
    return round_view(opened) | {
        "title": words["more_required" if is_any_required else "more"],
        "questions": shown,
        "is_any_required": is_any_required,
        "focused": missing[0] if missing else "",
        "action": f"{opened.path}?{urlencode(opened.carried)}" if opened.carried else opened.path,
        "skip_path": at(opened, "thanks"),
    }


def thanks_view(opened: Opened) -> dict[str, Any]:
    answered = opened.link.answered
    assert answered is not None
    said = opened.link.survey.thank_you.get(opened.metric.band_for(answered.score), {}).get(opened.language)
    return round_view(opened) | {
        "text": filled(opened, said.text) if said else "",
        "link": said.link if said else None,
        "link_host": (urlsplit(said.link).hostname or "").removeprefix("www.") if said and said.link else "",
        "share_text": filled(opened, said.share_text) if said and said.share_text else "",
        "change_path": at(opened, "change"),
    }


def at(opened: Opened, what: str) -> str:
    return f"{opened.path}?{urlencode({'lang': opened.language, **opened.carried})}&{what}"


def who(opened: Opened) -> Markup:
    """As much of their address as only they can complete; nothing, where there is none. From left to right, whatever
    stands round it.
    """
    return Markup("<bdi>{}</bdi>").format(masked_email(opened.link.email)) if opened.link.email else Markup()


def question_of(opened: Opened) -> str:
    """The variant's own, if it has one in this language."""
    variants = opened.link.asking.get("variants") or ()
    own = next((one.get("question") or {} for one in variants if one.get("key") == opened.link.variant), {})
    return text_of(opened, own) or text_of(opened, opened.link.survey.question)


def text_of(opened: Opened, texts: Texts) -> str:
    return filled(opened, texts.get(opened.language, ""))


def filled(opened: Opened, text: str) -> str:
    """Whoever is anonymous is not called by name."""
    link = opened.link
    if link.is_anonymous:
        return fill(text, merge_values(brand=opened.brand.name))
    named = {"name": link.name, "account": link.account_name, "brand": opened.brand.name}
    return fill(text, merge_values(**named, properties=link.properties))


def said_of(opened: Opened, score: int) -> str:
    """That this is the answer, in the words that were pressed."""
    return words_for(opened.language).texts["answered_text"].format(score=_label(opened, score))


def _cells(opened: Opened, lowest: str, highest: str) -> list[dict[str, Any]]:
    scores = opened.metric.scores
    ends = {scores[0]: lowest, scores[-1]: highest}
    return [
        {"value": score, "label": _label(opened, score), "band": opened.metric.band_for(score).value,
         "extra": ends.get(score, "")}
        for score in scores
    ]  # fmt: skip


def _label(opened: Opened, score: int) -> str:
    match opened.metric.key:
        case MetricKey.STARS:
            return words_for(opened.language).texts["stars"].format(count=score)
        case MetricKey.THUMBS:
            lowest, highest = _ends(opened)
            return lowest if score == opened.metric.lowest else highest
        case _:
            return str(score)


def _ends(opened: Opened) -> tuple[str, str]:
    """What the lowest and the highest score mean."""
    words, kind, survey = words_for(opened.language).texts, opened.metric.key.value, opened.link.survey
    lowest = text_of(opened, survey.lowest_label) or words.get(f"lowest_{kind}", "")
    return lowest, text_of(opened, survey.highest_label) or words.get(f"highest_{kind}", "")


def _follow_ups(opened: Opened, plain: str) -> dict[str, str]:
    """By band, and for whoever has not chosen yet. The style sheet shows the right one, with or without a script."""
    follow_up = opened.link.survey.follow_up
    return {band.value: text_of(opened, follow_up.get(band, {})) or plain for band in Band} | {"none": plain}


def _status(opened: Opened, words: Mapping[str, str]) -> str:
    answered = opened.link.answered
    assert answered is not None
    kept = f" {words['kept']}" if answered.has_comment else ""
    return said_of(opened, answered.score) + kept


def _question(opened: Opened, question: Question, answer: Answer, *, is_wrong: bool) -> dict[str, Any]:
    given = answer if isinstance(answer, list) else [answer]
    scale = question.scale
    return {
        "id": question.id,
        "kind": question.kind.value,
        "text": text_of(opened, question.text),
        "is_required": question.is_required,
        "is_wrong": is_wrong,
        "answer": answer,
        "options": [
            {"id": option.id, "text": text_of(opened, option.text), "is_chosen": option.id in given}
            for option in question.options
        ],
        "steps": list(scale.values) if scale else [],
        "lowest_label": text_of(opened, scale.lowest_label) if scale else "",
        "highest_label": text_of(opened, scale.highest_label) if scale else "",
    }
