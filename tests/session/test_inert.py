"""Holds rule 1: what does not use this package resolves with ``install()`` as without it.

Everything is done twice, plainly and with ``install()``, in random order, from the same files,
environment and answers. What a user can see must be equal: the method, the credentials or the
error, the requests, the log from INFO on, and the files that are left behind. The configurations
are in ``tests/cases_inert``; cases that need Python are below.

A case is written as those of ``tests/cases``, and ``expect`` is the method that is found or the
name of the error, so that it is known to reach what it is about. ``session`` holds the arguments
of ``boto3.Session``; the region is eu-west-1 unless ``region`` says otherwise.
"""

import logging
import random
import re
import shutil
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore
import botocore.session
import moto
import pytest
from botocore.compat import HAS_CRT
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleProvider,
    CanonicalNameCredentialSourcer,
    CredentialProvider,
    CredentialResolver,
    Credentials,
    SSOProvider,
    create_credential_resolver,
)
from botocore.loaders import create_loader
from botocore.tokens import SSOTokenProvider
from botocore.utils import ContainerMetadataFetcher, JSONFileCache
from moto.moto_api._internal import mock_random

import botocore_ext
from tests import fakes
from tests.parity.cases import filled, prepare, read
from tests.refresh.test_refresh import together

pytestmark = pytest.mark.caller_signs

#: The configurations, by file and name.
CASES = {
    f"{path.stem}: {case['name']}": case
    for path in sorted(Path(__file__).parent.parent.glob("cases_inert/*.toml"))
    for case in read(path)["case"]
}
STATIC = CASES["files: the default profile of the credentials file"]
ENVIRONMENT = CASES["environment: keys"]
CONTAINER = CASES["metadata: a container's full URI"]
WEB = CASES["web_identity: in the environment"]
ROLE = CASES["roles: over static keys"]
MFA = CASES["roles: an MFA device"]
OWN_SOURCE = CASES["roles: a profile that is its own source"]
NAMED_SOURCE = CASES["roles: credential_source = Environment"]

#: What differs between two runs of one program, and what replaces it.
VOLATILE = {
    r"botocore-session-\d+": "botocore-session-<time>",
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?": "<time>",
    r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT": "<time>",
    r"/\d{8}/": "/<day>/",
    r"ttl=\w+; ": "",
    r"Signature=\w+": "Signature=<signature>",
}
VOLATILE_HEADERS = {"x-amz-date", "amz-sdk-invocation-id"}

#: Read once for all sessions: it holds botocore's service models, and nothing of a session.
LOADER = create_loader()


@dataclass
class Seen:
    """What one run shows to the outside."""

    #: What the run returned; or the type of its error, and the text.
    outcome: Any
    requests: list[Any]
    records: list[Any]
    files: dict[str, str]


def steady(text):
    """Take out of a text what differs between two runs."""
    for pattern, instead in VOLATILE.items():
        text = re.sub(pattern, instead, text)
    # The features in a user agent are a set, in any order.
    return re.sub(r"\bm/(\S+)", lambda found: f"m/{sorted(found[1].split(','))}", text)


def type_name(error):
    """Name the type of an error; botocore makes that of a service's error for each client."""
    return f"{type(error).__module__}.{type(error).__qualname__}"


def shown_request(request):
    parameters = {name: steady(str(value)) for name, value in request.parameters.items()}
    headers = {name.lower(): steady(value) for name, value in request.headers.items()}
    steady_headers = {name: headers[name] for name in headers.keys() - VOLATILE_HEADERS}
    return request.operation, parameters, steady_headers, request.target


def shown_record(record):
    error = record.exc_info and type_name(record.exc_info[1])
    return record.name, record.levelname, steady(record.getMessage()), error


