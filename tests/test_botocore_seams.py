"""Every name of botocore and boto3 that this package leans on: the bound on their versions.

A release of botocore that takes one of these away, or changes what is said here of it, fails here
first, and by name.
"""

import ast
import importlib
import inspect
import io
from functools import partial

import boto3
import botocore.session
import pytest
from botocore import credentials
from botocore.httpchecksum import AwsChunkedWrapper

from .test_architecture import MODULES, parsed

IMPORTED = {
    "boto3": {"Session"},
    "boto3.resources.base": {"ResourceMeta"},
    "botocore": {"UNSIGNED", "register_initializer", "unregister_initializer"},
    "botocore.auth": {"SIGV4_TIMESTAMP", "SigV4Auth"},
    "botocore.awsrequest": {"AWSRequest"},
    "botocore.client": {"BaseClient", "ClientMeta"},
    "botocore.compat": {"EC", "compat_shell_split"},
    "botocore.config": {"Config"},
    "botocore.configloader": {"load_config", "raw_config_parse"},
    "botocore.credentials": {
        "AssumeRoleProvider",
        "BotoProvider",
        "ConfigProvider",
        "LoginCredentialFetcher",
        "OriginalEC2Provider",
        "SSOCredentialFetcher",
        "SharedCredentialProvider",
        "CanonicalNameCredentialSourcer",
        "ContainerProvider",
        "EnvProvider",
        "InstanceMetadataProvider",
        "ProfileProviderBuilder",
        "CredentialProvider",
        "CredentialResolver",
        "Credentials",
        "ReadOnlyCredentials",
        "RefreshableCredentials",
        "create_credential_resolver",
    },
    "botocore.exceptions": {
        "BotoCoreError",
        "ClientError",
        "ConfigParseError",
        "ConnectTimeoutError",
        "CredentialRetrievalError",
        "DataNotFoundError",
        "ConnectionError",
        "EndpointConnectionError",
        "HTTPClientError",
        "InvalidIMDSEndpointError",
        "InvalidIMDSEndpointModeError",
        "LoginError",
        "LoginInsufficientPermissions",
        "LoginRefreshRequired",
        "LoginTokenLoadError",
        "MetadataRetrievalError",
        "MissingDependencyException",
        "NoCredentialsError",
        "ParamValidationError",
        "PartialCredentialsError",
        "ProfileNotFound",
        "ProxyConnectionError",
        "ReadTimeoutError",
        "SSLError",
        "SSOTokenLoadError",
        "TokenRetrievalError",
        "UnauthorizedSSOTokenError",
    },
    "botocore.hooks": {"EventAliaser", "HierarchicalEmitter"},
    "botocore.httpchecksum": {"AwsChunkedWrapper"},
    "botocore.httpsession": {"ProxyConfiguration", "URLLib3Session", "get_cert_path"},
    "botocore.loaders": {"JSONFileLoader", "Loader", "instance_cache"},
    "botocore.parsers": {"ResponseParserFactory"},
    "botocore.session": {"Session", "get_session"},
    "botocore.tokens": {"FrozenAuthToken", "SSOTokenProvider"},
    "botocore.useragent": {"register_feature_id", "register_feature_ids"},
    "botocore.utils": {
        "EVENT_ALIASES",
        "S3ExpressIdentityCache",
        "InstanceMetadataFetcher",
        "JSONFileCache",
        "LoginTokenLoader",
        "SSOTokenLoader",
        "create_nested_client",
        "generate_login_cache_key",
        "get_environ_proxies",
        "parse_timestamp",
        "resolve_imds_endpoint_mode",
    },
    "botocore.validate": {"ParamValidator"},
}

SIGNATURES = {
    credentials.AssumeRoleProvider: [
        "load_config", "client_creator", "cache", "profile_name", "prompter", "credential_sourcer",
        "profile_provider_builder",
    ],
    credentials.ProfileProviderBuilder: ["session", "cache", "region_name"],
    credentials.ProfileProviderBuilder.providers: ["self", "profile_name", "disable_env_vars"],
    credentials.CanonicalNameCredentialSourcer: ["providers"],
    credentials.RefreshableCredentials: [
        "access_key", "secret_key", "token", "expiry_time", "refresh_using", "method",
    ],
    credentials.CredentialResolver: ["providers"],
    importlib.import_module("botocore.hooks").HierarchicalEmitter.register_first: [
        "self", "event_name", "handler", "unique_id",
    ],
    credentials.create_credential_resolver: ["session"],
    importlib.import_module("botocore.utils").create_nested_client: ["session", "service_name"],
    importlib.import_module("botocore.useragent").register_feature_id: ["feature_id"],
    importlib.import_module("botocore.useragent").register_feature_ids: ["feature_ids"],
    credentials.EnvProvider: ["environ"],
    credentials.SharedCredentialProvider: ["creds_filename", "profile_name", "ini_parser"],
    credentials.ConfigProvider: ["config_filename", "profile_name", "config_parser"],
    credentials.SSOCredentialFetcher: [
        "start_url", "sso_region", "role_name", "account_id", "client_creator",
    ],
    credentials.LoginCredentialFetcher: [
        "session_name", "token_loader", "client_creator", "time_fetcher",
    ],
    importlib.import_module("botocore.tokens").SSOTokenProvider: [
        "session", "cache", "time_fetcher", "profile_name",
    ],
    importlib.import_module("botocore.utils").JSONFileCache: ["working_dir"],
    importlib.import_module("botocore.utils").LoginTokenLoader: ["cache"],
    importlib.import_module("botocore.utils").SSOTokenLoader: ["cache"],
    importlib.import_module("botocore.utils").S3ExpressIdentityCache.build_refresh_callback: [
        "self", "bucket",
    ],
    importlib.import_module("botocore.utils").InstanceMetadataFetcher: ["timeout", "num_attempts"],
}  # fmt: skip


