"""Ways to the credentials of another identity that were once open, and are closed."""

import functools
import threading

import boto3
import botocore.session
import pytest
from botocore.credentials import (
    CredentialProvider,
    CredentialResolver,
    Credentials,
    EnvProvider,
    ReadOnlyCredentials,
)

import botocore_ext
from botocore_ext import (
    ConfigurationError,
    FetchError,
    FrozenCredentials,
    Provider,
    ProviderCredentials,
    Session,
    create_credential_chain,
    from_cognito_identity_pool,
    from_http,
    from_ini,
    from_temporary_credentials,
    from_web_token,
    option,
)
from botocore_ext.session import resolver
from tests import fakes
from tests.declared import PROVIDERS

ROLE = "arn:aws:iam::123456789012:role/Web"
POOL = "us-east-1:1699ebc0-7900-4099-b910-2df94f52a030"


def test_iterator_of_policies_is_refused():
    """An iterator is empty when it is read again, and an empty list limits nothing."""
    arns = (one for one in ["arn:aws:iam::aws:policy/ReadOnlyAccess"])
    with pytest.raises(ConfigurationError, match="must be a list of ARNs, not generator"):
        from_web_token(role_arn=ROLE, web_identity_token="t", policy_arns=arns)


@pytest.mark.parametrize("kind", ["mapping", "frozen", "text"])
@pytest.mark.parametrize(
    "take", [botocore_ext.install, create_credential_chain, lambda one: Session(credentials=one)]
)
def test_credentials_instead_of_a_provider_are_not_shown(kind, take):
    secret = fakes.secret()
    given = {
        "mapping": {"AccessKeyId": "AKIA", "SecretAccessKey": secret},
        "frozen": ReadOnlyCredentials("AKIA", secret, None),
        "text": secret,
    }[kind]
    if kind == "text" and take is create_credential_chain:
        pytest.skip("a text is the name of a link")
    with pytest.raises(TypeError, match="is not a credential provider") as raised:
        take(given)
    assert secret not in str(raised.value)


def test_factory_that_was_not_called_is_named():
    with pytest.raises(TypeError, match=r"^from_http is not a credential provider: call it: from_"):
        botocore_ext.install(from_http)


@pytest.mark.parametrize("source", ["CustomCognitoIdentityPool@other", "Environment@x", "@", "x@"])
def test_a_source_cannot_name_another_profile(config, aws, source):
    config(f"""
[profile app]
role_arn = {ROLE}
credential_source = {source}
[profile other]
role_arn = {ROLE}
cognito_identity_pool_id = {POOL}
""")
    messages = []
    for install in (botocore_ext.uninstall, botocore_ext.install):
        install()
        with pytest.raises(Exception, match="is not valid") as raised:
            boto3.Session(profile_name="app").get_credentials()
        messages.append(repr(raised.value))
    assert messages[0] == messages[1]
    assert not aws.requests


def test_old_fetch_does_not_restore_the_old_identity(aws):
    provider = from_cognito_identity_pool(identity_pool_id=POOL, logins={"a": fakes.secret("old")})
    credentials = provider.load()

    def replaced_meanwhile(request):
        provider.logins = {"a": fakes.secret("new")}
        return aws.cognito(request)

    aws.script("GetId", replaced_meanwhile)
    credentials.get_frozen_credentials()
    assert aws.operations() == ["GetId", "GetCredentialsForIdentity"] * 2
    last = aws.requests[-1].parameters
    assert last["IdentityId"] == provider.identity_id
    assert last["IdentityId"].endswith("2")
    assert last["Logins"] == aws.requests[-2].parameters["Logins"]


class UserProvider(Provider):
    """Credentials that say whose they are."""

    user: str = option(default=None, required=True, token=True, help="Whose they are.")

    def fetch(self):
        return FrozenCredentials(self.user, "secret")


class OnTopOf(Provider):
    """Credentials that are obtained with others, and say so."""

    master: Provider = option(default=None, required=True, help="What gives the others.")

    def _subscribe(self, credentials, distance=0):
        super()._subscribe(credentials, distance)
        self.master._subscribe(credentials, distance + 1)

    def fetch(self):
        return FrozenCredentials(f"{self.master.load().access_key}+", "secret")


