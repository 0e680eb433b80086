"""Settings of botocore's that it reads for every session, and cannot make its providers without."""

from collections.abc import Callable
from typing import Any, TypeVar

from botocore.session import Session

from ..errors import ConfigurationError
from .native import native

T = TypeVar("T")

#: Settings of the metadata service, under the names that botocore has for them.
METADATA_NUMBERS = ("metadata_service_timeout", "metadata_service_num_attempts")


def whole_number(session: Session, method: str | None, name: str) -> Any:
    """Return a number among botocore's settings; what is none is a ``ValueError`` of botocore's.

    Raises:
        ConfigurationError: It is no whole number.
    """
    try:
        return session.get_config_variable(name)
    except ValueError:
        pass
    fact = f"{name} is not a whole number: correct AWS_{name.upper()}, or {name} in the profile"
    raise ConfigurationError(provider=method, error_msg=fact)


def made_by_botocore(session: Session, method: str | None, make: Callable[[], T]) -> T:
    """Return botocore's own providers as ``make`` makes them, beside one of ours.

    Raises:
        ConfigurationError: One of their settings is none, whether or not they are ever asked.
    """

    def work() -> T:
        for name in METADATA_NUMBERS:
            whole_number(session, method, name)
        return make()

    return native(method, "the AWS config", "correct it", work)
