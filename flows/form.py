"""What a person fills in, in the Prefect UI: shops and stores to choose from, guards to allow, each with its bounds.

The choices are those of the machine that registers a deployment; what runs takes any shop that it finds, as the command
line does. Texts beside the fields come from the flows' docstrings, limits from these types (Prefect shows both).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, create_model
from pydantic_core import CoreSchema

from engine.shops import shop_word
from schemas.settings.shop import Shop
from transforms.guards import GUARDS

_offered: ContextVar[tuple[Shop, ...]] = ContextVar("offered", default=())

MOST_ROWS = 1_000_000
"""A guard can be allowed to pass up to so many rows by the form."""


@contextmanager
def offering(*shops: Shop) -> Iterator[None]:
    """Forms made within offer these shops, and their stores, to choose from."""
    token = _offered.set(shops)
    try:
        yield
    finally:
        _offered.reset(token)


class _Choice:
    """Marks a text that a form offers as a list, where there is something to choose from."""

    def __init__(self, choices: Callable[[], list[str]]) -> None:
        self.choices = choices

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler(core)
        choices = self.choices()
        return {**schema, "enum": choices} if choices else schema


def _shops() -> list[str]:
    return [shop_word(shop) for shop in _offered.get()]


def _stores() -> list[str]:
    return list(dict.fromkeys(store.name for shop in _offered.get() for store in shop.stores))


ShopChoice = Annotated[str, Field(min_length=1), _Choice(_shops)]
StoreChoice = Annotated[str, _Choice(_stores)]
WaitMinutes = Annotated[int, Field(ge=0, le=720)]


class _Guards(BaseModel):
    model_config = ConfigDict(extra="forbid", title="Guards to let pass")

    def granted(self) -> dict[str, int]:
        """The guards that may pass, as ``--allow`` takes them."""
        return {guard: rows for guard, rows in self.model_dump().items() if rows}


AllowedGuards = create_model(
    "AllowedGuards",
    __base__=_Guards,
    **{
        guard: (Annotated[int, Field(ge=0, le=MOST_ROWS, title=guard, description=f"{what} (0: it holds)")], 0)
        for guard, what in GUARDS.items()
    },
)  # type: ignore[call-overload]
"""So many rows each guard may let pass, in one run."""
