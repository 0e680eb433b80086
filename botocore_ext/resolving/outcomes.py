"""What a provider comes to that is asked for keys, whoever wrote it: keys, or why it has none."""

from botocore.credentials import CredentialProvider

from ..calls.observation import tell
from ..errors import Attempt, FetchError, shown
from ..keys import FieldError, Keys
from ..provider import Provider
from ..threads.concurrency import own_copy


def keys_or_reason(link: CredentialProvider) -> Keys | None:
    """Return keys, obtained anew; None where a provider of others' has none.

    Raises:
        NotConfigured: Nothing selects the provider.
        Exception: What obtaining the keys raises.
    """
    if not isinstance(link, Provider):
        found = link.load()
        try:
            return None if found is None else Keys.from_credentials(found)
        except FieldError as error:
            fact = f"{error}: correct it where these credentials come from"
        raise FetchError(provider=link.METHOD, error_msg=fact)
    if not link.is_selected():
        raise link.not_here()
    link.check()
    return link.obtain()


def attempted(name: str, link: CredentialProvider) -> Keys | Attempt:
    """Return the keys of one link, or why it has none; what must stop a chain is raised."""
    try:
        keys = keys_or_reason(link)
    except Exception as error:
        if not getattr(error, "try_next_link", False):
            tell((name, error))
            raise
        return Attempt(name, getattr(error, "reason", shown(error)), own_copy(error))
    return keys or Attempt(name, "nothing here selects it")
