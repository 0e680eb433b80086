"""Inner clients: the botocore clients with which providers call AWS services.

They do not sign, or sign with given credentials: otherwise they would get credentials from the
session, for which they are used.
"""

import hashlib
import re
import ssl
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakValueDictionary

from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import HTTPClientError, SSLError
from botocore.hooks import EventAliaser
from botocore.parsers import ResponseParserFactory
from botocore.session import Session
from botocore.utils import EVENT_ALIASES, create_nested_client, parse_timestamp
from botocore.validate import ParamValidator
from urllib3.exceptions import HTTPError

from ..errors import FetchError, without_users
from ..runtime.context import provider_under_way, redact_logs
from ..runtime.deadline import keep_to_budget, seconds_left, within_budget
from ..runtime.single_flight import ProcessLocal
from ..system import system_environment
from .connections import keep_deadlines_of, share_connections
from .frozen_credentials import FrozenCredentials
from .service_data import sharing_loader
from .sessions import creates_its_own_clients, session_like

if TYPE_CHECKING:
    from botocore.client import BaseClient

_OWN = ("botocore", "botocore_ext", "aiobotocore")
#: These packages and their dependencies.
_WITH_DEPENDENCIES = (*_OWN, "awscrt", "dateutil", "jmespath", "urllib3")


# Where an error was raised.


def is_parser_error(error: BaseException) -> bool:
    """Whether botocore raised this error while it parsed an answer."""
    modules = list(_modules(error))
    if _is_third_party(modules[-1]):
        return False
    # From JSON that is null the parser returns None, at which the endpoint fails.
    is_null = modules[-1].endswith("botocore.endpoint")
    return is_null or any(name.endswith("botocore.parsers") for name in modules)


def is_handler_error(error: BaseException) -> bool:
    """Whether a handler of the caller raised this error: of an event, or of a signal."""
    modules, is_called_by_hooks = list(_modules(error)), False
    for name in modules:
        if is_called_by_hooks and name.partition(".")[0] not in _OWN:
            return True
        is_called_by_hooks = name.endswith("botocore.hooks")
    return _is_third_party(modules[-1])


def _is_third_party(module: str) -> bool:
    package = module.partition(".")[0]
    return package not in _WITH_DEPENDENCIES and package not in sys.stdlib_module_names


def while_sending(error: Exception) -> Exception | None:
    """Return the error of other code, such as a blocked socket, that botocore has wrapped.

    None if the error came from the network or the HTTP library.
    """
    cause = error.kwargs.get("error") if isinstance(error, HTTPClientError) else None
    is_known = cause is None or isinstance(cause, (HTTPError, HTTPException, OSError, ValueError))
    return None if is_known else cause


