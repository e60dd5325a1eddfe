"""Keeps the extract and catalogue of every run as Parquet, and its plan, for rollback, resume and replay.

The fingerprint of a catalogue names its folder, so that nights without a change share one. Folders are created
atomically.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar
from uuid import uuid4

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pandera.pandas import DataFrameSchema
from pydantic import ValidationError

from files.atomic import force, make_folder, restrict, write_file
from schemas.catalogue import CATALOGUE_SCHEMAS, Catalogue
from schemas.command import COMMAND
from schemas.errors import StalePlan, StateError, TorgsyncError
from schemas.extract import Extract
from schemas.plan import Plan
from schemas.tables import INTEGER, RAW_GOODS, RAW_PRODUCT_TYPES, RAW_SECTIONS, TEXT, conform
from state.content import fingerprint_of

EXTRACT_SCHEMAS = {"product_types": RAW_PRODUCT_TYPES, "sections": RAW_SECTIONS, "goods": RAW_GOODS}
_PART = ".part-"
P = ParamSpec("P")
T = TypeVar("T")


def _told(method: Callable[P, T]) -> Callable[P, T]:
    """Let what the disk refuses be a StateError."""

    @wraps(method)
    def called(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(*args, **kwargs)
        except (OSError, pa.ArrowException) as error:
            told = getattr(error, "strerror", None) or str(error).splitlines()[0]
            where = getattr(error, "filename", None) or "history/"
            raise StateError(
                f"the history cannot be written or read: {where}: {told}",
                "free space, or correct the rights of the folder history/, then run again",
            ) from error

    return called


class History:
    """The folder ``history`` of a shop."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[str, Catalogue] = {}  # a run reads the last catalogue several times

    @_told
    def save_catalogue(self, catalogue: Catalogue) -> str:
        """Keep a catalogue; returns its fingerprint."""
        return self._save("catalogues", catalogue.tables())

    def catalogue(self, fingerprint: str) -> Catalogue:
        """Return a kept catalogue. Raises StalePlan when it was deleted."""
        if fingerprint not in self._read:
            self._read[fingerprint] = self.read_catalogue(fingerprint)
        return self._read[fingerprint]

    def read_catalogue(self, fingerprint: str) -> Catalogue:
        """Return a kept catalogue without caching it, for catalogues that are read once."""
        return Catalogue(**self._load("catalogues", fingerprint, CATALOGUE_SCHEMAS))

    def categories(self, fingerprint: str) -> pd.DataFrame:
        """Return only the categories of a kept catalogue. Raises StalePlan when it was deleted."""
        schemas = {"categories": CATALOGUE_SCHEMAS["categories"]}
        return self._load("catalogues", fingerprint, schemas)["categories"]

    @_told
    def has_catalogue(self, fingerprint: str) -> bool:
        """Tell whether a catalogue is kept."""
        return bool(fingerprint) and (self.folder / "catalogues" / fingerprint[:20]).is_dir()

    @_told
    def save_extract(self, extract: Extract) -> str:
        """Keep an extract; returns its fingerprint."""
        return self._save("extracts", {name: getattr(extract, name) for name in EXTRACT_SCHEMAS})

    def extract(self, fingerprint: str) -> Extract:
        """Return a kept extract. Raises StalePlan when it was deleted."""
        found = self._load("extracts", fingerprint, EXTRACT_SCHEMAS)
        return Extract(found["product_types"], found["sections"], found["goods"])

    @_told
    def save_plan(self, run: str, plan: Plan) -> Path:
        """Keep a run's plan."""
        path = self.folder / "plans" / f"{run}.json"
        make_folder(path.parent)
        text = plan.to_json().encode()
        write_file(path, lambda stream: stream.write(text))
        return path

    @_told
    def runs_with_plans(self) -> set[str]:
        """Return the runs whose plan is kept."""
        return {path.stem for path in (self.folder / "plans").glob("*.json")}

    @_told
    def plan(self, run: str) -> Plan | None:
        """Return the plan of a run; None where the run ended before it had one."""
        path = self.folder / "plans" / f"{run}.json"
        return read_plan(path) if path.is_file() else None

    @_told
    def forget(self, catalogues: Collection[str], extracts: Collection[str], runs: Collection[str]) -> None:
        """Delete all catalogues, extracts and plans except these."""
        for kind, keep in (("catalogues", catalogues), ("extracts", extracts)):
            names = {fingerprint[:20] for fingerprint in keep}
            for path in _listed(self.folder / kind):
                if path.name not in names:
                    # rename first: a half-deleted folder would look complete when the same content comes again
                    renamed = path if path.name.startswith(_PART) else path.rename(path.with_name(_part_name()))
                    shutil.rmtree(renamed)
        for path in _listed(self.folder / "plans"):
            if path.stem not in runs:
                path.unlink()

    def _save(self, kind: str, frames: Mapping[str, pd.DataFrame]) -> str:
        tables = {name: pa.Table.from_pandas(frame, preserve_index=False) for name, frame in frames.items()}
        fingerprint = fingerprint_of(tables)
        target = self.folder / kind / fingerprint[:20]
        if target.is_dir():
            return fingerprint
        parts = self.folder / kind / _part_name()
        make_folder(parts)
        try:
            for name, table in tables.items():
                path = parts / f"{name}.parquet"
                pq.write_table(table.replace_schema_metadata(), path, compression="zstd")
                restrict(path)
                force(path)
            parts.replace(target)
            force(target.parent)
            return fingerprint
        finally:
            shutil.rmtree(parts, ignore_errors=True)

    def _load(self, kind: str, fingerprint: str, schemas: Mapping[str, DataFrameSchema]) -> dict[str, pd.DataFrame]:
        folder = self.folder / kind / fingerprint[:20]
        if not fingerprint or not folder.is_dir():
            raise StalePlan(
                f"the history holds no {kind[:-1]} {fingerprint[:20] or 'of that run'} any more",
                f"raise history.keep_runs for the future; choose a newer run ({COMMAND} runs), or make a new plan",
            )
        out = {}
        for name, schema in schemas.items():
            path = folder / f"{name}.parquet"
            try:
                frame = pq.read_table(path).to_pandas(types_mapper=_dtype)
            except (OSError, pa.ArrowException) as error:
                raise TorgsyncError(
                    f"the history is damaged: {path} cannot be read: {str(error).splitlines()[0]}",
                    f"put {folder} back from a backup; or delete that folder: if it is what was loaded last, the guard"
                    " «no_history» then asks whether to continue without it",
                ) from error
            out[name] = conform(_plain_lists(frame, schema), schema)
        return out


