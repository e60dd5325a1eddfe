"""Reads a YAML file that anybody may have written: refuses, with file and line, what would cost memory, time or safety.

The text is looked through as a flat stream of events first, so nothing is built out of a file that is refused.
"""

from __future__ import annotations

from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from schemas.errors import RulesError

MAX_DEPTH = 20
"""Levels of lists and mappings in each other: rules need seven."""

MAX_NODES = 500_000
"""Values of a file, those of an alias counted each time: nine lines of aliases can mean a thousand million values."""

_PLAIN_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "seq", "map")} | {"!"}


def load_yaml(text: str, file: str) -> Any:
    """The data with its lines, as ruamel reads it. Raises RulesError that names ``file`` and line."""
    try:
        _look_through(text, file)
        return YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _refused(file, line, f"not valid YAML: {error.problem or error}") from error
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _refused(
            file, line, f"not valid YAML: the character U+{_code(error.character):04X} is not allowed"
        ) from error
    except (YAMLError, ValueError, TypeError, RecursionError) as error:  # a number of 5,000 digits, a list as a key
        told = (str(error).splitlines() or [type(error).__name__])[0]
        raise _refused(file, 1, f"not valid YAML: {told}") from error


def _look_through(text: str, file: str) -> None:
    """Raise RulesError for what is nested too deep, multiplies itself by aliases, or has a tag."""
    whole: dict[str, int] = {}  # values below each anchor that is complete
    opened: list[tuple[str | None, int]] = []  # its anchor and the values counted before it
    nodes = 0
    for event in YAML(typ="rt").parse(text):
        kind, line = type(event).__name__, event.start_mark.line + 1
        anchor = getattr(event, "anchor", None)
        if kind in ("SequenceStartEvent", "MappingStartEvent"):
            opened.append((anchor, nodes))
            if len(opened) > MAX_DEPTH:
                raise _refused(file, line, f"more than {MAX_DEPTH} levels of brackets or indents")
        if kind in ("SequenceEndEvent", "MappingEndEvent"):
            named, before = opened.pop()
            if named is not None:
                whole[named] = nodes - before
            continue
        if kind == "AliasEvent":
            if anchor not in whole:
                raise _refused(file, line, f"the alias *{anchor} stands for nothing that ends before it")
            nodes += whole[anchor]
        elif kind == "ScalarEvent" and anchor is not None:
            whole[anchor] = 1
        nodes += 1
        if nodes > MAX_NODES:
            raise _refused(file, line, f"aliases and values stand for more than {MAX_NODES:,} values")
        tag = getattr(event, "tag", None)
        if tag is not None and str(tag) not in _PLAIN_TAGS:
            raise _refused(file, line, f"the tag {tag} is not allowed: write plain values")


def _code(character: Any) -> int:
    return character if isinstance(character, int) else ord(str(character)[:1] or "\0")


def _refused(file: str, line: int, why: str) -> RulesError:
    return RulesError(f"{file}:{line}: {why}", "edit the rules, then run the same command again")
