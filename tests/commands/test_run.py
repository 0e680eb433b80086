"""``botocore-ext run``: a Python program with ``install()``."""

import importlib
import signal
import subprocess
import sys
from pathlib import Path

import botocore
import botocore.session
import pytest

from botocore_ext.__main__ import main
from botocore_ext.commands import run as command
from tests import fakes

WEB = """
[profile web]
role_arn = arn:aws:iam::123456789012:role/Web
web_identity_token = env://GOOGLE_TOKEN
"""
METHOD = "import boto3; print(boto3.Session(profile_name='web').get_credentials().method)"
STARTUP = Path(command.__file__).parent / "startup"


@pytest.fixture(autouse=True)
def _profiles(config, monkeypatch):
    config(WEB)
    monkeypatch.setenv("GOOGLE_TOKEN", fakes.secret("token"))
    monkeypatch.delenv("PYTHONPATH", raising=False)


@pytest.fixture
def run(capfd):
    """Return a function that runs Python code, and returns what it prints."""

    def run(code, status=0):
        assert main(["run", "--", sys.executable, "-c", code]) == status
        output = capfd.readouterr()
        return output.err if status else output.out

    return run


def test_unchanged_program_resolves_the_profile(run):
    assert run(METHOD) == "custom-web-token\n"


def test_programs_that_it_starts_do_too(run):
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {METHOD!r}])"
    assert run(code) == "custom-web-token\n"


def test_program_without_botocore_imports_nothing(run):
    names = "{'botocore_ext', 'botocore', 'typing'} & sys.modules.keys()"
    assert run(f"import sys; print({names})") in ("set()\n", "{'typing'}\n")


def test_path_of_the_user_stays(run, tmp_path, monkeypatch):
    """And so does the user's own sitecustomize, although Python runs only one."""
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.mine = 'mine'")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert run(f"import sys; print(sys.mine); {METHOD}") == "mine\ncustom-web-token\n"


def test_directory_does_not_stay_in_the_path(run):
    assert run("import sys; print([one for one in sys.path if 'startup' in one])") == "[]\n"


def test_interpreter_without_this_package_says_so(run):
    """A program must not continue with other credentials."""
    code = "import sys; sys.modules['botocore_ext'] = None\nimport botocore.session"
    assert "botocore_ext" in run(code, status=1).splitlines()[-1]


def test_exit_status_is_that_of_the_program(run):
    assert run("raise SystemExit(5)", status=5) == ""


class TestStartup:
    """The same in this process."""

    @pytest.fixture
    def start(self, monkeypatch):
        """Return a function that does what Python does when it starts."""
        monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
        monkeypatch.setattr(sys, "path", [*sys.path])
        module = "botocore_ext.commands.startup.sitecustomize"
        monkeypatch.setitem(sys.modules, "sitecustomize", None)
        monkeypatch.delitem(sys.modules, module, raising=False)

        def start():
            sys.path.insert(0, str(STARTUP))
            importlib.invalidate_caches()
            importlib.import_module(module)

        return start

    def test_import_of_sessions_installs(self, start, monkeypatch):
        monkeypatch.setattr(botocore, "session", botocore.session)
        monkeypatch.delitem(sys.modules, "botocore.session")
        start()
        session = importlib.import_module("botocore.session").Session(profile="web")
        assert session.get_credentials().method == "custom-web-token"
        assert str(STARTUP) not in sys.path

    def test_import_as_a_module_of_the_package_does_nothing(self, start):
        """Documentation tools and packagers import every module."""
        before = [*sys.meta_path], [*sys.path]
        importlib.import_module("botocore_ext.commands.startup.sitecustomize")
        assert (sys.meta_path, sys.path) == before

    def test_broken_sitecustomize_of_the_user_is_an_error(self, start, tmp_path):
        """As without this package."""
        (tmp_path / "sitecustomize.py").write_text("import no_such_module")
        sys.path.insert(0, str(tmp_path))
        with pytest.raises(ModuleNotFoundError, match="no_such_module"):
            start()


@pytest.mark.skipif(not hasattr(signal, "SIGCHLD"), reason="this system has no SIGCHLD")
def test_end_is_noticed_where_sigchld_is_blocked():
    """A program that blocks it, and starts another, hands that down."""
    code = "import os, signal, sys\n"
    code += "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])\n"
    code += "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    command = ["-m", "botocore_ext", "run", "--", sys.executable, "-c", "exit(7)"]
    done = subprocess.run([sys.executable, "-c", code, *command], timeout=30, check=False)
    assert done.returncode == 7
