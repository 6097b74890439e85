import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import environment, zeroten

ANSWERS = "id;Score;comment\n1;10;fine\n2;9;\n3;0;no\n4;11;\n5;abc;\n6;;\n7;7;\n"


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    file = tmp_path / "answers.csv"
    file.write_text(ANSWERS, encoding="utf-8-sig")
    return file


def test_a_file_gives_n_bands_score_and_margin(answers: Path) -> None:
    said = zeroten("nps", str(answers))
    assert said.returncode == 0, said.stderr
    rows = {words[1]: words for line in said.stdout.splitlines() if len(words := line.split()) > 8}
    assert rows["promoters"][3:8:2] == ["9–10", "2", "50.0"]
    assert rows["detractors"][3:8:2] == ["0–6", "1", "25.0"]
    assert "NPS +25.0 ± 58.4   n = 4" in said.stdout
    assert "95 % interval -44.2 to 72.7 (adjusted Wald)" in said.stdout


def test_rows_left_out_are_counted_and_shown(answers: Path) -> None:
    said = zeroten("nps", str(answers)).stdout
    assert "left out: 3 rows" in said
    assert "line 5: out of range '11'" in said
    assert "line 6: not a number 'abc'" in said


def test_column_and_metric_can_be_chosen(answers: Path) -> None:
    said = zeroten("nps", str(answers), "--column", "ID", "--metric", "stars").stdout
    assert "column “id”" in said
    assert "Stars 3.00 ± 1.96   n = 5" in said


def test_a_file_in_the_encoding_of_spreadsheets_is_read(tmp_path: Path) -> None:
    file = tmp_path / "answers.txt"
    file.write_bytes("größe\tscore\nx\t10\ny\t0\n".encode("utf-16"))
    assert "NPS 0.0" in zeroten("nps", str(file)).stdout


def test_standard_input_is_read_for_a_dash() -> None:
    assert "NPS +100.0" in zeroten("nps", "-", given=b"score\n9\n\xff\n").stdout


def test_no_answers_are_no_score() -> None:
    said = zeroten("nps", "-", given=b"score\n")
    assert said.returncode == 0
    assert "NPS: none, since there are no answers" in said.stdout


def test_a_missing_file_is_refused_in_one_line(tmp_path: Path) -> None:
    said = zeroten("nps", str(tmp_path / "nowhere.csv"))
    assert said.returncode == 1
    assert said.stderr == f"zeroten: {tmp_path}/nowhere.csv: No such file or directory\n"


def test_a_missing_column_is_refused_with_those_there_are(answers: Path) -> None:
    said = zeroten("nps", str(answers), "--column", "grade")
    assert said.returncode == 1
    assert "No column is called grade; found: id, Score, comment. Choose one with --column." in said.stderr


def test_neither_web_framework_nor_database_is_loaded(answers: Path) -> None:
    heavy = "{'fastapi', 'starlette', 'uvicorn', 'sqlalchemy', 'asyncpg', 'aiohttp', 'pydantic'}"
    imported = f"import sys; from app.cli import main; main({['nps', str(answers)]!r})"
    program = f"{imported}; sys.exit(bool({heavy} & set(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", program], env=environment(), capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr
