"""Credentials and tokens from the vault of Acme."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from botocore_ext import FrozenCredentials, Provider, Scope, option

if TYPE_CHECKING:
    from collections.abc import Callable


class AcmeProvider(Provider):
    """Credentials that the vault of Acme issues."""

    METHOD = "custom-acme"
    CANONICAL_NAME = "CustomAcme"
    FACTORY = "from_acme"

    path: str = option(
        ini="acme_path",
        example="team/app",
        selects=True,
        required=True,
        help="The path in the vault, read at every fetch.",
    )
    role_arn: str | None = option(
        ini="role_arn",
        example="arn:aws:iam::123456789012:role/Vault",
        help="The role that the vault assumes.",
    )
    passphrase: str | None = option(
        ini="acme_passphrase", secret=True, help="The passphrase of the vault."
    )

    def fetch(self) -> FrozenCredentials:
        """Read the vault."""
        expiration = self.scope.clock.utc() + timedelta(hours=1)
        return FrozenCredentials("AKIDACME", f"secret of {self.path}", expiration=expiration)


from_acme = AcmeProvider


def token(rest: str, _: Scope) -> Callable[[], str]:
    """Return the source of the tokens of ``acme://PATH``."""
    return lambda: f"token of {rest}"
