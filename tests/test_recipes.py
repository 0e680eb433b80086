"""The recipes, done: each by itself, against the loopback AWS."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType, SimpleNamespace

import boto3
import pytest
import yaml
from botocore.exceptions import ClientError

import botocore_ext
from botocore_ext.providers.function import FunctionProvider

from . import effort, fakes
from .refresh.test_expiry import OBJECT, Bucket

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "recipes.md"
_FENCE = re.compile(r"^```(?P<kind>[^\n]+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)

#: The recipes that have a test.
tried = set()

pytestmark = pytest.mark.caller_signs


class Recipe:
    """The text under one heading of the page."""

    def __init__(self, title):
        text = PAGE.read_text(encoding="utf-8")
        begin = text.index(f"## {title}\n")
        end = text.find("\n## ", begin)
        self.first_line = text.count("\n", 0, begin)
        self.text = text[begin : None if end < 0 else end + 1]
        self.names = {"__name__": "recipe"}

    def blocks(self, kind):
        """Give the fenced blocks of a kind, with empty lines above: a traceback is the page's."""
        return [
            "\n" * (self.first_line + self.text.count("\n", 0, one.start()) + 1) + one["text"]
            for one in _FENCE.finditer(self.text)
            if one["kind"] == kind
        ]

    def run(self, *numbers, **yours):
        """Run blocks of Python, all if none are named, with the functions that are yours."""
        self.names |= yours
        blocks = self.blocks("python")
        for number in numbers or range(len(blocks)):
            exec(compile(blocks[number], PAGE, "exec"), self.names)
        return self.names


@pytest.fixture
def recipe(request, config):
    """Give the recipe of a test, with its ini blocks in the AWS files."""
    found = Recipe(request.param)
    ini, credentials = ("".join(found.blocks(kind)) for kind in ("ini", "ini credentials"))
    if ini:
        config(ini, credentials)
    return found


def of(title):
    """Say which recipe a test is of."""
    tried.add(title)
    return pytest.mark.parametrize("recipe", [title], indirect=True)


class Tokens:
    """A function of the reader's: another token at each call."""

    def __init__(self):
        self.given = []

    def __call__(self):
        self.given.append(fakes.secret("token"))
        return self.given[-1]


@pytest.fixture
def get_token():
    return Tokens()


def sent(aws, operation, name):
    """Return a parameter of every request of an operation."""
    return [one.parameters.get(name) for one in aws.requests if one.operation == operation]


def signers(aws, operation):
    """Return the access keys that requests of an operation are signed with."""
    return [
        one.headers["Authorization"].partition("Credential=")[2].partition("/")[0]
        for one in aws.requests
        if one.operation == operation
    ]


