"""How providers get into a session: install, uninstall, extend, Session."""

import asyncio
import functools
import importlib
import inspect
import subprocess
import sys
from types import SimpleNamespace

import boto3
import botocore
import botocore.session
import pytest
from botocore.credentials import (
    AssumeRoleProvider,
    CredentialResolver,
    Credentials,
    EnvProvider,
    InstanceMetadataProvider,
)
from botocore.exceptions import NoCredentialsError

import botocore_ext
from botocore_ext import (
    ConfigurationError,
    FetchError,
    FrozenCredentials,
    NotConfigured,
    Session,
    exceptions,
    from_cognito_identity_pool,
    from_http,
    from_web_token,
)
from botocore_ext.catalogue import INSERTED
from botocore_ext.providers.function import as_provider
from botocore_ext.session import hook, resolver
from tests import fakes
from tests.refresh.test_refresh import together

PLAIN = [
    provider.METHOD
    for provider in botocore.session.Session().get_component("credential_provider").providers
]
OURS = [row.method for row in INSERTED]

#: A profile of botocore's own.
STATIC = "[profile keys]\naws_access_key_id = AKIA\naws_secret_access_key = secret\n"


def methods(session):
    inner = getattr(session, "_session", session)
    return [one.METHOD for one in inner.get_component("credential_provider").providers]


def initializers():
    return [one for one in botocore._INITIALIZERS if one is hook._initialize]


def keys():
    return FrozenCredentials("AKIAFUNCTION", "secret-of-the-function")


@pytest.fixture
def selecting(config):
    """Give the profiles in use a setting of this package: other sessions have nothing of it."""
    key = "cognito_identity_pool_id = us-east-1:pool"
    config(f"[default]\n{key}\n[profile p]\n{key}\n")


@pytest.mark.usefixtures("selecting")
def test_providers_are_between_environment_and_roles():
    botocore_ext.install()
    assert methods(boto3.Session()) == ["env", *OURS, *PLAIN[1:]]


@pytest.mark.usefixtures("selecting")
def test_without_the_environment_providers_come_first():
    botocore_ext.install()
    assert methods(boto3.Session(profile_name="p")) == [*OURS, *PLAIN[1:]]


@pytest.mark.usefixtures("selecting")
def test_installing_twice_is_installing_once():
    botocore_ext.install()
    botocore_ext.install()
    assert len(initializers()) == 1
    assert methods(boto3.Session()).count("custom-http") == 1


def test_uninstall_leaves_botocore_as_it_was():
    before = list(botocore._INITIALIZERS)
    botocore_ext.install(keys)
    older = boto3.Session()
    botocore_ext.uninstall()
    botocore_ext.uninstall()
    assert before == botocore._INITIALIZERS
    assert methods(boto3.Session()) == PLAIN
    assert "custom-http" in methods(older)


@pytest.mark.parametrize("loaded_again", ["reloaded", "hook reloaded", "imported again"])
def test_uninstall_removes_what_was_installed_before_a_reload(loaded_again, monkeypatch):
    """As notebooks and the test runners of some web frameworks do it."""
    before = list(botocore._INITIALIZERS)
    botocore_ext.install(keys)
    if loaded_again == "imported again":
        for name in [one for one in sys.modules if one.partition(".")[0] == "botocore_ext"]:
            monkeypatch.delitem(sys.modules, name)
        again = importlib.import_module("botocore_ext")
    else:
        again = importlib.reload(botocore_ext if loaded_again == "reloaded" else hook)
        assert boto3.Session().get_credentials().access_key == "AKIAFUNCTION"
    again.install()
    assert len(botocore._INITIALIZERS) == len(before) + 1
    again.uninstall()
    assert before == botocore._INITIALIZERS


