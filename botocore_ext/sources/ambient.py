"""The token of whatever place this is that issues one, as the package ``id`` finds it.

https://pypi.org/project/id/
"""

from dataclasses import dataclass
from functools import partial

from ..calls.budget import FETCH_BUDGET, share_of_budget
from ..calls.unlogged import run_unlogged
from ..errors import ConfigurationError, FetchError
from ..threads.helper_thread import run_within

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


@dataclass(frozen=True)
class AmbientToken:
    """Takes the token of GitHub Actions, Google Cloud, Buildkite, GitLab CI/CD or CircleCI.

    In a profile it is ``ambient://AUDIENCE``. The package ``id`` finds out where the program runs,
    from the environment of the process, and asks there (extra ``oidc``).
    """

    #: Whom the token is for, as the identity provider in IAM knows it.
    audience: str

    def __call__(self) -> str:
        """Ask and return the token.

        Raises:
            ConfigurationError: The package ``id`` is not installed.
            FetchError: This is no such place, or no token for the audience came.
        """
        try:
            from id import detect_credential  # noqa: PLC0415 - of the extra oidc
        except ImportError:
            fact = "the package `id` is not installed: run `pip install botocore-ext[oidc]`"
            raise ConfigurationError(provider="ambient token", error_msg=fact) from None
        try:
            ask = partial(detect_credential, self.audience)
            token = run_unlogged(partial(run_within, share_of_budget(), ask))
        except TimeoutError:
            fact = f"was not there after {FETCH_BUDGET} seconds: check what issues tokens here"
        except Exception as error:  # noqa: BLE001 - some hold what was answered: none is shown
            fact = _explain(error)
        else:
            if token is not None:
                return token
            fact = (
                "cannot be had here: this is none of GitHub Actions, Google Cloud, Buildkite, "
                "GitLab CI/CD and CircleCI"
            )
        raise FetchError(provider="ambient token", error_msg=f"the ambient token {fact}")


def _explain(error: Exception) -> str:
    """Say what is wrong, of its text no more than which place it speaks of."""
    place = str(error).partition(":")[0]
    if place in _REMEDIES:
        return f"of {place} did not come: {_REMEDIES[place]}"
    return (
        f"did not come, or is not one for this audience alone ({type(error).__name__}): "
        "check the audience, and what issues tokens here"
    )
