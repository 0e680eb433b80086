"""The recipe of many tenants in FastAPI and in Celery as they are."""

import asyncio
import logging
from functools import partial
from types import SimpleNamespace

import pytest

from botocore_ext import ConfigurationError, use_credentials

from .session.test_clients import signers
from .test_recipes import Recipe, assert_each_tenant_is_itself

pytestmark = pytest.mark.caller_signs

TENANTS = [f"tenant-{one}" for one in range(20)]


@pytest.fixture
def run(aws, monkeypatch):
    """Run the recipe with an application of Celery, and return its names."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIASERVER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "SECRET")

    def who(request):
        """Answer with the role of the access key that signed."""
        key = signers(SimpleNamespace(requests=[request]))[0]
        request.parameters |= next(one.parameters for one in aws.requests if one.gave == key)
        return aws.sts(request)

    aws.always("GetCallerIdentity", who)

    def run(app):
        names = Recipe("Many tenants in one server").run(
            role_of=lambda tenant: f"arn:aws:iam::123456789012:role/{tenant}",
            authenticated=lambda scope: dict(scope["headers"])[b"tenant"].decode(),
            app=app,
        )
        aws.requests.clear()
        names["provider_of"].cache_clear()
        return names

    return run


class TestFastAPI:
    @pytest.fixture
    def fastapi(self):
        return pytest.importorskip("fastapi", reason="fastapi is not installed")

    @pytest.fixture
    def names(self, run):
        return run(SimpleNamespace(task=lambda function: function))

    @pytest.fixture
    def whole(self, fastapi, names):
        """An application whose endpoints make one request in each way that FastAPI runs code."""
        stream_of = fastapi.responses.StreamingResponse

        def who():
            return names["sts"].get_caller_identity()["Arn"]

        app, noted = fastapi.FastAPI(), []

        @app.get("/thread")
        def thread(tasks: fastapi.BackgroundTasks):
            tasks.add_task(lambda: noted.append(who()))
            return who()

        @app.get("/task")
        async def task(tasks: fastapi.BackgroundTasks):
            async def later():
                noted.append(await asyncio.to_thread(who))

            tasks.add_task(later)
            return await asyncio.to_thread(who)

        @app.get("/stream")
        def stream():
            return stream_of(who() for _ in range(2))

        @app.get("/stream-async")
        async def stream_async():
            async def items():
                for _ in range(2):
                    yield await asyncio.to_thread(who)

            return stream_of(items())

        return app, noted

    def test_the_middleware(self, names, whole, aws):
        app, noted = whole
        app.add_middleware(names["Tenants"])
        serve(app, aws)
        assert len(noted) == 2 * len(TENANTS)

    def test_a_function_as_middleware(self, names, whole, aws):
        """Starlette runs the endpoint in a task of its own, with a copy of the context."""
        app, noted = whole

        app.middleware("http")(names["tenants_of_http"])
        serve(app, aws)
        assert len(noted) == 2 * len(TENANTS)

    def test_an_asynchronous_dependency(self, fastapi, names, whole, aws):
        async def tenant(request: fastapi.Request):
            with use_credentials(names["provider_of"](names["authenticated"](request.scope))):
                yield

        app = fastapi.FastAPI(dependencies=[fastapi.Depends(tenant)])
        app.include_router(whole[0].router)
        serve(app, aws)
        assert len(whole[1]) == 2 * len(TENANTS)

    def test_a_dependency_in_a_thread_has_no_effect(self, fastapi, names, whole, aws):
        """FastAPI enters it in a copy of the context, so the call fails: nothing else signs it."""

        def tenant():
            with use_credentials(names["provider_of"]("blue")):
                yield

        app = fastapi.FastAPI(dependencies=[fastapi.Depends(tenant)])
        app.include_router(whole[0].router)
        with pytest.raises(RuntimeError, match="in another task or thread") as caught:
            asyncio.run(get(app, "/thread", "blue"))
        assert isinstance(caught.value.__context__, ConfigurationError)
        assert aws.requests == []

    def test_a_web_socket(self, fastapi, names, aws):
        app = fastapi.FastAPI()

        @app.websocket("/")
        async def who(socket: fastapi.WebSocket):
            await socket.accept()
            await socket.send_text(names["sts"].get_caller_identity()["Arn"])

        app.add_middleware(names["Tenants"])
        sent = []

        async def receive():
            return {"type": "websocket.connect"}

        async def send(message):
            sent.append(message.get("text"))

        scope = {"type": "websocket", "path": "/", "headers": [(b"tenant", b"blue")]}
        asyncio.run(app(scope | {"query_string": b"", "subprotocols": []}, receive, send))
        assert "role/blue/session" in sent[1]
        assert_each_tenant_is_itself(aws, {"blue": 1})


async def get(app, path, tenant):
    httpx = pytest.importorskip("httpx", reason="httpx is not installed")
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
        response = await client.get(path, headers={"tenant": tenant})
    assert f"role/{tenant}/session" in response.text, response.text
    return response.text


def serve(app, aws):
    """Make the requests of all tenants at once; each endpoint signs two."""
    paths = ["/thread", "/task", "/stream", "/stream-async"]

    async def run():
        await asyncio.gather(*(get(app, path, one) for path in paths for one in TENANTS))

    asyncio.run(run())
    assert_each_tenant_is_itself(aws, dict.fromkeys(TENANTS, 8))


def leave_logging_alone(**_):
    """Replace the setup of Celery, which would hide records of this package."""


class TestCelery:
    @pytest.fixture
    def app(self):
        celery = pytest.importorskip("celery", reason="celery is not installed")
        pytest.importorskip("celery.signals").setup_logging.connect(leave_logging_alone)
        arguments = {"broker": "memory://", "backend": "cache+memory://"}
        with celery.Celery("app", set_as_current=False, **arguments) as app:
            app.conf.broker_transport_options = {"polling_interval": 0.01}
            # Celery would register a task of the same name in the application of the next test.
            app.task = partial(app.task, shared=False)
            yield app

    def test_in_the_process_of_the_caller(self, run, app, aws):
        """A task with a block of its own does not sign as its caller; one without does."""
        app.conf.task_always_eager = True
        names = run(app)

        @app.task
        def bare():
            return names["sts"].get_caller_identity()["Arn"]

        with use_credentials(names["provider_of"]("caller")):
            found = [names["report"].delay(one).get() for one in ("blue", "green", "blue")]
            found.append(bare.delay().get())
        assert [one.split("/")[1] for one in found] == ["blue", "green", "blue", "caller"]
        assert_each_tenant_is_itself(aws, {"blue": 2, "green": 1, "caller": 1})

    def test_in_a_worker_with_threads(self, run, app, aws):
        worker = pytest.importorskip("celery.contrib.testing.worker")
        names = run(app)
        sts = names["sts"]
        green = names["provider_of"]("green")

        @app.task
        @use_credentials(green)
        def decorated():
            return sts.get_caller_identity()["Arn"]

        @app.task
        def bare():
            return sts.get_caller_identity()["Arn"]

        with worker.start_worker(app, pool="threads", concurrency=4, perform_ping_check=False):
            results = [names["report"].delay(one) for one in TENANTS * 2]
            with use_credentials(green):
                results += [decorated.delay(), bare.delay()]
            for result, tenant in zip(results, [*TENANTS * 2, "green"], strict=False):
                assert f"role/{tenant}/" in result.get(timeout=30)
            assert logging.getLogger().level == logging.DEBUG
            with pytest.raises(Exception, match="no identity is in force"):
                results[-1].get(timeout=30)
        assert_each_tenant_is_itself(aws, dict.fromkeys(TENANTS, 2) | {"green": 1})
