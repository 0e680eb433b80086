"""Files that several processes write."""

import os
import signal

import pytest

from botocore_ext.runtime.files import Replacement, lock_file


def test_a_lock_ends_with_its_block(world):
    path = world / "lock"
    with lock_file(str(path), 0), pytest.raises(TimeoutError), lock_file(str(path), 0):
        pass
    with lock_file(str(path), 0):
        assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_lock_ends_while_a_forked_child_lives(world):
    path, (reading, writing) = str(world / "lock"), os.pipe()
    with lock_file(path, 0):
        pid = os.fork()
        if pid == 0:  # pragma: no cover - coverage does not follow a fork that ends by os._exit
            signal.alarm(60)
            os.read(reading, 1)
            os._exit(0)
    with lock_file(path, 0):
        os.write(writing, b".")
    os.waitpid(pid, 0)
    os.close(reading)
    os.close(writing)


def test_what_is_not_committed_leaves_nothing(world):
    path = world / "file"
    with Replacement(str(path)) as replacement:
        replacement.write("new")
    assert list(world.iterdir()) == []