def test_every_recipe_has_a_test():
    titles = re.findall(r"^## (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(titles) == sorted(tried)


def test_every_block_is_of_a_kind_that_is_run():
    kinds = {one["kind"] for one in _FENCE.finditer(PAGE.read_text(encoding="utf-8"))}
    assert kinds == {"python", "ini", "ini credentials", "yaml"}


def test_every_function_that_is_yours_is_explained():
    text = PAGE.read_text(encoding="utf-8")
    explained = re.findall(r"^\| `(\w+)\(", text, re.MULTILINE)
    assert explained
    for name in explained:
        assert f"def {name}" not in text
        assert text.count(name) > 1


@of("Google")
def test_google(recipe, aws, get_token, monkeypatch):
    fetched = []

    def fetch_id_token(request, audience):
        fetched.append(audience)
        return fakes.secret("token")

    stubs = {
        "google": {},
        "google.auth": {},
        "google.auth.transport": {},
        "google.auth.transport.requests": {"Request": object},
        "google.oauth2": {"id_token": ModuleType("id_token")},
    }
    stubs["google.oauth2"]["id_token"].fetch_id_token = fetch_id_token
    for name, content in stubs.items():
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    names = recipe.run(get_google_token=get_token)
    web, cognito = (
        sent(aws, "AssumeRoleWithWebIdentity", "WebIdentityToken"),
        sent(aws, "GetCredentialsForIdentity", "Logins"),
    )
    assert web[0] == get_token.given[0]
    assert cognito == [{"accounts.google.com": get_token.given[1]}]
    assert fetched == ["aws"]
    assert sent(aws, "AssumeRoleWithWebIdentity", "ProviderId") == [None, None]
    assert names["pool"].identity_id
    botocore_ext.install()
    assert boto3.Session(profile_name="google").get_credentials().method == "custom-web-token"


@of("Facebook")
def test_facebook(recipe, aws, get_token):
    recipe.run(get_facebook_token=get_token)
    assert sent(aws, "AssumeRoleWithWebIdentity", "ProviderId") == ["graph.facebook.com"]
    (logins,) = sent(aws, "GetCredentialsForIdentity", "Logins")
    assert logins == {"graph.facebook.com": get_token.given[1]}


@of("Login with Amazon")
def test_login_with_amazon(recipe, aws, get_token):
    recipe.run(get_amazon_token=get_token)
    assert sent(aws, "AssumeRoleWithWebIdentity", "ProviderId") == ["www.amazon.com"]
    (logins,) = sent(aws, "GetCredentialsForIdentity", "Logins")
    assert logins == {"www.amazon.com": get_token.given[1]}


@of("GitHub Actions")
def test_github_actions(recipe, aws, job, monkeypatch, world):
    """With the environment that the workflow file gives to the job."""
    (written,) = recipe.blocks("yaml")
    workflow = yaml.safe_load(written)
    assert workflow["permissions"]["id-token"] == "write"
    (run,) = workflow["jobs"].values()
    assert [step["run"] for step in run["steps"] if "run" in step][-1] == "python report.py"
    (world / "config").rename(world / "aws-config")
    for name, value in run["env"].items():
        monkeypatch.setenv(name, value.replace("${{ github.workspace }}", str(world)))
    names = recipe.run()
    names["session"].get_credentials().refresh()
    asked = [one for one in aws.requests if one.operation == "GetIdToken"]
    assert {one.headers["Authorization"] for one in asked} == {f"bearer {job}"}
    tokens = sent(aws, "AssumeRoleWithWebIdentity", "WebIdentityToken")
    assert tokens == [one.gave for one in asked]
    assert len({*tokens}) == 3


@of("GitLab CI/CD, Buildkite, CircleCI, Google Cloud")
def test_ambient_tokens(recipe, aws, monkeypatch):
    (written,) = recipe.blocks("yaml")
    (job,) = yaml.safe_load(written).values()
    ((name, claims),) = job["id_tokens"].items()
    monkeypatch.setenv("GITLAB_CI", "true")
    monkeypatch.setenv(name, token := fakes.jwt(claims["aud"]))
    recipe.run()
    botocore_ext.install()
    session = boto3.Session(profile_name="here")
    session.client("sts").get_caller_identity()
    assert sent(aws, "AssumeRoleWithWebIdentity", "WebIdentityToken") == [token, token]


@of("Kubernetes: a token file")
def test_a_token_file(recipe, aws, get_token, monkeypatch, world):
    """The pod's environment and volume, with the mount in the home of the test."""
    (manifest,) = recipe.blocks("yaml")
    spec = yaml.safe_load(manifest)["spec"]
    (container,), (volume,) = spec["containers"], spec["volumes"]
    (mount,) = container["volumeMounts"]
    (source,) = volume["projected"]["sources"]
    assert mount["name"] == volume["name"]
    file = world / source["serviceAccountToken"]["path"]
    file.write_text(get_token() + "\n")
    for one in container["env"]:
        monkeypatch.setenv(one["name"], one["value"].replace(mount["mountPath"], str(world)))
    names = recipe.run()
    file.write_text(get_token())  # as Kubernetes does, in time
    names["session"].get_credentials().refresh()
    assert sent(aws, "AssumeRoleWithWebIdentity", "WebIdentityToken") == get_token.given
    assert sent(aws, "AssumeRoleWithWebIdentity", "DurationSeconds") == ["900", "900"]


@of("Kubernetes: EKS Pod Identity")
def test_pod_identity(recipe, aws, get_token, monkeypatch, world):
    (world / "pod-token").write_text(get_token())
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{aws.url}/v1/credentials")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(world / "pod-token"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIANOTTHEPOD")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "SECRET")
    aws.script("GET", fakes.Answer(status=503))  # asked again, by max_retries
    recipe.run()
    asked = [one for one in aws.requests if one.operation == "GET"]
    assert {one.headers["Authorization"] for one in asked} == set(get_token.given)
    assert {one.target for one in asked} == {"/v1/credentials"}
    assert sent(aws, "AssumeRole", "RoleArn") == ["arn:aws:iam::210987654321:role/Elsewhere"]
    assert signers(aws, "AssumeRole") == [asked[-1].gave]


