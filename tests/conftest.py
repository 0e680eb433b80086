"""What every test stands on: no real environment, home or network, and no secret shown."""

import gc
import os
import socket
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import boto3
import pytest

import botocore_ext
from botocore_ext.aws import connections
from botocore_ext.options import scope
from botocore_ext.profiles import registry
from botocore_ext.providers import cognito

from . import fakes, once, searching

#: Where very many tests try the same code.
PROOFS = {
    "fuzz",
    "test_faults",
    "test_interrupts",
    "test_identity_properties",
    "test_parity",
    "test_soak",
    "test_upstream",
}


#: What takes longest else: one worker with it at the end would let the others wait.
LONG = {"test_cases", "test_deadline", "test_exec", "test_inert", "test_recipes", "test_refresh"}


def pytest_addoption(parser, pluginmanager):
    """Accept the options of pyproject.toml without pytest-xdist, too (``-p no:xdist``)."""
    if not pluginmanager.hasplugin("xdist"):
        parser.addoption("--numprocesses", help="ignored without pytest-xdist")
        parser.addoption("--dist", help="ignored without pytest-xdist")
        parser.addoption("--no-loadscope-reorder", action="store_true", help="the same")


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_xdist_auto_num_workers(config):
    """Run one file in this process, and all with half as many workers again as cores.

    Workers take longer to start than most files to run, and tests wait a third of their time.
    """
    paths = {Path(str(one).partition("::")[0]) for one in config.args}
    if len(paths) == 1 and paths.pop().is_file():
        return 0
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in scope.system_environment():
        return None
    cores = os.cpu_count() or 1
    return cores + (cores + 1) // 2


#: What users have next to this package, each by a module of it: its tests are skipped without.
_PARTS = {
    "aiobotocore": "aiobotocore",
    "aioboto3": "aioboto3",
    "aws-assume-role-lib": "aws_assume_role_lib",
    "aws-xray-sdk": "aws_xray_sdk",
    "celery": "celery",
    "fastapi": "fastapi",
    "httpx": "httpx",
    "iam-rolesanywhere-session": "iam_rolesanywhere_session",
    "obstore": "obstore",
    "polars": "polars",
    "pyarrow": "pyarrow",
    "s3fs": "s3fs",
}
#: The same for what is not a module, each by the variable that says where it is.
_PLACES = {
    "AWS CLI": "BOTOCORE_EXT_AWS",
    "JavaScript": "PARITY_JAVASCRIPT",
    "oidc-provider": "BOTOCORE_EXT_OIDC_PROVIDER",
    "vectors of other SDKs": "BOTOCORE_EXT_CONFORMANCE",
}


def pytest_terminal_summary(terminalreporter):
    """Say in one line what is not here, so that its tests were skipped."""
    absent = [name for name, module in _PARTS.items() if find_spec(module) is None]
    environment = scope.system_environment()
    absent += [name for name, variable in _PLACES.items() if variable not in environment]
    if absent:
        terminalreporter.write_line(f"not here, so its tests are skipped: {', '.join(absent)}")


def _is_proof(path):
    return bool(PROOFS & {path.stem, path.parent.name})


def pytest_ignore_collect(collection_path, config):
    """Do not even import what the inner loop leaves out."""
    return (config.option.markexpr == "not proof" and _is_proof(collection_path)) or None


def pytest_collection_modifyitems(items):
    """Mark the proofs, and begin with what takes longest: the rest fills the cores.

    The inner loop, further interpreters and the measurement of coverage leave proofs out.
    """
    for item in items:
        if _is_proof(item.path):
            item.add_marker("proof")
    items.sort(key=lambda one: (one.get_closest_marker("proof") is None, one.path.stem not in LONG))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish():
    """Let the garbage collector pass over what all tests share: a tenth of a run."""
    gc.collect()
    gc.freeze()


def pytest_runtest_logfinish():
    """Do the same with what the test was the first to read."""
    once.pass_over()


def pytest_sessionfinish():
    """Do the same with what is left: pytest collects garbage five times at the end."""
    gc.collect()
    gc.freeze()


#: Where ECS has credentials of a container.
AGENT = ("169.254.170.2", 80)
#: By these a program knows that it runs in a job of a CI service, as these tests may do.
_OF_A_JOB = {
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_URL",
    "BUILDKITE",
    "CIRCLECI",
    "GITHUB_ACTIONS",
    "GITLAB_CI",
    "GOOGLE_SERVICE_ACCOUNT_NAME",
}


@pytest.fixture(scope="session", autouse=True)
def _work_once():
    with pytest.MonkeyPatch.context() as patch:
        once.read_data(patch)
        once.register_handlers(patch)
        once.share_handlers(patch)
        yield


