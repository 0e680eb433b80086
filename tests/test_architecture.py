"""The layers of the package: what may import what, and what may touch what."""

import ast
import re
from functools import cache
from pathlib import Path

from botocore.credentials import RefreshableCredentials

from botocore_ext import ProviderCredentials, from_ini

PACKAGE = Path(__file__).parent.parent / "botocore_ext"

#: From the ground up; a module imports from its own layer, or from those above it in this list.
LAYERS = [
    "errors system catalogue exceptions",
    "runtime profiles",
    "aws",
    "options refresh tokens",
    "providers",
    "aio",
    "session",
    "explanation awscli",
    "__init__ __main__ commands testing aio.__init__",
]
LAYER = {room: layer for layer, rooms in enumerate(LAYERS) for room in rooms.split()}

#: What these may import: a session that does not use our settings loads some of them.
WALLS = {
    "profiles.inert": set(),
    "profiles.plain_roles": {"profiles.inert"},
    "aws.endpoint": set(),
    "aws.service_data": set(),
}

#: Names of botocore and boto3 that begin with an underscore, and the modules that touch them.
PRIVATE = {
    ("session.resolver", "_create_credential_resolver"),
    ("session.resolver", "_last_client_region_used"),
    ("session.resolver", "_components"),
    ("session.resolver", "_deferred"),
    ("session.hook", "_session"),
    ("session.identities", "_session"),
    ("refresh.identity_hooks", "_get_credentials"),
    ("refresh.notes", "_credentials"),
    ("explanation.explain", "_credentials"),
    # Ours: that of the credentials of a client, and of a copied session.
    ("explanation.explain", "_original"),
    ("explanation.explain", "_provider"),
    ("explanation.explain", "_request_signer"),
    # Ours: a bound copy.
    ("providers.identities", "_scope"),
    ("refresh.notes", "_getframe"),
    ("refresh.notes", "_raw"),
    ("refresh.identities", "_getframe"),
    ("aws.sessions", "_get_internal_component"),
    ("aws.sessions", "_last_client_region_used"),
    ("aws.connections", "_endpoint"),
    ("aws.connections", "_pool_classes_by_scheme"),
    ("aws.connections", "_session"),
    ("aws.frozen_credentials", "_expiry_time"),
    # What other programs read of credentials, ours show of those that they wrap.
    ("aio.credentials", "_expiry_time"),
    ("aio.credentials", "_frozen_credentials"),
    ("aio.credentials", "_is_expired"),
    ("aio.credentials", "_protected_refresh"),
    ("aio.credentials", "_refresh_lock"),
    ("aio.credentials", "_seconds_remaining"),
}


def name_of(path):
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


MODULES = {name_of(path): path for path in PACKAGE.rglob("*.py")}


@cache
def parsed(name):
    return ast.parse(MODULES[name].read_text(encoding="utf-8"))


def imports(name):
    """Give every module of the package that ``name`` imports, in functions and for types too."""
    for node in ast.walk(parsed(name)):
        if isinstance(node, ast.ImportFrom) and node.level:
            package = name.split(".")[: -node.level]
            base = [*package, *(node.module.split(".") if node.module else [])]
            for alias in node.names:
                names = [
                    ".".join([*base, alias.name]),
                    ".".join(base),
                    ".".join([*base, "__init__"]),
                ]
                yield next((one for one in names if one in MODULES), "__init__")


@cache
def every_import():
    """Return what each module imports."""
    return {name: set(imports(name)) for name in MODULES}


def layer_of(name):
    return LAYER.get(name, LAYER.get(name.split(".")[0]))


def test_imports_point_to_lower_layers():
    for name, imported in every_import().items():
        above = [one for one in imported if layer_of(one) > layer_of(name)]
        assert above == [], f"{name} imports from above: {above}"


def test_no_imports_go_in_a_circle():
    left = {name: set(imported) - {name} for name, imported in every_import().items()}
    while ready := [name for name, imported in left.items() if not imported & left.keys()]:
        for name in ready:
            del left[name]
    assert left == {}


def test_walls_stay():
    """What has nothing to do with us must cost nothing, and what is security stays alone."""
    for name, allowed in WALLS.items():
        assert every_import()[name] <= allowed, name
    late_options = ("options.cloud", "options.oauth", "options.oidc")
    for late in ("aio.", "explanation.", "commands.", *late_options):
        users = {
            name
            for name, imported in every_import().items()
            if any(i.startswith(late) for i in imported)
        }
        room = late.split(".")[0]
        allowed = {"session.identities", "session.resolver", "tokens", "__init__", "__main__"}
        assert not {one for one in users if not one.startswith((room, "commands"))} - allowed, late


def test_children_are_started_by_subprocess_alone():
    """That is where the tests look for secrets in their arguments."""
    others = ("os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.startfile", "os.system")
    for name in MODULES:
        nodes = ast.walk(parsed(name))
        called = [ast.unparse(one) for one in nodes if isinstance(one, ast.Attribute)]
        assert not [one for one in called if one.startswith(others)], name


def private_names(name):
    """Give the underscore names of others that a module touches."""
    for node in ast.walk(parsed(name)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "getattr":
            text = node.args[1].value if isinstance(node.args[1], ast.Constant) else ""
            if text.startswith("_"):
                yield text
        own = {"self", "provider", "cls", "super()"}
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) not in own:
            yield node.attr
        if isinstance(node, ast.ImportFrom) and not node.level:
            yield from (one.name for one in node.names)


def test_private_names_of_botocore_are_touched_in_few_places():
    """Those of our own classes are ours, and named tuples have one to replace fields."""
    found = {(name, one) for name in MODULES for one in private_names(name)} - PRIVATE
    theirs = RefreshableCredentials("", "", None, None, None, "custom")
    ours = {*dir(from_ini()), *set(dir(ProviderCredentials)) - set(dir(theirs)), "_replace"}
    ours |= {one for _, one in found if one.startswith("__")}
    assert [pair for pair in found if pair[1].startswith("_") and pair[1] not in ours] == []


def test_what_is_suppressed_has_its_reason_on_the_line():
    """One that refers to another place is moved away from it one day."""
    bare = re.compile(r"# (?:noqa|type: ignore|pyright: ignore)(?!.*(?: - |  # )(?!as |see )\S)")
    for folder in ("botocore_ext", "tests"):
        for path in (PACKAGE.parent / folder).rglob("*.py"):
            lines = path.read_text(encoding="utf-8").splitlines()
            found = [line for line in lines if bare.search(line) and "compile(" not in line]
            assert found == [], path


def test_names_of_tests_are_short():
    """What does not fit into a name goes into the docstring."""
    for path in Path(__file__).parent.rglob("*.py"):
        names = re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8"))
        assert [name for name in names if len(name) > 60] == [], path