def user_pool(given):
    """Answer as a user pool does: a refresh token after the password only."""

    def answer(request):
        parameters = request.parameters
        assert parameters["ClientId"]
        assert "Authorization" not in request.headers
        given.append(fakes.secret("id-token"))
        result = {"IdToken": given[-1]}
        if parameters["AuthFlow"] == "USER_PASSWORD_AUTH":
            assert parameters["AuthParameters"] == {"USERNAME": "me", "PASSWORD": "password"}
            result["RefreshToken"] = fakes.secret("refresh-token")
        else:
            assert parameters["AuthParameters"]["REFRESH_TOKEN"] in fakes.SECRETS
        return fakes.Answer(json.dumps({"AuthenticationResult": result}).encode())

    return answer


@of("Sign in to a Cognito user pool")
def test_a_user_pool(recipe, aws):
    given = []
    aws.always("InitiateAuth", user_pool(given))
    names = recipe.run(0, ask_name_and_password=lambda: ("me", "password"))
    names["session"].get_credentials().refresh()
    flows = sent(aws, "InitiateAuth", "AuthFlow")
    assert flows == ["USER_PASSWORD_AUTH", "REFRESH_TOKEN_AUTH", "REFRESH_TOKEN_AUTH"]
    logins = sent(aws, "GetCredentialsForIdentity", "Logins")
    assert [[*one.values()] for one in logins] == [[given[1]], [given[2]]]
    aws.requests.clear()
    aws.scripts["InitiateAuth"].insert(0, fakes.error("NotAuthorizedException"))
    recipe.run(1)
    flows = sent(aws, "InitiateAuth", "AuthFlow")
    assert flows == ["REFRESH_TOKEN_AUTH", "USER_PASSWORD_AUTH", "REFRESH_TOKEN_AUTH"]
    assert aws.operations()[-1] == "GetCallerIdentity"


@of("Sign in to a Cognito user pool")
def test_expired_refresh_token_raises_cognitos_error(recipe, aws):
    aws.always("InitiateAuth", user_pool([]))
    names = recipe.run(0, ask_name_and_password=lambda: ("me", "password"))
    aws.always("InitiateAuth", fakes.error("NotAuthorizedException"))
    with pytest.raises(ClientError, match="NotAuthorizedException"):
        names["session"].get_credentials().refresh()
    names["session"].client("sts").get_caller_identity()  # the credentials are still valid


@of("Roles with MFA")
def test_roles_with_mfa(recipe, aws, monkeypatch):
    prompts = []

    def getpass(prompt):
        prompts.append(prompt)
        return "123456"

    monkeypatch.setattr("getpass.getpass", getpass)
    roles = [
        f"arn:aws:iam::{one}" for one in ("123456789012:role/Staff", "210987654321:role/Admin")
    ]
    for number in range(2):
        aws.requests.clear()
        names = recipe.run(number)
        names["session"].get_credentials().refresh()
        assert sent(aws, "AssumeRole", "RoleArn") == [*roles, roles[1]]
        assert sent(aws, "AssumeRole", "TokenCode") == ["123456", None, None]
        assert sent(aws, "AssumeRole", "DurationSeconds") == ["43200", None, None]
    botocore_ext.Session(credentials=names["admin"]).get_credentials().get_frozen_credentials()
    assert prompts == ["MFA code of arn:aws:iam::123456789012:mfa/me: "] * 3


@of("Refresh now")
def test_refresh_now(recipe, aws, get_token, config):
    names = recipe.run(0, get_google_token=get_token)
    tokens = sent(aws, "AssumeRoleWithWebIdentity", "WebIdentityToken")
    assert tokens == [*get_token.given, "the token of another user"]
    ways = re.findall(r"^(?:credentials|provider)\..*#.*$", recipe.text, re.MULTILINE)
    for way in ways:  # each by itself
        key = names["credentials"].access_key
        exec(way, names)
        assert names["credentials"].access_key != key, way
    assert len(ways) == 4
    config("[profile dev]\naws_access_key_id = AKIADEV\naws_secret_access_key = SECRET")
    names["session"].get_credentials().get_frozen_credentials()
    recipe.run(1)
    credentials = names["session"].get_credentials()
    credentials.refresh()
    assert credentials.access_key == "AKIADEV"