def test_new_token_reaches_roles_at_any_depth(mocker):
    """Whatever others use between two steps of the replacement."""
    source = UserProvider(user="alice")
    tower = [source]
    for _ in range(7):
        tower.append(OnTopOf(master=tower[-1]))
    every = [one.load() for one in reversed(tower)]
    assert every[0].access_key == "alice+++++++"
    start_with = ProviderCredentials._start_with

    def used_by_others_after(credentials, keys):
        start_with(credentials, keys)
        [one.access_key for one in every]

    mocker.patch.object(ProviderCredentials, "_start_with", used_by_others_after)
    source.user = "bob"
    assert {one.access_key.strip("+") for one in every} == {"bob"}


def test_role_loaded_during_the_change_has_the_new_token(mocker):
    source = UserProvider(user="alice")
    master = source.load()
    assert master.access_key == "alice"
    role, start_with = OnTopOf(master=source), ProviderCredentials._start_with

    def another_comes_before(credentials, keys):
        mocker.stopall()
        role.load().get_frozen_credentials()
        start_with(credentials, keys)

    mocker.patch.object(ProviderCredentials, "_start_with", another_comes_before)
    source.user = "bob"
    assert role.load().access_key == "bob+"


def test_logins_replaced_during_a_fetch_keep_their_identity(aws):
    new = {"a": fakes.secret("new")}

    def replaced_meanwhile():
        provider.logins = new
        return "of-the-old-user"

    provider = from_cognito_identity_pool(identity_pool_id=POOL, logins={"a": replaced_meanwhile})
    credentials = provider.load()
    credentials.get_frozen_credentials()
    assert aws.operations() == ["GetId", "GetCredentialsForIdentity"] * 2
    assert [one.parameters["Logins"] for one in aws.requests[2:]] == [new] * 2
    assert credentials.identity_id.endswith("2")


def test_two_providers_of_one_user_share_the_identity(aws):
    one, two = (
        from_cognito_identity_pool(identity_pool_id=POOL, user_identifier="user_0")
        for _ in range(2)
    )
    one.fetch()
    two.fetch()
    aws.script("GetCredentialsForIdentity", fakes.error("ResourceNotFoundException"))
    one.fetch()
    assert two.fetch().identity_id == two.identity_id == one.identity_id
    assert aws.operations().count("GetId") == 2


def test_function_that_creates_sessions_ends():
    calls = []

    def assume():
        calls.append(1)
        boto3.Session(region_name="eu-west-1").client("sts").get_caller_identity()

    botocore_ext.install(assume)
    with pytest.raises(ConfigurationError, match=r"depends on itself \(.*assume -> .*assume\)"):
        boto3.Session(region_name="eu-west-1").get_credentials()
    assert len(calls) == 1


def test_token_callable_that_creates_sessions_is_an_error(aws):
    def token():
        return boto3.Session(region_name="eu-west-1").get_credentials().access_key

    botocore_ext.install(from_web_token(role_arn=ROLE, web_identity_token=token))
    with pytest.raises(ConfigurationError, match="depends on itself"):
        boto3.Session(region_name="eu-west-1").get_credentials().get_frozen_credentials()
    assert not aws.requests


def test_a_wait_for_another_thread_ends(mocker):
    """Its callable may wait for this thread, which cannot be detected."""
    mocker.patch("botocore_ext.refresh.refresher.LONGEST_WAIT", 0.1)
    provider = from_web_token(role_arn=ROLE)
    credentials, found = provider.load(), []

    def token():
        def ask():
            with pytest.raises(FetchError, match="has been fetching credentials for 0.1") as e:
                credentials.get_frozen_credentials()
            found.append(e.value)

        helper = threading.Thread(target=ask)
        helper.start()
        helper.join()
        raise LookupError("no token")

    provider.web_identity_token = token
    with pytest.raises(LookupError):
        credentials.get_frozen_credentials()
    assert found


def test_search_does_not_wait_forever_for_a_thread(mocker):
    """As plain botocore would: that thread may wait for this one."""
    mocker.patch("botocore_ext.session.resolver._LONGEST_WAIT", 0.1)
    session, found = botocore.session.Session(), []

    class Waiting(CredentialProvider):
        METHOD = "waiting"

        def load(self):
            if threading.current_thread() is threading.main_thread():
                helper = threading.Thread(target=lambda: found.append(session.get_credentials()))
                helper.start()
                helper.join()
            return Credentials("AKIA", "s", method=self.METHOD)

    botocore_ext.extend(session, Waiting())
    assert session.get_credentials().access_key == "AKIA"
    assert found[0].access_key == "AKIA"


