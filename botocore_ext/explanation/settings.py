"""What is set of the options of our providers, and of a role and its sources, and where."""

from collections.abc import Iterator
from typing import Any

from ..declaration.origins import Code, Environment, Origin
from ..errors import ProviderError
from ..provider import Provider
from ..resolving.bystanders import way_to_keys
from ..resolving.profiles import ProfileScope, selecting_keys
from .report import Setting
from .rules import RULES
from .shown import readable
from .view import View


def settings_of_ours(view: View, provider: Provider) -> Iterator[Setting]:
    """Give the options that are set of a provider of ours."""
    for one, origin in provider.origins_in_force():
        key = str(origin.key(one))
        place = "environment" if isinstance(origin, Environment) else "code"
        if not isinstance(origin, (Environment, Code)):
            place = view.place(key, provider.scope.profile)
        value = "(set)" if one.secret else _shown(provider, one.name, origin, key)
        yield Setting(key, value, place)


def _shown(provider: Provider, name: str, origin: Origin, key: str) -> str:
    """Return a value that its option accepts; what is malformed may be a misplaced secret."""
    value: Any = origin.values[key]
    try:
        provider.option_value(provider.option_named(name))
    except ProviderError:
        return "(set)"
    return readable(value) if isinstance(value, (str, int, float)) else "(set)"


def settings_of_role(view: View) -> Iterator[Setting]:
    """Give what is set for a role, and in the profiles of its sources."""
    every = (RULES["assume-role"], *RULES.values())
    keys = dict.fromkeys(key for rule in every for key in rule.keys)
    for name in way_to_keys(view.profiles, view.profile):
        yield from view.settings(keys, (), profile=name)
        scope = ProfileScope(view.session, profile=name, environ=view.environ)
        ours = [entry.kind()().bind(scope) for entry, _ in selecting_keys(scope.profile_values)]
        found = [one for provider in ours for one in settings_of_ours(view, provider)]
        yield from (one for one in dict.fromkeys(found) if one.name not in keys)