@pytest.fixture
def tenants(recipe, aws, monkeypatch):
    """Run the recipe of many tenants, and return its names."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIASERVER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "SECRET")
    return recipe.run(
        role_of=lambda tenant: f"arn:aws:iam::123456789012:role/{tenant}",
        authenticated=lambda scope: scope["tenant"],
        app=SimpleNamespace(task=lambda function: function),
    )


def assert_each_tenant_is_itself(aws, count):
    """Each tenant was assumed once, and signed as many requests as it made."""
    gave = {
        one.gave: one.parameters["RoleSessionName"]
        for one in aws.requests
        if one.operation == "AssumeRole"
    }
    assert len(set(gave.values())) == len(gave)
    found = Counter(gave[key] for key in signers(aws, "GetCallerIdentity"))
    assert found == Counter(count)


@of("Many tenants in one server")
def test_many_tenants(tenants, aws):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(tenants["handle"], ["blue", "green"] * 8))
    assert_each_tenant_is_itself(aws, {"blue": 9, "green": 9})


@of("Many tenants in one server")
def test_a_web_server_of_many_tenants(tenants, aws):
    """Each has its own web token; endpoints run in tasks and in threads, as FastAPI runs them."""
    names = [f"tenant-{one}" for one in range(effort.rounds(40, 200))]
    tokens = {name: fakes.secret("token") for name in names}
    providers = {
        name: botocore_ext.from_web_token(
            role_arn=f"arn:aws:iam::123456789012:role/{name}", web_identity_token=tokens[name]
        )
        for name in names
    }
    tenants["provider_of"] = providers.get
    aws.requests.clear()
    sts, answers = tenants["sts"], Counter()

    async def application(scope, receive, send):
        await asyncio.sleep(0)
        await asyncio.to_thread(sts.get_caller_identity)
        await send(sts.generate_presigned_url("get_caller_identity"))

    middleware = tenants["Tenants"](application)

    async def request(name):
        async def send(url):
            answers[name, url.partition("Credential=")[2].partition("%2F")[0]] += 1

        await middleware({"type": "http", "tenant": name}, None, send)

    async def serve():
        gate = asyncio.Semaphore(16)

        async def one(name):
            async with gate:
                await request(name)

        await asyncio.gather(*(one(name) for name in names * 3))

    asyncio.run(serve())
    assumed = [one for one in aws.requests if one.operation == "AssumeRoleWithWebIdentity"]
    of_role = {one.gave: one.parameters["RoleArn"].rpartition("/")[2] for one in assumed}
    assert len(assumed) == len({*of_role.values()}) == len(names)
    assert {one.parameters["WebIdentityToken"] for one in assumed} == {*tokens.values()}
    assert {name: of_role[key] for name, key in answers} == {name: name for name in names}
    assert {*answers.values()} == {3}
    found = Counter(of_role[key] for key in signers(aws, "GetCallerIdentity"))
    assert found == Counter(dict.fromkeys(names, 3))


@of("Many tenants in one server")
def test_wsgi_middleware_and_other_scopes(tenants, aws):
    sts = tenants["sts"]
    application = tenants["tenants"](lambda environ, _: [sts.get_caller_identity(), environ])
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(application, [{"tenant": name} for name in ["red", "gray"] * 4], [None] * 8))

    assert tenants["report"]("red").endswith("session")

    async def lifespan(scope, receive, send):
        return scope["type"]

    middleware = tenants["Tenants"](lifespan)
    assert asyncio.run(middleware({"type": "lifespan"}, None, None)) == "lifespan"
    assert_each_tenant_is_itself(aws, {"red": 5, "gray": 4, "blue": 1, "green": 1})


@of("polars and obstore")
def test_polars_and_obstore(recipe):
    polars = pytest.importorskip("polars", reason="polars is not installed")
    obstore = pytest.importorskip("obstore", reason="obstore is not installed")
    bucket = Bucket()
    names = recipe.run(provider=FunctionProvider(function=bucket.keys))
    try:
        options = {
            "aws_endpoint_url": bucket.url, "aws_allow_http": "true", "aws_region": "eu-west-1"
        }  # fmt: skip
        frame = polars.scan_csv(
            "s3://bucket/object.csv",
            credential_provider=names["for_polars"],
            storage_options=options,
        )
        assert frame.collect().to_dicts() == [{"name": "log", "size": 42}]
        store = obstore.store.S3Store(
            "bucket",
            region="eu-west-1",
            endpoint=bucket.url,
            client_options={"allow_http": True},
            credential_provider=names["for_obstore"],
        )
        for _ in range(2):
            assert bytes(obstore.get(store, "object.csv").bytes()) == OBJECT
            bucket.wait()
    finally:
        bucket.close()
    assert bucket.refused == []
    assert {*bucket.signers} == {"AKIA0", "AKIA1"}


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
@of("Prefork servers")
def test_a_prefork_server(recipe, aws, monkeypatch):
    """What gunicorn does: load the application, fork, call ``post_fork``, serve."""
    app = ModuleType("app")
    recipe.names = vars(app)
    recipe.run(0)
    monkeypatch.setitem(sys.modules, "app", app)
    recipe.names = {}
    names = recipe.run(1)
    assert names["preload_app"]
    assert aws.operations() == ["GetId", "GetCredentialsForIdentity"]
    key = app.session.get_credentials().access_key
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:  # pragma: no cover - coverage does not follow a fork that ends by os._exit
        signal.alarm(20)
        try:
            names["post_fork"](None, None)
            app.application({}, lambda *_: None)
            os.write(writer, app.session.get_credentials().access_key.encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        assert pipe.read() == key
    os.waitpid(pid, 0)
    assert aws.operations() == ["GetId", "GetCredentialsForIdentity", "GetCallerIdentity"]


@of("Worker processes")
def test_worker_processes(recipe, aws, get_token, tmp_path):
    """As a program of its own, because the processes import it."""
    (source,) = recipe.blocks("python")
    program = tmp_path / "recipe.py"
    program.write_text(source)
    environment = os.environ | {
        "GOOGLE_TOKEN": get_token(),
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]),
    }
    done = subprocess.run(
        [sys.executable, str(program)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 4
    tokens = sent(aws, "AssumeRoleWithWebIdentity", "WebIdentityToken")
    assert set(tokens) == set(get_token.given)
    assert len(tokens) <= 2  # one for each process that got work


@of("AWS Lambda")
def test_a_lambda_function(recipe, aws, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAFUNCTION")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "SECRET")
    names = recipe.run()
    assert aws.requests == []
    for _ in range(2):
        names["handler"]({}, None)
    assert aws.operations() == ["AssumeRole", "GetCallerIdentity", "GetCallerIdentity"]
    assert signers(aws, "AssumeRole") == ["AKIAFUNCTION"]
    assert {*signers(aws, "GetCallerIdentity")} == {aws.requests[0].gave}


class AirflowsFactory:
    """As much of Airflow's own as the recipe leans on."""

    region_name = "eu-west-1"

    def create_session(self, deferrable=False):  # noqa: FBT002 - Airflow's signature
        return "a session of aiobotocore" if deferrable else boto3.Session()