@pytest.mark.parametrize("value", ["token-\udcff", "to\nken", "to\x00ken"])
def test_a_token_that_cannot_be_sent_is_not_shown(value):
    fakes.SECRETS.add(value)
    provider = from_web_token(role_arn=ROLE, web_identity_token=lambda: value)
    with pytest.raises(FetchError, match="a character that cannot be sent") as raised:
        provider.fetch()
    assert value not in f"{raised.value!r}{raised.value.__cause__!r}{raised.value.__context__!r}"


def test_no_error_carries_another_that_shows_a_secret(aws):
    """Walk what ``raise`` keeps along: it is what a traceback and an error tracker show."""
    secret = fakes.secret()
    keys = {"AccessKeyId": "AKIA", "SecretAccessKey": "s", "Expiration": {"oops": secret}}
    failing = [
        lambda: Session(credentials=lambda: keys).get_credentials(),
        from_web_token(
            role_arn=ROLE, web_identity_token="t", role_assumer_with_web_identity=lambda _: keys
        ).fetch,
    ]
    for fail in failing:
        with pytest.raises(FetchError) as raised:
            fail()
        error = raised.value
        while error is not None:
            assert secret not in repr(error)
            error = error.__cause__ or error.__context__


@pytest.mark.parametrize(
    ("factory", "option"),
    [
        (from_web_token, "role_assumer_with_web_identity"),
        (from_ini, "mfa_code_provider"),
        (from_temporary_credentials, "mfa_code_provider"),
        (from_cognito_identity_pool, "cache"),
    ],
)
def test_repr_of_a_callers_object_is_not_shown(factory, option):
    """Such as a partial of a function that makes MFA codes of a seed."""
    seed = fakes.secret("seed")
    given = {"seed": seed} if option == "cache" else functools.partial(print, seed)
    assert repr(factory(**{option: given})) == f"{factory.FACTORY}({option}=<hidden>)"


def test_what_a_partial_holds_is_not_shown():
    secret = fakes.secret()
    chain = create_credential_chain(functools.partial(print, secret))
    assert secret not in repr(chain)


def test_token_in_code_precedes_the_environment(aws, monkeypatch):
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", aws.url)
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", fakes.secret())
    with pytest.raises(ConfigurationError, match="is not used without an address"):
        from_http(aws_container_authorization_token=fakes.secret()).fetch()
    assert not aws.requests


def test_failed_profile_link_gives_no_new_credentials(aws, config):
    config(f"[profile web]\nrole_arn = {ROLE}\nweb_identity_token = {fakes.secret('token')}\n")
    credentials = create_credential_chain("profile web").load()
    credentials.get_frozen_credentials()
    aws.script("AssumeRoleWithWebIdentity", fakes.error("ExpiredTokenException"))
    with pytest.raises(Exception, match="ExpiredTokenException"):
        credentials.refresh()


def test_web_token_link_takes_role_and_token_together(config, monkeypatch):
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    config("[profile a]\ncredential_chain = CustomWebToken\nweb_identity_token = token\n")
    botocore_ext.install()
    with pytest.raises(ConfigurationError, match="role_arn is not set in profile 'a'"):
        boto3.Session(profile_name="a").get_credentials().get_frozen_credentials()


