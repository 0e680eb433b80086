"""The region of every inner client, over all combinations of what may set it (rule 7)."""

import time
from dataclasses import dataclass
from itertools import combinations

import botocore.loaders
import botocore.session
import pytest

import botocore_ext
from botocore_ext import (
    FrozenCredentials,
    Scope,
    create_credential_chain,
    from_cognito_identity,
    from_cognito_identity_pool,
    from_default_chain,
    from_ini,
    from_login_credentials,
    from_sso,
    from_temporary_credentials,
    from_token_file,
    from_web_token,
)
from botocore_ext.options.scope import ProfileScope
from botocore_ext.providers.chain import CredentialChain
from botocore_ext.providers.login import LoginProvider
from botocore_ext.providers.profile import create_provider
from botocore_ext.providers.sso import SsoProvider
from botocore_ext.providers.web_identity import TokenFileProvider, WebTokenProvider
from tests import fakes

#: What may set a region, from the highest to the lowest, and which.
SETTINGS = {
    "client_config": "eu-west-1",
    "id": "eu-west-2",
    "profile": "eu-west-3",
    "outer": "eu-north-1",
    "AWS_REGION": "eu-south-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
}
COMBINATIONS = [
    chosen for size in range(len(SETTINGS) + 1) for chosen in combinations(SETTINGS, size)
]
ROLE = "arn:aws:iam::123456789012:role/App"
LOADER = botocore.loaders.create_loader()


@dataclass
class Kind:
    """How to build a provider whose inner client is looked at."""

    make: object
    #: The settings that mean something to it; None: all.
    knows: tuple[str, ...] = tuple(SETTINGS)
    #: Those that are always there.
    always: tuple[str, ...] = ()
    #: Whether the profile selects it, rather than code.
    by_profile: bool = False
    lines: tuple[str, ...] = ()
    service: str = "sts"
    #: Next to the regions.
    environ: tuple[tuple[str, str], ...] = ()


def no_profile(*more):
    return tuple(name for name in SETTINGS if name not in ("profile", "id", *more))


def no_code(*more):
    """What a profile builds gets no client_config."""
    return tuple(name for name in SETTINGS if name not in ("client_config", *more))


