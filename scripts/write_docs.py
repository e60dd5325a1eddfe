"""Writes the pages that are made from the code: ``python -m scripts.write_docs``. A test compares them.

``docs/cli.md`` comes from the command tree of typer. In ``docs/outputs.md`` the tables of
``report.json`` and ``plan.json`` come from their models; the text around them is written by hand.
"""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Iterator
from functools import cache
from inspect import cleandoc
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import typer
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

DOCS = Path(__file__).resolve().parent.parent / "docs"

CLI_HEAD = """# Command reference

<!-- Written by `python -m scripts.write_docs`. Do not edit by hand: a test compares it with the commands. -->

In a checkout the command is `sh run torgsync`, or `torgsync` once it is on your PATH
([install.md](install.md#the-command)).

- `SHOP` is a folder that holds `shop.toml`, or the name of one below `shops/`.
- `RUN` is the name of a run, the beginning of it, or `last`.
- Results go to standard output. Progress, warnings and errors go to standard error.
- Every command has `--help`, also `-h`. Nearly every command has `--json`.
"""


@cache
def command_tree() -> Any:
    """The root of the command tree, as typer makes it."""
    from cli.main import app

    return typer.main.get_command(app)


def leaves(command: Any, words: tuple[str, ...] = ("torgsync",)) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that does something, with the words that one types; groups are only walked through."""
    children = getattr(command, "commands", None)
    if not children:
        yield words, command
        return
    for name in sorted(children):
        if not children[name].hidden:
            yield from leaves(children[name], (*words, name))


def cli_page() -> str:
    """The whole page ``docs/cli.md``."""
    from schemas.errors import EXIT_CODES

    found = list(leaves(command_tree()))
    lines = [CLI_HEAD, "| command | what it does |", "|---|---|"]
    for words, command in found:
        name = " ".join(words)
        lines.append(f"| [`{name}`](#{name.replace(' ', '-')}) | {_first_line(command.help)} |")
    for words, command in found:
        lines += ["", *_command(" ".join(words), command)]
    lines += ["", "## Exit codes", "", "| code | meaning |", "|---|---|"]
    lines += [f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items()]
    lines += ["", "What to do about each of them: [operations.md](operations.md#exit-codes-and-what-to-do)."]
    return "\n".join(lines) + "\n"


def _first_line(text: str | None) -> str:
    return cleandoc(text or "").split("\n\n")[0].replace("\n", " ")


def _command(name: str, command: Any) -> Iterator[str]:
    yield f"## {name}"
    yield ""
    yield re.sub(r"(?<!\n)\n(?!\n)", " ", cleandoc(command.help or ""))
    options = [p for p in command.params if not p.hidden and p.name != "help"]
    words = [_argument(p) for p in options if _is_argument(p)]
    yield ""
    yield "    " + " ".join((name, *words, *(["[OPTIONS]"] if any(not _is_argument(p) for p in options) else [])))
    if options:
        yield ""
        yield "| argument or option | what it means | default |"
        yield "|---|---|---|"
        for param in options:
            yield f"| {_spelling(param)} | {_cell(param.help or '')} | {_default(param)} |"
    if command.epilog:
        yield ""
        yield re.sub(r"^Example: (.+)$", r"Example: `\1`", command.epilog)


def _is_argument(param: Any) -> bool:
    return not param.opts[0].startswith("-")


def _argument(param: Any) -> str:
    word = (param.metavar or param.name).strip("[].").upper()
    word += "..." if param.nargs == -1 else ""
    return word if param.required else f"[{word}]"


def _spelling(param: Any) -> str:
    if _is_argument(param):
        return f"`{_argument(param).strip('[]')}`"
    value = "" if param.is_flag else f" {param.metavar or _value_word(param)}"
    return ", ".join(f"`{option}{value}`" for option in (*param.opts, *param.secondary_opts))


def _value_word(param: Any) -> str:
    return str(param.name).rsplit("_", 1)[-1].upper()


def _default(param: Any) -> str:
    if param.required:
        return "required"
    if param.default is None or param.default is False or param.default == ():
        return ""
    return "on" if param.default is True else f"`{param.default}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


MEANINGS = {
    "run": "the run's name: date, time and eight hex digits",
    "shop": "the shop's name",
    "purpose": "which command it was",
    "started_at": "when it began, with the offset from UTC",
    "finished_at": "when it ended; empty while it runs",
    "outcome": "how it ended",
    "exit_code": "the command's exit code",
    "message": "what happened, for people; empty where it is ok",
    "next_step": "what to do, for people",
    "source": "what the base says of itself: dsn without a password, server, on-disk structure, charset, map",
    "counts": "rows of each table by our names, goods that are hidden or held, and others",
    "unmapped_types": "product types without a rule and without a section in Torgsoft",
    "unmapped_types[].type_id": "the product type's id",
    "unmapped_types[].path": "its names from the root",
    "unmapped_types[].decided_by": "the policy; none: no ancestor has a section either, so its goods are hidden",
    "unmapped_types[].category_number": "where its goods are shown; null: hidden",
    "unmapped_types[].category_path": "names of that category from the root",
    "rules": "what each merge rule did",
    "rules[].rule": "its place in rules.yaml, from 1",
    "rules[].line": "its line in rules.yaml",
    "rules[].reason": "its reason, as written there",
    "rules[].matched": "product types that it matches",
    "rules[].decided": "those for which it decides",
    "rules[].shadowed_by": "rules above it that decide for some of them",
    "number_changes": "section numbers whose section changed",
    "number_changes[].number": "the section's number",
    "number_changes[].kind": "what changed",
    "number_changes[].before": "what it meant in the last run",
    "number_changes[].after": "what it means now",
    "name_changes": "names that the names policy changed",
    "warnings": "what a person should know, for people",
    "stores": "one entry for each store",
    "stores[].name": "the store's name",
    "stores[].kind": "the store's kind",
    "stores[].outcome": "how it ended in this store",
    "stores[].message": "why it failed, for people",
    "stores[].notes": "what was cut, replaced or left out, for people",
    "refused[].entity": "the kind of the row that this store refused",
    "refused[].key": "its section number, good id or redirect's id",
    "refused[].name": "its name, for people",
    "refused[].reason": "the database's own words, without the row's values",
    "own_catalogues{}.catalogue": "fingerprint of the store's catalogue in history/",
    "own_catalogues{}.categories": "its categories",
    "own_catalogues{}.goods_hidden": "its goods without a category",
    "outputs": "files that were written into output/",
    "seconds": "how long each step took",
    "version": "of the plan file's form",
    "catalogue": "fingerprint of the catalogue that the stores shall hold",
    "extract": "fingerprint of what was read from the base",
    "settings": "fingerprint of shop.toml and rules",
    "base": "the run that was loaded last when the plan was made",
    "held": "keys that stay as they are, as their rows are in the quarantine",
    "retire": "keys that were absent for long enough",
    "redirects": "by id: old number, old path, number of the living category",
    "guards": "guards over their limit: those that would stop it, and those that only note it",
    "guards[].guard": "the guard's name",
    "guards[].level": "`stop`, or `tell`: the run goes on and the report says it",
    "guards[].store": "the store; empty: the whole shop",
    "guards[].measured": "rows that were measured",
    "guards[].limit": "rows that are allowed",
    "stores[].store": "the store's name",
    "stores[].before": "fingerprint of what the store held",
    "stores[].error": "why the store could not be read; it is left out then",
    "stores[].unplanned": "the store was read, and no plan could be made; absent: no",
    "stores[].own": "what differs for a store that has rules; null: nothing",
    "stores[].operations": "what would be done, in this order",
    "operations[].kind": "the operation: docs/plans.md",
    "operations[].entity": "what is changed",
    "operations[].key": "section number, good id or the redirect's id",
    "operations[].name": "its name, for people",
    "operations[].changes": "field → [old, new]",
}
"""Meanings of fields whose model does not describe them, by their path or the end of it."""


def fields(model: type[Any], prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Name, type and meaning of each field; those of inner models follow theirs with a dot, ``[]`` for lists."""
    for name, (annotation, told) in _declared(model).items():
        path = prefix + name
        ends = (path.split(".", depth)[-1] for depth in range(path.count(".") + 1))
        meaning = told or next((MEANINGS[end] for end in ends if end in MEANINGS), "")
        inner, shape = _inner(annotation)
        if inner is None:
            yield path, _type(annotation), meaning
        else:
            yield path, {"[]": "list", "{}": "object by name", "": "object"}[shape], meaning
            yield from fields(inner, f"{path}{shape}.")


