"""Profiles that this package reads as a whole: ``botocore_ext_reload``, and settings of roles."""

import logging

import boto3
import botocore.session
import pytest
from botocore.exceptions import ClientError

import botocore_ext
from botocore_ext import (
    ConfigurationError,
    NotConfigured,
    explain,
    from_default_chain,
    from_ini,
)
from botocore_ext.options.scope import ProfileScope
from tests import fakes

pytestmark = pytest.mark.caller_signs

POOL = "cognito_identity_pool_id = us-east-1:1699ebc0-7900-4099-b910-2df94f52a030\n"
ROLE = "arn:aws:iam::123456789012:role/App"
RELOAD = "botocore_ext_reload = true\n"
TAGS = (
    "role_tags = team=blue, project=atlas\nrole_transitive_tag_keys = project\n"
    "role_source_identity = alice\nrole_policy_arns = arn:aws:iam::aws:policy/ReadOnlyAccess\n"
)


def keys(access_key):
    return f"aws_access_key_id = {access_key}\naws_secret_access_key = {fakes.secret('file')}\n"


def signers(aws):
    return [
        one.headers["Authorization"].partition("Credential=")[2].partition("/")[0]
        for one in aws.requests
    ]


def session(name, **more):
    return boto3.Session(profile_name=name, region_name="eu-west-1", **more)


class TestReload:
    def test_a_rotated_file_is_read_within_the_request(self, aws, config, caplog):
        """Another program writes new credentials; the old ones are rejected."""
        config(f"[profile p]\n{RELOAD}", f"[p]\n{keys('AKIAOLD')}")
        botocore_ext.install()
        sts = session("p").client("sts")
        sts.get_caller_identity()

        def rotate(request):
            config(f"[profile p]\n{RELOAD}", f"[p]\n{keys('AKIANEW')}")
            return fakes.error("ExpiredToken")(request)

        aws.script("GetCallerIdentity", rotate)
        sts.get_caller_identity()
        assert signers(aws) == ["AKIAOLD", "AKIAOLD", "AKIANEW"]
        assert not [one for one in caplog.records if one.levelno >= logging.WARNING]
        assert session("p").get_credentials().method == "custom-profile"

    def test_without_it_nothing_changes(self, aws, config):
        for line in ("", "botocore_ext_reload = false\n"):
            config(f"[profile p]\n{line}", f"[p]\n{keys('AKIAOLD')}")
            botocore_ext.install()
            credentials = session("p").get_credentials()
            assert credentials.method == "shared-credentials-file"

    def test_credentials_that_were_not_rotated_are_an_error(self, aws, config):
        config(f"[profile p]\n{RELOAD}", f"[p]\n{keys('AKIAOLD')}")
        botocore_ext.install()
        sts = session("p").client("sts")
        aws.always("GetCallerIdentity", fakes.error("ExpiredToken"))
        with pytest.raises(ClientError, match="ExpiredToken"):
            sts.get_caller_identity()
        assert signers(aws) == ["AKIAOLD"]

    @pytest.mark.parametrize(
        ("text", "calls"),
        [
            (POOL, ["GetId", "GetCredentialsForIdentity"]),
            (f"credential_chain = CustomCognitoIdentityPool\n{POOL}", ["GetId", "GetCredentials"]),
            (f"role_arn = {ROLE}\nsource_profile = base\n", ["AssumeRole"]),
            (
                f"role_arn = {ROLE}\ncredential_source = CustomCognitoIdentityPool\n{POOL}",
                ["GetId"],
            ),
        ],
        ids=["Cognito", "chain", "source_profile", "credential_source"],
    )
    @pytest.mark.parametrize("name", ["p", "top"])
    def test_it_is_for_every_kind_of_profile(self, aws, config, caplog, text, calls, name):
        config(
            f"[profile p]\n{RELOAD}{text}[profile base]\n{keys('AKIABASE')}"
            f"[profile top]\nrole_arn = {ROLE}\nsource_profile = p\n"
        )
        botocore_ext.install()
        session(name).client("sts").get_caller_identity()
        for expected, operation in zip(calls, aws.operations(), strict=False):
            assert operation.startswith(expected)
        assert not [one for one in caplog.records if one.levelno >= logging.WARNING]

    def test_code_that_reads_such_a_profile_reads_it_again(self, aws, config):
        config(f"[profile p]\n{RELOAD}{keys('AKIAOLD')}")
        for create in (from_ini, from_default_chain):
            config(f"[profile p]\n{RELOAD}{keys('AKIAOLD')}")
            provider = create(profile="p")
            assert provider.fetch().access_key == "AKIAOLD"
            config(f"[profile p]\n{RELOAD}{keys('AKIANEW')}")
            assert provider.fetch().access_key == "AKIANEW"

    def test_a_link_that_names_such_a_profile_uses_it(self, aws, config):
        config(f"[profile c]\ncredential_chain = profile p\n[profile p]\n{RELOAD}{keys('AKIAP')}")
        botocore_ext.install()
        assert session("c").get_credentials().access_key == "AKIAP"

    def test_a_profile_without_credentials_is_an_error(self, config, monkeypatch):
        """It never falls through to the credentials of an instance, for example."""
        config(f"[profile p]\n{RELOAD}")
        botocore_ext.install()
        with pytest.raises(NotConfigured, match="profile 'p' of .* has no credentials: add some"):
            session("p").get_credentials().get_frozen_credentials()
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
        monkeypatch.setenv("AWS_PROFILE", "p")
        assert boto3.Session().get_credentials().access_key == "AKIAENV"

    def test_a_contradiction_stays_one(self, config):
        config(f"[profile p]\n{RELOAD}{POOL}container_credentials_full_uri = http://[::1]\n")
        botocore_ext.install()
        with pytest.raises(ConfigurationError, match="has both cognito_identity_pool_id and cont"):
            session("p").get_credentials().get_frozen_credentials()

    def test_another_value_is_an_error(self, config):
        config(f"[profile p]\nbotocore_ext_reload = maybe\n{keys('AKIAP')}")
        botocore_ext.install()
        with pytest.raises(
            ConfigurationError, match="botocore_ext_reload in profile 'p' must be T"
        ):
            session("p").get_credentials()

    def test_explain_shows_the_setting(self, aws, config):
        config(f"[profile p]\n{RELOAD}{keys('AKIAP')}")
        botocore_ext.install()
        text = str(explain(session("p")))
        assert "botocore_ext_reload = true" in text
        assert "custom-profile" in text
        config(
            f"[profile p]\n{RELOAD}role_arn = {ROLE}\nsource_profile = b\n[profile b]\n{keys('A')}"
        )
        steps = {one.provider: one for one in explain(session("p")).steps}
        assert (
            steps["assume-role"].reason == "role_arn belongs to botocore_ext_reload in this profile"
        )

    def test_a_profile_without_the_setting_does_not_select_it(self, config):
        config(f"[profile p]\n{keys('AKIAP')}")
        scope = ProfileScope(botocore.session.Session(profile="p"), profile="p")
        provider = from_ini().bind(scope)
        assert provider.load() is None
        with pytest.raises(NotConfigured, match="profile 'p' of .* has no botocore_ext_reload"):
            raise provider._not_configured()

    def test_a_misspelled_setting_is_named(self, config, caplog):
        config(f"[profile p]\nbotocore_ext_relod = true\n{keys('AKIAP')}")
        botocore_ext.install()
        assert session("p").get_credentials().access_key == "AKIAP"
        assert "did you mean botocore_ext_reload?" in caplog.text


