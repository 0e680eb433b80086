"""Codes of MFA devices: a callback gives them, and nobody is asked on a terminal."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..calls.budget import run_unhurried
from ..errors import ConfigurationError, MfaCodeError
from ..threads.awaiting import awaited

if TYPE_CHECKING:
    from ..provider import Provider

#: Characters of the codes that STS accepts.
_LENGTH = 6


def is_wanted(params: Mapping[str, Any]) -> bool:
    """Whether AssumeRole with these parameters takes a code that is not among them."""
    return "SerialNumber" in params and "TokenCode" not in params


def code(serial: str, ask: Callable[[str], Any] | None, provider: "Provider") -> str:
    """Return the code of a device.

    Args:
        serial: Its serial number.
        ask: The callback, if there is one.
        provider: Whose it is, for an error.

    Raises:
        ConfigurationError: There is none.
        MfaCodeError: It returned no code.
    """
    if ask is None:
        raise nobody_to_ask(serial, provider)

    def answered() -> object:
        return awaited(ask(serial), provider.METHOD, "mfa_code_provider")

    given = run_unhurried(answered)
    found = given.strip() if isinstance(given, str) else ""
    if len(found) == _LENGTH and found.isprintable():
        return found
    fact = f"mfa_code_provider returned no code for {serial}: it must return six digits as a string"
    raise MfaCodeError(provider=provider.METHOD, error_msg=fact)


def nobody_to_ask(serial: str, provider: "Provider") -> ConfigurationError:
    """Return the error where there is no callback."""
    return ConfigurationError(
        provider=provider.METHOD,
        error_msg=f"the role is assumed with a code of the MFA device {serial}, and there is "
        f"nobody to ask: pass mfa_code_provider=ask_for_code to {provider.FACTORY}()",
    )
