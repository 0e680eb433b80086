"""The token of whatever place this is that issues one, as the package ``id`` finds it.

https://pypi.org/project/id/
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from ..calls.attempts import Patience, is_transient, persist
from ..calls.budget import FETCH_BUDGET, share_of_budget
from ..calls.endpoint import UnusableError
from ..calls.unlogged import run_unlogged
from ..errors import ConfigurationError, FetchError
from ..scope import Scope
from ..threads.helper_thread import run_within

#: Further attempts. ``id`` makes none after an answer, and the agents that it runs make their own.
RETRIES = 2
#: What is left of a fetch must be as much for another attempt.
_PATIENCE = Patience(connect=2.0, read=5.0, whole=7.0)

#: How ``id`` begins the text of an error -> what to do.
_REMEDIES = {
    "GitHub": "give the job `permissions: id-token: write` (a pull request from a fork does not "
    "get it); github-actions://AUDIENCE says more",
    "GCP": "check that the instance has a service account, and that it may issue identity tokens",
    "Buildkite": "check that buildkite-agent is on PATH, and what its `oidc request-token` says",
    "GitLab": "name it among the `id_tokens` of the job, as the audience in capitals with _ for "
    "every other sign, and _ID_TOKEN behind it",
    "CircleCI": "check that circleci is on PATH, and what its `run oidc get` says",
}
#: How ``id`` says that it was refused: with the status and all that was answered.
_REFUSED = re.compile(r"\(code=(\d+), body=(.*)\)", re.DOTALL)
#: How it ends the text of an error where no token was answered, and none refused.
_UNANSWERED = re.compile(r"(timed out|malformed or incomplete JSON|missing from response)$")


@dataclass(frozen=True)
class AmbientToken:
    """Takes the token of GitHub Actions, Google Cloud, Buildkite, GitLab CI/CD or CircleCI.

    In a profile it is ``ambient://AUDIENCE``. The package ``id`` finds out where the program runs,
    from the environment of the process, and asks there (extra ``oidc``).
    """

    #: Whom the token is for, as the identity provider in IAM knows it.
    audience: str
    scope: Scope = field(default_factory=Scope, repr=False, compare=False)

    def __call__(self) -> str:
        """Ask, again where that may help, and return the token.

        Raises:
            ConfigurationError: The package ``id`` is not installed.
            FetchError: This is no such place, or no token for the audience came.
        """
        try:
            from id import detect_credential  # noqa: PLC0415 - of the extra oidc
        except ImportError:
            fact = "the package `id` is not installed: run `pip install botocore-ext[oidc]`"
            raise ConfigurationError(provider="ambient token", error_msg=fact) from None
        clock, seconds = self.scope.clock, share_of_budget()
        attempt = partial(self._attempt, detect_credential, clock.monotonic() + seconds)
        try:
            return persist(attempt, "the ambient token", _PATIENCE, RETRIES, clock, seconds)
        except UnusableError as error:
            fact = f"the ambient token {error}"
        raise FetchError(provider="ambient token", error_msg=fact)

    def __reduce__(self) -> tuple[type["AmbientToken"], tuple[str]]:
        """Travel as the audience."""
        return type(self), (self.audience,)

    def _attempt(self, detect: Callable[[str], str | None], deadline: float) -> str:
        """Let ``id`` ask once.

        Raises:
            UnusableError: No token came.
        """
        left = deadline - self.scope.clock.monotonic()
        try:
            ask = partial(run_within, left, partial(detect, self.audience))
            token = run_unlogged(ask)
        except TimeoutError:
            fact = f"was not there after {FETCH_BUDGET} seconds: check what issues tokens here"
            failure = UnusableError(fact, retry=False)
        except Exception as error:  # noqa: BLE001 - some hold what was answered: none is shown
            failure = _explain(error)
        else:
            if token is not None:
                return token
            fact = (
                "cannot be had here: this is none of GitHub Actions, Google Cloud, Buildkite, "
                "GitLab CI/CD and CircleCI"
            )
            failure = UnusableError(fact, retry=False)
        raise failure


def _explain(error: Exception) -> UnusableError:
    """Say what is wrong, of its text no more than which place it speaks of, and the status."""
    place = str(error).partition(":")[0]
    refused = _REFUSED.search(str(error))
    if refused is not None and is_transient(int(refused[1]), refused[2]):
        fact = f"of {place} did not come: it answered with status {refused[1]}: see its status page"
        return UnusableError(fact)
    # An answer that is not JSON, or holds no token, says nothing: a proxy may have given it.
    passes = isinstance(error, ValueError) or _UNANSWERED.search(str(error)) is not None
    if place in _REMEDIES:
        return UnusableError(f"of {place} did not come: {_REMEDIES[place]}", retry=passes)
    fact = (
        f"did not come, or is not one for this audience alone ({type(error).__name__}): "
        "check the audience, and what issues tokens here"
    )
    return UnusableError(fact, retry=passes)
