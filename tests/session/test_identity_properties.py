"""No sequence of events gives one identity's credentials to another.

The loopback AWS answers every call with other credentials and notes the call, so the test knows for
which call any credentials in use were returned. The model knows one thing of each provider: whose
token or login it has now. Services here check nothing: they return credentials of the identity that
a call names, to any caller, so that a refusal hides no mistake. Cognito alone refuses one call: the
identity of a guest who has signed in is for that user alone, because guests may share an identity.
"""

import pickle
import re
import threading

import boto3
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

import botocore_ext
from botocore_ext import (
    Scope,
    create_credential_chain,
    from_cognito_identity,
    from_cognito_identity_pool,
    from_http,
    from_ini,
    from_temporary_credentials,
    from_web_token,
)
from botocore_ext.providers import cognito
from tests import fakes, fuzz
from tests.runtime.test_fork import in_children

pytestmark = [
    pytest.mark.caller_signs,
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]

POOL = "us-east-1:1699ebc0-7900-4099-b910-2df94f52a030"
ROLE = "arn:aws:iam::123456789012:role"
PEOPLE = ["ann", "bob", "guest"]
KINDS = ["web_token", "pool", "user", "guest", "identity", "endpoint"]
PERSON = st.sampled_from(PEOPLE[:2])
ANY = st.integers(0, 1000)


class WitnessAws(fakes.FakeAws):
    """Notes which identity each access key is for."""

    def __init__(self):
        super().__init__()
        #: Token -> whose it is.
        self.people = {}
        #: Cognito identity -> whose it is.
        self.owners = {}
        #: The logins of those who were guests before.
        self.former_guests = set()
        #: The Cognito identities of guests who have signed in.
        self.signed_in = set()
        #: Access key -> everything that was returned with it, and whose it is.
        self.issued = {}

    def token(self, person):
        token = fakes.secret(f"token-of-{person}")
        self.people[token] = person
        return token

    def keys(self, request=None):
        keys = super().keys(request)
        self.issued[keys["AccessKeyId"]] = (keys, request and self.who(request))
        return keys

    def cognito(self, request):
        identity = request.parameters.get("IdentityId")
        if identity in self.signed_in and self.login(request) != self.owners[identity]:
            return fakes.error("NotAuthorizedException")(request)
        answer = super().cognito(request)
        if request.operation == "GetId":
            identity = re.search(rb'"IdentityId": "([^"]+)"', answer.body)[1].decode()
            self.owners[identity] = self.who(request)
        return answer

    def who(self, request):
        """Say who made a call; an identity that does not belong to the logins is of no user."""
        parameters = request.parameters
        if "WebIdentityToken" in parameters:
            return self.people[parameters["WebIdentityToken"]]
        if request.operation in ("GetId", "GetCredentialsForIdentity"):
            person = self.login(request)
            if request.operation == "GetId":
                return person
            owner = self.owners.get(parameters["IdentityId"], "no user")
            if owner == "guest" and self.former_guests.issuperset(self.tokens(request)):
                owner = self.owners[parameters["IdentityId"]] = person
                self.signed_in.update([parameters["IdentityId"]] if person != "guest" else [])
            return person if owner == person else f"{person} with the identity of {owner}"
        authorization = request.headers.get("Authorization", "")
        signed_by = re.search(r"Credential=(\w+)/", authorization)
        return self.issued[signed_by[1]][1] if signed_by else self.people[authorization]

    def tokens(self, request):
        return request.parameters.get("Logins", {}).values()

    def login(self, request):
        (person,) = {self.people[one] for one in self.tokens(request)} or {"guest"}
        return person


class Subject:
    """A provider, and whose credentials it must return."""

    def __init__(self, provider, person, token=None):
        self.provider, self.person = provider, person
        #: The name of the option that is replaced; None where none can be.
        self.token = token

    @property
    def operation(self):
        """The call that returns credentials."""
        return {
            "web_identity_token": "AssumeRoleWithWebIdentity",
            "aws_container_authorization_token": "GET",
        }.get(self.token, "GetCredentialsForIdentity")


