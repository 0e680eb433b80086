"""Where an error was raised: it tells what it means, whatever its class."""

import hashlib
import re
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import HTTPClientError
from botocore.session import Session
from botocore.utils import create_nested_client
from botocore.validate import ParamValidator
from urllib3.exceptions import HTTPError

from ..errors import FetchError, without_users
from ..runtime.context import redact_logs
from ..runtime.deadline import end_with_budget, keep_to_budget, within_budget
from ..runtime.single_flight import ProcessLocal
from .connections import keep_deadlines_of
from .frozen_credentials import FrozenCredentials
from .service_data import sharing_loader
from .sessions import session_like

if TYPE_CHECKING:
    from botocore.client import BaseClient

_OWN = ("botocore", "botocore_ext", "aiobotocore")
#: What these call, beyond the standard library.
_OF_THEIRS = (*_OWN, "awscrt", "dateutil", "jmespath", "urllib3")


def is_of_a_parser(error: BaseException) -> bool:
    """Whether an answer came, and botocore's parsers raised this error over it."""
    modules = list(_modules(error))
    if _is_of_others(modules[-1]):
        return False
    # Of JSON that is null the parser makes nothing, which the endpoint trips over.
    is_parsed = modules[-1].endswith("botocore.endpoint")
    return is_parsed or any(name.endswith("botocore.parsers") for name in modules)


def is_of_a_handler(error: BaseException) -> bool:
    """Whether a handler of the caller's raised this error: of an event, or of a signal."""
    modules, below = list(_modules(error)), False
    for name in modules:
        if below and name.partition(".")[0] not in _OWN:
            return True
        below = name.endswith("botocore.hooks")
    return _is_of_others(modules[-1])


def _is_of_others(module: str) -> bool:
    """Whether it is neither botocore's, nor ours, nor what these call."""
    package = module.partition(".")[0]
    return package not in _OF_THEIRS and package not in sys.stdlib_module_names


def while_sending(error: Exception) -> Exception | None:
    """Return what other code, such as a blocked socket, raised while a request was sent.

    botocore wraps it; None for what the network or the HTTP library raised.
    """
    cause = error.kwargs.get("error") if isinstance(error, HTTPClientError) else None
    is_known = cause is None or isinstance(cause, (HTTPError, HTTPException, OSError, ValueError))
    return None if is_known else cause