def assumed(aws):
    """Return the parameters of the last AssumeRole, but for the role and its session."""
    (last,) = [one.parameters for one in aws.requests if one.operation == "AssumeRole"][-1:]
    return {name: last[name] for name in last if not name.startswith("Role")}


EXPECTED = {
    "Tags.member.1.Key": "team",
    "Tags.member.1.Value": "blue",
    "Tags.member.2.Key": "project",
    "Tags.member.2.Value": "atlas",
    "TransitiveTagKeys.member.1": "project",
    "SourceIdentity": "alice",
    "PolicyArns.member.1.arn": "arn:aws:iam::aws:policy/ReadOnlyAccess",
}


class TestRoleSettings:
    BASE = "[profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\n"

    def test_from_ini_sends_them(self, aws, config):
        config(f"{self.BASE}[profile p]\nrole_arn = {ROLE}\nsource_profile = base\n{TAGS}")
        from_ini(profile="p").fetch()
        assert assumed(aws) == EXPECTED
        from_default_chain(profile="p").fetch()
        assert assumed(aws) == EXPECTED

    @pytest.mark.parametrize(
        "source",
        [
            f"credential_source = CustomCognitoIdentityPool\n{POOL}",
            "source_profile = base\nbotocore_ext_reload = true\n",
        ],
        ids=["credential_source", "reload"],
    )
    @pytest.mark.parametrize("name", ["p", "top"])
    def test_sessions_send_them_for_roles_of_this_package(self, aws, config, source, name):
        top = f"[profile top]\nrole_arn = {ROLE}Top\nsource_profile = p\n"
        config(f"{self.BASE}{top}[profile p]\nrole_arn = {ROLE}\n{source}{TAGS}")
        botocore_ext.install()
        session(name).client("sts").get_caller_identity()
        roles = [one.parameters for one in aws.requests if one.operation == "AssumeRole"]
        assert roles[0]["RoleArn"] == ROLE
        assert roles[0].items() >= EXPECTED.items()
        assert len(roles) == (1 if name == "p" else 2)
        assert all(EXPECTED.keys().isdisjoint(one) for one in roles[1:])

    def test_code_may_set_them(self, aws, config):
        config(f"{self.BASE}[profile p]\nrole_arn = {ROLE}\nsource_profile = base\n")
        from_ini(
            profile="p",
            role_tags={"team": "blue", "project": "atlas"},
            role_transitive_tag_keys=["project"],
            role_source_identity="alice",
            role_policy_arns=[{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}],
        ).fetch()
        assert assumed(aws) == EXPECTED

    def test_they_are_for_the_role_of_their_own_profile(self, aws, config):
        config(
            f"{self.BASE}[profile p]\nrole_arn = {ROLE}\nsource_profile = base\n{TAGS}"
            f"[profile top]\nrole_arn = {ROLE}Top\nsource_profile = p\nrole_tags = team=red\n"
        )
        from_ini(profile="top").fetch()
        assert assumed(aws) == {"Tags.member.1.Key": "team", "Tags.member.1.Value": "red"}

    def test_a_plain_role_stays_botocores(self, aws, config, caplog):
        """Another tool may know these settings: installing this package changes nothing."""
        config(f"{self.BASE}[profile p]\nrole_arn = {ROLE}\nsource_profile = base\n{TAGS}")
        botocore_ext.install()
        plain = session("p")
        assert plain.get_credentials().method == "assume-role"
        plain.client("sts").get_caller_identity()
        assert assumed(aws) == {}
        assert not [one for one in caplog.records if one.levelno >= logging.WARNING]

    @pytest.mark.parametrize(
        ("settings", "text"),
        [
            (
                f"role_arn = {ROLE}\nsource_profile = base\nbotocore_ext_refresh_window = 600\n",
                "role_tags, which botocore ignores .* add botocore_ext_reload = true",
            ),
            (POOL, "role_tags, but no role that other credentials assume"),
            (f"role_arn = {ROLE}\nweb_identity_token = t\n", "role_tags, but no role that other"),
        ],
    )
    def test_next_to_a_setting_of_this_package_they_are_refused(self, config, settings, text):
        config(f"{self.BASE}[profile p]\n{settings}role_tags = team=blue\n")
        botocore_ext.install()
        with pytest.raises(ConfigurationError, match=f"profile 'p' of .* has {text}"):
            session("p").get_credentials()

    def test_from_ini_refuses_them_without_a_role_too(self, config):
        config(f"[profile p]\n{POOL}{TAGS}[profile s]\n{keys('AKIAS')}")
        with pytest.raises(ConfigurationError, match="but no role that other credentials assume"):
            from_ini(profile="p").fetch()
        for create in (from_ini, from_default_chain):
            with pytest.raises(
                ConfigurationError, match="role_policy_arns passed to .* is for a r"
            ):
                create(profile="s", role_policy_arns=["arn:aws:iam::aws:policy/A"]).fetch()

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            ("team", "is not a list of tags"),
            ("team=a, =b", "is not a list of tags"),
            ("team=a, team=b", "has a tag twice"),
        ],
    )
    def test_malformed_tags_are_an_error(self, config, value, text):
        config(f"[profile p]\nrole_arn = {ROLE}\nsource_profile = b\nrole_tags = {value}\n")
        with pytest.raises(ConfigurationError, match=f"role_tags in profile 'p' {text}"):
            from_ini(profile="p").load()
        with pytest.raises(ConfigurationError, match="must be a mapping of tags, not list"):
            from_ini(role_tags=["team=a"])
        with pytest.raises(ConfigurationError, match="must be a list of names, not int"):
            from_ini(role_transitive_tag_keys=7)

    def test_a_value_may_be_empty_or_have_a_sign(self, config):
        config(f"[profile p]\nrole_arn = {ROLE}\nsource_profile = b\nrole_tags = a=, b=c=d\n")
        assert from_ini(profile="p").role_tags == {"a": "", "b": "c=d"}

    def test_explain_shows_them(self, aws, config):
        config(f"[profile p]\nrole_arn = {ROLE}\ncredential_source = CustomProcess\n"
               f"credential_process = false\n{TAGS}")  # fmt: skip
        botocore_ext.install()
        text = str(explain(botocore.session.Session(profile="p"), offline=True))
        assert "role_tags = team=blue, project=atlas" in text
