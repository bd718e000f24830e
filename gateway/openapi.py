"""The OpenAPI document and its page, both made from the contract's table; no file from elsewhere.

The page works without the internet: a hospital's network seldom has it.
"""

from __future__ import annotations

import html
import inspect
from typing import Any

from pydantic import TypeAdapter

from kiosk.hospital import contract as c

_REFUSALS = {
    "401": "This terminal or its token is not known.",
    "403": "Not allowed: another's data, or a policy that is not on.",
    "404": "No such person, report, department or call.",
    "409": "The key stands for something else already, or the report is not ready.",
    "422": "Not a message of this contract.",
    "503": "Definitely nothing was done. Ask again later.",
    "504": "Done or not done: ask again with the same key.",
}


def document(title: str) -> dict[str, Any]:
    """OpenAPI 3.1 of all endpoints."""
    refs, schemas = _schemas()
    paths = {endpoint.path: {"post": _operation(endpoint, refs)} for endpoint in c.ENDPOINTS}
    token = {"type": "http", "scheme": "bearer", "description": "The terminal's token."}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": str(c.PROTOCOL_VERSION),
            "description": inspect.getdoc(c) or "",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": token},
            "parameters": {
                "terminal": {
                    "name": c.TERMINAL_HEADER,
                    "in": "header",
                    "required": True,
                    "schema": {"type": "string"},
                }
            },
        },
        "security": [{"token": []}],
    }


def _schemas() -> tuple[dict[tuple[str, str], Any], dict[str, Any]]:
    """A reference for each request ("q") and reply ("a"), and what they refer to."""
    wanted: list[tuple[Any, Any, TypeAdapter[Any]]] = []
    for endpoint in c.ENDPOINTS:
        wanted.append(((endpoint.name, "q"), "validation", c.adapter(endpoint.request)))
        wanted.append(((endpoint.name, "a"), "serialization", c.adapter(endpoint.reply)))
    found, definitions = TypeAdapter.json_schemas(
        wanted, ref_template="#/components/schemas/{model}"
    )
    return {key: schema for (key, _), schema in found.items()}, definitions.get("$defs", {})


def _operation(endpoint: c.Endpoint, refs: dict[tuple[str, str], Any]) -> dict[str, Any]:
    words = inspect.getdoc(endpoint.request) or ""
    if words.startswith(f"{endpoint.request.__name__}("):
        words = ""  # dataclass' own signature, not a sentence
    refusals = {code: {"description": text} for code, text in _REFUSALS.items()}
    answer = {
        "description": "The reply; expected outcomes are told apart by `kind`.",
        "content": {"application/json": {"schema": refs[endpoint.name, "a"]}},
    }
    return {
        "operationId": endpoint.name.replace("-", "_"),
        "summary": words.splitlines()[0] if words else endpoint.name,
        "description": words,
        "tags": ["changes" if endpoint.changes else "reads"],
        "parameters": [{"$ref": "#/components/parameters/terminal"}],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": refs[endpoint.name, "q"]}},
        },
        "responses": {"200": answer, **refusals},
    }


def page(openapi: dict[str, Any]) -> str:
    """The document for reading: each endpoint with its request, its replies, and each message."""
    schemas = openapi["components"]["schemas"]
    endpoints = "".join(_endpoint(path, item["post"]) for path, item in openapi["paths"].items())
    messages = "".join(_message(name, schemas[name]) for name in sorted(schemas))
    refusals = "".join(f"<tr><td>{code}<td>{_e(text)}" for code, text in _REFUSALS.items())
    links = " · ".join(
        f'<a href="#{item["post"]["operationId"]}">{_e(path)}</a>'
        for path, item in openapi["paths"].items()
    )
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{_e(openapi['info']['title'])}"
        f"</title><style>{_STYLE}</style><h1>{_e(openapi['info']['title'])}</h1>"
        f'<p><a href="/openapi.json">openapi.json</a>, OpenAPI {openapi["openapi"]}</p>'
        f"<pre>{_e(openapi['info']['description'])}</pre>"
        f"<p>Every call carries <code>{c.TERMINAL_HEADER}</code> and "
        f"<code>Authorization: Bearer TOKEN</code>.</p><nav>{links}</nav>"
        f"<h2>Endpoints</h2>{endpoints}<h2>Refusals</h2><table>{refusals}</table>"
        f"<h2>Messages</h2>{messages}</html>"
    )


def _endpoint(path: str, post: dict[str, Any]) -> str:
    request = post["requestBody"]["content"]["application/json"]["schema"]
    reply = post["responses"]["200"]["content"]["application/json"]["schema"]
    return (
        f'<section id="{post["operationId"]}"><h3>POST {_e(path)} '
        f"<small>{_e(post['tags'][0])}</small></h3><p>{_e(post['description'])}</p>"
        f"<p>takes {_shape(request)} · gives {_shape(reply)}</p></section>"
    )


def _message(name: str, schema: dict[str, Any]) -> str:
    required = set(schema.get("required", ()))
    rows = "".join(
        f"<tr><td><code>{_e(field)}</code>{'' if field in required else ' ?'}<td>{_shape(shape)}"
        for field, shape in schema.get("properties", {}).items()
    )
    values = ", ".join(str(value) for value in schema.get("enum", ()))
    words = schema.get("description", "")
    return (
        f'<section id="m-{_e(name)}"><h3>{_e(name)}</h3><p>{_e(words)} {_e(values)}</p>'
        f"<table>{rows}</table></section>"
    )


def _shape(schema: dict[str, Any]) -> str:
    """A schema in a few words, with links to the messages it names."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f'<a href="#m-{_e(name)}">{_e(name)}</a>'
    for word in ("oneOf", "anyOf"):
        if word in schema:
            return " or ".join(_shape(one) for one in schema[word])
    if "enum" in schema:
        return " | ".join(f"<code>{_e(str(value))}</code>" for value in schema["enum"])
    if "const" in schema:
        return f"<code>{_e(str(schema['const']))}</code>"
    if schema.get("type") == "array":
        return f"list of {_shape(schema.get('items', {}))}"
    return _e(" ".join(str(schema[word]) for word in ("type", "format") if word in schema) or "any")


def _e(text: str) -> str:
    return html.escape(text)


_STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#10202b}"
    "h1,h2,h3{color:#004f63}small{font-weight:normal;color:#3a4a55}pre{white-space:pre-wrap}"
    "section{border-top:1px solid #b9d9e0}td{padding:.1rem 1rem .1rem 0;vertical-align:top}"
    "code{background:#e3f1f4;padding:0 .2rem}"
)