def _declared(model: type[Any]) -> dict[str, tuple[Any, str]]:
    """Annotation and description of each field of a pydantic model or a dataclass."""
    if issubclass(model, BaseModel):
        return {name: (info.annotation, info.description or "") for name, info in model.model_fields.items()}
    hints = get_type_hints(model)
    return {field.name: (hints[field.name], "") for field in dataclasses.fields(model)}


def _inner(annotation: Any) -> tuple[type[Any] | None, str]:
    if _is_model(annotation):
        return annotation, ""
    for argument in get_args(annotation):
        if _is_model(argument):
            origin = get_origin(annotation)
            return argument, "[]" if origin in (list, tuple) else "{}" if origin is dict else ""
    return None, ""


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and (issubclass(annotation, BaseModel) or dataclasses.is_dataclass(annotation))


_TYPES = {str: "text", int: "integer", float: "number", bool: "true or false", NoneType: "null", Any: "any"}


def _type(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return "one of " + ", ".join(f"`{value}`" for value in arguments)
    if origin in (Union, UnionType):
        return " or ".join(_type(argument) for argument in arguments)
    if origin is list or (origin is tuple and arguments[-1] is Ellipsis):
        return f"list of {_type(arguments[0])}"
    if origin is tuple:
        return "[" + ", ".join(_type(argument) for argument in arguments) + "]"
    if origin is dict:
        return f"object: {_type(arguments[0])} → {_type(arguments[1])}"
    return _TYPES.get(annotation, getattr(annotation, "__name__", str(annotation)).lower())


def model_table(model: type[Any]) -> str:
    """A table of a model's fields, as Markdown."""
    rows = [f"| `{name}` | {_cell(kind)} | {_cell(meaning)} |" for name, kind, meaning in fields(model)]
    return "\n".join(["| field | type | meaning |", "|---|---|---|", *rows])


def outputs_page() -> str:
    """``docs/outputs.md`` with its generated tables made anew."""
    from schemas.plan import Plan
    from schemas.report import RunReport

    text = (DOCS / "outputs.md").read_text(encoding="utf-8")
    for name, model in (("report", RunReport), ("plan", Plan)):
        begin, end = f"<!-- begin {name}.json, generated -->\n", f"\n<!-- end {name}.json -->"
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            raise SystemExit(f"docs/outputs.md has no place for {name}.json")
        text = before + begin + model_table(model) + end + after
    return text


def generated() -> dict[Path, str]:
    """Each page that is made from the code, with what it must hold."""
    return {DOCS / "cli.md": cli_page(), DOCS / "outputs.md": outputs_page()}


def default_of(model: type[BaseModel], key: str) -> Any:
    """A setting's default; None where it must be given."""
    default = model.model_fields[key].get_default(call_default_factory=True)
    return None if default is PydanticUndefined else default


def main() -> int:
    """Write what differs."""
    for path, text in generated().items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"written: {path.relative_to(DOCS.parent)}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
