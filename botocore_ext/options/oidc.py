"""OIDC tokens: the one that GitHub Actions issues for a job, and those of other services.

https://docs.github.com/actions/reference/security/oidc
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from urllib.parse import urlencode

from ..aws.endpoint import Endpoint, EndpointError
from ..aws.http import Timeouts, is_transient, refusal, request, retry
from ..errors import ConfigurationError, FetchError
from ..runtime.context import redact_logs
from ..runtime.deadline import FETCH_BUDGET, share_of_budget
from ..runtime.helper_thread import run_within
from . import types
from .scope import Scope

#: Seconds to connect, and to wait for data.
CONNECT, READ = 2.0, 5.0
#: Further attempts; all of them together are shorter than the budget of a fetch.
RETRIES = 2

_URL = "ACTIONS_ID_TOKEN_REQUEST_URL"
_REQUEST_TOKEN = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"  # noqa: S105 - the name of a variable
_PERMISSION = (
    "give the job `permissions: id-token: write` (a pull request from a fork does not get it)"
)


@dataclass(frozen=True)
class GitHubActionsToken:
    """Requests a token from GitHub Actions (``github-actions://AUDIENCE``).

    Args:
        audience: The audience of the token, as in the identity provider of IAM.
        timeout: Seconds to wait for data; all attempts end within the 25 seconds of a fetch.
        scope: The environment, clock and session; by default those of this process.
    """

    audience: str
    timeout: float = READ
    scope: Scope = field(default_factory=Scope, repr=False, compare=False)

    def __call__(self) -> str:
        """Request the token, with retries, and return it.

        Raises:
            FetchError: The job has no permission, or the token could not be retrieved.
        """
        connect = min(CONNECT, self.timeout)
        timeouts = Timeouts(connect, self.timeout, whole=connect + self.timeout)
        endpoint = self._endpoint()
        clock, seconds = self.scope.clock, share_of_budget()
        try:
            attempt = partial(self._attempt, endpoint, timeouts)
            return retry(attempt, endpoint.authority, timeouts, RETRIES, clock, seconds)
        except EndpointError as error:
            fact = f"{endpoint.authority} {error}"
        raise _error(fact)

    def __reduce__(self) -> tuple[type["GitHubActionsToken"], tuple[str, float]]:
        """Pickle the audience; the receiving process uses its own environment."""
        return type(self), (self.audience, self.timeout)

    def _endpoint(self) -> Endpoint:
        address = self._variable(_URL)
        query = urlencode({"audience": self.audience}, errors="replace")
        try:
            return Endpoint.parse(f"{address}{'&' if '?' in address else '?'}{query}")
        except ValueError as error:
            fact = f"the environment variable {_URL} {error}: GitHub sets it"
        raise _error(fact)

    def _attempt(self, endpoint: Endpoint, timeouts: Timeouts) -> str:
        status, body = request(endpoint, self._headers(), timeouts, self.scope.session)
        if status != HTTPStatus.OK:
            text = body.decode(errors="replace")
            raise refusal(status, _PERMISSION, is_transient=is_transient(status, text))
        try:
            value = json.loads(body)["value"]
        except (LookupError, RecursionError, TypeError, ValueError):
            value = None
        if isinstance(value, str) and value.strip():
            return value.strip()
        raise EndpointError("answered without a token: see the status page of GitHub")

    def _headers(self) -> dict[str, str]:
        token = self._variable(_REQUEST_TOKEN)
        try:
            return {"Authorization": types.header(f"bearer {token}")}
        except ValueError as error:
            fact = f"the environment variable {_REQUEST_TOKEN} {error}: GitHub sets it"
        raise _error(fact)

    def _variable(self, name: str) -> str:
        value = self.scope.environ.get(name, "").strip()
        if not value:
            raise _error(f"the environment variable {name} is not set: {_PERMISSION}")
        return value


def _error(fact: str) -> FetchError:
    return FetchError(provider="token of GitHub Actions", error_msg=fact)


# The token of the service that this program runs on, which the package ``id`` detects.
#
# https://pypi.org/project/id/

#: There is another attempt only if this much time is left for the fetch.
_TIMEOUTS = Timeouts(connect=2.0, read=5.0, whole=7.0)

#: The service that begins an error of ``id`` -> the remedy.
_REMEDIES = {
    "GitHub": "give the job `permissions: id-token: write` (a pull request from a fork does not "
    "get it); the errors of github-actions://AUDIENCE say more",
    "GCP": "check that the instance has a service account, and that it may issue identity tokens",
    "Buildkite": "check that buildkite-agent is on PATH, and see the output of its "
    "`oidc request-token`",
    "GitLab": "add it to `id_tokens` of the job; its name is the audience in capitals, with _ for "
    "all other characters, and ends with _ID_TOKEN",
    "CircleCI": "check that circleci is on PATH, and see the output of its `run oidc get`",
}
#: The part of an error of ``id`` that shows a refusal: the status and the whole answer.
_REFUSED = re.compile(r"\(code=(\d+), body=(.*)\)", re.DOTALL)
#: The end of an error of ``id`` for an answer without a token that is not a refusal.
_UNANSWERED = re.compile(r"(timed out|malformed or incomplete JSON|missing from response)$")


@dataclass(frozen=True)
class AmbientToken:
    """Takes the token of GitHub Actions, Google Cloud, Buildkite, GitLab CI/CD or CircleCI.

    In a profile it is ``ambient://AUDIENCE``. The package ``id`` (extra ``oidc``) detects the
    service from the environment of the process and requests the token.

    Args:
        audience: The audience of the token, as in the identity provider of IAM.
        scope: The clock; by default that of this machine.
    """

    audience: str
    scope: Scope = field(default_factory=Scope, repr=False, compare=False)

    def __call__(self) -> str:
        """Request the token, with retries, and return it.

        Raises:
            ConfigurationError: The package ``id`` is not installed.
            FetchError: The token could not be retrieved, or this is not such a service.
        """
        try:
            from id import detect_credential  # noqa: PLC0415 - of the extra oidc
        except ImportError:
            fact = "the package `id` is not installed: run `pip install id`"
            raise ConfigurationError(provider="ambient token", error_msg=fact) from None
        clock, seconds = self.scope.clock, share_of_budget()
        attempt = partial(self._attempt, detect_credential, clock.monotonic() + seconds)
        try:
            return retry(attempt, "the ambient token", _TIMEOUTS, RETRIES, clock, seconds)
        except EndpointError as error:
            fact = f"the ambient token {error}"
        raise FetchError(provider="ambient token", error_msg=fact)

    def __reduce__(self) -> tuple[type["AmbientToken"], tuple[str]]:
        """Pickle the audience."""
        return type(self), (self.audience,)

    def _attempt(self, detect: Callable[[str], str | None], deadline: float) -> str:
        """Call ``id`` once.

        Raises:
            EndpointError: It returned no token.
        """
        left = deadline - self.scope.clock.monotonic()
        try:
            token = redact_logs(partial(run_within, left, partial(detect, self.audience)))
        except TimeoutError:
            fact = f"was not issued within {FETCH_BUDGET} seconds: check the service that issues it"
            failure = EndpointError(fact, retry=False)
        except Exception as error:  # noqa: BLE001 - the text of any may contain the answer
            failure = _explain(error)
        else:
            if token is not None:
                return token
            fact = (
                "is not available here: this is not GitHub Actions, Google Cloud, Buildkite, "
                "GitLab CI/CD or CircleCI"
            )
            failure = EndpointError(fact, retry=False)
        raise failure


def _explain(error: Exception) -> EndpointError:
    """Return the error to show: of the text of ``id``, only the service and the status."""
    service = str(error).partition(":")[0]
    refused = _REFUSED.search(str(error))
    if refused is not None and is_transient(int(refused[1]), refused[2]):
        status = f"it answered with status {refused[1]}"
        return EndpointError(f"of {service} could not be retrieved: {status}: see its status page")
    # An answer that is not JSON, or has no token, may come from a proxy.
    may_retry = isinstance(error, ValueError) or _UNANSWERED.search(str(error)) is not None
    if service in _REMEDIES:
        fact = f"of {service} could not be retrieved: {_REMEDIES[service]}"
        return EndpointError(fact, retry=may_retry)
    fact = (
        f"could not be retrieved, or is not for this audience alone ({type(error).__name__}): "
        "check the audience, and the service that issues the token"
    )
    return EndpointError(fact, retry=may_retry)


def github_token(audience: str, scope: Scope) -> GitHubActionsToken:
    """Return the source for ``github-actions://``."""
    return GitHubActionsToken(audience, scope=scope)
