from itertools import combinations

import pytest

from botocore_ext.catalogue import INSERTED, ROLE_KEYS
from botocore_ext.profiles.selection import meant_by, select, without_effect

#: Each option in code, with its setting (None: in code only), the profile, and the provider.
OPTIONS = [
    (one, {row.selecting[0]: "x"}, row)
    for row in INSERTED
    for one in row.load().options()
    if one.name not in row.keys
]


def spellings(key):
    """Yield each name that one change to ``key`` gives, and some with two changes."""
    for at, letter in enumerate(key):
        yield key[:at] + key[at + 1 :]
        yield f"{key[:at]}q{key[at + 1 :]}"
        yield f"{key[:at]}{letter}{key[at:]}"
    for first, second in combinations(range(1, len(key), 5), 2):
        yield key[:first] + key[first + 1 : second] + key[second + 1 :]


def test_names_in_code_have_no_effect_silently():
    """Nothing that a factory takes is ignored in a profile without a word."""
    for one, profile, row in OPTIONS:
        javascript = one.name.replace("_", "")
        for name in (one.name, javascript) if one.ini else [one.name]:
            values = {**profile, name: "x"}
            found = select(values)
            texts = [found.problem] if found.problem else [*without_effect(values, row)]
            assert len(texts) == 1, name
            assert f"has the setting {name}, " in texts[0]
            assert (one.ini or "in code only: remove it") in texts[0]


def test_misspelled_settings_of_the_selected_provider_are_errors():
    """Without the setting the provider could return another identity, such as a guest's."""
    for row in INSERTED:
        for key in row.keys:
            for name in spellings(key):
                values = {row.selecting[-1]: "x", name: "x"}
                if key != row.selecting[-1] and name not in row.keys:
                    problem = select(values).problem
                    assert problem is not None, name
                    assert f"has the setting {name}, " in problem
                    assert key in problem.partition(": ")[2]


@pytest.mark.parametrize("name", ["cognito_user_pool_id", "cognito_client_id", "role_arn_dev"])
def test_settings_of_other_tools_stay_allowed(name):
    assert select({"cognito_identity_pool_id": "x", name: "x"}).problem is None


def test_known_settings_are_not_misspelled():
    """Some are as similar to another one as a misspelled one is."""
    for key in (*ROLE_KEYS, *(key for row in INSERTED for key in row.keys), "region"):
        assert meant_by(key) is None, key