@of("Airflow")
def test_airflow(recipe, aws, monkeypatch):
    monkeypatch.setenv("GOOGLE_TOKEN", fakes.secret("token"))
    path = ["airflow", "providers", "amazon", "aws", "hooks", "base_aws"]
    for end in range(1, len(path) + 1):
        monkeypatch.setitem(sys.modules, ".".join(path[:end]), ModuleType(path[end - 1]))
    sys.modules[".".join(path)].BaseSessionFactory = AirflowsFactory
    names = recipe.run()
    hook = boto3.session.Session(profile_name="google")  # what Airflow does with the extra
    assert hook.get_credentials().method == "custom-web-token"
    factory = names["SessionFactory"]()
    factory.create_session().client("sts").get_caller_identity()
    assert aws.operations() == ["AssumeRoleWithWebIdentity", "GetCallerIdentity"]
    assert factory.create_session(deferrable=True) == "a session of aiobotocore"


@of("Presigned URLs")
def test_presigned_urls(recipe, aws, get_token):
    names = recipe.run(get_google_token=get_token)
    credentials = names["session"].get_credentials()
    first = credentials.access_key
    assert first in names["url_of"]("2026.pdf")
    assert sent(aws, "AssumeRoleWithWebIdentity", "DurationSeconds") == ["3600"]
    with_too_little_left = names["url_of"]("2026.pdf", 3601)
    assert credentials.access_key != first
    assert credentials.access_key in with_too_little_left
    assert len(aws.requests) == 2


@of("Tests with moto")
def test_moto(recipe, monkeypatch):
    # moto keeps its keys in its own environment, and answers before anything is sent.
    names = recipe.run()
    names["test_reports"]()
