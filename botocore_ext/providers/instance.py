"""Credentials from the instance metadata service (IMDS) of Amazon EC2.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-imds-credentials.html
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from botocore import exceptions
from botocore.utils import InstanceMetadataFetcher, resolve_imds_endpoint_mode

from ..aws.botocore_errors import METADATA_NUMBERS, native, whole_number
from ..aws.clients import while_sending
from ..aws.connections import keep_deadlines_of
from ..aws.frozen_credentials import FrozenCredentials
from ..errors import NotConfigured
from ..options import types
from ..options.option import option
from ..runtime.context import RoutedLogger
from ..runtime.deadline import FETCH_BUDGET, within
from .base import Provider, max_retries_option, timeout_option

logger = RoutedLogger(__name__)

#: Disables botocore's own extension of an expiration: no comparison with NaN is true.
_NO_EXTENSION = {"ec2_credential_refresh_window": float("nan")}
#: Seconds by which botocore extends an expiration, and the most that it adds at random.
_EXTENSION, _JITTER = 720, 480


class InstanceProvider(Provider):
    """Credentials of this EC2 instance's role (IMDSv2, else IMDSv1 if that is allowed)."""

    METHOD = "iam-role"
    CANONICAL_NAME = "Ec2InstanceMetadata"
    FACTORY = "from_instance_metadata"
    FEATURE_IDS = ("CREDENTIALS_IMDS",)

    timeout: float = timeout_option(
        "Seconds to connect and to wait for data, 25 for everything. If it is not set, the "
        "session's `metadata_service_timeout` applies."
    )
    max_retries: int = max_retries_option(
        "Further attempts for each of the three requests. If it is not set, one less than "
        "the session's `metadata_service_num_attempts`."
    )
    ec2_metadata_v1_disabled: bool = option(
        default=False,
        code="True",
        parse=types.flag,
        help="Whether to fail instead of using IMDSv1 when the service returns no token. If it is "
        "not set, the session's `ec2_metadata_v1_disabled` applies.",
    )

    def is_selected(self) -> bool:
        """Whether the environment allows it; only a request shows whether there is an instance."""
        return self.scope.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() != "true"

    def _reason_not_selected(self) -> str:
        """See ``Specification._reason_not_selected``."""
        return "AWS_EC2_METADATA_DISABLED is true"

    def fetch(self) -> FrozenCredentials:
        """Request a token, the role and its credentials: three round trips."""
        if not self.is_selected():
            raise self._not_configured()
        source = "the metadata service"
        arguments, url = native(self.METHOD, source, "check its address", self._request)
        source += f" at {url.rstrip('/')}"
        credentials = native(self.METHOD, source, "check its address", partial(_fetch, arguments))
        if credentials is not None:
            return self._extend(credentials, source)
        raise NotConfigured(
            provider=self.METHOD,
            error_msg=f"{source} returned no credentials: give the instance a role, or raise its "
            "hop limit for containers; set AWS_EC2_METADATA_DISABLED=true if this is not an EC2 "
            "instance",
        )

    def _extend(self, credentials: FrozenCredentials, source: str) -> FrozenCredentials:
        """Extend the expiration of expired credentials as botocore does ("static stability").

        While the service cannot get new credentials, it continues to serve the last ones, and AWS
        accepts them. Credentials that expire soon are unchanged: the next refresh extends them.
        """
        clock = self.scope.clock
        if credentials.expiration is None or credentials.expiration > clock.utc():
            return credentials
        seconds = _EXTENSION + _JITTER * clock.random()
        fact = (
            "The credentials of %s expired at %s; they are used for another %d minutes, because "
            "AWS may be unable to issue new ones: check the clock of this machine if this repeats"
        )
        logger.warning(fact, source, credentials.expiration, seconds / 60)
        return replace(credentials, expiration=clock.utc() + timedelta(seconds=seconds))

    def _request(self) -> tuple[dict[str, Any], str]:
        """Return the arguments of botocore's fetcher, and the URL that it uses with them."""
        session, in_code = self.scope.session, self._code_values
        setting = session.get_config_variable
        disabled = "ec2_metadata_v1_disabled"
        config = {
            "ec2_metadata_service_endpoint": setting("ec2_metadata_service_endpoint"),
            "ec2_metadata_service_endpoint_mode": resolve_imds_endpoint_mode(session),
            disabled: self.ec2_metadata_v1_disabled if disabled in in_code else setting(disabled),
        }
        timeout, attempts = (
            partial(whole_number, session, self.METHOD, n) for n in METADATA_NUMBERS
        )
        arguments: dict[str, Any] = {
            "timeout": self.timeout if "timeout" in in_code else timeout(),
            "num_attempts": self.max_retries + 1 if "max_retries" in in_code else attempts(),
            "env": dict(self.scope.environ),
            "user_agent": session.user_agent(),
            "config": config | _NO_EXTENSION,
        }
        return arguments, str(InstanceMetadataFetcher(**arguments).get_base_url())


def _fetch(arguments: Mapping[str, Any]) -> FrozenCredentials | None:
    """Return the credentials; None if no metadata service answers, or not in time.

    The fetcher and its connection live in this function only: the traceback of an error, which may
    be kept for long, would keep the connection open.
    """
    try:
        fetcher = InstanceMetadataFetcher(**arguments)
        keep_deadlines_of(fetcher)
        answer = within(FETCH_BUDGET, fetcher.retrieve_iam_role_credentials)
    except (TimeoutError, exceptions.ConnectionError, exceptions.HTTPClientError) as error:
        blocked = while_sending(error)
        if blocked is None:
            return None
    else:
        return FrozenCredentials.from_mapping(answer) if answer else None
    raise blocked


from_instance_metadata = InstanceProvider