class Runs:
    """Does things with and without ``install()``, each time from the same beginning."""

    #: What ``install`` is given.
    providers = ()

    def __init__(self, world, aws, monkeypatch, caplog):
        self.world, self.aws = world, aws
        self.monkeypatch, self.caplog = monkeypatch, caplog

    def twice(self, act, **case):
        """Hold that ``act`` shows the same with and without, and return what it shows."""
        order = random.sample([False, True], 2)
        seen = {install: self.once(act, install=install, **case) for install in order}
        assert seen[True] == seen[False]
        return seen[False]

    def once(self, act, *, install, **case):
        """Return what can be seen of ``act``."""
        self._begin(case)
        if install:
            botocore_ext.install(*self.providers)
        botocore.register_initializer(self._attach)
        try:
            outcome = act()
        except Exception as error:  # noqa: BLE001 - every error must be the same
            outcome = type_name(error), steady(str(error))
        finally:
            botocore.unregister_initializer(self._attach)
            botocore_ext.uninstall()
        return Seen(
            outcome,
            [shown_request(one) for one in self.aws.requests],
            [shown_record(one) for one in self.caplog.records if one.levelno >= logging.INFO],
            {
                str(path.relative_to(self.world)): steady(path.read_text(errors="replace"))
                for path in self.world.rglob("*")
                if path.is_file()
            },
        )

    def _begin(self, case):
        shutil.rmtree(self.world)
        self.world.mkdir()
        self.aws.scripts.clear()
        self.aws.requests.clear()
        self.caplog.clear()
        self.aws.lifetime = case.get("lifetime", 3600)
        boto3.DEFAULT_SESSION = None
        random.seed(0)
        self.monkeypatch.setattr(fakes, "_numbers", count(1))
        case = filled(case, {"<url>": self.aws.url, "<home>": str(self.world)})
        region = case.get("region", "eu-west-1")
        variables = {"AWS_DEFAULT_REGION": region} if region else {}
        files = {name: case[name] for name in ("config", "credentials") if name in case}
        case["environment"] = variables | case.get("environment", {})
        case["files"] = files | case.get("files", {})
        prepare(case, self.world, self.aws, self.monkeypatch)

    def _attach(self, session):
        session.register_component("data_loader", LOADER)
        session.register("before-send", self._redirect)

    def _redirect(self, request, **_):
        """Send a request to the fake, and let it know where it was going."""
        aim = urlsplit(request.url)
        request.headers["X-Aim"] = f"{aim.scheme}://{aim.netloc}"
        request.url = aim._replace(scheme="http", netloc=urlsplit(self.aws.url).netloc).geturl()


@pytest.fixture(scope="module")
def aws():
    """One for all runs, which empty it before they begin; it dates all credentials alike."""
    fake, started = fakes.FakeAws(), time.time()
    fake.now = lambda: started
    yield fake
    fake.close()


@pytest.fixture
def runs(world, aws, monkeypatch, caplog):
    """Set what botocore keeps in its classes: places in the home, pauses, the MFA prompt."""
    caplog.set_level(logging.INFO, "botocore")
    for kind in (SSOProvider, SSOTokenProvider):
        monkeypatch.setattr(kind, "_SSO_TOKEN_CACHE_DIR", str(world))
    monkeypatch.setattr(ContainerMetadataFetcher, "SLEEP_TIME", 0)
    monkeypatch.setattr(ContainerMetadataFetcher, "IP_ADDRESS", urlsplit(aws.url).netloc)
    # Credentials of "aws login" that are still good only need the CRT to be there.
    crt = SimpleNamespace(new_key_from_der_data=int)
    monkeypatch.setattr("botocore.credentials.EC", crt)
    _, *others = AssumeRoleProvider.__init__.__defaults__
    defaults = (lambda prompt: "123456", *others)
    monkeypatch.setattr(AssumeRoleProvider.__init__, "__defaults__", defaults)
    return Runs(world, aws, monkeypatch, caplog)


def resolve(session):
    """Look for credentials, and sign a request with them."""
    credentials = session.get_credentials()
    found = credentials and (credentials.method, *credentials.get_frozen_credentials())
    session.client("sts").get_caller_identity()
    return found


def opened(case):
    """Open the session of a case."""
    return boto3.Session(**case.get("session", {}))


def resolver_of(session):
    return session._session.get_component("credential_provider")


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_session_resolves_the_same(case, runs):
    seen = runs.twice(lambda: resolve(opened(case)), **case)
    expected = case.get("expect_with_crt" if HAS_CRT else "expect", case["expect"])
    assert seen.outcome[0].rpartition(".")[2] == expected


ROLES = {name: case for name, case in CASES.items() if name.startswith(("roles", "web_identity"))}


@pytest.mark.proof
@pytest.mark.parametrize("case", ROLES.values(), ids=ROLES)
def test_a_client_that_comes_first_resolves_the_same(case, runs):
    """The first client of a session decides the region of the calls that get its credentials."""

    def act():
        session = opened(case)
        session.client("sqs", region_name="ca-central-1")
        return resolve(session)

    runs.twice(act, **case)