def used():
    """Collect the names of theirs that the package uses, by their module."""
    found = {"botocore.compat": {"EC"}}  # read with a fallback
    for name in MODULES:
        for node in ast.walk(parsed(name)):
            is_import = isinstance(node, ast.ImportFrom) and not node.level
            if is_import and node.module.split(".")[0] in ("botocore", "boto3"):
                found.setdefault(node.module, set()).update(one.name for one in node.names)
            if isinstance(node, ast.Attribute):
                owner = ast.unparse(node.value)
                owner = f"botocore.{owner}" if owner == "exceptions" else owner
                if owner.split(".")[0] in ("botocore", "boto3"):
                    found.setdefault(owner, set()).add(node.attr)
    return {
        module: {name for name in names if f"{module}.{name}" not in found}
        for module, names in found.items()
    }


def test_the_list_is_complete():
    assert {module: names for module, names in used().items() if names} == IMPORTED


def test_every_name_is_there():
    for module, names in IMPORTED.items():
        for name in names:
            assert hasattr(importlib.import_module(module), name), module


def test_arguments_are_what_we_pass():
    for called, passed in SIGNATURES.items():
        assert [*inspect.signature(called).parameters][: len(passed)] == passed, called


def test_a_session_has_what_we_ask_of_it():
    session = botocore.session.Session()
    for name in (
        "get_component", "register_component", "lazy_register_component", "get_config_variable",
        "get_scoped_config", "get_default_client_config", "get_credentials", "create_client",
        "_create_credential_resolver", "_get_internal_component", "_register_config_store",
    ):  # fmt: skip
        assert callable(getattr(session, name))
    assert session.full_config["profiles"] == {}
    assert session._last_client_region_used is None
    assert isinstance(boto3.Session()._session, botocore.session.Session)


def test_a_client_has_what_an_identity_per_request_needs():
    """Pages are read by the class of the paginator; the CRT asks the client for credentials."""
    session = boto3.Session("AKIA", "s", region_name="eu-west-1")
    client, seen = session.client("s3"), []
    paginator = client.get_paginator("list_objects_v2")
    paginator.PAGE_ITERATOR_CLS = lambda method, *_, **__: seen.append(method)
    paginator.paginate(Bucket="bucket")
    assert seen == [client.list_objects_v2]
    assert client._get_credentials().access_key == "AKIA"
    assert "list_objects_v2" in client.meta.method_to_api_mapping


def test_a_stream_that_is_sent_in_chunks_can_be_found():
    """Its position is not asked of the wrapper, which has none."""
    stream = io.BytesIO()
    assert AwsChunkedWrapper(stream)._raw is stream


def test_a_signer_has_its_credentials():
    session, found = boto3.Session("AKIA", "s", region_name="eu-west-1"), []
    session.events.register(
        "before-sign", lambda request_signer, **_: found.append(request_signer._credentials)
    )
    client = session.client("sts")
    client.generate_presigned_url("get_caller_identity")
    assert found[0].method == "explicit"
    assert client._request_signer._credentials is found[0]


def test_a_resolver_is_a_list_of_providers_with_methods():
    resolver = botocore.session.Session().get_component("credential_provider")
    methods = [one.METHOD for one in resolver.providers]
    assert methods[:2] == ["env", "assume-role"]
    assert "assume-role-with-web-identity" in methods


def test_roles_come_first_if_the_profile_is_named_in_code(config):
    """Why our providers come first then, and botocore's can be created later."""
    config("[profile app]\nregion = us-east-1\n")
    session = botocore.session.Session(profile="app")
    assert credentials.create_credential_resolver(session).providers[0].METHOD == "assume-role"


def test_what_is_registered_can_be_seen_without_making_it():
    session = botocore.session.Session()
    locator = session._components
    assert locator._deferred["credential_provider"] == session._create_credential_resolver
    session.register_component("credential_provider", session)
    assert locator._components["credential_provider"] is session
    assert "credential_provider" not in locator._deferred