def _modules(error: BaseException) -> Iterator[str]:
    """Yield the modules of the functions in the traceback, outermost first."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        yield str(frame.f_globals.get("__name__"))


# Creating and caching clients.

#: Seconds to connect and to wait for an answer.
CONNECT_TIMEOUT, READ_TIMEOUT = 2, 5
#: Attempts for one call.
ATTEMPTS = 3
#: The arguments of ``create_client`` for the parts of ``FrozenCredentials``.
_SIGNING = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
#: Errors of STS when it cannot reach an identity provider, or does not know its public keys yet.
_IDENTITY_PROVIDER_ERRORS = {"IDPCommunicationError", "InvalidIdentityToken"}
_RETRY_SETTINGS = {"AWS_RETRY_MODE", "AWS_MAX_ATTEMPTS", "retry_mode", "max_attempts"}

#: Held while a client is created. It is an RLock because a signal handler, or a handler of the
#: event that botocore emits then, may need credentials of another provider.
_creation = ProcessLocal(threading.RLock)


class _CachedClient:
    """A client and its arguments. The reference to ``client_config`` keeps its id unique."""

    def __init__(
        self, client: "BaseClient", client_config: object, credentials: FrozenCredentials | None
    ) -> None:
        self.client, self.client_config, self.credentials = client, client_config, credentials


#: Clients that bindings without a session share, while one of these bindings is alive.
_common: ProcessLocal[WeakValueDictionary[object, _CachedClient]] = ProcessLocal(
    WeakValueDictionary
)


class InnerClients:
    """The inner clients of one binding, created once for each process."""

    def __init__(self) -> None:
        self._cached: ProcessLocal[dict[object, _CachedClient]] = ProcessLocal(dict)

    def get(
        self,
        session: Session,
        environ: Callable[[], Mapping[str, str]],
        service: str,
        region: str,
        client_config: Mapping[str, Any] | None,
        credentials: FrozenCredentials | None = None,
        *,
        is_common: bool = False,
    ) -> "BaseClient":
        """Return a client, created at the first call with the same arguments.

        Args:
            session: The session that creates it.
            environ: Returns the environment. A variable with it would be sent to error trackers.
            service: The name of the service.
            region: The region of the client.
            client_config: The option of the user; it is compared by identity.
            credentials: The credentials to sign with; for others the client is created again.
                None: the client does not sign.
            is_common: Whether bindings in the same environment share the client if it does not
                sign.
        """
        cache = self._cached.get()
        cache_key = (service, region, id(client_config) if client_config else None)
        cached = cache.get(cache_key)
        if cached is None or cached.credentials != credentials:
            with _creation.get():
                is_shared = is_common and credentials is None
                common = _common.get() if is_shared else {}
                common_key = (session, *cache_key, _digest(environ()) if is_shared else None)
                cached = common.get(common_key) or _CachedClient(
                    create(session, environ, service, region, client_config, credentials),
                    client_config,
                    credentials,
                )
                common[common_key] = cache[cache_key] = cached
        return cached.client  # not the one in the cache by now: it may have other credentials


def _digest(environ: Mapping[str, str]) -> bytes:
    """Return a digest of an environment, because the variables may contain secrets."""
    variables = repr(sorted(environ.items()))
    return hashlib.sha256(variables.encode("utf-8", "surrogateescape")).digest()


def create(
    session: Session,
    environ: Callable[[], Mapping[str, str]],
    service: str,
    region: str,
    client_config: Mapping[str, Any] | None,
    credentials: FrozenCredentials | None = None,
) -> "BaseClient":
    """Create an inner client, which signs with ``credentials`` or not at all."""
    # An iterator, whose repr hides them: error trackers send the variables of a traceback.
    signing: Any = zip(_SIGNING, credentials.parts() if credentials else (), strict=False)
    arguments = _arguments(session, environ, client_config, is_signed=credentials is not None)
    arguments["region_name"] = region
    creating_session = _creating_session(session)
    client: BaseClient = create_nested_client(
        creating_session, service, **(arguments | dict(signing))
    )
    if creating_session is not session:
        share_connections(client)
    keep_deadlines_of(client)
    host = without_users(client.meta.endpoint_url).split("/")[2]
    _register_handlers(client, service, host, verification(session, arguments.get("verify")))
    return client


def _creating_session(session: Session) -> Session:
    """Return a session like ``session`` that creates inner clients from shared service data.

    A session with its own ``create_client`` creates them itself.
    """
    if creates_its_own_clients(session):
        return session
    own = session.get_component("data_loader")
    like = session_like(session, loader=sharing_loader(own, is_inner=True))
    like.register_component("event_emitter", inner_events(like.get_component("event_emitter")))
    if type(like.get_component("response_parser_factory")) is ResponseParserFactory:
        parsers = ResponseParserFactory()
        parsers.set_parser_defaults(timestamp_parser=_parse_time)
        like.register_component("response_parser_factory", parsers)
    return like


class InnerEvents(EventAliaser):
    """The events of inner clients, which look up what a name is an alias of once for all of them.

    botocore compares a name with some hundred aliases when a client first uses it.
    """

    #: The names of events -> those that they are aliases of.
    _names: ClassVar[dict[str, str]] = {}

    def __init__(self, emitter: Any, aliases: Any = None) -> None:
        """Take the event emitter; the aliases are botocore's, also in a copy."""
        super().__init__(emitter, aliases)
        self._alias_name_cache = self._names