#: What would not be inert, and where it would show.
TRESPASSES = [
    ("records", lambda runs: logging.getLogger("botocore_ext").info("Found nothing")),
    ("requests", lambda runs: urllib.request.urlopen(runs.aws.url).close()),
    ("files", lambda runs: (runs.world / "trace").touch()),
    ("outcome", lambda runs: runs.missing),
    ("outcome", lambda runs: botocore_ext.FrozenCredentials("AKIAFILE", "another")),
]


@pytest.mark.parametrize(("place", "trespass"), TRESPASSES)
def test_the_suite_sees_what_is_not_inert(place, trespass, runs):
    runs.providers = (partial(trespass, runs),)
    with pytest.raises(AssertionError, match=rf"Differing attributes:\s+\['{place}'"):
        runs.twice(lambda: resolve(boto3.Session()), **STATIC)


class Theirs(CredentialProvider):
    """A provider of another library."""

    METHOD = "theirs"
    CANONICAL_NAME = "Theirs"

    def load(self):
        return Credentials("AKIATHEIRS", "secret", method="theirs")


class Guarded(Theirs):
    """One that uses its own session, and steps aside while it does."""

    busy = False

    def load(self):
        if self.busy:
            return None
        self.busy = True
        self.session.client("sts").get_caller_identity()
        self.session._session._credentials = None
        self.busy = False
        return super().load()


class Everything:
    """A resolver with nothing but the one method that is called."""

    def load_credentials(self):
        return Theirs().load()


def change_by_position(resolver):
    methods = [one.METHOD for one in resolver.providers]
    resolver.providers[methods.index("shared-credentials-file")] = Theirs()


CHANGES = {
    "first": lambda resolver: resolver.providers.insert(0, Theirs()),
    "last": lambda resolver: resolver.providers.append(Theirs()),
    "alone": lambda resolver: setattr(resolver, "providers", [Theirs()]),
    "before the environment": lambda resolver: resolver.insert_before("env", Theirs()),
    "after the environment": lambda resolver: resolver.insert_after("env", Theirs()),
    "before roles": lambda resolver: resolver.insert_before("assume-role", Theirs()),
    "after roles": lambda resolver: resolver.insert_after("assume-role", Theirs()),
    "before nothing": lambda resolver: resolver.insert_before("nonsense", Theirs()),
    "without roles": lambda resolver: resolver.remove("assume-role"),
    "without the instance": lambda resolver: resolver.remove("iam-role"),
    "without nothing": lambda resolver: resolver.remove("nonsense"),
    "in the place of another": change_by_position,
}
RESOLVERS = {
    "of their own": lambda session: Everything(),
    "with a provider of their own": lambda session: CredentialResolver([Theirs()]),
    "with one of ours": lambda session: CredentialResolver(resolver_of(session).providers[:1]),
    "of botocore": lambda session: create_credential_resolver(session._session),
}


