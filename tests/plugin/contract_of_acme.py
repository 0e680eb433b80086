"""The tests of the package: what every provider promises."""

from acme_vault import AcmeProvider

from botocore_ext.testing import ProviderContract


class TestAcme(ProviderContract):
    """The contract for ``AcmeProvider``."""

    provider = AcmeProvider

    def options(self):
        """See ``ProviderContract.options``."""
        return {"path": "team/app", "passphrase": "open sesame"}