def test_install_takes_its_providers_before_the_environment(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", fakes.secret())
    botocore_ext.install(keys)
    assert boto3.Session().get_credentials().access_key == "AKIAFUNCTION"
    botocore_ext.install()
    assert boto3.Session().get_credentials().access_key == "AKIAENV"


def test_a_function_that_returns_none_is_stepped_over(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", fakes.secret())
    botocore_ext.install(lambda: None, EnvProvider(), keys)
    assert boto3.Session().get_credentials().method == "env"


@pytest.mark.parametrize("wrong", [None, "keys", 1, FrozenCredentials, object()])
def test_other_objects_than_providers_are_refused(wrong):
    with pytest.raises(TypeError, match="is not a credential provider"):
        botocore_ext.install(wrong)
    assert not initializers()


def test_the_initializer_is_lazy(mocker):
    """boto3 sets the profile only after it, and most sessions are never asked."""
    create = mocker.spy(resolver, "create_resolver")
    botocore_ext.install()
    session = botocore.session.Session()
    create.assert_not_called()
    session.get_credentials()
    session.get_credentials()
    create.assert_called_once()


def test_install_warns_of_a_default_session():
    boto3.setup_default_session()
    with pytest.warns(UserWarning, match=r"botocore_ext.extend\(boto3.DEFAULT_SESSION\)") as seen:
        botocore_ext.install()
    assert seen[0].filename == __file__
    assert methods(boto3.DEFAULT_SESSION) == PLAIN


def test_explicit_credentials_need_no_resolver(mocker):
    create = mocker.spy(resolver, "create_resolver")
    botocore_ext.install(keys)
    session = boto3.Session(aws_access_key_id="AKIA", aws_secret_access_key=fakes.secret())
    assert session.get_credentials().method == "explicit"
    create.assert_not_called()


class AsyncSession(botocore.session.Session):
    """Has what tells an asynchronous session apart."""

    async def get_credentials(self):
        found = self.get_component("credential_provider").load_credentials()
        return await found if inspect.isawaitable(found) else found


def test_third_party_async_sessions_are_unchanged():
    botocore_ext.install(keys)
    assert methods(AsyncSession()) == PLAIN
    with pytest.raises(TypeError, match="not AsyncSession"):
        botocore_ext.extend(AsyncSession())


class TestSessionsOfAiobotocore:
    """They are handed over; tests/aio/test_sessions.py has what becomes of them."""

    @pytest.fixture(autouse=True)
    def handed(self, monkeypatch):
        handed = []

        def resolver_of(resolver, session, region, front, only):
            handed.append((region, [one.METHOD for one in front], only and only.METHOD))
            return CredentialResolver([EnvProvider()])

        def insert_async(resolver, session, region, front):
            handed.append((region, [one.METHOD for one in front], "into"))

        theirs = SimpleNamespace(AioSession=AsyncSession)
        ours = SimpleNamespace(resolver_of=resolver_of, insert_async=insert_async)
        monkeypatch.setitem(sys.modules, "aiobotocore.session", theirs)
        for name in ("aio", "aio.providers", "aio.resolver"):
            monkeypatch.setitem(sys.modules, f"botocore_ext.{name}", ours)
        return handed

    def test_those_without_settings_are_unchanged(self, handed):
        botocore_ext.install()
        assert methods(AsyncSession()) == PLAIN
        assert not handed

    @pytest.mark.usefixtures("selecting")
    def test_others_are_passed_on(self, handed):
        botocore_ext.install()
        assert methods(AsyncSession()) == ["env"]
        botocore_ext.install(keys)
        assert methods(AsyncSession()) == ["env"]
        session = AsyncSession()
        hook.use_only(session, keys)
        assert methods(session) == ["env"]
        function = "custom-function"
        assert handed == [(None, [], None), (None, [function], None), (None, [], function)]

    def test_extend(self, handed):
        session = AsyncSession()
        botocore_ext.extend(session, keys)
        assert methods(session) == ["env"]
        other = AsyncSession()
        other.get_component("credential_provider").remove("assume-role")
        botocore_ext.extend(other, keys)
        assert handed == [(None, ["custom-function"], one) for one in (None, "into")]

    def test_credentials_that_it_has_are_seen_without_waiting(self):
        class Busy(AsyncSession):
            async def get_credentials(self):
                await asyncio.sleep(0)

        class Used(AsyncSession):
            async def get_credentials(self):
                return Credentials("AKIA", "secret", method="explicit")

        hook.use_only(Busy(), keys)
        with pytest.raises(TypeError, match="has credentials already"):
            hook.use_only(Used(), keys)


def test_extend_gives_a_session_that_exists_our_providers(config, aws):
    config(f"[profile endpoint]\ncontainer_credentials_full_uri = {aws.url}\n")
    for session in (
        boto3.Session(profile_name="endpoint"),
        botocore.session.Session(profile="endpoint"),
    ):
        botocore_ext.extend(session)
        botocore_ext.extend(session)
        assert session.get_credentials().method == "custom-http"
        assert methods(session).count("custom-http") == 1


def test_extend_takes_providers_of_its_own_and_those_of_install():
    botocore_ext.install(lambda: None)
    session = boto3.Session()
    botocore_ext.extend(session, keys)
    assert methods(session)[:3] == ["custom-function", "custom-function", "env"]
    assert session.get_credentials().access_key == "AKIAFUNCTION"


def access_keys(session):
    """Return the access key of each function in the session's resolver, in order."""
    found = session._session.get_component("credential_provider").providers
    return [one.fetch().access_key for one in found if one.METHOD == "custom-function"]


@pytest.mark.usefixtures("selecting")
@pytest.mark.parametrize("is_used", [False, True])
def test_the_last_extend_goes_first_and_nothing_is_there_twice(is_used):
    botocore_ext.install(lambda: FrozenCredentials("INSTALLED", "s"))
    session = boto3.Session()
    for name in ("FIRST", "SECOND"):
        if is_used:
            methods(session)
        botocore_ext.extend(session, lambda name=name: FrozenCredentials(name, "s"))
    assert access_keys(session) == ["SECOND", "FIRST", "INSTALLED"]
    every = [one for one in methods(session) if one != "custom-function"]
    assert len(every) == len(set(every))


def test_a_session_from_before_install_gets_its_providers_too():
    session = boto3.Session()
    methods(session)
    botocore_ext.install(lambda: FrozenCredentials("INSTALLED", "s"))
    botocore_ext.extend(session, lambda: FrozenCredentials("OWN", "s"))
    assert access_keys(session) == ["OWN", "INSTALLED"]


def test_extend_warns_of_credentials_that_the_session_keeps():
    session = boto3.Session(aws_access_key_id="AKIA", aws_secret_access_key=fakes.secret())
    with pytest.warns(UserWarning, match=r"has credentials already \(method 'explicit'\)") as seen:
        botocore_ext.extend(session, keys)
    assert seen[0].filename == __file__
    assert session.get_credentials().access_key == "AKIA"


def test_extend_resolves_nothing_by_itself(mocker):
    session = boto3.Session()
    botocore_ext.extend(session, keys)
    with pytest.raises(TypeError, match="extend\\(\\) takes a boto3 or botocore session, not str"):
        botocore_ext.extend("session")
    assert session._session._credentials is None


def test_session_uses_only_its_provider(monkeypatch, aws):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", fakes.secret())
    provider = from_http(aws_container_credentials_full_uri=aws.url)
    session = Session(credentials=provider, region_name="eu-west-1")
    assert session.region_name == "eu-west-1"
    assert session.get_credentials().method == "custom-http"
    assert methods(session) == PLAIN  # programs that look for one find it
    assert session.get_credentials().method == "custom-http"
    assert Session(credentials=keys).get_credentials().access_key == "AKIAFUNCTION"
    assert Session(credentials=EnvProvider()).get_credentials().method == "env"


@pytest.mark.parametrize("nothing", [from_http(), lambda: None])
def test_session_never_falls_through_to_another_identity(monkeypatch, nothing):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", fakes.secret())
    with pytest.raises(NotConfigured, match="takes credentials from this provider only"):
        Session(credentials=nothing).get_credentials()


def test_session_takes_its_profile_before_it_looks_for_anything(config, monkeypatch):
    config("[profile there]\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_PROFILE", "missing")
    session = Session(profile_name="there", credentials=keys)
    assert session.get_credentials().access_key == "AKIAFUNCTION"
    assert session.region_name == "eu-west-1"


def test_session_without_credentials_reads_profile_settings(config, aws):
    config(f"[profile endpoint]\ncontainer_credentials_full_uri = {aws.url}\n")
    assert Session(profile_name="endpoint").get_credentials().method == "custom-http"
    assert not initializers()


def test_provider_without_the_name_credentials_is_refused():
    """It would be the access key ID, and fail deep in the first request."""
    with pytest.raises(TypeError, match="pass it as credentials="):
        Session(keys)


def test_session_refuses_credentials_from_two_places():
    with pytest.raises(TypeError, match="exclude each other"):
        Session("AKIA", fakes.secret(), credentials=keys)
    with pytest.raises(TypeError, match="exclude each other"):
        Session(aws_account_id="123456789012", credentials=keys)
    used = botocore.session.Session()
    used.set_credentials("AKIA", fakes.secret())
    with pytest.raises(TypeError, match="has credentials already"):
        Session(botocore_session=used, credentials=keys)
    with pytest.raises(TypeError, match="is not a credential provider"):
        Session(credentials="keys")


def test_the_roles_cache_can_still_be_set():
    """AWS CLI and SAM do it."""
    botocore_ext.install()
    resolver = botocore.session.Session().get_component("credential_provider")
    for name in ("assume-role", "assume-role-with-web-identity"):
        resolver.get_provider(name).cache = cache = {}
        assert resolver.get_provider(name).cache is cache


class TestThreads:
    def test_threads_that_share_a_new_session_share_one_resolve(self, config, aws):
        aws.delay = 0.05
        config(f"[profile endpoint]\ncontainer_credentials_full_uri = {aws.url}\n")
        botocore_ext.install()
        for _ in range(5):
            aws.requests.clear()
            session = boto3.Session(profile_name="endpoint")
            found = together(16, lambda s=session: s.get_credentials().get_frozen_credentials())
            assert len(set(found)) == 1
            assert aws.operations() == ["GET"]

    def test_later_load_resolves_again_and_finds_the_cache(self, config, aws, monkeypatch):
        """People reset ``session._credentials``; late threads of a first load come so, too."""
        config(f"[default]\ncontainer_credentials_full_uri = {aws.url}\n")
        botocore_ext.install()
        session = botocore.session.Session()
        one = session.get_credentials()
        assert one.access_key
        session._credentials = None
        assert session.get_credentials() is one
        assert aws.operations() == ["GET"]
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", fakes.secret())
        session._credentials = None
        assert session.get_credentials().method == "env"

    def test_function_that_needs_its_own_session_is_an_error(self):
        session = boto3.Session(region_name="eu-west-1")
        botocore_ext.extend(session, lambda: session.client("s3") and keys())
        with pytest.raises(ConfigurationError, match="use a separate session or client"):
            session.get_credentials()


class TestProfileNamedInCode:
    """Our providers come first, so botocore's are created only when they are needed."""

    @pytest.fixture(autouse=True)
    def _app(self, config, aws):
        endpoint = f"[profile app]\ncontainer_credentials_full_uri = {aws.url}\n"
        config(f"{endpoint}\n[profile keys]\nother = 1\n{STATIC.partition(']')[2]}")
        botocore_ext.install()

    def test_botocores_providers_are_created_when_a_program_looks(self, mocker):
        created = mocker.spy(InstanceMetadataProvider, "__init__")
        session = boto3.Session(profile_name="app")
        assert session.get_credentials().method == "custom-http"
        assert created.call_count == 0
        assert methods(session) == [*OURS, *PLAIN[1:]]
        assert created.call_count == 1

    def test_botocores_providers_follow(self, caplog, mocker):
        """If that of the profile has nothing, as one of another package may."""
        caplog.set_level("DEBUG", "botocore.credentials")
        mocker.patch.object(from_http, "load", return_value=None)
        session = botocore.session.Session(profile="app")
        assert session.get_credentials() is None
        asked = [one.rpartition(": ")[2] for one in caplog.messages if "Looking for" in one]
        assert asked == methods(session) == [*OURS, *PLAIN[1:]]

    def test_they_are_all_of_the_profile_that_was_in_force(self):
        """Without a provider of ours there is nothing to try before botocore's are created."""
        session = botocore.session.Session(profile="keys")
        resolver = session.get_component("credential_provider")
        session.set_config_variable("profile", "app")
        assert resolver.load_credentials().method == "config-file"

    def test_what_others_insert_goes_before(self):
        session = botocore.session.Session(profile="app")
        assert session.get_credentials().method == "custom-http"
        found = session.get_component("credential_provider")
        found.insert_before(OURS[0], as_provider(keys))
        assert found.load_credentials().access_key == keys().access_key
        found.providers = []
        assert found.load_credentials() is None

    def test_a_list_that_others_assign_is_the_only_one(self):
        found = botocore.session.Session(profile="app").get_component("credential_provider")
        found.providers = [as_provider(keys)]
        assert found.load_credentials().access_key == keys().access_key

    def test_a_library_that_replaces_botocores_factory_comes_first(self, mocker):
        create = botocore.credentials.create_credential_resolver

        @functools.wraps(create)
        def replaced(*args, **kwargs):
            found = create(*args, **kwargs)
            found.providers.insert(0, as_provider(keys))
            return found

        mocker.patch.object(botocore.credentials, "create_credential_resolver", replaced)
        session = boto3.Session(profile_name="app")
        assert session.get_credentials().access_key == keys().access_key


@pytest.mark.parametrize("kind", [CredentialResolver, type("Own", (CredentialResolver,), {})])
def test_sessions_without_settings_keep_their_resolver(kind):
    """Nothing of this package is in it, also if a session class has its own."""

    class Subclass(botocore.session.Session):
        def _create_credential_resolver(self):
            return kind([EnvProvider()])

    botocore_ext.install()
    session = Subclass()
    assert type(session.get_component("credential_provider")) is kind
    assert methods(session) == ["env"]


@pytest.mark.usefixtures("selecting")
class TestOtherResolvers:
    def test_a_session_class_with_a_resolver_of_its_own_keeps_it(self):
        class Resolver(CredentialResolver):
            """A class of a user."""

        class Subclass(botocore.session.Session):
            def _create_credential_resolver(self):
                return Resolver([EnvProvider()])

        botocore_ext.install()
        session = Subclass()
        assert isinstance(session.get_component("credential_provider"), Resolver)
        assert methods(session) == ["env", *OURS]

    @pytest.mark.parametrize("providers", [None, property(lambda _: [])])
    def test_a_resolver_of_another_kind_stays_as_it_is(self, providers):
        """It has no providers, or they cannot be replaced."""

        class Resolver:
            def load_credentials(self):
                return Credentials("AKIAOTHER", "s")

        if providers is not None:
            Resolver.providers = providers

        class Subclass(botocore.session.Session):
            def _create_credential_resolver(self):
                return Resolver()

        def initialize(session):
            session.register_component("credential_provider", Resolver())

        botocore.register_initializer(initialize)
        try:
            botocore_ext.install(keys)
            session = botocore.session.Session()
        finally:
            botocore.unregister_initializer(initialize)
        for one in (session, Subclass()):
            assert one.get_credentials().access_key == "AKIAOTHER"

    def test_a_resolver_of_another_kind_cannot_be_extended(self):
        session = botocore.session.Session()
        session.register_component("credential_provider", SimpleNamespace(load_credentials=list))
        with pytest.raises(TypeError, match=r"\(SimpleNamespace\) takes no providers: create"):
            botocore_ext.extend(session, keys)

    @pytest.mark.parametrize("is_lazy", [True, False])
    def test_providers_go_into_the_resolver_of_an_initializer(self, is_lazy):
        resolver = CredentialResolver([EnvProvider()])

        def initialize(session):
            if is_lazy:
                session.lazy_register_component("credential_provider", lambda: resolver)
            else:
                session.register_component("credential_provider", resolver)

        botocore.register_initializer(initialize)
        try:
            botocore_ext.install(keys)
            session = botocore.session.Session()
            botocore_ext.extend(session, keys)
        finally:
            botocore.unregister_initializer(initialize)
        assert session.get_component("credential_provider") is resolver
        assert methods(session) == ["custom-function", "custom-function", "env", *OURS]

    def test_only_provider_is_used_whatever_the_class_has(self):
        class Subclass(botocore.session.Session):
            def _create_credential_resolver(self):
                return SimpleNamespace(load_credentials=lambda: Credentials("AKIAOTHER", "s"))

        session = botocore_ext.Session(credentials=keys, botocore_session=Subclass())
        assert session.get_credentials().access_key == keys().access_key

    def test_third_party_role_provider_stays(self):
        class Mine(AssumeRoleProvider):
            """A class of a user."""

        mine = Mine(dict, None, None, "default")

        class Subclass(botocore.session.Session):
            def _create_credential_resolver(self):
                return CredentialResolver([EnvProvider(), mine])

        botocore_ext.install()
        resolver = Subclass().get_component("credential_provider")
        assert resolver.get_provider("assume-role") is mine

    def test_without_the_private_name_botocores_function_serves(self, mocker):
        botocore_ext.install()
        session = botocore.session.Session()
        mocker.patch.object(botocore.session.Session, "_create_credential_resolver", None)
        mocker.patch.object(resolver, "getattr", lambda one, name, default: default, create=True)
        assert methods(session) == ["env", *OURS, *PLAIN[1:]]

    def test_another_library_may_register_after_us(self):
        botocore_ext.install(keys)
        session = botocore.session.Session()
        session.register_component("credential_provider", CredentialResolver([EnvProvider()]))
        assert session.get_credentials() is None

    def test_other_libraries_may_insert_and_remove(self):
        botocore_ext.install()
        resolver = botocore.session.Session().get_component("credential_provider")
        resolver.insert_before("env", EnvProvider())
        resolver.insert_after(OURS[-1], EnvProvider())
        resolver.remove("assume-role")
        resolver.remove("custom-web-token")
        assert [one.METHOD for one in resolver.providers][:9] == [
            "env", "env", OURS[0], *OURS[2:], "env", "assume-role-with-web-identity",
        ]  # fmt: skip


class TestFunctions:
    @pytest.mark.parametrize(
        "found",
        [
            FrozenCredentials("AKIA", "s", "t"),
            Credentials("AKIA", "s", "t"),
            {"AccessKeyId": "AKIA", "SecretAccessKey": "s", "SessionToken": "t"},
            {"access_key": "AKIA", "secret_key": "s", "token": "t"},
            {"accessKeyId": "AKIA", "secretAccessKey": "s", "sessionToken": "t"},
        ],
    )
    def test_credentials_in_every_shape(self, found):
        credentials = Session(credentials=lambda: found).get_credentials()
        assert credentials.get_frozen_credentials()[:3] == ("AKIA", "s", "t")

    def test_loaded_again_it_is_not_called_again(self):
        calls = []
        session = botocore.session.Session()
        botocore_ext.extend(session, lambda: calls.append(1) or keys())
        one = session.get_credentials()
        session._credentials = None
        assert session.get_credentials() is one
        assert len(calls) == 1

    def test_it_is_called_once_and_again_for_a_refresh(self):
        calls = []
        credentials = Session(credentials=lambda: calls.append(1) or keys()).get_credentials()
        credentials.get_frozen_credentials()
        assert len(calls) == 1
        credentials.refresh()
        assert len(calls) == 2

    def test_what_it_raises_passes_unchanged(self):
        def broken():
            raise LookupError("mine")

        with pytest.raises(LookupError, match="mine"):
            Session(credentials=broken).get_credentials()

    def test_none_at_a_refresh_is_not_configured(self):
        answers = [keys(), None]
        credentials = Session(credentials=lambda: answers.pop(0)).get_credentials()
        with pytest.raises(NotConfigured, match="returned None: it has no credentials here"):
            credentials.refresh()

    @pytest.mark.parametrize(
        ("found", "text"),
        [
            ("keys", "str is neither FrozenCredentials, botocore credentials nor a mapping"),
            ({"AccessKeyId": "AKIA"}, "SecretAccessKey is missing"),
        ],
    )
    def test_other_results_are_an_error(self, found, text):
        with pytest.raises(FetchError, match=f"did not return credentials: {text}"):
            Session(credentials=lambda: found).get_credentials()


def test_nothing_is_found_where_nothing_is_configured():
    botocore_ext.install()
    assert boto3.Session().get_credentials() is None
    with pytest.raises(NoCredentialsError):
        boto3.client("sts", region_name="eu-west-1").get_caller_identity()


class TestOuterRegion:
    POOL = "eu-central-1:1699ebc0-7900-4099-b910-2df94f52a030"

    def region_of_sts(self, session):
        provider = session._session.get_component("credential_provider").get_provider(
            "custom-web-token"
        )
        return provider.scope.region(None)

    def test_the_first_clients_region_is_the_outer_region(self, config):
        config(
            "[profile web]\nrole_arn = arn:aws:iam::123456789012:role/Web\n"
            "web_identity_token = token\n"
        )
        botocore_ext.install()
        session = boto3.Session(profile_name="web", region_name="eu-west-1")
        session.client("s3", region_name="ap-south-1")
        session.client("s3", region_name="eu-north-1")
        assert self.region_of_sts(session) == "ap-south-1"

    def test_that_of_providers_passed_in_code_too(self):
        botocore_ext.install(from_web_token(role_arn="arn:aws:iam::123456789012:role/Web"))
        session = boto3.Session(region_name="eu-west-1")
        session.client(
            "s3", region_name="ap-south-1", aws_access_key_id="A", aws_secret_access_key="s"
        )
        assert self.region_of_sts(session) == "ap-south-1"

    def test_else_the_sessions(self, config):
        config(
            "[profile web]\nrole_arn = arn:aws:iam::123456789012:role/Web\n"
            "web_identity_token = token\n"
        )
        botocore_ext.install()
        assert self.region_of_sts(boto3.Session(profile_name="web", region_name="eu-west-1")) == (
            "eu-west-1"
        )


@pytest.mark.parametrize("profile", [None, "role"])
def test_session_without_settings_loads_no_provider(profile, config):
    """The cost must stay next to nothing for everybody who has this package installed."""
    config("[profile role]\nrole_arn = arn\nsource_profile = keys\n" + STATIC)
    code = (
        "import sys, boto3, botocore_ext; botocore_ext.install(); "
        f"boto3.Session(profile_name={profile!r}).get_credentials(); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name[13:] for name in done.stdout.split() if name.startswith("botocore_ext.")}
    assert loaded == {
        *("errors", "profiles", "profiles.inert", "profiles.plain_roles", "runtime"),
        *("runtime.context", "runtime.single_flight", "session", "session.hook"),
        "session.resolver",
    }


@pytest.mark.parametrize("module", ["exceptions", "tokens"])
def test_modules_are_attributes_of_the_package(module):
    """Without an import of their own, because a missing one would show in an `except` only."""
    code = f"import botocore_ext; print(botocore_ext.{module}.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"botocore_ext.{module}\n"


def test_exceptions_have_a_module_as_in_botocore():
    names = [name for name in dir(exceptions) if not name.startswith("_")]
    assert all(getattr(exceptions, name) is getattr(botocore_ext, name) for name in names)
    errors = [name for name in botocore_ext.__all__ if name.endswith(("Error", "Configured"))]
    assert {*errors, "Attempt"} == {*names}


def test_the_public_names_are_all_there():
    assert set(botocore_ext.__all__) <= set(dir(botocore_ext))
    for name in botocore_ext.__all__:
        assert getattr(botocore_ext, name) is not None
    assert botocore_ext.tokens.TokenFile("~/token").path == "~/token"
    with pytest.raises(AttributeError, match="no attribute 'nothing'") as raised:
        _ = botocore_ext.nothing
    # Python suggests the nearest name.
    assert (raised.value.name, raised.value.obj) == ("nothing", botocore_ext)
    assert botocore_ext.from_web_token is from_web_token
    assert botocore_ext.from_cognito_identity_pool is from_cognito_identity_pool


def test_an_initializer_has_the_hash_of_one_that_equals_it():
    """Of a module that was loaded again."""
    mine = hook._initialize
    assert hash(mine) == hash(type(mine)())
    assert mine == type(mine)()
