"""The base of every table of ``shop.toml`` and every part of ``rules.yaml``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, model_validator


class Settings(BaseModel):
    """Base model: frozen, refuses unknown keys, does not take ``true`` and ``false`` as numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _true_is_no_number(cls, data: Any) -> Any:
        """Refuse True as a number: pydantic takes it as 1, and as a share it would switch a guard off."""
        if not isinstance(data, dict):
            return data
        return {key: value if _takes_bool(cls, key) else _no_number(value) for key, value in data.items()}


@dataclass(frozen=True)
class _Flag:
    """Replaces true or false where a number is expected, so that pydantic reports the key and the expected type."""

    value: bool

    def __repr__(self) -> str:
        return str(self.value).lower()


def _no_number(value: Any) -> Any:
    if isinstance(value, list):
        return [_no_number(item) for item in value]
    return _Flag(value) if isinstance(value, bool) else value


def _takes_bool(model: type[BaseModel], key: str) -> bool:
    field = model.model_fields.get(key)
    return field is None or _has_bool(field.annotation)


def _has_bool(annotation: Any) -> bool:
    return annotation is bool or any(_has_bool(part) for part in get_args(annotation))
