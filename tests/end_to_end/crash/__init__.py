"""Kill -9 under load, and count.

Clients post, amend, exclude and delete answers; the API, the worker and PostgreSQL are killed at random moments and
started again; clients repeat what went unanswered. When it is quiet, what clients were told, what the database holds
and what the receiver got are compared.

    python -m tests.end_to_end.crash --kills 1000 [--seed N] [--minutes 60]

A process's death is what is tested, not the machine's: PostgreSQL runs with fsync off, since what a dead process has
written is in the kernel's hands, but with synchronous_commit on (a commit is written before it is told) and with
full_page_writes on (kill -9 can cut a page in two).
"""
