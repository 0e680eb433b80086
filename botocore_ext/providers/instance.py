"""Keys from the instance metadata service of Amazon EC2.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-imds-credentials.html
"""

import logging
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
from ..runtime.deadline import FETCH_BUDGET, within
from .base import Provider

logger = logging.getLogger(__name__)

#: botocore puts off an expiry that is nearer than this; compared with no number, it stays true.
_AS_ANSWERED = {"ec2_credential_refresh_window": float("nan")}
#: Seconds by which botocore puts off an expiry, and at most as many by chance on top.
_EXTENSION, _JITTER = 720, 480


class InstanceProvider(Provider):
    """The keys of the role of this EC2 instance (IMDSv2, else IMDSv1 where that is allowed)."""

    METHOD = "iam-role"
    CANONICAL_NAME = "Ec2InstanceMetadata"
    FACTORY = "from_instance_metadata"
    FEATURE_IDS = ("CREDENTIALS_IMDS",)

    timeout: float = option(
        default=1.0,
        example="1",
        code="1",
        parse=types.timeout,
        help="Seconds to connect and to wait for data, 25 for everything; not given, what the "
        "session's `metadata_service_timeout` says.",
    )
    max_retries: int = option(
        default=0,
        example="3",
        code="3",
        parse=types.whole,
        help="Further attempts for each of the three requests; not given, one less than the "
        "session's `metadata_service_num_attempts`.",
    )
    ec2_metadata_v1_disabled: bool = option(
        default=False,
        example="true",
        code="True",
        parse=types.flag,
        help="Whether to do without IMDSv1 where the service gives no token; not given, what the "
        "session's `ec2_metadata_v1_disabled` says.",
    )

    def is_selected(self) -> bool:
        """Whether asking is not forbidden."""
        return self.scope.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() != "true"

    def _reason_not_selected(self) -> str:
        """See ``Specification._reason_not_selected``."""
        return "AWS_EC2_METADATA_DISABLED is true"

    def fetch(self) -> FrozenCredentials:
        """Ask for a token, the role and its keys: three round trips."""
        if not self.is_selected():
            raise self._not_configured()
        place = "the metadata service"
        arguments, url = native(self.METHOD, place, "check its address", self._asked)
        place += f" at {url.rstrip('/')}"
        found = native(self.METHOD, place, "check its address", partial(_answer, arguments))
        if found is not None:
            return self._extended(found, place)
        raise NotConfigured(
            provider=self.METHOD,
            error_msg=f"{place} gave no keys: give the instance a role, or raise its hop limit for "
            "containers; set AWS_EC2_METADATA_DISABLED=true where this is no EC2 instance",
        )

    def _extended(self, keys: FrozenCredentials, place: str) -> FrozenCredentials:
        """Return credentials that are past their expiry with the one that botocore gives them.

        The service goes on serving those it has while it cannot get new ones, and AWS accepts them
        ("static stability"). What expires soon is left as it is: the next refresh extends it.
        """
        clock = self.scope.clock
        if keys.expiration is None or keys.expiration > clock.utc():
            return keys
        seconds = _EXTENSION + _JITTER * clock.random()
        fact = (
            "The credentials of %s expired at %s; they are used for another %d minutes, because "
            "AWS may have trouble issuing new ones: check the clock of this machine if this goes on"
        )
        logger.warning(fact, place, keys.expiration, seconds / 60)
        return replace(keys, expiration=clock.utc() + timedelta(seconds=seconds))

    def _asked(self) -> tuple[dict[str, Any], str]:
        """Return the arguments of botocore's fetcher, and whom it asks with them."""
        arguments = self._arguments()
        return arguments, str(InstanceMetadataFetcher(**arguments).get_base_url())

    def _arguments(self) -> dict[str, Any]:
        session, given = self.scope.session, self._code_values
        setting = session.get_config_variable
        disabled = "ec2_metadata_v1_disabled"
        config = {
            "ec2_metadata_service_endpoint": setting("ec2_metadata_service_endpoint"),
            "ec2_metadata_service_endpoint_mode": resolve_imds_endpoint_mode(session),
            disabled: self.ec2_metadata_v1_disabled if disabled in given else setting(disabled),
        }
        timeout, attempts = (
            partial(whole_number, session, self.METHOD, n) for n in METADATA_NUMBERS
        )
        return {
            "timeout": self.timeout if "timeout" in given else timeout(),
            "num_attempts": self.max_retries + 1 if "max_retries" in given else attempts(),
            "env": dict(self.scope.environ),
            "user_agent": session.user_agent(),
            "config": config | _AS_ANSWERED,
        }


def _answer(arguments: Mapping[str, Any]) -> FrozenCredentials | None:
    """Return the keys; None where whoever answers is no metadata service, or is too slow.

    The fetcher, and with it its connection, lives here only: the traceback of an error, which may
    be kept for long, would keep it open.
    """
    try:
        fetcher = InstanceMetadataFetcher(**arguments)
        keep_deadlines_of(fetcher)
        found = within(FETCH_BUDGET, fetcher.retrieve_iam_role_credentials)
    except (TimeoutError, exceptions.ConnectionError, exceptions.HTTPClientError) as error:
        blocked = while_sending(error)
        if blocked is None:
            return None
    else:
        return FrozenCredentials.from_mapping(found) if found else None
    raise blocked


from_instance_metadata = InstanceProvider