def inner_events(events: Any) -> Any:
    """Return the events of a session for inner clients: its own if they are not as botocore's."""
    parts = vars(events) if type(events) is EventAliaser else {}
    is_known = parts.keys() == {"_alias_name_cache", "_emitter", "_event_aliases"}
    is_known = is_known and parts["_event_aliases"] == EVENT_ALIASES
    return InnerEvents(parts["_emitter"]) if is_known else events


def _parse_time(value: Any) -> datetime:
    """Parse a time as botocore does, which takes a tenth of a refresh for what Python can read."""
    with suppress(TypeError, ValueError):
        found = datetime.fromisoformat(value)
        if found.tzinfo is not None:
            return found
    return parse_timestamp(value)


def _arguments(
    session: Session,
    environ: Callable[[], Mapping[str, str]],
    client_config: Mapping[str, Any] | None,
    *,
    is_signed: bool,
) -> dict[str, Any]:
    arguments = dict(client_config or {})
    given: Config | None = arguments.pop("config", None)
    is_signed = is_signed or "aws_access_key_id" in arguments
    unsigned = {} if is_signed else {"signature_version": UNSIGNED}
    settings: dict[str, Any] = {"connect_timeout": CONNECT_TIMEOUT, "read_timeout": READ_TIMEOUT}
    defaults: Any = session.get_default_client_config()
    configured = {*environ(), *session.get_scoped_config()} & _RETRY_SETTINGS
    if not configured and not (defaults and defaults.retries):
        settings["retries"] = {"mode": "standard", "total_max_attempts": ATTEMPTS}
    config = Config(**settings, **unsigned)
    if given is not None:
        config = config.merge(given).merge(Config(**unsigned))
    return arguments | {"config": config}


def _register_handlers(client: "BaseClient", service: str, host: str, verify: object) -> None:
    """Register what happens at the requests and answers of an inner client.

    botocore looks at the parameters of each handler, which takes a tenth as long for ``**event`` as
    for a ``partial``.
    """
    config: Any = client.meta.config
    longest = config.connect_timeout + config.read_timeout
    limit = (config.retries or {}).get("total_max_attempts", ATTEMPTS)

    def keep_request_to_budget(**event: Any) -> None:
        keep_to_budget(longest, event["request"].url)

    def handle_answer(**event: Any) -> float | None:
        _raise_final_error(service, host, verify, event["caught_exception"])
        if event["response"] is None:
            return None
        http_response, parsed = event["response"]
        error = parsed.get("Error", {}) if parsed else {}
        _hide_unknown_error(http_response.status_code, error)
        return _pause_for_identity_provider(limit, error, event["attempts"])

    events: Any = client.meta.events
    events.register("before-send", keep_request_to_budget)
    # Before botocore's own handler, which may wait for a while.
    name = client.meta.service_model.service_id.hyphenize()
    events.register_first(f"needs-retry.{name}", handle_answer)


def _pause_for_identity_provider(
    limit: int, error: Mapping[str, Any], attempts: int
) -> float | None:
    """Return the seconds to wait before a retry, or None.

    botocore does not retry these errors. The API reference of STS recommends a retry for the first
    one; after the second one STS fetches the public keys of the identity provider again.
    """
    is_retried = error.get("Code") in _IDENTITY_PROVIDER_ERRORS and attempts < limit
    return 0.1 * 2**attempts if is_retried else None


def _raise_final_error(
    service: str, host: str, verify: object, caught_exception: Exception | None
) -> None:
    """Do not retry after the deadline, nor an error that did not come from the network.

    A signal handler may end a task during a request; botocore treats its error as a failure of the
    network.

    Raises:
        FetchError: The CA bundle cannot be read.
        TimeoutError: The deadline has passed.
        Exception: The error that other code raised.
    """
    if caught_exception is None:
        return
    error = while_sending(caught_exception)
    if error is not None:
        raise error from None
    fact = bundle_problem(caught_exception, verify)
    if fact is not None:
        name = provider_under_way(service)
        raise FetchError(provider=name, error_msg=f"{host} {fact}") from None
    seconds_left()