STATIC = ("aws_access_key_id = AKIA", "aws_secret_access_key = s")
KINDS = {
    "web token in code": Kind(
        lambda given, _: from_web_token(role_arn=ROLE, web_identity_token="token", **given),
        knows=no_profile(),
    ),
    "web token in a profile": Kind(
        lambda given, _: WebTokenProvider(**given),
        knows=tuple(SETTINGS)[:1] + tuple(SETTINGS)[2:],
        by_profile=True,
        lines=(f"role_arn = {ROLE}", "web_identity_token = token"),
    ),
    "token file in code": Kind(
        lambda given, file: from_token_file(role_arn=ROLE, web_identity_token_file=file, **given),
        knows=no_profile(),
    ),
    "token file in a profile": Kind(
        lambda given, _: TokenFileProvider(**given),
        knows=tuple(SETTINGS)[:1] + tuple(SETTINGS)[2:],
        by_profile=True,
        lines=(f"role_arn = {ROLE}", "web_identity_token_file = <file>"),
    ),
    "Cognito identity": Kind(
        lambda given, _: from_cognito_identity(identity_id="eu-west-2:id", **given),
        always=("id",),
        service="cognito-identity",
    ),
    "Cognito identity pool": Kind(
        lambda given, _: from_cognito_identity_pool(identity_pool_id="eu-west-2:pool", **given),
        always=("id",),
        service="cognito-identity",
    ),
    "temporary credentials": Kind(
        lambda given, _: from_temporary_credentials(
            params={"RoleArn": ROLE}, master_credentials=FrozenCredentials("AKIA", "s"), **given
        ),
        knows=no_profile(),
    ),
    "nested temporary credentials": Kind(
        lambda given, _: from_temporary_credentials(
            params={"RoleArn": ROLE},
            master_credentials=from_temporary_credentials(
                params={"RoleArn": ROLE}, master_credentials=FrozenCredentials("AKIA", "s")
            ),
            **given,
        ),
        knows=no_profile(),
    ),
    "a role in ini": Kind(
        lambda given, _: from_ini(profile="p", **given),
        knows=tuple(SETTINGS)[:1] + tuple(SETTINGS)[2:],
        lines=(f"role_arn = {ROLE}", "source_profile = hop"),
    ),
    "a token file in ini": Kind(
        lambda given, _: from_ini(profile="p", **given),
        knows=tuple(SETTINGS)[:1] + tuple(SETTINGS)[2:],
        lines=(f"role_arn = {ROLE}", "web_identity_token_file = <file>"),
    ),
    "the default chain": Kind(
        lambda given, _: from_default_chain(profile="p", **given),
        knows=tuple(SETTINGS)[:1] + tuple(SETTINGS)[2:],
        lines=(f"role_arn = {ROLE}", "source_profile = hop"),
    ),
    "a web token, named by the chain of a profile": Kind(
        lambda *_: CredentialChain(),
        knows=no_code("id"),
        by_profile=True,
        lines=(
            "credential_chain = Environment, CustomWebToken",
            f"role_arn = {ROLE}",
            "web_identity_token = token",
        ),
    ),
    "a token file, named by the chain of a profile": Kind(
        lambda *_: CredentialChain(),
        knows=no_code("id"),
        by_profile=True,
        lines=(
            "credential_chain = CustomTokenFile",
            f"role_arn = {ROLE}",
            "web_identity_token_file = <file>",
        ),
    ),
    "a pool, named by the chain of a profile": Kind(
        lambda *_: CredentialChain(),
        knows=no_code(),
        always=("id",),
        by_profile=True,
        lines=(
            "credential_chain = CustomCognitoIdentityPool",
            "cognito_identity_pool_id = eu-west-2:pool",
        ),
        service="cognito-identity",
    ),
    "a profile, named by a chain in code": Kind(
        lambda *_: create_credential_chain("Environment", "profile p"),
        knows=no_code("id"),
        lines=(f"role_arn = {ROLE}", "source_profile = hop"),
    ),
    "a pool, credential_source of a role in ini": Kind(
        lambda given, _: from_ini(profile="p", **given),
        always=("id",),
        lines=(
            f"role_arn = {ROLE}",
            "credential_source = CustomCognitoIdentityPool",
            "cognito_identity_pool_id = eu-west-2:pool",
        ),
        service="cognito-identity",
    ),
    "the environment, credential_source of a role in ini": Kind(
        lambda given, _: from_ini(profile="p", **given),
        knows=tuple(SETTINGS)[:1] + tuple(SETTINGS)[2:],
        lines=(f"role_arn = {ROLE}", "credential_source = Environment"),
        environ=(("AWS_ACCESS_KEY_ID", "AKIA"), ("AWS_SECRET_ACCESS_KEY", "s")),
    ),
    "SSO": Kind(
        lambda given, _: from_sso(profile="p", **given),
        always=("id",),
        lines=(
            "sso_start_url = https://start",
            "sso_region = eu-west-2",
            "sso_account_id = 123456789012",
            "sso_role_name = R",
        ),
        service="portal.sso",
    ),
    "login": Kind(
        lambda given, _: from_login_credentials(profile="p", **given),
        lines=("login_session = me",),
        service="signin",
    ),
}


class SentError(Exception):
    """Ends an inner call at the moment when its request would leave."""


@pytest.fixture
def session(world):
    """A session whose inner clients go nowhere; what botocore's loader read is shared."""
    (world / "token").write_text("token", encoding="utf-8")

    def seen(request, **_):
        raise SentError(request.url.split("/")[2])

    def make(profile_lines):
        text = "\n".join(["[profile p]", *profile_lines]).replace("<file>", str(world / "token"))
        hop = "\n".join(["[profile hop]", *STATIC, "region = ap-south-1"])
        (world / "config").write_text(f"{text}\n{hop}\n", encoding="utf-8")
        session = botocore.session.Session()
        session.register_component("data_loader", LOADER)
        session.register("before-send", seen)
        return session

    return make


def keep_tokens(world, region):
    """Write what the two logins keep: one valid, one about to be renewed."""
    now = time.time()
    fakes.sso_token(world, "https://start", now + 3600)
    named = {"signInRegion": region} if region else {}
    fakes.login_token(world / ".aws" / "login" / "cache", "me", now, **named)


@pytest.fixture
def asked(session, world):
    """Return the host that the inner client of a kind asks where some settings are made."""

    def host(kind, chosen):
        if kind.service in ("portal.sso", "signin"):
            keep_tokens(world, SETTINGS["id"] if "id" in chosen else None)
        lines = [*kind.lines, *([f"region = {SETTINGS['profile']}"] * ("profile" in chosen))]
        given = {"region_name": SETTINGS["client_config"]} if "client_config" in chosen else None
        provider = kind.make({"client_config": given}, str(world / "token"))
        scope = (ProfileScope if kind.by_profile else Scope)(
            session(lines),
            profile="p" if kind.by_profile else None,
            outer_region=SETTINGS["outer"] if "outer" in chosen else None,
            environ={one: SETTINGS[one] for one in chosen if one.startswith("AWS_")}
            | dict(kind.environ),
        )
        with pytest.raises(SentError) as seen:
            provider.bind(scope).fetch()
        return str(seen.value)

    return host


