"""``FilesProvider``: the base class of providers that read a profile of the AWS files."""

from collections.abc import Sequence
from typing import Any

from botocore.session import Session

from ..aws.botocore_errors import native
from ..aws.sessions import session_like
from ..errors import ConfigurationError, near
from ..options import types
from ..options.option import option
from ..options.scope import Scope
from ..runtime.context import RoutedLogger
from ..system import describe_path
from .base import Provider

logger = RoutedLogger(__name__)


class FilesProvider(Provider):
    """A provider whose options are in a profile of the AWS config and credentials files."""

    profile: str | None = option(
        example="dev",
        parse=types.text,
        help="The profile to read; by default that of the session, or of `AWS_PROFILE`, or "
        "`default`.",
    )
    filepath: str | None = option(
        example="~/.aws/credentials",
        parse=types.text,
        help="The credentials file; by default that of the session (`AWS_SHARED_CREDENTIALS_FILE` "
        "or `~/.aws/credentials`).",
    )
    config_filepath: str | None = option(
        example="~/.aws/config",
        parse=types.text,
        help="The config file; by default that of the session (`AWS_CONFIG_FILE` or "
        "`~/.aws/config`).",
    )

    @property
    def scope(self) -> Scope:
        """The scope of the profile that is read; inner clients are those of the session."""
        return self._binding.once("reading", lambda: self._reading_scope(self._outer_scope))

    @property
    def _outer_scope(self) -> Scope:
        return super().scope

    @property
    def _label(self) -> str:
        """See ``Provider._label``; with options from code it is the factory."""
        return f"{self.FACTORY}()" if self._is_set_in_code() else super()._label

    def _is_set_in_code(self) -> bool:
        """Whether code sets an option that selects this provider."""
        return any(one.selects and one.name in self._code_values for one in self.options())

    def _read_again(self) -> None:
        try:
            found = self._reading_scope(self._outer_scope, again=True)
        except ConfigurationError as error:
            if not self._binding.has("reading"):
                raise
            # An editor may not have written all of the file yet.
            logger.warning("The settings that were read before stay in use: %s", error.reason)
            return
        if found.files.full_config != self.scope.files.full_config:
            self._binding = self._binding.reread(found)

    def _reading_scope(self, outer: Scope, *, again: bool = False) -> Scope:
        named, *paths = map(self._in_code, ("profile", "config_filepath", "filepath"))
        if outer.profile is not None and named is None and not any(paths) and not again:
            return Scope.like(outer, is_bare=False) if outer.is_bare else outer
        files = outer.given_files
        if again or any(paths):
            files = self._reread(outer.files)
        read = files or outer.unchecked_session
        # Read the files now, so that an error is raised here.
        native(self.METHOD, "the AWS config", "correct it", lambda: read.full_config)
        default = read.get_config_variable("profile")
        name = str(named or outer.profile or default or "default")
        return Scope.like(outer, profile=name, is_bare=False, given_files=files)

    def _reread(self, like: Session) -> Session:
        """Return a session that reads the files again, or other files that code names."""
        names = {"config_file": "config_filepath", "credentials_file": "filepath"}
        given = {key: self._in_code(name) for key, name in names.items()} | {"profile": None}
        found = {key: value or like.get_config_variable(key) for key, value in given.items()}
        is_set = {key: value for key, value in found.items() if value is not None}
        return session_like(like, reread=is_set)

    def _in_code(self, name: str) -> Any:
        """Return an option that names the profile or a file; only code can set these."""
        return self._value_in_code(self._option_named(name), self._code_values)

    def _reason_not_selected(self) -> str:
        """See ``Specification._reason_not_selected``."""
        profile, profiles = self.scope.profile, self.scope.profiles
        if profile not in profiles:
            similar = near(str(profile), profiles)
            hint = f"; did you mean '{similar}'?" if similar else ""
            files = ("config_file", "credentials_file")
            paths = [
                describe_path(str(self.scope.files.get_config_variable(name))) for name in files
            ]
            return f"there is no profile '{profile}' in {' or '.join(paths)}{hint}"
        settings = " or ".join(self._selecting_keys())
        return f"{self.scope.profile_in_file} has no {settings}"

    def _selecting_keys(self) -> Sequence[str]:
        """Return the settings that select this provider."""
        return [str(one.ini) for one in self.options() if one.selects]
