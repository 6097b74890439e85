"""What clients were told, to be compared with what is there."""

from collections import Counter
from dataclasses import dataclass, field
from time import monotonic

MOST_TROUBLES = 50  # that are kept; all are counted


@dataclass(slots=True)
class Answer:
    """One answer as its client believes it to stand. `mark` is a property of it that no other answer has."""

    mark: int
    score: int
    comment: str | None = None
    id: str | None = None
    acked_at: float | None = None  # when its client first heard that it is recorded
    is_excluded: bool = False
    is_deleted: bool = False
    revision: int | None = 1  # None: parts of it were in a race, so nobody knows how many counted


@dataclass(slots=True)
class Ledger:
    answers: list[Answer] = field(default_factory=list)
    campaigns: dict[str, str] = field(default_factory=dict)  # ids by name
    acked: int = 0  # acknowledged answers
    changes: int = 0  # acknowledged amendments, exclusions, restorations, deletions
    repeats: int = 0  # requests that had to be sent again
    ack_times: list[float] = field(default_factory=list)
    troubles: Counter[str] = field(default_factory=Counter)  # what no client should ever be told

    def new_answer(self, score: int, comment: str | None = None) -> Answer:
        answer = Answer(len(self.answers), score, comment)
        self.answers.append(answer)
        return answer

    def note_recorded(self, answer: Answer, response_id: str) -> None:
        if answer.id is None:
            answer.id, answer.acked_at = response_id, monotonic()
            self.acked += 1
            self.ack_times.append(answer.acked_at)
        elif answer.id != response_id:
            self.trouble(f"answer {answer.mark} is said to be {answer.id} and {response_id}")

    def note_changed(self, *, revised: bool = True) -> None:
        self.changes += revised
        self.ack_times.append(monotonic())

    def trouble(self, what: str) -> None:
        if len(self.troubles) < MOST_TROUBLES or what in self.troubles:
            self.troubles[what] += 1
        else:
            self.troubles["… and more"] += 1
