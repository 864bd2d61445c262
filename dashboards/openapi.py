"""OpenAPI: the API's description, made from the types that validate and answer."""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from dashboards import answers, parameters

VERSION = "1"
SCHEMAS = "#/components/schemas/{model}"
TEXT = {"schema": {"type": "string"}}
TEXTS: dict[str, dict[str, Any]] = {
    "export.csv": {"text/csv": TEXT},
    "report": {"text/html": TEXT, "text/plain": TEXT},
}

# path, what it answers (its docstring is the summary), what may be asked, the answer's type
ENDPOINTS: tuple[tuple[str, str, type[BaseModel], type[BaseModel] | None], ...] = (
    ("summary", "Totals of a range and the one before", parameters.SummaryAsked, answers.Summary),
    ("timeseries", "Totals by interval", parameters.TimeseriesAsked, answers.Timeseries),
    ("products", "Totals by product", parameters.ProductsAsked, answers.Products),
    ("breakdown", "One dimension", parameters.BreakdownAsked, answers.BreakdownAnswer),
    ("export.json", "A row a product and day", parameters.ExportJsonAsked, answers.Export),
    ("report", "A seller's week, for a mail", parameters.ReportAsked, None),
    ("export.csv", "A row a product and day", parameters.ExportAsked, None),
)


def document(server: str) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document.

    server   where the API is reached, for example https://stats.example.com/stats
    """
    kinds: list[type[BaseModel]] = [answers.Error]
    kinds += [kind for *_, kind in ENDPOINTS if kind is not None]
    _, schemas = models_json_schema(
        [(kind, "serialization") for kind in kinds], ref_template=SCHEMAS
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Collector",
            "version": VERSION,
            "description": (
                "Anonymous visitor numbers. visitor_days: visitors are distinct per day and added "
                "up over days, because nobody can be recognised on another day."
            ),
        },
        "servers": [{"url": server}],
        "security": [{"token": []}],
        "paths": {f"/api/v1/{endpoint[0]}": {"get": _get(*endpoint)} for endpoint in ENDPOINTS},
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
            "schemas": schemas["$defs"],
        },
    }


def _get(
    path: str, summary: str, asked: type[BaseModel], answered: type[BaseModel] | None
) -> dict[str, Any]:
    ok = TEXTS.get(path) or _json(answered or answers.Error)
    return {
        "operationId": path.replace(".", "_"),
        "summary": summary,
        "parameters": _parameters(asked),
        "responses": {
            "200": {"description": summary, "content": ok},
            "400": {"description": "A parameter can't be used", "content": _json(answers.Error)},
            "401": {"description": "The token can't be used", "content": _json(answers.Error)},
            "503": {"description": "The database is away", "content": _json(answers.Error)},
        },
    }


def _json(kind: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": SCHEMAS.format(model=kind.__name__)}}}


def _parameters(asked: type[BaseModel]) -> list[dict[str, Any]]:
    schema = asked.model_json_schema()
    required = schema.get("required", [])
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "description": part.pop("description", ""),
            "schema": _said(part),
        }
        for name, part in schema["properties"].items()
    ]


def _said(part: dict[str, Any]) -> dict[str, Any]:
    """Return a parameter's schema: one that may be left out can't be sent as null."""
    left_out = {"title"}
    for kind in part.get("anyOf", ()):
        if kind != {"type": "null"}:
            part = part | kind
            left_out = {"title", "anyOf", "default"}
    return {key: value for key, value in part.items() if key not in left_out}
