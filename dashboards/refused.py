"""Refused: why a request gets no answer, in one sentence that says what would do.

The one error shape of every door: `{"error": {"code", "message", "field"}}`.
"""

from typing import NoReturn

from pydantic import ValidationError


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
    field = ".".join(str(part) for part in first["loc"]) or "request"
    match first["type"]:
        case "missing":
            raise bad(field, "missing")
        case "extra_forbidden":
            raise bad(field[:64], f"no such parameter here; known are {', '.join(sorted(known))}")
        case "literal_error":
            raise bad(field, f"must be {first['ctx']['expected']}")
        case "value_error":
            raise bad(field, str(first["ctx"]["error"]))
        case _:
            raise bad(field, first["msg"][:1].lower() + first["msg"][1:])
