import io
import re

from demo import people


def test_the_sample_is_what_its_generator_makes() -> None:
    made = io.StringIO(newline="")
    people.write(made)
    assert people.FILE.read_text(encoding="utf-8") == made.getvalue()


def test_nobody_in_the_sample_can_be_written_to() -> None:
    rows = people.read()
    assert len(rows) == 3_000
    assert len({row["external_id"] for row in rows}) == len({row["email"] for row in rows}) == 3_000
    assert [
        row["email"] for row in rows if not re.fullmatch(r"[a-z0-9.]+@[a-z0-9.-]+\.example\.test", row["email"])
    ] == []