def _modules(error: BaseException) -> Iterator[str]:
    """Give the name of each function's module that the error came through, outermost first."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        yield str(frame.f_globals.get("__name__"))


# The clients that providers call AWS services with.
#
# They are unsigned, or carry keys: another one would ask the session for credentials, which is what
# they are for.

#: Seconds to connect and to wait for an answer.
CONNECT_TIMEOUT, READ_TIMEOUT = 2, 5
#: Attempts for one call.
ATTEMPTS = 3
#: The arguments of ``create_client`` for the parts of ``FrozenCredentials``.
_SIGNING = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
#: What STS answers where it cannot reach an identity provider, or does not know its keys yet.
_OF_IDENTITY_PROVIDERS = {"IDPCommunicationError", "InvalidIdentityToken"}
_RETRY_SETTINGS = {"AWS_RETRY_MODE", "AWS_MAX_ATTEMPTS", "retry_mode", "max_attempts"}

#: Held while a client is made, which takes a while: a handler of signals, or of the event that
#: botocore emits then, may need keys of another provider.
_creation = ProcessLocal(threading.RLock)


@dataclass(eq=False)
class _Held:
    """A client, and what it was made with: holding the mapping keeps its id unique."""

    client: "BaseClient"
    client_config: object
    keys: FrozenCredentials | None


#: Clients of bindings without a session of the caller's, for as long as one of these lives.
_common: ProcessLocal[WeakValueDictionary[object, _Held]] = ProcessLocal(WeakValueDictionary)


class InnerClients:
    """The inner clients of one binding, made once for each process."""

    def __init__(self) -> None:
        """Start without a client."""
        self._held: ProcessLocal[dict[object, _Held]] = ProcessLocal(dict)

    def get(
        self,
        session: Session,
        environ: Mapping[str, str],
        service: str,
        region: str,
        client_config: Mapping[str, Any] | None,
        keys: FrozenCredentials | None = None,
        *,
        is_common: bool = False,
    ) -> "BaseClient":
        """Return the client, made at the first call with the same arguments.

        Args:
            session: What it is made with.
            environ: The environment.
            service: Which service it calls.
            region: Where.
            client_config: What the user gave; equal mappings are not the same.
            keys: What it signs with; for other keys it is made anew. None: it does not sign.
            is_common: Whether other bindings, made in the same environment, may have it too, as
                long as it does not sign.
        """
        held = self._held.get()
        place = (service, region, id(client_config) if client_config else None)
        found = held.get(place)
        if found is None or found.keys != keys:
            with _creation.get():
                common = _common.get() if is_common and keys is None else {}
                wide = (session, *place, _digest(environ))
                found = common.get(wide) or _Held(
                    create(session, environ, service, region, client_config, keys),
                    client_config,
                    keys,
                )
                common[wide] = held[place] = found
        return found.client  # not what stands there by now: it may sign with other keys


def _digest(environ: Mapping[str, str]) -> bytes:
    """Return what tells environments apart, and holds nothing of them: they may have secrets."""
    variables = repr(sorted(environ.items()))
    return hashlib.sha256(variables.encode("utf-8", "surrogateescape")).digest()


def create(
    session: Session,
    environ: Mapping[str, str],
    service: str,
    region: str,
    client_config: Mapping[str, Any] | None,
    keys: FrozenCredentials | None = None,
) -> "BaseClient":
    """Make an inner client, which signs with ``keys`` or not at all."""
    signing = {} if keys is None else dict(zip(_SIGNING, keys.parts(), strict=False))
    arguments = _arguments(session, environ, {**(client_config or {}), **signing})
    arguments["region_name"] = region
    client: BaseClient = create_nested_client(_creating(session), service, **arguments)
    keep_deadlines_of(client)
    config: Any = client.meta.config
    longest = config.connect_timeout + config.read_timeout
    client.meta.events.register("before-send", partial(keep_to_budget, longest))
    # Before botocore's own handler, which may wait for a while.
    name = client.meta.service_model.service_id.hyphenize()
    client.meta.events.register_first(f"needs-retry.{name}", end_with_budget)
    client.meta.events.register_first(f"needs-retry.{name}", _raise_what_others_raised)
    limit = (config.retries or {}).get("total_max_attempts", ATTEMPTS)
    client.meta.events.register("needs-retry", partial(_retry_identity_provider, limit))
    client.meta.events.register("after-call", _hide_what_is_no_error)
    return client


def _creating(session: Session) -> Session:
    """Return the session that makes inner clients, with what all sessions share.

    One that makes clients in a way of its own does so for ours, too.
    """
    if getattr(session.create_client, "__func__", None) is not Session.create_client:
        return session
    return session_like(session, loader=sharing_loader(session.get_component("data_loader")))


def _arguments(
    session: Session, environ: Mapping[str, str], client_config: Mapping[str, Any] | None
) -> dict[str, Any]:
    arguments = dict(client_config or {})
    config = Config(connect_timeout=CONNECT_TIMEOUT, read_timeout=READ_TIMEOUT)
    defaults: Any = session.get_default_client_config()
    configured = {*environ, *session.get_scoped_config()} & _RETRY_SETTINGS
    if not configured and not (defaults and defaults.retries):
        config = config.merge(Config(retries={"mode": "standard", "total_max_attempts": ATTEMPTS}))
    config = config.merge(arguments.pop("config", None) or Config())
    if "aws_access_key_id" not in arguments:
        config = config.merge(Config(signature_version=UNSIGNED))
    return arguments | {"config": config}


def _retry_identity_provider(limit: int, response: Any, attempts: int, **_: object) -> Any:
    """Give the seconds to wait before another attempt, or None (``needs-retry``).

    botocore does not retry these, though the API reference of STS asks for the first one, and for
    the second STS fetches the verification keys of the identity provider again.
    """
    code = response[1].get("Error", {}).get("Code") if response else None
    return 0.1 * 2**attempts if code in _OF_IDENTITY_PROVIDERS and attempts < limit else None


def _raise_what_others_raised(caught_exception: Exception | None = None, **_: object) -> None:
    """Retry nothing that other code raised while a request was sent (``needs-retry``).

    A signal handler may end a task so; botocore takes it for a failure of the network.

    Raises:
        Exception: What other code raised.
    """
    raised = None if caught_exception is None else while_sending(caught_exception)
    if raised is not None:
        raise raised from None


def _hide_what_is_no_error(http_response: Any, parsed: dict[str, Any], **_: object) -> None:
    """Replace the text of an error that names no code (``after-call``): it is the whole answer."""
    error, status = parsed.get("Error", {}), http_response.status_code
    if error.get("Code") == str(status):
        error["Message"] = (
            f"the answer has the status {status} and is no error of the service: check the "
            "endpoint, and what is between here and AWS"
        )


# How inner clients are called: within the budget of a fetch, and out of every log.

#: What urllib3 and http.client raise, of which the text may show a header or an answer.
_SHOW_VALUES = (HTTPError, HTTPException, ValueError)


def call(client: "BaseClient", operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Call ``operation`` and return its answer.

    Raises:
        botocore.exceptions.ClientError: As the service answered, unchanged.
        FetchError: The answer cannot be read, or the request cannot be sent; botocore's own error
            would show all of it.
        Exception: What an event handler of the caller's raised, unchanged.
    """
    url = without_users(client.meta.endpoint_url)
    ask: Callable[[], Any] = partial(getattr(client, operation), **parameters)
    try:
        answer = redact_logs(partial(within_budget, url.split("/")[2], ask))
    except HTTPClientError as error:
        cause = error.kwargs.get("error")
        if type(error) is not HTTPClientError or not isinstance(cause, _SHOW_VALUES):
            raise
        fact = f"the request to {url} cannot be sent ({type(cause).__name__}): "
        remedy = "check the options and the network"
    except Exception as error:
        if not is_of_a_parser(error):
            raise
        fact = f"the answer of {url} cannot be read: "
        remedy = "check that nothing between here and AWS changes it"
    else:
        if isinstance(answer, Mapping):
            return answer
        fact = f"the answer of {url} is {type(answer).__name__}, not an object: "
        remedy = "check the client"
    raise FetchError(provider=client.meta.service_model.service_name, error_msg=f"{fact}{remedy}")


# What botocore would refuse in the parameters of a call, said before anything is sent.

#: Characters that a value may have and be shown, where its own text hides where it ends.
_SHOWN = 3


def problems_of(
    session: Session, service: str, operation: str, parameters: Mapping[str, Any]
) -> str | None:
    """Say what botocore would refuse in the parameters of a call; None if nothing.

    The values are left out: one may be a code or an external id.
    """
    shape: Any = session.get_service_model(service).operation_model(operation).input_shape
    report = ParamValidator().validate(dict(parameters), shape)
    if not report.has_errors():
        return None
    text = re.sub(r", value: .*?, (?=type|valid)", ", ", report.generate_report(), flags=re.DOTALL)
    for value in _texts(parameters):
        if len(value) > _SHOWN:
            text = text.replace(value, "...")
    return text


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield from (value, *value.split(", "), *value.splitlines())
    elif isinstance(value, Mapping):
        yield from (text for one in value.values() for text in _texts(one))
    elif isinstance(value, (list, tuple)):
        yield from (text for one in value for text in _texts(one))
