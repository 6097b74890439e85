"""What a letter reads like."""

from app.domain.letter import Letter


def plain_text_of(letter: Letter) -> str:
    links = "\n".join(f"{score}: {letter.score_url(score)}" for score in letter.metric.scores)
    parts = (letter.intro, letter.question, links, letter.reason, letter.postal_address, letter.unsubscribe_url)
    return "\n\n".join(part for part in parts if part) + "\n"