class Identities(RuleBasedStateMachine):
    """Providers of two people and of guests, and what may happen to them."""

    def __init__(self, aws, config, logs):
        super().__init__()
        self.aws, self.logs = aws, logs
        self.clock = fakes.FakeClock()
        aws.now = lambda: self.clock.time
        self.scope = Scope(clock=self.clock)
        self.cache, self.subjects, self.used = {}, [], []
        self.last = {}
        self.write_profiles(config)
        botocore_ext.install()

    def write_profiles(self, config):
        text = ""
        for person in PEOPLE[:2]:
            login = f"cognito_logins =\n    a.example = {self.aws.token(person)}\n"
            text += f"""
[profile web-{person}]
role_arn = {ROLE}/Web
web_identity_token = {self.aws.token(person)}
[profile pool-{person}]
cognito_identity_pool_id = {POOL}
{login}
[profile user-{person}]
cognito_identity_pool_id = {POOL}
cognito_user_identifier = {person}
{login}
[profile http-{person}]
container_credentials_full_uri = {self.aws.url}
container_authorization_token = {self.aws.token(person)}
[profile role-{person}]
role_arn = {ROLE}/App
source_profile = web-{person}
[profile chain-{person}]
credential_chain = Environment, profile user-{person}
"""
        config(text)

    # What comes into being.

    def add(self, provider, person, token=None):
        self.subjects.append(Subject(provider, person, token))
        self.use(self.subjects[-1], provider.bind(self.scope).load())

    def use(self, subject, credentials):
        self.used.append((subject, credentials))

    @initialize(person=PERSON)
    def there_is_one_of_each(self, person):
        """Used by itself, in a chain and as the master of a role."""
        for kind in KINDS:
            self.a_user_comes(person, kind, cached=True)
            self.a_provider_that_is_made_of_another(-1, "chain")
            self.a_provider_that_is_made_of_another(-1, "role")

    @rule(person=PERSON, kind=st.sampled_from(KINDS), cached=st.booleans())
    def a_user_comes(self, person, kind, cached):
        provider, person, token = getattr(self, kind)(person, self.cache if cached else None)
        self.add(provider, person, token)

    def web_token(self, person, _):
        token = self.aws.token(person)
        provider = from_web_token(role_arn=f"{ROLE}/Web", web_identity_token=token)
        return provider, person, "web_identity_token"

    def pool(self, person, cache, user=None):
        logins = {"a.example": self.aws.token(person)}
        provider = from_cognito_identity_pool(
            identity_pool_id=POOL, logins=logins, user_identifier=user, cache=cache
        )
        return provider, person, "logins"

    def user(self, person, cache):
        """With a user identifier the application says who it is; it must not lie."""
        return self.pool(person, cache, user=person)

    def guest(self, _, cache):
        return from_cognito_identity_pool(identity_pool_id=POOL, cache=cache), "guest", "logins"

    def identity(self, person, _):
        identity = f"us-east-1:{len(self.aws.owners):08d}-of-{person}"
        self.aws.owners[identity] = person
        logins = {"a.example": self.aws.token(person)}
        return from_cognito_identity(identity_id=identity, logins=logins), person, None

    def endpoint(self, person, _):
        provider = from_http(
            aws_container_credentials_full_uri=self.aws.url,
            aws_container_authorization_token=self.aws.token(person),
            max_retries=0,
        )
        return provider, person, "aws_container_authorization_token"

    @precondition(lambda self: self.subjects)
    @rule(which=ANY, kind=st.sampled_from(["chain", "role", "pickle", "callable"]))
    def a_provider_that_is_made_of_another(self, which, kind):
        subject = self.subjects[which % len(self.subjects)]
        if kind == "pickle":  # from here on it has a life of its own
            self.add(pickle.loads(pickle.dumps(subject.provider)), subject.person, subject.token)
            return
        if kind == "role":
            other = from_temporary_credentials(
                params={"RoleArn": f"{ROLE}/App"}, master_credentials=subject.provider
            )
        elif kind == "chain":
            other = create_credential_chain(lambda: None, subject.provider)
        else:
            other = create_credential_chain(
                "Environment", create_credential_chain(subject.provider)
            )
        self.use(subject, other.bind(self.scope).load())

    @precondition(lambda self: self.subjects)
    @rule(which=ANY, kind=st.sampled_from(["bind", "load", "session", "extend"]))
    def a_session(self, which, kind):
        subject = self.subjects[which % len(self.subjects)]
        credentials = {
            "bind": lambda: subject.provider.bind(Scope(clock=self.clock)).load(),
            "load": subject.provider.load,
            "session": lambda: botocore_ext.Session(credentials=subject.provider).get_credentials(),
            "extend": lambda: self.extended(subject.provider).get_credentials(),
        }[kind]()
        self.use(subject, credentials)

    def extended(self, provider):
        session = boto3.Session(region_name="eu-west-1")
        botocore_ext.extend(session, provider)
        return session

    @rule(person=PERSON, kind=st.sampled_from(["web", "pool", "user", "http", "role", "chain"]),
          by=st.sampled_from(["session", "from_ini", "link"]))  # fmt: skip
    def a_profile(self, person, kind, by):
        name = f"{kind}-{person}"
        if by == "session":
            credentials = boto3.Session(profile_name=name).get_credentials()
        elif by == "link":
            credentials = create_credential_chain(f"profile {name}").bind(self.scope).load()
        else:
            credentials = from_ini(profile=name).bind(self.scope).load()
        self.use(Subject(None, person), credentials)

    # What happens to it.

    @precondition(lambda self: self.replaceable())
    @rule(which=ANY, person=PERSON, how=st.sampled_from(["quietly", "meanwhile", "and fails"]))
    def a_token_is_replaced(self, which, person, how):
        """Also in the middle of a fetch, and before one that fails; nothing old is served then."""
        subject = self.replaceable()[which % len(self.replaceable())]
        if subject.token == "logins" and subject.provider.user_identifier is not None:
            person = subject.person  # a new token of the same user
        in_use = [credentials for holder, credentials in self.used if holder is subject]
        for credentials in in_use:
            self.check(subject, credentials)
        if how == "meanwhile":
            self.replace_during_a_fetch(subject, person)
        else:
            self.replace(subject, person)
        for credentials in in_use:
            if how == "and fails":
                self.aws.script(subject.operation, fakes.error("Throttled"))
            self.check(subject, credentials)

    def replace_during_a_fetch(self, subject, person):
        def answer(request):
            answers = {"GET": self.aws.endpoint, "AssumeRoleWithWebIdentity": self.aws.sts}
            found = answers.get(request.operation, self.aws.cognito)(request)
            self.replace(subject, person)
            return found

        self.aws.scripts[subject.operation] = [answer]
        self.check(subject, subject.provider.bind(self.scope).load())

    def replaceable(self):
        return [subject for subject in self.subjects if subject.token]

    def replace(self, subject, person):
        token = self.aws.token(person)
        value = {"a.example": token} if subject.token == "logins" else token
        if subject.person == "guest":
            self.aws.former_guests.add(token)
        subject.person = person
        setattr(subject.provider, subject.token, value)

    @precondition(lambda self: self.used)
    @rule(which=ANY, how=st.sampled_from(["invalidate", "by key", "by old key", "refresh"]))
    def credentials_are_refreshed(self, which, how):
        subject, credentials = self.used[which % len(self.used)]
        if not hasattr(credentials, "invalidate"):  # botocore's own, of a role
            return
        served = self.last.get(id(credentials), "AKIA")
        if how == "refresh":
            self.attempt(credentials.refresh)
            self.check(subject, credentials)
        else:
            credentials.invalidate(
                *{"invalidate": [], "by key": [served], "by old key": ["AKIAOLD"]}[how]
            )

    @rule(
        code=st.sampled_from(
            ["NotAuthorizedException", "ResourceNotFoundException", "ExpiredTokenException",
             "AccessDenied", "Throttled"]
        ),
        operation=st.sampled_from(
            ["GetId", "GetCredentialsForIdentity", "AssumeRoleWithWebIdentity", "AssumeRole", "GET"]
        ),
    )  # fmt: skip
    def a_call_will_fail(self, code, operation):
        self.aws.script(operation, fakes.error(code))

    @rule(seconds=st.sampled_from([5, 70, 1000, 3400, 4000]))
    def time_passes(self, seconds):
        self.clock.advance(seconds)

    @rule(
        value=st.sampled_from(["", "us-east-1:../x", "eu-west-1:1", "not an id"]),
        person=PERSON,
        kind=st.sampled_from(["user", "guest"]),
    )
    def a_cache_is_spoilt_for_the_next_process(self, value, person, kind):
        for key in self.cache:
            self.cache[key] = value
        cognito.reset()
        self.a_user_comes(person, kind, cached=True)
        self.check(*self.used[-1])

    # What is served.

    def attempt(self, ask):
        try:
            return ask()
        except fuzz.DOCUMENTED:
            return None

    def serve(self, subject, credentials):
        found = self.attempt(credentials.get_frozen_credentials)
        if found is not None:
            self.last[id(credentials)] = found.access_key
        return found

    def check(self, subject, credentials):
        found = self.serve(subject, credentials)
        self.judge(subject.person, found)  # whose they are now: serving them may change it

    def judge(self, person, found):
        if found is not None:
            keys, owner = self.aws.issued[found.access_key]
            assert owner == person
            assert (found.secret_key, found.token) == (keys["SecretAccessKey"], keys["Token"])

    @precondition(lambda self: self.used)
    @rule(which=ANY)
    def credentials_are_used(self, which):
        self.check(*self.used[which % len(self.used)])

    @precondition(lambda self: len(self.used) > 1)
    @rule(data=st.data())
    def threads_use_credentials(self, data):
        chosen = data.draw(st.lists(st.sampled_from(range(len(self.used))), min_size=4, max_size=8))
        found, barrier = [], threading.Barrier(len(chosen))

        def work(subject, credentials):
            barrier.wait()
            found.append((subject.person, self.serve(subject, credentials)))

        threads = [threading.Thread(target=work, args=self.used[one]) for one in chosen]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == len(chosen)
        for person, credentials in found:
            self.judge(person, credentials)

    @precondition(lambda self: len(self.used) > 1)
    @rule(one=ANY, other=ANY, again=st.booleans())
    def children_use_credentials(self, one, other, again):
        """Two forked children, each with a fetch of its own."""
        chosen = [self.used[which % len(self.used)] for which in (one, other)]

        def work(credentials):
            if again and hasattr(credentials, "invalidate"):
                credentials.invalidate()
            found = self.attempt(credentials.get_frozen_credentials)
            return found and ",".join(found[:3])

        texts = in_children(*[lambda c=credentials: work(c) for _, credentials in chosen])
        for (subject, _), text in zip(chosen, texts, strict=True):
            if text != "None":
                access_key, secret_key, token = text.split(",")
                keys, owner = self.aws.issued[access_key]
                assert owner == subject.person
                assert (secret_key, token) == (keys["SecretAccessKey"], keys["Token"])

    @invariant()
    def no_identity_in_the_cache_is_of_another_user(self):
        by_user = {key: ids.current.get(key) for key, ids in cognito._recent.items()}
        for key, identity in {**self.cache, **by_user}.items():
            owner = self.aws.owners.get(identity)
            user = re.search(r'"(ann|bob)"\]$', key)
            is_refused = identity in self.aws.signed_in  # to guests, and so removed at the next use
            assert is_refused or owner in (None, user[1] if user else "guest")

    def teardown(self):
        for _, credentials in self.used:
            self.attempt(lambda c=credentials: c.get_frozen_credentials())
        for subject, credentials in self.used:
            self.check(subject, credentials)
        log = "\n".join(self.logs)
        assert not [secret for secret in fakes.SECRETS if secret in log]
        self.logs.clear()
        self.aws.scripts.clear()
        self.aws.requests.clear()
        cognito.reset()


@pytest.fixture
def witness(monkeypatch):
    fake = WitnessAws()
    monkeypatch.setenv("AWS_ENDPOINT_URL", fake.url)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    yield fake
    fake.close()


def test_no_identity_gets_the_credentials_of_another(witness, config, logs):
    count = settings().max_examples
    run_machine(
        lambda: Identities(witness, config, logs),
        settings=settings(max_examples=max(5, count // 6), stateful_step_count=30),
    )