def verification(session: Session, verify: object = None) -> object:
    """Return the ``verify`` argument that botocore uses for a client of the session."""
    found = session.get_config_variable("ca_bundle") if verify is None else verify
    return system_environment().get("REQUESTS_CA_BUNDLE", True) if found is None else found


def bundle_problem(error: Exception, verify: object) -> str | None:
    """Return why the CA bundle cannot be read; None if ``error`` has another cause."""
    is_tls_error = isinstance(error, SSLError) or type(error) is HTTPClientError
    if not (is_tls_error and isinstance(verify, str)):
        return None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(verify)
    except OSError as bundle_error:  # includes ``ssl.SSLError``
        is_empty = isinstance(bundle_error, ssl.SSLError)
        why = "it has no certificate" if is_empty else bundle_error.strerror
        fact = f"got no request, because the CA bundle {verify} cannot be read ({why})"
        return f"{fact}: correct AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE or ca_bundle"
    return None


def _hide_unknown_error(status: int, error: dict[str, Any]) -> None:
    """Replace the text of an error without a code, which is the whole answer."""
    if error.get("Code") == str(status):
        error["Message"] = (
            f"the answer has status {status}, but is not an error of the service: check the "
            "endpoint, and what is between here and AWS"
        )


# Calling clients.

#: Security: errors of urllib3 and http.client whose text may show a header or an answer.
_SHOW_VALUES = (HTTPError, HTTPException, ValueError)


def call(client: "BaseClient", operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Call ``operation`` within the budget of the fetch, with redacted logs.

    Raises:
        botocore.exceptions.ClientError: The service refused; the error is unchanged.
        FetchError: The answer cannot be read, or the request cannot be sent. botocore's own error
            would show their content.
        Exception: The error of an event handler of the caller, unchanged.
    """
    url = without_users(client.meta.endpoint_url)
    work: Callable[[], Any] = partial(getattr(client, operation), **parameters)
    try:
        answer = redact_logs(partial(within_budget, url.split("/")[2], work))
    except HTTPClientError as error:
        cause = error.kwargs.get("error")
        if type(error) is not HTTPClientError or not isinstance(cause, _SHOW_VALUES):
            raise
        fact = f"the request to {url} cannot be sent ({type(cause).__name__}): "
        remedy = "check the options and the network"
    except Exception as error:
        if not is_parser_error(error):
            raise
        fact = f"the answer of {url} cannot be read: "
        remedy = "check that nothing between here and AWS changes it"
    else:
        if isinstance(answer, Mapping):
            return answer
        fact = f"the answer of {url} is {type(answer).__name__}, not an object: "
        remedy = "check the client"
    name = provider_under_way(client.meta.service_model.service_name)
    raise FetchError(provider=name, error_msg=f"{fact}{remedy}")


# Validating parameters.

#: Values up to this length are not searched for in a report, because they match other words.
_SHORTEST = 3


def problems_of(
    session: Session, service: str, operation: str, parameters: Mapping[str, Any]
) -> str | None:
    """Return botocore's report on invalid parameters of a call, or None.

    Security: the values are removed, because one may be an MFA code or an external ID.
    """
    shape: Any = session.get_service_model(service).operation_model(operation).input_shape
    report = ParamValidator().validate(dict(parameters), shape)
    if not report.has_errors():
        return None
    text = re.sub(r", value: .*?, (?=type|valid)", ", ", report.generate_report(), flags=re.DOTALL)
    for value in _texts(parameters):
        if len(value) > _SHORTEST:
            text = text.replace(value, "...")
    return text


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield from (value, *value.split(", "), *value.splitlines())
    elif isinstance(value, Mapping):
        yield from (text for one in value.values() for text in _texts(one))
    elif isinstance(value, (list, tuple)):
        yield from (text for one in value for text in _texts(one))