class TestOthersAtWork:
    @pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
    @pytest.mark.parametrize("case", [STATIC, NAMED_SOURCE])
    def test_a_resolver_is_changed(self, change, case, runs):
        def act():
            session = opened(case)
            change(resolver_of(session))
            return resolve(session)

        runs.twice(act, **case)

    @pytest.mark.parametrize("method", ["env", "assume-role", "shared-credentials-file"])
    def test_a_provider_is_called_on_its_own(self, method, runs):
        def act():
            found = resolver_of(opened(ROLE)).get_provider(method).load()
            return found and (found.method, found.get_frozen_credentials())

        runs.twice(act, **ROLE)

    def test_a_provider_uses_its_own_session(self, runs):
        def act():
            session = boto3.Session()
            resolver_of(session).insert_before("env", Guarded(session))
            return resolve(session)

        runs.twice(act, **STATIC)

    @pytest.mark.parametrize("resolver", RESOLVERS.values(), ids=RESOLVERS)
    def test_another_library_replaces_the_resolver(self, resolver, runs):
        def act():
            session = boto3.Session()
            session._session.register_component("credential_provider", resolver(session))
            return resolve(session)

        runs.twice(act, **ENVIRONMENT)

    @pytest.mark.parametrize("register", ["register", "register_lazily", "change"])
    def test_another_library_has_an_initializer(self, register, runs):
        def initialize(session):
            if register == "register":
                session.register_component("credential_provider", Everything())
            elif register == "register_lazily":
                session.lazy_register_component("credential_provider", Everything)
            else:
                resolver = session.get_component("credential_provider")
                resolver.insert_before("env", Theirs())

        botocore.register_initializer(initialize)
        try:
            seen = runs.twice(lambda: resolve(boto3.Session()))
            assert seen.outcome[1] == "AKIATHEIRS"
        finally:
            botocore.unregister_initializer(initialize)

    @pytest.mark.parametrize("case", [ROLE, NAMED_SOURCE, WEB])
    def test_a_cache_is_set(self, case, runs):
        """It gets the same entries under the same keys, and serves a second session."""

        def act():
            cache, found = {}, []
            for _ in range(2):
                session = opened(case)
                for method in ("assume-role", "assume-role-with-web-identity"):
                    resolver_of(session).get_provider(method).cache = cache
                found.append(resolve(session))
            return found, {key: answer["Credentials"] for key, answer in cache.items()}

        runs.twice(act, **case)

    def test_a_cache_of_files_is_set(self, runs):
        def act():
            session = opened(ROLE)
            cache = JSONFileCache(str(runs.world / "cache"))
            resolver_of(session).get_provider("assume-role").cache = cache
            return resolve(session)

        assert len(runs.twice(act, **ROLE).files) == 2

    def test_a_prompter_is_set(self, runs):
        """Runway, stacker and the plugins for YubiKeys do it."""

        def act():
            session = opened(MFA)
            resolver_of(session).get_provider("assume-role")._prompter = lambda prompt: "654321"
            return resolve(session)

        runs.twice(act, **MFA)

    def test_the_sources_are_set(self, runs):
        """boto3-extensions does it."""

        def act():
            session = opened(NAMED_SOURCE)
            sources = CanonicalNameCredentialSourcer([Theirs()])
            resolver_of(session).get_provider("assume-role")._credential_sourcer = sources
            return resolve(session)

        config = NAMED_SOURCE["config"].replace("Environment", "Theirs")
        runs.twice(act, **NAMED_SOURCE | {"config": config})


def add(session):
    resolver = create_credential_resolver(session)
    resolver.insert_before("env", Theirs())
    return resolver


def register(session):
    session._components.lazy_register_component("credential_provider", Everything)


class TestSessions:
    @pytest.mark.parametrize(
        "methods",
        [
            {},
            {"_create_credential_resolver": add},
            {"_create_credential_resolver": lambda session: Everything()},
            {"_register_credential_provider": register},
        ],
    )
    def test_a_class_of_sessions(self, methods, runs):
        kind = type("Session", (botocore.session.Session,), methods)
        runs.twice(lambda: resolve(boto3.Session(botocore_session=kind())), **STATIC)

    def test_a_profile_that_is_chosen_late(self, runs):
        def act():
            session = botocore.session.get_session()
            session.set_config_variable("profile", "app")
            return resolve(boto3.Session(botocore_session=session))

        assert runs.twice(act, **ROLE).outcome[0] == "assume-role"

    def test_credentials_that_are_set(self, runs):
        def act():
            session = boto3.Session()
            one = resolve(session)
            session._session.set_credentials("AKIATWO", "secret", "token")
            session.client("sts", aws_access_key_id="AKIATHREE", aws_secret_access_key="secret")
            return one, resolve(session)

        runs.twice(act, **ENVIRONMENT)

    @pytest.mark.parametrize("case", [STATIC, ROLE])
    def test_the_default_session(self, case, runs):
        def act():
            boto3.setup_default_session(**case.get("session", {}))
            boto3.client("sts").get_caller_identity()
            return resolve(boto3.DEFAULT_SESSION)

        runs.twice(act, **case)

    @pytest.mark.parametrize("case", [ROLE, NAMED_SOURCE, CONTAINER, WEB])
    @pytest.mark.parametrize("lifetime", [3600, 500])
    def test_several_clients(self, lifetime, case, runs):
        """With credentials that live so short, botocore refreshes them for every request."""

        def act():
            session = opened(case)
            for region in ("us-west-2", "eu-west-1", "us-west-2"):
                session.client("sts", region_name=region).get_caller_identity()

        runs.twice(act, **case | {"lifetime": lifetime})

    def test_threads_that_share_a_session(self, runs):
        def act():
            session = opened(STATIC)
            return set(together(8, lambda: session.get_credentials().get_frozen_credentials()))

        plain, ours = (runs.once(act, install=install, **STATIC) for install in (False, True))
        assert ours.outcome == plain.outcome
        assert set(ours.records) == set(plain.records)

    def test_a_thread_that_another_keeps_waiting(self, runs):
        """A ``credential_process`` may wait for a login in a browser, for minutes."""
        runs.monkeypatch.setattr("botocore_ext.session.resolver._LONGEST_WAIT", 0)

        def act():
            session, begun, over = boto3.Session(), threading.Event(), threading.Event()

            class Slow(Theirs):
                def load(self):
                    if not begun.is_set():
                        begun.set()
                        over.wait(10)
                    return super().load()

            resolver_of(session).insert_before("env", Slow())
            with ThreadPoolExecutor() as pool:
                first = pool.submit(session.get_credentials)
                begun.wait(10)
                try:
                    return session.get_credentials().access_key
                finally:
                    over.set()
                    first.result()

        runs.twice(act)

    def test_moto(self, runs):
        def act():
            mock_random.seed(1)
            with moto.mock_aws():
                session = opened(ROLE)
                credentials = session.get_credentials()
                arn = session.client("sts").get_caller_identity()["Arn"]
                return credentials.access_key, credentials.secret_key, steady(arn)

        seen = runs.twice(act, **ROLE)
        assert seen.outcome[2].startswith("arn:aws:sts::123456789012:assumed-role/App/")
        assert not seen.requests


