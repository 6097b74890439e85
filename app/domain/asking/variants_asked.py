"""What holds for the questions of variants once somebody may have been asked one: their pages ask it still."""

from collections.abc import Sequence

from app.domain.asking.asking import Asking
from app.domain.asking.asking_invalid import AskingInvalid


def check_variants_translated(asking: Asking, languages: Sequence[str]) -> None:
    """A variant asks its own question in every language or in none. Raises AskingInvalid."""
    for place, variant in enumerate(asking.variants):
        lacking = [language for language in languages if variant.question and language not in variant.question]
        if lacking:
            detail = (
                f"Variant {variant.key} has no question in {', '.join(lacking)}: who reads that "
                "language would be asked the survey's own question and be counted as this variant."
            )
            raise AskingInvalid(detail, pointer=f"/asking/variants/{place}/question/{lacking[0]}")


def check_variants_kept(before: Asking | None, after: Asking | None) -> None:
    """Another wording is another variant, or its score would be of both. Raises AskingInvalid."""
    kept = {variant.key: variant.question for variant in (after.variants if after else ())}
    for variant in before.variants if before else ():
        if kept.get(variant.key) != variant.question:
            detail = (
                f"Variant {variant.key} may have been asked: keep it and its question, with `weight` 0 if nobody is "
                "to be asked it any more, and give another question another key."
            )
            raise AskingInvalid(detail, pointer="/asking/variants")
