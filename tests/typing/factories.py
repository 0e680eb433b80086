"""What a type checker knows of the public names; mypy checks it with the package."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

import boto3
from botocore.credentials import Credentials
from typing_extensions import assert_type

import botocore_ext
from botocore_ext import (
    CredentialChain,
    FrozenCredentials,
    Provider,
    ProviderCredentials,
    Session,
    Source,
    Token,
    create_credential_chain,
    from_cognito_identity,
    from_cognito_identity_pool,
    from_container_metadata,
    from_default_chain,
    from_env,
    from_http,
    from_ini,
    from_instance_metadata,
    from_login_credentials,
    from_process,
    from_roles_anywhere,
    from_sso,
    from_temporary_credentials,
    from_token_file,
    from_web_token,
)


def token() -> str:
    """Give a token."""
    return "token"


web = from_web_token(
    role_arn="arn:aws:iam::123456789012:role/Web",
    web_identity_token=token,
    role_session_name="me",
    provider_id="graph.facebook.com",
    policy_arns=["arn:aws:iam::aws:policy/A", {"arn": "arn:aws:iam::aws:policy/B"}],
    policy={"Version": "2012-10-17"},
    duration_seconds=3600,
    role_assumer_with_web_identity=lambda parameters: FrozenCredentials("A", parameters["RoleArn"]),
    client_config={"region_name": "eu-west-1"},
    refresh_window="auto",
)
assert_type(web.role_arn, str)
assert_type(web.web_identity_token, str | Callable[[], str | Awaitable[str]])
assert_type(web.duration_seconds, int | None)
assert_type(web.fetch(), FrozenCredentials)
assert_type(web.load(), ProviderCredentials | None)
web.web_identity_token = "another"


async def awaited_token() -> str:
    """Give a token to who awaits it."""
    return "token"


web.web_identity_token = awaited_token

pool = from_cognito_identity_pool(
    identity_pool_id="us-east-1:pool",
    account_id="123456789012",
    cache={},
    user_identifier="user_0",
    custom_role_arn="arn:aws:iam::123456789012:role/Mobile",
    logins={"accounts.google.com": token, "graph.facebook.com": "token"},
)
assert_type(pool.identity_id, str | None)
assert_type(pool.logins, Mapping[str, str | Callable[[], str | Awaitable[str]]] | None)
assert_type(pool.logout(), None)
assert_type(pool.flow, Literal["enhanced", "classic"])
assert_type(from_cognito_identity(identity_id="us-east-1:identity").identity_id, str)

endpoint = from_http(
    aws_container_credentials_full_uri="https://credentials.example.com",
    aws_container_authorization_token_file="/var/run/token",
    timeout=0.5,
    max_retries=1,
)
assert_type(endpoint.timeout, float)

role = from_temporary_credentials(
    params={"RoleArn": "arn:aws:iam::123456789012:role/App"},
    master_credentials=from_ini(profile="dev", mfa_code_provider=lambda serial: serial),
    mfa_code_provider=lambda serial: serial,
)
assert_type(role.params, Mapping[str, Any])
from_temporary_credentials(params={}, master_credentials=FrozenCredentials("A", "s"))
from_temporary_credentials(params={}, master_credentials=lambda: None)
assert_type(from_ini(ignore_cache=True).ignore_cache, bool)
assert_type(from_process(profile="vault", timeout=60).timeout, float | None)
assert_type(from_instance_metadata(ec2_metadata_v1_disabled=True).max_retries, int)
assert_type(from_token_file(web_identity_token_file="/t").web_identity_token_file, str)
from_sso(sso_start_url="https://d-1.awsapps.com/start", sso_account_id="123456789012")
from_login_credentials(login_session="me", client_config={})
from_default_chain(profile="dev", client_config={})
chain = create_credential_chain("Environment", expire_after=900)
assert_type(chain.expire_after(timedelta(minutes=15)), CredentialChain)
from_default_chain(logger=logging.getLogger("app"))
from_default_chain(timeout=2, role_arn="arn", policy={}, sso_region="eu-west-1")
from_container_metadata(timeout=2)
assert_type(from_roles_anywhere(certificate="/c", passphrase=token).certificate, str)
from_env(refresh_window=60)

credentials = endpoint.load()
if credentials is not None:
    assert_type(credentials.expiration, datetime | None)
    assert_type(credentials.last_error, Exception | None)

providers: list[Provider] = [web, pool, endpoint]
botocore_ext.install(web, lambda: FrozenCredentials("A", "s"), lambda: None)
botocore_ext.extend(boto3.Session(), endpoint)
assert_type(Session(credentials=web), Session)
found = Session(credentials=web).get_credentials()
assert_type(found, ProviderCredentials | Credentials | None)
if isinstance(found, ProviderCredentials):
    assert_type(found.expiration, datetime | None)
assert_type(botocore_ext.tokens.TokenFile("/t")(), str)
assert_type(botocore_ext.tokens.GitHubActionsToken(audience="sts").audience, str)


def first_of(source: Source, token: Token) -> CredentialChain:
    """Both are names for annotations; what a caller passes is checked against them."""
    return create_credential_chain(source, from_web_token(web_identity_token=token))


first_of(web, "token")
first_of(lambda: None, botocore_ext.tokens.TokenFile("/t"))
first_of("env", "token")  # type: ignore[arg-type]  # the name of a link is not a source
first_of(web, 1)  # type: ignore[arg-type]  # wrong type

# What is wrong is an error: mypy complains of each of these comments that it does not need.
from_web_token(rolearn="arn")  # type: ignore[call-arg]  # misspelled
from_web_token("arn")  # type: ignore[call-arg, arg-type]  # not by keyword
from_web_token(role_arn=1)  # type: ignore[arg-type]  # wrong type
from_web_token(duration_seconds="3600")  # type: ignore[arg-type]  # wrong type
from_http(timeout="1s")  # type: ignore[arg-type]  # wrong type
from_cognito_identity(identity_pool_id="id")  # type: ignore[call-arg]  # of the other factory
from_cognito_identity_pool(logins={"a": 1})  # type: ignore[dict-item]  # wrong type
from_env(profile="dev")  # type: ignore[call-arg]  # of another factory
from_temporary_credentials(params="arn")  # type: ignore[arg-type]  # wrong type
Session(credentials="token")  # type: ignore[arg-type]  # no provider
botocore_ext.from_webtoken()  # type: ignore[attr-defined]  # misspelled
botocore_ext.tokens.TokenFiles("/t")  # type: ignore[attr-defined]  # misspelled
