"""Where the value of an option comes from: code, a profile, the environment."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from ..options import Option

#: botocore keeps trailing comments in values; these start one in other parsers.
_COMMENTS = (" ;", " #", "\t;", "\t#")


def _texts(value: str | Mapping[str, str]) -> list[str]:
    """Return the texts in the value of a setting, which may be an indented block."""
    if isinstance(value, str):
        return [value]
    return [text.strip() for line in value.items() for text in line]


def _is_quoted(text: str) -> bool:
    return len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"


class Origin(ABC):
    """One place that may set options, and how to speak of it in an error."""

    #: Whether values are text that somebody typed into a file or the environment.
    is_text = True

    def __init__(self, values: Mapping[str, Any]) -> None:
        """Take what is set in this place, by the names that options have here."""
        self.values = values

    @abstractmethod
    def key(self, option: Option) -> str | None:
        """The name of the option here; None when it cannot be set here."""

    def has(self, option: Option) -> bool:
        """Whether the option is set here."""
        key = self.key(option)
        return key is not None and self._is_set(self.values.get(key))

    def _is_set(self, value: object) -> bool:
        return value is not None

    def get(self, option: Option) -> Any:
        """The value of an option that is set here.

        Raises:
            ValueError: It is text in quotes, which nothing removes.
        """
        value = self.values[str(self.key(option))]
        if self.is_text and not option.verbatim and any(map(_is_quoted, _texts(value))):
            msg = "is in quotes, which would be part of the value (remove the quotes)"
            raise ValueError(msg)
        return value

    @abstractmethod
    def place(self, option: Option) -> str:
        """Where the option stands, for the fact of an error."""

    @abstractmethod
    def remedy(self, option: Option) -> str:
        """How to set the option here, for the remedy of an error."""


class Code(Origin):
    """Keyword arguments of the factory."""

    is_text = False

    def __init__(self, values: Mapping[str, Any], factory: str) -> None:
        """Take the keywords, and the name of the factory."""
        super().__init__(values)
        self.factory = factory

    def key(self, option: Option) -> str:
        """The keyword."""
        return option.name

    def place(self, option: Option) -> str:
        """Name the keyword and the factory."""
        return f"{option.name} passed to {self.factory}()"

    def remedy(self, option: Option) -> str:
        """Show the keyword."""
        keyword = "" if option.positional else f"{option.name}="
        return f"pass {keyword}{option.code_example} to {self.factory}()"


class Profile(Origin):
    """A profile of the AWS config and credentials files, merged as botocore merges them."""

    def __init__(self, values: Mapping[str, Any], name: str, file: Callable[[], str]) -> None:
        """Take the profile's keys, its name, and what gives the path of its file for an error."""
        super().__init__(values)
        self.name, self.file = name, file

    def key(self, option: Option) -> str | None:
        """The ini key."""
        return option.ini

    def get(self, option: Option) -> Any:
        """The value in the profile.

        Raises:
            ValueError: The value holds a trailing comment, which botocore does not strip.
        """
        value = super().get(option)
        if option.verbatim:
            return value
        if any(mark in text for text in _texts(value) for mark in _COMMENTS):
            msg = (
                "contains ' ;' or ' #', which botocore keeps as part of the value "
                "(put the comment on a line of its own)"
            )
            raise ValueError(msg)
        return value

    def place(self, option: Option) -> str:
        """Name the key and the profile."""
        return f"{option.ini} in profile '{self.name}'"

    def remedy(self, option: Option) -> str:
        """Show the line, the profile and the file."""
        line = f"{option.ini} = {option.example}"
        return f"write, for example, {line} in profile '{self.name}' of {self.file()}"


class Environment(Origin):
    """Environment variables; an empty one counts as not set, as in every AWS SDK."""

    def key(self, option: Option) -> str | None:
        """The variable's name."""
        return option.env

    def _is_set(self, value: object) -> bool:
        return bool(value)

    def place(self, option: Option) -> str:
        """Name the variable."""
        return f"the environment variable {option.env}"

    def remedy(self, option: Option) -> str:
        """Show the variable."""
        return f"set the environment variable {option.env}={option.example}"
