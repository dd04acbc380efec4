"""The JSON Schema of the policy file, for editors. Pure.

Made from the vocabulary that the reader uses. An editor sees structure and spelling; what a policy means as a whole
(signers that exist, counts that can be reached) only the reader sees.
"""

from __future__ import annotations

from typing import Any, Final

from imgtrust.policy.fields import MAX_ITEMS
from imgtrust.policy.vocabulary import TABLES, Choice, Key, Kind, Table

__all__ = ["SCHEMA_DIALECT", "json_schema"]

SCHEMA_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_NAME: Final = "^[A-Za-z0-9_-]{1,64}$"
_DURATION: Final = "^[1-9][0-9]{0,9}[dhms]$"
_TIME: Final = "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$"


def json_schema() -> dict[str, Any]:
    """The schema, in draft 2020-12. TOML's own times are strings to it, as editors show them."""
    return {
        "$schema": SCHEMA_DIALECT,
        "title": "imgtrust policy",
        **_table(TABLES[""]),
    }


def _table(table: Table) -> dict[str, Any]:
    keys = [key for key in table.keys if not key.later]
    return {
        "type": "object",
        "description": table.doc,
        "additionalProperties": False,
        "required": [key.name for key in keys if key.required],
        "properties": {key.name: {**_value(key), "description": key.doc} for key in keys},
        **_company(table),
    }


def _company(table: Table) -> dict[str, Any]:
    """Which keys stand beside which, where a table asks for that."""
    beside = {key.name: [key.of] for key in table.keys if key.of}
    choices = [_choice(choice) for choice in table.choices]
    return {**({"dependentRequired": beside} if beside else {}), **({"allOf": choices} if choices else {})}


def _choice(choice: Choice) -> dict[str, Any]:
    one = {"oneOf": [{"required": [name]} for name in choice.names]}
    return {"if": {"required": [choice.of]}, "then": one} if choice.of else one


def _value(key: Key) -> dict[str, Any]:
    return {**_KINDS.get(key.kind, {}), **_inner(key)}


def _inner(key: Key) -> dict[str, Any]:
    """The part of a value's schema that depends on what stands below the key."""
    match key.kind:
        case Kind.TEXT if key.choices:
            return {"enum": list(key.choices)}
        case Kind.TEXTS:
            return {"items": {"enum": list(key.choices)} if key.choices else _KINDS[Kind.TEXT]}
        case Kind.TABLE:
            return _table(TABLES[key.table])
        case Kind.TABLES:
            return {"items": _table(TABLES[key.table])}
        case Kind.NAMED:
            return {"additionalProperties": _table(TABLES[key.table])}
        case _:
            return {}


_SEVERAL: Final = {"type": "array", "minItems": 1, "maxItems": MAX_ITEMS}
_KINDS: Final[dict[Kind, dict[str, Any]]] = {
    Kind.TEXT: {"type": "string", "minLength": 1},
    Kind.TEXTS: {**_SEVERAL, "uniqueItems": True},
    Kind.FLAG: {"type": "boolean"},
    Kind.COUNT: {"type": "integer", "minimum": 1},
    Kind.VERSION: {"type": "integer", "const": 1},
    Kind.DURATION: {"type": "string", "pattern": _DURATION},
    Kind.TIME: {"type": "string", "pattern": _TIME},
    Kind.TABLE: {"minProperties": 1},
    Kind.TABLES: _SEVERAL,
    Kind.NAMED: {
        "type": "object",
        "minProperties": 1,
        "maxProperties": MAX_ITEMS,
        "propertyNames": {"pattern": _NAME},
    },
}