@pytest.fixture(scope="session")
def _homes(tmp_path_factory):
    """Where homes are: next to each other, because pytest lists the directory of all others."""
    return tmp_path_factory.mktemp("homes")


@pytest.fixture(autouse=True)
def world(monkeypatch, _homes):
    """Start without AWS settings, in an empty home, and leave nothing behind."""
    home = Path(tempfile.mkdtemp(dir=_homes))
    for name in list(scope.system_environment()):
        if name.startswith("AWS_") or name.lower().endswith("_proxy") or name in _OF_A_JOB:
            monkeypatch.delenv(name)
    monkeypatch.delenv("BOTOCORE_EXT_NO_PLUGINS", raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(home / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(home / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    yield home
    botocore_ext.uninstall()
    boto3.DEFAULT_SESSION = None
    cognito.reset()
    connections.reset()
    scope.reset()
    registry.reset()


@pytest.fixture(scope="session", autouse=True)
def _loopback_only():
    """Refuse every connection that would leave this machine."""
    connect = socket.socket.connect

    def guarded(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = address[0]
            assert host.startswith("127.") or host in ("::1", "localhost"), f"connects to {host}"
        return connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield


@pytest.fixture(scope="session")
def _searched():
    """What is searched for secrets, by the name that ``users_own`` has for it."""
    with (
        searching.Records() as records,
        searching.Errors() as errors,
        searching.Commands() as commands,
    ):
        yield {"log": records, "error": errors, "command": commands}


@pytest.fixture(autouse=True)
def logs(request, _searched):
    """Search every record, error and command for every secret in play."""
    # Most records are in no report, for which each would be formatted twice more:
    # ``--log-level=DEBUG`` shows them.
    pytests = request.config.pluginmanager.get_plugin("logging-plugin")
    pytests.report_handler.setLevel("WARNING")
    pytests.caplog_handler.setLevel("NOTSET" if "caplog" in request.fixturenames else "WARNING")
    fakes.SECRETS.clear()
    for one in _searched.values():
        one.texts = []
    records = _searched["log"]
    records.caller_signs = request.node.get_closest_marker("caller_signs") is not None
    yield records.texts
    # One that is about to end may do so; others would be heard in the next test.
    assert fakes.comes_true(lambda: not fakes.at_work())
    users_own = request.node.get_closest_marker("users_own")
    for place in _searched.keys() - set(users_own.args if users_own else ()):
        shown = searching.shown(_searched[place].texts)
        assert not shown, f"{place} shows {shown}"


@pytest.fixture
def commands(logs, _searched):
    """Give the arguments of every child process that is started."""
    return _searched["command"].texts


@pytest.fixture
def aws(monkeypatch):
    """A loopback AWS that every client of the test talks to."""
    fake = fakes.FakeAws()
    monkeypatch.setenv("AWS_ENDPOINT_URL", fake.url)
    yield fake
    fake.close()


@pytest.fixture
def ecs_agent(aws, monkeypatch):
    """Let the address of the ECS agent be that of ``aws``, which it gives."""
    connect = socket.socket.connect

    def redirected(self, address):
        return connect(self, aws.server.server_address if address == AGENT else address)

    monkeypatch.setattr(socket.socket, "connect", redirected)
    return aws


@pytest.fixture
def job(aws, monkeypatch):
    """Run in a job of GitHub Actions that may ask for tokens, and give what it asks with."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{aws.url}/idtoken?api-version=2.0")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", token := fakes.secret("request-token"))
    return token


@pytest.fixture
def uncollected():
    """Collect no garbage: finalizers fail at the recursion limit, and lose interrupts."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def clock():
    """A clock that stands still."""
    return fakes.FakeClock()


@pytest.fixture
def utc():
    """Let the local time be UTC, for which moto's Cognito takes it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def config(world):
    """Write the config file, and the credentials file if there is text for it."""

    def write(text, credentials=""):
        (world / "config").write_text(text, encoding="utf-8")
        if credentials:
            (world / "credentials").write_text(credentials, encoding="utf-8")
        return world / "config"

    return write


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Install another package, with entry points for providers and for token schemes."""
    monkeypatch.syspath_prepend(tmp_path)

    def install(name, source, providers=(), tokens=()):
        module = name.replace("-", "_")
        monkeypatch.delitem(sys.modules, module, raising=False)
        (tmp_path / f"{module}.py").write_text(source, encoding="utf-8")
        about = tmp_path / f"{module}-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = ["[botocore_ext.providers]", *(f"{key} = {module}:{one}" for key, one in providers)]
        lines += ["[botocore_ext.tokens]", *(f"{key} = {module}:{one}" for key, one in tokens)]
        (about / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
        registry.reset()
        return about

    return install
