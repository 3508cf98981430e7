"""
The commits' subjects, each within what `git log --oneline` shows whole.

    python -m tests.commit_subjects [FILE]

`make lint` runs this over the history, as far as the clone has it; git over the message in FILE, when pre-commit's
hooks are installed. Exits with what is too long.
"""

import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

LONGEST = 72
"""Characters of a subject."""
SINCE = "2026-11-28T10:30:00Z"
"""Commits before this were made before subjects were looked at."""


def too_long(subjects: Iterable[str]) -> list[str]:
    """Those that are, each with its length."""
    return [f"{len(one)} characters, not {LONGEST}: {one}" for one in subjects if len(one) > LONGEST]


def history(repository: Path) -> list[str]:
    """The subjects of the commits that are looked at: none where there is no history, as in an sdist."""
    if not (repository / ".git").exists():
        return []
    log = ("git", "-C", str(repository), "log", "--no-merges", f"--since={SINCE}", "--format=%s")
    return subprocess.run(log, capture_output=True, encoding="utf-8", check=True).stdout.splitlines()


def main(arguments: Sequence[str]) -> None:
    """Look at the message in the file that is named, or at the history."""
    if arguments:
        subjects = Path(arguments[0]).read_text(encoding="utf-8").splitlines()[:1]
    else:
        subjects = history(Path(__file__).parents[1])
    if found := too_long(subjects):
        sys.exit("\n".join(found))


if __name__ == "__main__":
    main(sys.argv[1:])
