"""`s3reclass report --csv` into what is no file."""

import os
import stat
import threading

from tests.end_to_end.conftest import User


# s3reclass report --csv pipe
def test_a_pipe_or_a_device_stays_what_it_is(user: User) -> None:
    """The rows go into it; a report that replaced it would take /dev/null away from the whole machine."""
    user.archives(["a"])
    user.writes("keys.txt", "a\n")
    user.types("s3reclass split keys.txt --lots 1")
    user.types("s3reclass run --phase restore --no-estimate")
    pipe = user.folder / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()

    typed = user.types("s3reclass report --csv pipe")
    reader.join(120)

    assert typed.code == 0, typed.err
    assert [text.split(",")[1] for text in read] == ["a"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