class TestOthersProvidersStay:
    class Theirs(CredentialProvider):
        METHOD = "theirs"

        def load(self):
            return Credentials("AKIATHEIRS", "s", method=self.METHOD)

    def test_extend_keeps_what_was_inserted(self):
        session = botocore.session.Session()
        session.get_component("credential_provider").insert_before("env", self.Theirs())
        botocore_ext.extend(session)
        assert session.get_credentials().method == "theirs"

    def test_extend_again_adds(self, monkeypatch):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", fakes.secret())
        for use in (False, True):
            session = botocore.session.Session()
            botocore_ext.extend(session, lambda: FrozenCredentials("AKIAFIRST", "s"))
            if use:
                assert session.get_credentials().access_key == "AKIAFIRST"
                session._credentials = None
            botocore_ext.extend(session, lambda: None)
            assert session.get_credentials().access_key == "AKIAFIRST"

    @pytest.mark.parametrize("installed", [False, True])
    def test_a_session_that_is_refused_stays_as_it_was(self, installed, monkeypatch):
        """Warnings may be errors, and the session may look for credentials again."""
        if installed:
            botocore_ext.install()
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", fakes.secret())
        session = botocore.session.Session()
        session.set_credentials("AKIAEXPLICIT", fakes.secret())
        with pytest.raises(UserWarning, match="has credentials already"):
            botocore_ext.extend(session)
        with pytest.raises(TypeError, match="has credentials already"):
            Session(botocore_session=session, credentials=lambda: None)
        session._credentials = None
        assert session.get_credentials().method == "env"

    @pytest.mark.parametrize("install", [botocore_ext.uninstall, botocore_ext.install])
    def test_other_threads_resolve_while_the_session_is_checked(self, install, monkeypatch):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", fakes.secret())
        found = []

        class Shared(botocore.session.Session):
            def get_credentials(self):
                if threading.current_thread() is threading.main_thread():
                    other = threading.Thread(target=lambda: found.append(self.get_credentials()))
                    other.start()
                    other.join()
                return super().get_credentials()

        install()
        assert resolver.loaded_credentials(Shared()) is found[0]
        assert found[0].method == "env"

    @pytest.mark.parametrize("used", [False, True])
    def test_a_session_of_one_provider_stays_so(self, used):
        session = Session(credentials=lambda: FrozenCredentials("AKIAONLY", "s"))
        if used:
            session.get_credentials()
        with pytest.raises(TypeError, match="from one provider only"):
            botocore_ext.extend(session)

    @pytest.mark.parametrize(
        "source",
        [
            "aws_access_key_id = AKIA\naws_secret_access_key = s",
            "cognito_identity_pool_id = us-east-1:pool",
        ],
        ids=["theirs", "ours"],
    )
    def test_a_prompter_that_is_set_is_used(self, source, config):
        config(f"""
[profile app]
role_arn = {ROLE}
source_profile = keys
mfa_serial = device
[profile keys]
{source}
""")
        botocore_ext.install()
        session = botocore.session.Session(profile="app")
        provider = session.get_component("credential_provider").get_provider("assume-role")
        provider._prompter = lambda _: pytest.fail("asked")
        with pytest.raises(BaseException, match="asked"):
            session.get_credentials().get_frozen_credentials()

    def test_a_provider_that_uses_its_session_behaves_as_without_us(self):
        class Guarded(CredentialProvider):
            METHOD = "guarded"
            busy = False

            def load(self):
                if self.busy:
                    return None
                self.busy = True
                session.get_credentials()
                return Credentials("AKIA", "s", method=self.METHOD)

        for install in (botocore_ext.uninstall, botocore_ext.install):
            install()
            session = botocore.session.Session()
            session.get_component("credential_provider").insert_before("env", Guarded())
            assert session.get_credentials().method == "guarded"

    @pytest.mark.parametrize("install", [botocore_ext.uninstall, botocore_ext.install])
    def test_provider_that_raises_is_called_once(self, install):
        """A timeout of the callable is not one of this package."""
        asked = []

        class Silent(CredentialProvider):
            METHOD = "silent"

            def load(self):
                asked.append(1)
                raise TimeoutError

        install()
        session = botocore.session.Session()
        session.get_component("credential_provider").insert_before("env", Silent())
        with pytest.raises(TimeoutError):
            session.get_credentials()
        assert len(asked) == 1

    def test_providers_come_after_the_environment(self, config):
        config("[default]\ncredential_chain = Environment\n")

        class Subclass(botocore.session.Session):
            def _create_credential_resolver(self):
                return CredentialResolver((TestOthersProvidersStay.Theirs(), EnvProvider()))

        botocore_ext.install()
        providers = Subclass().get_component("credential_provider").providers
        assert [one.METHOD for one in providers][:3] == ["theirs", "env", PROVIDERS[0].METHOD]

    def test_resolver_without_botocores_gets_providers_first(self, config):
        config("[default]\ncredential_chain = Environment\n")

        class Subclass(botocore.session.Session):
            def _create_credential_resolver(self):
                return CredentialResolver([TestOthersProvidersStay.Theirs()])

        botocore_ext.install()
        providers = Subclass().get_component("credential_provider").providers
        first = providers[0].METHOD
        assert first == PROVIDERS[0].METHOD
        assert providers[-1].METHOD == "theirs"


def test_async_sessions_are_refused():
    class Async(botocore.session.Session):
        async def get_credentials(self):
            """Make the session asynchronous."""

    with pytest.raises(TypeError, match="not .*Async"):
        Session(botocore_session=Async(), credentials=lambda: None)
    assert resolver.unused_registration(botocore.session.Session()) is None
