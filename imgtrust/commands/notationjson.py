"""A trust policy of notation as JSON: members by their type, or the fault with its place.

Knows JSON's types; knows nothing of what a trust policy says.
"""

from __future__ import annotations

from typing import Any

from imgtrust import strict_json
from imgtrust.errors import InputFileError

__all__ = ["read_json", "read_list", "read_object", "read_text", "read_texts"]


def read_json(data: bytes) -> object:
    """The value in a file.

    Raises:
        InputFileError: something else is there.
    """
    try:
        found: object = strict_json.loads(data)
    except strict_json.StrictJsonError as exc:
        message = f"the trust policy: {exc}"
        raise InputFileError(message) from exc
    return found


def read_object(value: object, what: str) -> dict[str, Any]:
    """An object.

    Raises:
        InputFileError: something else is there.
    """
    if not isinstance(value, dict):
        message = f"{what}: expected a JSON object, found {type(value).__name__}"
        raise InputFileError(message)
    return value


def read_list(members: dict[str, Any], name: str, what: str) -> list[Any]:
    """A list; empty where it is absent.

    Raises:
        InputFileError: something else is there.
    """
    value = members.get(name, [])
    if not isinstance(value, list):
        message = f"{what}: {name} is no list"
        raise InputFileError(message)
    return value


def read_text(members: dict[str, Any], name: str, what: str) -> str:
    """A text; empty where it is absent.

    Raises:
        InputFileError: something else is there.
    """
    value = members.get(name, "")
    if not isinstance(value, str):
        message = f"{what}: {name} is no text"
        raise InputFileError(message)
    return value


def read_texts(members: dict[str, Any], name: str, what: str) -> list[str]:
    """A list of texts, at least one.

    Raises:
        InputFileError: something else is there.
    """
    value = read_list(members, name, what)
    if not value or not all(isinstance(item, str) for item in value):
        message = f"{what}: {name} is no list of texts, or an empty one"
        raise InputFileError(message)
    return value