def test_boto3_sets_the_profile_after_the_initializers():
    """Why the resolver is registered lazily."""
    seen = []

    def initializer(session):
        seen.append(session.instance_variables())

    botocore.register_initializer(initializer)
    try:
        boto3.Session(profile_name=None)
    finally:
        botocore.unregister_initializer(initializer)
    assert seen == [{}]


def test_clients_and_fetchers_have_their_own_http_session():
    """Where ``aws.connections`` puts its classes; a handler of ``before-send`` could not send.

    botocore calls all handlers of that event, also where one has answered already.
    """
    client = botocore.session.Session().create_client("sts", region_name="eu-west-1")
    fetcher = importlib.import_module("botocore.utils").InstanceMetadataFetcher()
    for session in (client._endpoint.http_session, fetcher._session):
        assert type(session) is importlib.import_module("botocore.httpsession").URLLib3Session
        kinds = session._pool_classes_by_scheme
        assert set(kinds) == {"http", "https"}
        assert session._manager.pool_classes_by_scheme is kinds
        assert all(hasattr(kind.ConnectionCls, "response_class") for kind in kinds.values())


def test_an_http_session_is_how_to_connect_and_connections():
    """``aws.connections`` compares all but the last three; what is new it compares, too."""
    httpsession = importlib.import_module("botocore.httpsession")
    assert set(vars(httpsession.URLLib3Session())) == {
        "_verify", "_proxy_config", "_timeout", "_max_pool_connections", "_socket_options",
        "_cert_file", "_key_file",
        "_manager", "_proxy_managers", "_pool_classes_by_scheme",
    }  # fmt: skip
    assert set(vars(httpsession.ProxyConfiguration())) == {"_proxies", "_proxies_settings"}


def test_a_connection_has_its_tls_context_before_it_connects():
    """urllib3 has it read the CA bundle for each connection."""
    pools = importlib.import_module("botocore.awsrequest").AWSHTTPSConnectionPool
    context = importlib.import_module("botocore.httpsession").create_urllib3_context()
    connection = pools("localhost", ssl_context=context)._new_conn()
    assert connection.ssl_context is context
    assert isinstance(vars(context), dict)


def test_the_private_expiry_is_a_datetime():
    assert "_expiry_time" in vars(
        credentials.RefreshableCredentials("a", "b", "c", None, dict, "m")
    )


def test_private_names_that_other_programs_read_exist():
    """Ours have them, too: ``tests/refresh/test_expiry.py``."""
    plain = credentials.RefreshableCredentials("a", "b", "c", None, dict, "m")
    assert {"_expiry_time", "_frozen_credentials", "_refresh_lock"} <= set(vars(plain))
    for name in ("_seconds_remaining", "_is_expired", "_refresh", "_protected_refresh"):
        assert callable(getattr(plain, name))
    assert list(inspect.signature(plain._protected_refresh).parameters) == ["is_mandatory"]


@pytest.mark.caller_signs
def test_events_carry_what_our_handlers_take(aws):
    """``before-send`` gives the request and may raise; ``needs-retry`` gives answer and count."""
    client = botocore.session.Session().create_client(
        "sts", region_name="eu-west-1", aws_access_key_id="A", aws_secret_access_key="s"
    )
    sent, answered = [], []
    client.meta.events.register("before-send", lambda **given: sent.append(given) or None)
    client.meta.events.register("needs-retry", lambda **given: answered.append(given) or None)
    client.get_caller_identity()
    assert sent[0]["request"].url.startswith(aws.url)
    assert answered[0]["attempts"] == 1
    assert answered[0]["response"][1]["Arn"]


@pytest.mark.caller_signs
@pytest.mark.usefixtures("aws")
def test_one_context_goes_through_the_events_of_a_request():
    """What ``rejections`` notes at one event it finds at the next; a client copies handlers."""
    session, seen = botocore.session.Session(), {}
    for event in ("before-parameter-build", "before-sign", "request-created", "needs-retry"):
        handler = partial(lambda event, **given: seen.update({event: given}), event)
        session.get_component("event_emitter").register(event, handler, unique_id=event)
    client = session.create_client(
        "sts", region_name="eu-west-1", aws_access_key_id="A", aws_secret_access_key="s"
    )
    client.get_caller_identity()
    context = seen["needs-retry"]["request_dict"]["context"]
    assert seen["needs-retry"]["request_dict"]["body"]
    assert seen["before-parameter-build"]["context"] is context
    assert seen["before-parameter-build"]["params"] == {}
    assert seen["before-sign"]["request"].context is context
    assert seen["request-created"]["request"].context is context
    assert "Credential=A/" in seen["request-created"]["request"].headers["Authorization"]
    signer = seen["before-sign"]["request_signer"]
    auth = signer.get_auth_instance(signer.signing_name, signer.region_name)
    assert auth.credentials.access_key == "A"