@pytest.mark.parametrize("case", [ROLE, NAMED_SOURCE])
class TestRegions:
    """botocore decides the region of the STS call when it makes that call."""

    def test_of_the_default_configuration(self, case, runs):
        def act():
            session = botocore.session.Session(profile="app")
            session.set_default_client_config(Config(region_name="ap-south-1"))
            return session.get_credentials().get_frozen_credentials()

        runs.twice(act, **case)

    def test_set_after_the_search(self, case, runs):
        def act():
            session = botocore.session.Session(profile="app")
            credentials = session.get_credentials()
            session.set_config_variable("region", "ap-south-1")
            return credentials.get_frozen_credentials()

        runs.twice(act, **case)

    def test_of_a_client_after_the_search(self, case, runs):
        def act():
            session = botocore.session.Session(profile="app")
            credentials = session.get_credentials()
            session.create_client("sqs", region_name="ap-south-1")
            return credentials.get_frozen_credentials()

        runs.twice(act, **case)


def search_twice(case, between=lambda session: None):
    session = opened(case)
    one = resolve(session)
    session._session._credentials = None
    between(session)
    return one, resolve(session)


class TestASecondSearch:
    """People reset ``session._credentials``."""

    @pytest.mark.parametrize(
        "case",
        [
            STATIC,
            ENVIRONMENT,
            CONTAINER,
            WEB,
            NAMED_SOURCE,
            OWN_SOURCE,
        ],
    )
    def test_finds_the_same(self, case, runs):
        runs.twice(lambda: search_twice(case), **case)

    def test_finds_the_same_with_an_empty_cache(self, runs):
        def clear(session):
            resolver_of(session).get_provider("assume-role").cache.clear()

        runs.twice(lambda: search_twice(NAMED_SOURCE, clear), **NAMED_SOURCE)

    def test_finds_the_same_when_the_source_has_gone(self, runs):
        def forget(_):
            runs.monkeypatch.delenv("AWS_ACCESS_KEY_ID")

        runs.twice(lambda: search_twice(NAMED_SOURCE, forget), **NAMED_SOURCE)

    def test_of_a_role_with_a_source_profile_may_succeed(self, runs):
        """The one allowed difference: botocore cannot do it, so no program can depend on it.

        Its provider remembers the profiles that it went through, and takes a second search for
        an infinite loop. Ours finds the credentials of the first.
        """
        plain, ours = (
            runs.once(lambda: search_twice(ROLE), install=install, **ROLE)
            for install in (False, True)
        )
        assert plain.outcome[0] == "botocore.exceptions.InfiniteLoopConfigError"
        assert ours.outcome[0] == ours.outcome[1]
        assert [operation for operation, *_ in ours.requests] == [
            "AssumeRole", "GetCallerIdentity", "GetCallerIdentity",
        ]  # fmt: skip
        assert ours.requests[:2] == plain.requests
        assert ours.records == plain.records
