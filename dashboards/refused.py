"""Refused: why a request gets no answer, in one sentence that says what would do.

The one error shape of every door: `{"error": {"code", "message", "field"}}`.
"""

from typing import NoReturn

from pydantic import ValidationError
from pydantic_core import ErrorDetails


class Refused(Exception):
    """A request that gets an error instead of numbers.

    status   the HTTP status
    code     one word for programs
    message  one sentence for people; names the field and never quotes what came
    field    the parameter or header at fault, or None
    """

    def __init__(self, status: int, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field

    def body(self) -> dict[str, dict[str, str | None]]:
        """Return the error as it goes out."""
        return {"error": {"code": self.code, "message": self.message, "field": self.field}}


def bad(field: str, message: str) -> Refused:
    """Return a 400 about one field."""
    return Refused(400, "bad-request", f"{field}: {message}", field)


def unavailable() -> Refused:
    """Return the 503 for a database that doesn't answer."""
    return Refused(503, "unavailable", "The statistics can't be read just now; try again shortly.")


def refuse(error: ValidationError, known: list[str]) -> NoReturn:
    """Raise the first thing that is wrong with a request's parameters as a Refused.

    known   the parameters that the endpoint has; named when another one came
    Errors  Refused, always
    """
    first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"])[:64] or "request"
    raise bad(field, sentence(first, known))


def sentence(first: ErrorDetails, known: list[str]) -> str:
    """Return what is wrong with one value, without the value."""
    match first["type"]:
        case "missing":
            return "missing"
        case "extra_forbidden":
            return f"no such field here; known are {', '.join(sorted(known))}"
        case "literal_error":
            return f"must be {first['ctx']['expected']}"
        case "value_error":
            return str(first["ctx"]["error"])
        case _:
            return first["msg"][:1].lower() + first["msg"][1:]
