"""The token that GitHub Actions issues for a job.

https://docs.github.com/actions/reference/security/oidc
"""

import json
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from urllib.parse import urlencode

from ..calls.attempts import Patience, is_transient, persist, refusal
from ..calls.budget import share_of_budget
from ..calls.endpoint import Endpoint, UnusableError
from ..calls.exchange import ask
from ..declaration import values
from ..errors import FetchError
from ..scope import Scope

#: Seconds to connect, and to wait for data.
CONNECT, READ = 2.0, 5.0
#: Further attempts; all of them are over before a fetch must be.
RETRIES = 2

_URL = "ACTIONS_ID_TOKEN_REQUEST_URL"
_REQUEST_TOKEN = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"  # noqa: S105 - the name of a variable
_PERMISSION = (
    "give the job `permissions: id-token: write` (a pull request from a fork does not get it)"
)


@dataclass(frozen=True)
class GitHubActionsToken:
    """Asks GitHub Actions for a token (``github-actions://AUDIENCE``)."""

    #: Whom the token is for, as the identity provider in IAM knows it.
    audience: str
    #: Seconds to wait for data.
    timeout: float = READ
    scope: Scope = field(default_factory=Scope, repr=False, compare=False)

    def __call__(self) -> str:
        """Ask, again where that may help, and return the token.

        Raises:
            FetchError: The job has no permission, or no token came.
        """
        connect = min(CONNECT, self.timeout)
        patience = Patience(connect, self.timeout, whole=connect + self.timeout)
        endpoint = self._endpoint()
        clock, seconds = self.scope.clock, share_of_budget()
        try:
            attempt = partial(self._attempt, endpoint, patience)
            return persist(attempt, endpoint.authority, patience, RETRIES, clock, seconds)
        except UnusableError as error:
            fact = f"{endpoint.authority} {error}"
        raise _error(fact)

    def __reduce__(self) -> tuple[type["GitHubActionsToken"], tuple[str, float]]:
        """Travel as the audience; the job of the receiving process holds there."""
        return type(self), (self.audience, self.timeout)

    def _endpoint(self) -> Endpoint:
        address = self._variable(_URL)
        query = urlencode({"audience": self.audience}, errors="replace")
        try:
            return Endpoint.parse(f"{address}{'&' if '?' in address else '?'}{query}")
        except ValueError as error:
            fact = f"the environment variable {_URL} {error}: it is GitHub that sets it"
        raise _error(fact)

    def _attempt(self, endpoint: Endpoint, patience: Patience) -> str:
        status, body = ask(endpoint, self._headers(), patience, self.scope.session)
        if status != HTTPStatus.OK:
            text = body.decode(errors="replace")
            raise refusal(status, _PERMISSION, is_transient=is_transient(status, text))
        try:
            value = json.loads(body)["value"]
        except (LookupError, RecursionError, TypeError, ValueError):
            value = None
        if isinstance(value, str) and value.strip():
            return value.strip()
        msg = "answered without a token: see the status page of GitHub"
        raise UnusableError(msg)

    def _headers(self) -> dict[str, str]:
        token = self._variable(_REQUEST_TOKEN)
        try:
            return {"Authorization": values.header(f"bearer {token}")}
        except ValueError as error:
            fact = f"the environment variable {_REQUEST_TOKEN} {error}: it is GitHub that sets it"
        raise _error(fact)

    def _variable(self, name: str) -> str:
        value = self.scope.environ.get(name, "").strip()
        if not value:
            msg = f"the environment variable {name} is not set: {_PERMISSION}"
            raise _error(msg)
        return value


def _error(fact: str) -> FetchError:
    return FetchError(provider="token of GitHub Actions", error_msg=fact)
