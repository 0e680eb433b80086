"""The arrows of the house: who may import whom, and who may touch what."""

import ast
import re
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "botocore_ext"

#: From the ground up; a module imports only from lines above its own.
FLOORS = [
    "threads.context",
    (
        "outside threads.concurrency threads.event_loop threads.helper_thread "
        "errors options calls.endpoint calls.parameters calls.raised calls.service_data "
        "calls.unlogged resolving.bystanders sources.paths"
    ),
    (
        "calls.attempts calls.observation declaration.values resolving.plain_roles "
        "resolving.registration resolving.session_resolver sources.output "
        "threads.awaiting threads.deadline"
    ),
    "resolving.creation",
    (
        "keys calls.budget calls.connections declaration.addresses declaration.clients "
        "declaration.declared declaration.times sources.token_process threads.circles"
    ),
    "aio.tasks calls.inner_calls refreshing.notes refreshing.state",
    "calls.inner_clients calls.exchange sources.native sources.token_cache",
    (
        "scope refreshing.refresh sources.identities sources.mfa sources.session_token "
        "sources.settings sources.static_keys"
    ),
    "sources.ambient refreshing.current sources.github_actions declaration.origins tokens",
    "refreshing.held declaration.references declaration.specification",
    "refreshing.refresher",
    "refreshing.credentials refreshing.express refreshing.token_cell",
    "aio.credentials aio.express refreshing.rejections",
    "aio.rejections",
    "provider",
    (
        "resolving.outcomes declaration.functions declaration.files declaration.services "
        "declaration.sso_session"
    ),
    "providers.cognito providers.environment providers.http providers.instance",
    "providers.login",
    "providers.container providers.process providers.sso providers.temporary",
    "providers.web_identity providers.cognito_identity providers.cognito_identity_pool",
    "providers.token_file providers.web_token",
    "chain",
    "resolving.index registry",
    "resolving.misspelt resolving.contradictions",
    "resolving.profiles",
    "resolving.hops resolving.selection",
    "resolving.roles",
    "providers.profile",
    "providers.default_chain",
    "resolving.links resolving.resolver",
    "aio.providers",
    "aio.resolver",
    "hook commands.table explanation.lines",
    "explanation.report explanation.shown",
    "explanation.view",
    (
        "explanation.conclusion explanation.reasons explanation.calls explanation.twin "
        "explanation.unreadable"
    ),
    "explanation.rules explanation.without_keys",
    "explanation.advice explanation.failures explanation.settings",
    "explanation.asking",
    "explanation.walk",
    "explanation.command",
    "aio.__init__ session",
    "__init__",
    "awscli commands.export",
    "commands.demo_services",
    "commands.demo",
    "__main__",
]
HEIGHT = {name: height for height, floor in enumerate(FLOORS) for name in floor.split()}

#: What is imported inside a function only, whichever way the arrow points.
LATER = {
    # Loaded when a session needs it.
    "hook": {"declaration.functions"},
    "resolving.creation": {"aio.providers", "aio.resolver", "resolving.resolver"},
    # A name may be that of any provider, a chain's too.
    "chain": {"resolving.links"},
    # The default chain assumes roles, too.
    "providers.temporary": {"providers.default_chain"},
}

#: Names of botocore and boto3 that begin with an underscore, and where they may stand.
PRIVATE = {
    ("resolving.creation", "_create_credential_resolver"),
    ("resolving.creation", "_last_client_region_used"),
    ("calls.connections", "_endpoint"),
    ("calls.connections", "_pool_classes_by_scheme"),
    ("calls.connections", "_session"),
    ("resolving.registration", "_components"),
    ("resolving.registration", "_create_credential_resolver"),
    ("resolving.registration", "_deferred"),
    ("hook", "_session"),
    ("keys", "_expiry_time"),
    # What other programs read of credentials, ours shows them of those that it wraps.
    ("aio.credentials", "_expiry_time"),
    ("aio.credentials", "_frozen_credentials"),
    ("aio.credentials", "_is_expired"),
    ("aio.credentials", "_protected_refresh"),
    ("aio.credentials", "_refresh_lock"),
    ("aio.credentials", "_seconds_remaining"),
}


def name_of(path):
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


def is_module(path):
    """Whether this is more than the description of a package."""
    return len(ast.parse(path.read_text(encoding="utf-8")).body) > 1


MODULES = {name_of(path): path for path in PACKAGE.rglob("*.py") if is_module(path)}


def parsed(name):
    return ast.parse(MODULES[name].read_text(encoding="utf-8"))


def imports(name):
    """Every module of ours that ``name`` imports at run time, anywhere in it."""
    tree = parsed(name)
    for guarded in [one for one in ast.walk(tree) if isinstance(one, ast.If)]:
        if ast.unparse(guarded.test) == "TYPE_CHECKING":
            guarded.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            package = name.split(".")[: -node.level]
            base = [*package, *(node.module.split(".") if node.module else [])]
            for alias in node.names:
                for found in (".".join([*base, alias.name]), ".".join(base)):
                    if found in MODULES:
                        yield found
                        break


def test_every_module_has_its_floor():
    assert set(MODULES) == set(HEIGHT)


def test_imports_point_down():
    for name in MODULES:
        for imported in imports(name):
            if imported not in LATER.get(name, ()):
                assert HEIGHT[imported] < HEIGHT[name], f"{name} imports {imported}"


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


def test_private_names_of_botocore_are_touched_in_one_place_only():
    found = {(name, one) for name in MODULES for one in private_names(name)} - PRIVATE
    assert [pair for pair in found if pair[1].startswith("_") and pair[1][:2] != "__"] == []


def test_what_is_suppressed_has_its_reason_beside_it():
    """One that refers to another place is moved away from it one day."""
    bare = re.compile(r"# (?:noqa|type: ignore|pyright: ignore)(?!.*(?: - |  # )(?!as |see )\S)")
    for folder in ("botocore_ext", "tests"):
        for path in (PACKAGE.parent / folder).rglob("*.py"):
            lines = path.read_text(encoding="utf-8").splitlines()
            found = [line for line in lines if bare.search(line) and "compile(" not in line]
            assert found == [], path
