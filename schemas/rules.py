"""Merge rules: ``rules.yaml`` as models, each with its line, so that every fault names file and line.

Semantics: design.md section 4. Top to bottom, the first rule that matches a product type decides.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Annotated, Any, Literal

import regex
from pydantic import Field, ValidationError, field_validator, model_validator

from schemas.errors import RulesError, closest
from schemas.numbers import MAX_NUMBER
from schemas.settings.base import Settings
from schemas.yaml_text import load_yaml

_EDIT = "edit the rules, then run the same command again"
Number = Annotated[int, Field(ge=1, le=MAX_NUMBER)]
Path_ = Annotated[list[str], Field(min_length=1)]


class Glob(Settings):
    """A name by shell pattern: ``{glob: "Браслет*"}``."""

    glob: str


class Regex(Settings):
    """A name by regular expression, found anywhere in it: ``{regex: "^№ ?\\d+"}``."""

    regex: str

    @field_validator("regex")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
            regex.compile(value)  # which matches: re has no limit of time
        except (re.error, regex.error, OverflowError, RecursionError) as error:
            raise ValueError(f"not a regular expression: {error}") from error
        return value


class Match(Settings):
    """The product types of a rule: all given conditions must be true.

    ``path`` is a list of names, ``*`` means one level, ``**`` any number of levels. ``goods_below`` N: fewer
    than N goods on the type and the types below it.
    """

    type_id: int | list[int] | None = None
    path: Path_ | None = None
    name: str | Glob | Regex | None = None
    depth: Annotated[int, Field(ge=1)] | None = None
    goods_below: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _not_empty(self) -> Match:
        if not self.model_fields_set:
            raise ValueError("an empty match would match every type: use path: ['**'] if that is meant")
        return self


class ByNumber(Settings):
    """A section by its number."""

    number: Number


class ByPath(Settings):
    """A section by path: that of the product type with this path, else that of the section with this chain of names."""

    path: Path_


Target = ByNumber | ByPath


class Create(Settings):
    """A separate section for the matched types."""

    name: str
    under: Literal["root"] | Target = "root"


class Do(Settings):
    """What a rule does: one of merge, exclude, create; or rename, place and number together."""

    merge: Literal["parent", "root"] | Target | None = None
    exclude: Literal["type", "subtree"] | None = None
    create: Create | None = None
    rename: str | None = None
    place: Literal["root"] | Target | None = None
    number: Number | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> Do:
        given = self.model_fields_set
        alone = given & {"merge", "exclude", "create"}
        if not given:
            raise ValueError("say one of merge, rename, place, create, exclude, number")
        if len(alone) > 1 or (alone and given - alone - ({"number"} if "create" in alone else set())):
            raise ValueError(f"{', '.join(sorted(given))} cannot be used together")
        return self


class Rule(Settings):
    """One rule of ``rules.yaml``. ``line`` is its line in the file."""

    match: Match
    do: Do
    reason: str
    author: str | None = None
    expect: Annotated[int, Field(ge=0)] | None = Field(None, description="how many types must match")
    keep_in_name: bool = Field(False, description="append the merged type's name to its goods' names that lack it")
    only_store: tuple[str, ...] = Field((), description="a store's name or a list: the rule holds for these only")
    line: int = 0

    @field_validator("only_store", mode="before")
    @classmethod
    def _names(cls, value: Any) -> Any:
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, (list, tuple)) or not names or not all(isinstance(name, str) for name in names):
            raise ValueError("expected a store's name or a list of names")
        return tuple(names)

    def holds_for(self, store: str) -> bool:
        """Tell whether the rule is for this store; ``""``: the shop-wide catalogue, without rules of one store."""
        return not self.only_store or store in self.only_store


class Rules(Settings):
    """All rules of a shop, in order; ``file`` is for messages."""

    rules: tuple[Rule, ...] = ()
    file: str = "rules.yaml"

    def where(self, index: int) -> str:
        """Return ``rules.yaml:12`` for the rule at this index."""
        return f"{self.file}:{self.rules[index].line}"

    def named_stores(self) -> set[str]:
        """Return the stores that any ``only_store`` names: each has its own catalogue."""
        return {name for rule in self.rules for name in rule.only_store}


def parse_rules(text: str, file: str = "rules.yaml", stores: Collection[str] | None = None) -> Rules:
    """Parse rules from YAML text. Raises RulesError that lists every fault with file, line and the closest known word.

    A rule for none of ``stores`` is also a fault.
    """
    data = load_yaml(text, file)
    if data is None:
        return Rules(file=file)
    if not isinstance(data, dict) or set(data) - {"rules"}:
        unknown = next((str(k) for k in data if k != "rules"), "") if isinstance(data, dict) else _shown(data)
        raise RulesError(f'{file}:1: expected one key "rules" with a list, found {unknown}', _EDIT)
    listed = data.get("rules")
    if listed is not None and not isinstance(listed, list):
        line = _line(data, ("rules",))
        raise RulesError(f"{file}:{line}: rules: expected a list of rules, found {_shown(listed)}", _EDIT)
    plain = [_plain(rule) for rule in listed or []]
    for index, rule in enumerate(plain):
        if isinstance(rule, dict):
            rule["line"] = _line(data, ("rules", index))
    try:
        rules = Rules.model_validate({"rules": plain, "file": file})
    except ValidationError as error:
        faults = dict.fromkeys(_explain(e, data, file) for e in error.errors())
        raise RulesError("\n".join(faults), _EDIT) from error
    if stores is not None:
        _check_stores(rules, stores)
    return rules


def _shown(value: Any) -> str:
    """A value of the file in a few words."""
    if isinstance(value, list):
        return "a list"
    return "keys and values" if isinstance(value, dict) else repr(value)[:60]


def _check_stores(rules: Rules, stores: Collection[str]) -> None:
    faults = [
        f'{rules.where(index)}: only_store: the shop has no store "{name}"; {closest(name, list(stores))}'
        for index, rule in enumerate(rules.rules)
        for name in rule.only_store
        if name not in stores
    ]
    if faults:
        raise RulesError("\n".join(faults), "edit the rules, or shop.toml, then run the same command again")


def _plain(node: Any) -> Any:
    """Convert ruamel's containers into plain ones, which pydantic accepts."""
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    if isinstance(node, str):
        return str(node)
    return int(node) if isinstance(node, int) and not isinstance(node, bool) else node


