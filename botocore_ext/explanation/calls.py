"""The inner calls of one provider: seen through botocore's own events, and by ``observation``."""

from collections.abc import Callable
from typing import Any, TypeVar

from botocore.session import Session

from ..calls.observation import Event, run_with_listener
from ..errors import Attempt, ConfigurationError
from .report import Call, Outcome, Step
from .shown import host_of

T = TypeVar("T")

#: What is known of a call when it begins, in botocore's context of it.
_BEGAN = "botocore_ext.explanation"


class Calls:
    """Writes down what clients of one session do, and what is told of chains and endpoints."""

    def __init__(self, session: Session, steady: Callable[[], float]) -> None:
        """Take the session, of which every client is made from now on, and a steady clock."""
        self._steady = steady
        self.calls: list[Call] = []
        self.links: list[Step] = []
        register: Any = session.register  # typed for handlers that take nothing by name
        register("before-call", self._begins)
        register("after-call", self._ends)
        register("after-call-error", self._ends)

    def forget(self) -> None:
        """Begin anew."""
        self.calls, self.links = [], []

    def noted(self, asked: tuple[str, str] | None, work: Callable[[], T]) -> T:
        """Return what ``work`` returns, and write down what it calls.

        Args:
            asked: What a provider of botocore's does without a client, and which host it asks;
                None: nothing.
            work: What calls.

        Raises:
            Exception: What ``work`` raised.
        """
        began, is_sent = self._steady(), asked is not None
        try:
            return run_with_listener(self._hear, work)
        except ConfigurationError:
            is_sent = False
            raise
        finally:
            if asked and is_sent:
                operation, host = asked
                self.calls.append(Call(operation, host, None, self._since(began)))

    def _begins(
        self, model: Any, params: Any, request_signer: Any, context: dict[str, Any], **_: Any
    ) -> None:
        operation = f"{model.service_model.service_name}.{model.name}"
        began, region = self._steady(), request_signer.region_name
        context[_BEGAN] = (began, operation, host_of(params["url"]), region)

    def _ends(self, context: dict[str, Any], **_: Any) -> None:
        if _BEGAN in context:  # else another handler has answered in the place of the service
            began, operation, host, region = context[_BEGAN]
            self.calls.append(Call(operation, host, region, self._since(began)))

    def _hear(self, event: Event) -> None:
        name, said = event
        if isinstance(said, float):
            self.calls.append(Call("GET", name, None, round(said)))
        elif isinstance(said, Exception):
            self.links.append(Step(name, Outcome.FAILED))  # why is said of the chain
        elif isinstance(said, Attempt):
            self.links.append(Step(name, Outcome.NOT_CALLED_FOR, " ".join(said.reason.split())))
        else:
            self.links.append(Step(name, Outcome.FOUND))

    def _since(self, began: float) -> int:
        return round(1000 * (self._steady() - began))