def hosts(kind, chosen):
    """Return the hosts of the service in the region of the highest setting that counts."""
    effective = [one for one in SETTINGS if one in kind.knows and one in (*chosen, *kind.always)]
    region = SETTINGS[effective[0]] if effective else "us-east-1"
    return (
        f"{kind.service}.{region}.amazonaws.com",
        f"{region}.{kind.service}.aws.amazon.com",
    )


def test_the_highest_setting_gives_the_region(session):
    """All combinations of the six."""
    sessions = {}
    for has_region in (True, False):
        sessions[has_region] = session([f"region = {SETTINGS['profile']}"] * has_region)
        assert "p" in sessions[has_region].full_config["profiles"]  # reads its file
    for chosen in COMBINATIONS:
        of = {one: SETTINGS[one] for one in chosen}
        scope = Scope(
            sessions["profile" in of],
            profile="p",
            outer_region=of.get("outer"),
            environ={one: of[one] for one in of if one.startswith("AWS_")},
        )
        given = {"region_name": of["client_config"]} if "client_config" in of else None
        expected = next(iter(of.values()), "us-east-1")
        assert scope.region(given, of.get("id")) == expected, chosen


@pytest.mark.proof
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
class TestInnerClients:
    def test_no_setting_is_us_east_1(self, kind, asked):
        assert asked(kind, ()) in hosts(kind, ())

    def test_each_setting_reaches_it(self, kind, asked):
        for name in SETTINGS:
            assert asked(kind, (name,)) in hosts(kind, (name,)), name

    def test_the_highest_reaches_it(self, kind, asked):
        """With all set, and again without the highest, until one is left."""
        for first in range(len(SETTINGS) - 1):
            chosen = tuple(SETTINGS)[first:]
            assert asked(kind, chosen) in hosts(kind, chosen), chosen


@pytest.mark.caller_signs
@pytest.mark.parametrize("by", ["from_ini", "install"])
def test_role_is_assumed_in_the_region_of_its_profile(by, aws, config):
    """Its pool is in another one, which the pool's id names; the role's is in its signature."""
    config(
        "[profile top]\nrole_arn = arn:aws:iam::123456789012:role/Top\nregion = eu-west-3\n"
        "credential_source = CustomCognitoIdentityPool\ncognito_identity_pool_id = eu-west-2:pool\n"
    )
    if by == "install":
        botocore_ext.install()
        botocore.session.Session(profile="top").get_credentials().get_frozen_credentials()
    else:
        from_ini(profile="top").fetch()
    assert aws.operations() == ["GetId", "GetCredentialsForIdentity", "AssumeRole"]
    assert aws.requests[-1].headers["Authorization"].split("/")[2] == "eu-west-3"


@pytest.mark.parametrize("first", ["ini", "code"])
def test_role_chain_uses_one_region_for_all_roles(first, aws, config):
    """The region of each role is in its signature."""
    config(
        "[profile top]\nrole_arn = arn:aws:iam::123456789012:role/Top\nsource_profile = mid\n"
        "region = eu-west-3\n"
        "[profile mid]\nrole_arn = arn:aws:iam::123456789012:role/Mid\nsource_profile = low\n"
        "region = ap-south-1\n"
        "[profile low]\naws_access_key_id = AKIA\naws_secret_access_key = s\nregion = sa-east-1\n"
    )
    provider = from_ini(profile="top")
    if first == "code":
        provider = from_temporary_credentials(
            params={"RoleArn": ROLE},
            client_config={"region_name": "eu-west-3"},
            master_credentials=from_ini(profile="mid"),
        )
    provider.fetch()
    assert [one.headers["Authorization"].split("/")[2] for one in aws.requests] == ["eu-west-3"] * 2


@pytest.mark.parametrize(
    ("kind", "is_login"), [(SsoProvider, True), (LoginProvider, True), (WebTokenProvider, False)]
)
def test_code_does_not_change_the_region_of_a_login(kind, is_login):
    given = {"region_name": "eu-west-1", "verify": True}
    assert create_provider(kind, given).client_config == ({"verify": True} if is_login else given)