def _line(data: Any, location: tuple[Any, ...]) -> int:
    """Return the line of the deepest part of this location in the file."""
    node: Any = data
    line = 1
    for part in location:
        try:
            places = node.lc
            mark = places.key(part) if isinstance(node, dict) else places.item(part)
            line, node = mark[0] + 1, node[part]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return line


_KEYS: dict[str, list[str]] = {
    "match": list(Match.model_fields),
    "do": list(Do.model_fields),
    "create": list(Create.model_fields),
}

_TARGET = "{number: N} or {path: [names]}"
_UNIONS = {
    "merge": f"parent, root, {_TARGET}",
    "place": f"root, {_TARGET}",
    "under": f"root, {_TARGET}",
    "name": "a name, {glob: …} or {regex: …}",
    "type_id": "a type id or a list of them",
}


def _explain(error: Any, data: Any, file: str) -> str:
    """Return one line per fault, with the closest known key for a misspelt one."""
    location = tuple(error["loc"])
    keys = [part for part in location if isinstance(part, str) and not part[:1].isupper() and "literal" not in part]
    where = f"{file}:{_line(data, location)}"
    if error["type"] == "extra_forbidden":
        parent = next((part for part in reversed(keys[:-1]) if part in _KEYS), "")
        known = _KEYS.get(parent, [key for key in Rule.model_fields if key != "line"])
        return f'{where}: unknown key "{keys[-1]}"; {closest(keys[-1], known)}'
    field = ".".join(keys[1:]) or "rule"
    if keys and keys[-1] in _UNIONS and error["type"] != "value_error":
        return f"{where}: {field}: expected {_UNIONS[keys[-1]]}, found {error['input']!r}"
    return f"{where}: {field}: {error['msg'].removeprefix('Value error, ')}"
