"""What holds for every text of a survey, in every language."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from app.domain.pointer import json_pointer
from app.domain.survey.merge_fields import merge_field_faults

LONGEST_TEXT = 1_000  # characters


@dataclass(frozen=True, slots=True)
class Fault:
    """`pointer` is a JSON pointer into the survey."""

    pointer: str
    detail: str


def text_faults(
    texts: Mapping[str, str], pointer: str, languages: Collection[str], *, longest: int = LONGEST_TEXT
) -> Iterator[Fault]:
    """`texts` by language."""
    for language, text in texts.items():
        where = pointer + json_pointer(language)
        if language not in languages:
            yield Fault(where, f"{language} is not one of the survey's languages.")
        if not text.strip():
            yield Fault(where, "The text is empty; leave it out instead.")
        if len(text) > longest:
            yield Fault(where, f"The text has at most {longest} characters.")
        for detail in merge_field_faults(text):
            yield Fault(where, detail)
        if any(ord(letter) < 32 and letter not in "\n\t" for letter in text):
            yield Fault(where, "The text holds a control character.")
