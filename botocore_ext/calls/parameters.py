"""What botocore would refuse in the parameters of a call, said before anything is sent."""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from botocore.validate import ParamValidator

if TYPE_CHECKING:
    from botocore.session import Session

#: Characters that a value may have and be shown, where its own text hides where it ends.
_SHOWN = 3


def problems_of(
    session: "Session", service: str, operation: str, parameters: Mapping[str, Any]
) -> str | None:
    """Say what botocore would refuse in the parameters of a call; None if nothing.

    The values are left out: one may be a code or an external id.
    """
    shape: Any = session.get_service_model(service).operation_model(operation).input_shape
    report = ParamValidator().validate(dict(parameters), shape)
    if not report.has_errors():
        return None
    text = re.sub(r", value: .*?, (?=type|valid)", ", ", report.generate_report(), flags=re.DOTALL)
    for value in _texts(parameters):
        if len(value) > _SHOWN:
            text = text.replace(value, "...")
    return text


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield from (value, *value.split(", "), *value.splitlines())
    elif isinstance(value, Mapping):
        yield from (text for one in value.values() for text in _texts(one))
    elif isinstance(value, (list, tuple)):
        yield from (text for one in value for text in _texts(one))
