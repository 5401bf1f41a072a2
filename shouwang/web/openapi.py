"""The OpenAPI file as a person reads it: each operation with who may call, what it takes and what it answers. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]
METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Field:
    """One value of a body or an answer; `name` is its path, as in `readings[].result`."""

    name: str
    type: str
    required: bool
    about: str


@dataclass(frozen=True)
class Answer:
    """One status that an operation may answer with."""

    status: str
    about: str
    fields: Sequence[Field]


@dataclass(frozen=True)
class Operation:
    """One way to call."""

    id: str
    method: str
    path: str
    title: str
    about: str
    callers: Sequence[tuple[str, str]]
    right: str
    parameters: Sequence[Field]
    takes: Sequence[Field]
    example: str
    call: str
    answers: Sequence[Answer]


def operations(openapi: Json, *, language: str, address: str) -> list[Operation]:
    """Return every operation, in the order of the file, its words in `language` where it has them."""
    return [
        _operation(openapi, path, method, item[method], language=language, address=address)
        for path, item in openapi["paths"].items()
        for method in METHODS
        if method in item
    ]


def _operation(openapi: Json, path: str, method: str, said: Json, *, language: str, address: str) -> Operation:
    names = [name for each in said.get("security", ()) for name in each]
    schemes = openapi["components"]["securitySchemes"]
    body = said.get("requestBody", {}).get("content", {}).get("application/json", {})
    example = json.dumps(body["example"], ensure_ascii=False, indent=2) if "example" in body else ""
    return Operation(
        said["operationId"], method.upper(), path, _words(said, "summary", language), _words(said, "description", language),
        [(name, _scheme(schemes[name])) for name in names], said.get("x-right", ""),
        [Field(each["name"], _type(openapi, each["schema"]), each["required"], _words(each, "description", language)) for each in said.get("parameters", ())],
        list(_fields(openapi, body.get("schema", {}), language)), example,
        _call(method.upper(), address + path, schemes[names[0]] if names else {}, has_body=bool(body)),
        [_answer(openapi, str(status), each, language) for status, each in sorted(said["responses"].items(), key=lambda pair: str(pair[0]))],
    )


def _answer(openapi: Json, status: str, said: Json, language: str) -> Answer:
    said = _resolved(openapi, said)
    schema = said.get("content", {}).get("application/json", {}).get("schema", {})
    return Answer(status, _words(said, "description", language), list(_fields(openapi, schema, language)))


def _fields(openapi: Json, schema: Json, language: str, prefix: str = "", depth: int = 0) -> Iterator[Field]:
    """Yield the values of a schema, those inside others after them; at most five deep."""
    schema = _resolved(openapi, schema)
    if depth > 5:
        return
    if schema.get("type") == "array":
        yield from _fields(openapi, schema["items"], language, prefix + "[]", depth + 1)
    for name, value in schema.get("properties", {}).items():
        path = f"{prefix}.{name}".lstrip(".")
        yield Field(path, _type(openapi, value), name in schema.get("required", ()), _words(value, "description", language))
        yield from _fields(openapi, value, language, path, depth + 1)


def _resolved(openapi: Json, said: Json) -> Json:
    """Return what a reference stands for; anything else as it is."""
    while "$ref" in said:
        found: Any = openapi
        for part in said["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        said = found
    return said


def _type(openapi: Json, schema: Json) -> str:
    schema = _resolved(openapi, schema)
    if "anyOf" in schema:
        return " | ".join(_type(openapi, each) for each in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(json.dumps(each) for each in schema["enum"])
    if schema.get("type") == "array":
        return f"{_type(openapi, schema['items'])}[]"
    limits = [f"{sign} {schema[key]}" for key, sign in (("minLength", "≥"), ("maxLength", "≤")) if key in schema]
    return " ".join([str(schema.get("format") or schema.get("type", "any")), *limits])


def _words(said: Json, key: str, language: str) -> str:
    """Return the Chinese words where the reader wants them and the file has them, else the English ones."""
    translated = said.get("x-zh", {}) if language == "zh" else {}
    return str(translated.get(key, said.get(key, "")))


def _scheme(scheme: Json) -> str:
    if scheme["type"] == "http":
        return f"Authorization: {scheme['scheme'].title()} …"
    return f"{scheme['in'].title()}: {scheme['name']}=…"


def _call(method: str, address: str, scheme: Json, *, has_body: bool) -> str:
    """Return the call for a command line."""
    words = ["curl", *([] if method == "GET" else ["-X", method]), address]
    if scheme.get("scheme") == "bearer":
        words.append("-H 'Authorization: Bearer TOKEN'")
    elif scheme.get("in") == "header":
        words.append(f"-H '{scheme['name']}: …'")
    elif scheme.get("type") == "apiKey":
        words.append(f"-b '{scheme['name']}=…'")
    if has_body:
        words += ["-H 'Content-Type: application/json'", "-d @body.json"]
    return " ".join(words)