def _part_name() -> str:
    return f"{_PART}{uuid4().hex[:8]}"


def _dtype(kind: pa.DataType) -> Any:
    """Return the dtype of our tables for a type of a file, so that ``conform`` needs no conversion."""
    if pa.types.is_int64(kind):
        return INTEGER
    return TEXT if pa.types.is_string(kind) or pa.types.is_large_string(kind) else pd.ArrowDtype(kind)


def _plain_lists(frame: pd.DataFrame, schema: DataFrameSchema) -> pd.DataFrame:
    lists = {
        name: pd.Series([list(value) for value in frame[name]], index=frame.index, dtype=object)
        for name, column in schema.columns.items()
        if pd.api.types.is_object_dtype(column.dtype.type)
    }
    return frame.assign(**lists)


def _listed(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def read_plan(path: Path) -> Plan:
    """Read a plan file. Raises TorgsyncError when it is not one, or of another version of torgsync."""
    try:
        text = path.read_text(encoding="utf-8")
        plan = Plan.model_validate_json(text)
    except (OSError, UnicodeDecodeError) as error:
        raise TorgsyncError(f"{path}: cannot be read: {error}", f"give the file that {COMMAND} plan wrote") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise TorgsyncError(
            f"{path} is not a plan file: {where}: {first['msg']}", f"make one: {COMMAND} plan"
        ) from error
    if plan.to_json() != text:
        raise StalePlan(f"{path} was changed by hand after it was made", f"make a new plan: {COMMAND} plan")
    return plan
