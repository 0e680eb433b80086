"""What a session sees: its profile, both AWS files with their lines, and the environment."""

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from botocore.configloader import load_config, raw_config_parse
from botocore.session import Session

from ..system import MISSING, in_environment, is_file, system_environment, why_no_file
from .report import File, Setting
from .values import redact

_SECTION = re.compile(r"\[(?P<name>[^]]+)\]")
_KEY = re.compile(r"(?P<key>[^\s=:#;\[][^=:]*?)\s*[=:]")


class Line(NamedTuple):
    """A section header or a setting in an AWS file; botocore's parser keeps no line numbers."""

    number: int
    #: The section that it is in, or that it begins.
    section: str
    #: None for a header.
    key: str | None


def _lines_of(path: str) -> Iterator[Line]:
    """Yield the headers and settings of a file in order; none if botocore cannot read it."""
    opened = in_environment(path)
    if not is_file(opened):
        return  # a pipe may never be written to
    try:
        with Path(opened).open(encoding="utf-8", errors="replace") as file:
            texts = list(file)  # str.splitlines() ends lines at other characters too
    except OSError:
        return
    section = ""
    for number, text in enumerate(texts, start=1):
        header = _SECTION.match(text)
        key = _KEY.match(text)
        if header:
            section = header["name"]
            yield Line(number, section, None)
        elif key:
            yield Line(number, section, key["key"].lower())


def profile_in_config(section: str) -> str | None:
    """Return the profile that a section of the config file describes, as botocore reads it."""
    if section == "default":
        return section
    try:
        words = shlex.split(section) if section.startswith("profile") else []
    except ValueError:
        return None
    match words:
        case [_, name]:
            return name
    return None


@dataclass(frozen=True)
class View:
    """The outside world of one explanation."""

    session: Session
    environ: Mapping[str, str] = field(default_factory=system_environment, repr=False)

    @cached_property
    def profile_name(self) -> str | None:
        """The profile that is named; None if none is."""
        name: str | None = self.session.get_config_variable("profile")
        return name

    @cached_property
    def profile(self) -> str:
        """The name of the profile; an empty name is a name too, of a profile that is missing."""
        return "default" if self.profile_name is None else self.profile_name

    @cached_property
    def is_explicit(self) -> bool:
        """Whether code or ``--profile`` names it: botocore then ignores environment credentials."""
        return self.session.instance_variables().get("profile") is not None

    @cached_property
    def variable(self) -> str | None:
        """The environment variable that names the profile."""
        names = () if self.is_explicit else ("AWS_DEFAULT_PROFILE", "AWS_PROFILE")
        return next((name for name in names if name in self.environ), None)

    @cached_property
    def profile_from(self) -> str:
        """What names the profile, as in an ``Explanation``."""
        return "caller" if self.is_explicit else self.variable or "default"

    @cached_property
    def profiles(self) -> Mapping[str, Mapping[str, Any]]:
        """Every profile, from both files."""
        found: Mapping[str, Mapping[str, Any]] = self.session.full_config["profiles"]
        return found

    @cached_property
    def values(self) -> Mapping[str, Any]:
        """The settings of the profile, from both files."""
        return self.profiles.get(self.profile, {})

    @cached_property
    def config_file(self) -> str:
        """The path of the config file, as the user wrote it."""
        return str(self.session.get_config_variable("config_file"))

    @cached_property
    def credentials_file(self) -> str:
        """The path of the credentials file, as the user wrote it."""
        return str(self.session.get_config_variable("credentials_file"))

    @property
    def files(self) -> tuple[File, ...]:
        """Both files."""
        paths = (self.config_file, self.credentials_file)
        reasons = map(why_no_file, paths)
        return tuple(
            File(path, why != MISSING, why) for path, why in zip(paths, reasons, strict=True)
        )

    @cached_property
    def in_config(self) -> Mapping[str, Any]:
        """The settings of the profile in the config file alone, which must exist."""
        found: Mapping[str, Any] = load_config(self.config_file)["profiles"].get(self.profile, {})
        return found

    @cached_property
    def in_credentials(self) -> Mapping[str, Any] | None:
        """The settings of the profile in the credentials file alone, which must exist.

        None if it has no such section.
        """
        return raw_config_parse(self.credentials_file).get(self.profile)

    @cached_property
    def config_lines(self) -> list[Line]:
        """The headers and settings of the config file."""
        return list(_lines_of(self.config_file))

    @cached_property
    def credentials_lines(self) -> list[Line]:
        """The headers and settings of the credentials file."""
        return list(_lines_of(self.credentials_file))

    def location(self, key: str, profile: str | None = None) -> str:
        """Return file and line of a setting; the credentials file wins, as in botocore."""
        name = profile or self.profile
        for line in self.credentials_lines:
            if (line.section, line.key) == (name, key):
                return f"{self.credentials_file}:{line.number}"
        for line in self.config_lines:
            if line.key == key and profile_in_config(line.section) == name:
                return f"{self.config_file}:{line.number}"
        return f"profile '{name}'"

    def settings(
        self, keys: Iterable[str], variables: Iterable[str] = (), profile: str | None = None
    ) -> Iterator[Setting]:
        """Yield those of the variables, and of the settings of a profile, that are set."""
        for name in variables:
            if self.environ.get(name):
                yield Setting(name, redact(name, self.environ[name]), "environment")
        profile = profile or self.profile
        values = self.profiles.get(profile, {})
        for key in keys:
            if key in values:
                location = self.location(key, profile)
                yield Setting(key, redact(key, values[key]), location, profile)
