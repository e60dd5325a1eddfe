"""Settings of a shop: ``shop.toml`` as pydantic models. Unknown keys are errors that name the closest known key."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from schemas.errors import SettingsError, closest
from schemas.guards import guard_setting
from schemas.numbers import MAX_NUMBER
from schemas.settings.alerts import AlertsSettings
from schemas.settings.base import Settings
from schemas.settings.claims import shop_claims
from schemas.settings.files import first_clash
from schemas.settings.names import MAX_NAME, Name, NamesSettings
from schemas.settings.schedule import ApprovalSettings, ScheduleSettings
from schemas.settings.stores import KINDS, StoreSettings
from schemas.trs import ALL_COLUMNS


class TypesMap(Settings):
    """Where the product types are: table and column names of the shop's own base."""

    table: str
    id: str
    parent: str
    name: str
    section: str
    roots: tuple[int, ...] = Field((), description="parent values that mean «no parent» beside NULL")


class SectionsMap(Settings):
    """Where the synchronization sections are."""

    table: str
    key: str
    parent: str
    name: str
    number: str
    roots: tuple[int, ...] = Field((), description="parent values that mean «no parent» beside NULL")


class GoodsMap(Settings):
    """Where the goods are. ``columns`` maps our field names (``retail_price``) to the base's column names."""

    table: str
    id: str
    type: str
    name: str
    position: str | None = Field(None, description="column that orders the goods in the sync file; default: the id")
    columns: dict[str, str] = Field(default_factory=dict)

    @field_validator("columns")
    @classmethod
    def _known_fields(cls, value: dict[str, str]) -> dict[str, str]:
        known = [c.field for c in ALL_COLUMNS.values() if c.owner == "good" and c.field not in ("good_id", "good_name")]
        for field in value:
            if field not in known:
                raise ValueError(f'no field "{field}": {closest(field, known)}')
        return value


class SchemaMap(Settings):
    """Table and column names of one base (domain.md section 3: the vendor publishes none, they differ by shop)."""

    product_types: TypesMap
    sections: SectionsMap
    goods: GoodsMap


class SourceSettings(Settings):
    """How to reach the Torgsoft base. It is only ever read."""

    dsn: str = Field(description="a file, or host/port:path")
    user: str = "SYSDBA"
    password_env: str | None = Field(None, description="name of the environment variable that holds the password")
    charset: str = Field("WIN1251", description="charset of text columns that the base declares as NONE")
    map: str | SchemaMap = "stand-in"
    timeout_seconds: float = Field(300, gt=0, le=86_400, description="seconds without a row until the read is given up")
    tries: int = Field(3, ge=1, le=10, description="how often the base is read where the network fails")


UnmappedPolicy = Literal["inherit", "create", "hide", "error"]
"""What becomes of a type without a section of its own (design.md section 4)."""


class SectionsSettings(Settings):
    """How a type without a section of its own is treated, and where new numbers start."""

    unmapped: UnmappedPolicy = "inherit"
    rules: str | None = Field(None, description="path of rules.yaml")
    first_number: int = Field(10_001, ge=1, le=MAX_NUMBER, description="the registry's first number")
    expected_roots: int | None = Field(None, ge=1, description="stop when the types have another number of roots")


class QuarantineSettings(Settings):
    """How many rejected rows a run may have before it stops ahead of the load (exit code 5)."""

    max_rows: int | None = Field(None, ge=0, description="greatest count of rejected rows; 0: none allowed")
    max_share: float = Field(0.05, ge=0, le=1, description="greatest share of rejected rows of one table")


class GuardsSettings(Settings):
    """What stops a run before the first write: keys, defaults and bounds are declared in ``schemas.guards``.

    Up to 10 rows may pass whatever the share, below half of the rows; a share of 0 allows none.
    """

    max_removed_share: float = guard_setting("max_removed_share")
    max_removed: int | None = guard_setting("max_removed")
    max_short_share: float = guard_setting("max_short_share")
    max_moved_share: float = guard_setting("max_moved_share")
    max_moved_categories_share: float = guard_setting("max_moved_categories_share")
    max_renamed_share: float = guard_setting("max_renamed_share")
    max_changed_share: float = guard_setting("max_changed_share")
    max_lost_newest: int = guard_setting("max_lost_newest")
    max_price_share: float = guard_setting("max_price_share")
    max_sold_out_share: float = guard_setting("max_sold_out_share")
    tell_sold_out_share: float = guard_setting("tell_sold_out_share")
    max_broken_share: float = guard_setting("max_broken_share")
    max_growth_share: float = guard_setting("max_growth_share")
    max_close_guards: int = guard_setting("max_close_guards")
    drift_factor: float = guard_setting("drift_factor")


class RemovalsSettings(Settings):
    """What becomes of categories and goods that Torgsoft has no more: hidden at once, retired later, never deleted."""

    retire_after_nights: int = Field(30, ge=1, description="nights of absence after which they are retired")


class RedirectsSettings(Settings):
    """Old addresses of categories."""

    keep_months: int = Field(12, ge=1, le=1200, description="months for which an old address of a category leads on")


class HistorySettings(Settings):
    """What is kept to go back to."""

    keep_runs: int = Field(60, ge=1, description="successful runs whose extract, catalogue and plan are kept")


class StateSettings(Settings):
    """Where torgsync remembers what it did: SQLite beside shop.toml, or one PostgreSQL for many shops."""

    url: str | None = Field(None, description="SQLAlchemy URL without a password; default: state.db beside shop.toml")
    url_env: str | None = Field(None, description="environment variable that holds the whole URL, for a password")

    @model_validator(mode="after")
    def _one_url(self) -> StateSettings:
        if self.url is not None and self.url_env is not None:
            raise ValueError("give url or url_env, not both")
        return self


class Shop(Settings):
    """One Torgsoft base with its rules and stores. ``folder`` is where ``shop.toml`` lies."""

    name: Name
    folder: Path = Field(exclude=True)
    warnings: tuple[str, ...] = Field((), exclude=True, description="what every run reports about shop.toml itself")
    source: SourceSettings
    sections: SectionsSettings = SectionsSettings()
    names: NamesSettings = NamesSettings()
    quarantine: QuarantineSettings = QuarantineSettings()
    guards: GuardsSettings = GuardsSettings()
    removals: RemovalsSettings = RemovalsSettings()
    redirects: RedirectsSettings = RedirectsSettings()
    history: HistorySettings = HistorySettings()
    alerts: AlertsSettings = AlertsSettings()
    state: StateSettings = StateSettings()
    schedule: ScheduleSettings = Field(default_factory=ScheduleSettings)
    approval: ApprovalSettings = ApprovalSettings()
    output_mode: str | None = Field(
        None, pattern=r"^0?6[046][04]$", description="rights of new files for readers, as 0644; default: 0640"
    )
    stores: tuple[StoreSettings, ...] = ()

    @model_validator(mode="after")
    def _stores_are_distinct(self) -> Shop:
        names = [store.name for store in self.stores]
        if len(set(names)) < len(names):
            raise ValueError("two stores have the same name")
        for name in names:
            if len(f"{self.name}/{name}") > MAX_NAME:
                raise ValueError(f"the names of the shop and of store {name} are longer than {MAX_NAME - 1} together")
        return self

    @model_validator(mode="after")
    def _files_are_distinct(self) -> Shop:
        if clash := first_clash(shop_claims(self, {})):
            raise ValueError(f"{clash.sentence}; {clash.next_step}")
        return self

    @property
    def output(self) -> Path:
        """Folder of the last run's catalogue and report."""
        return self.folder / "output"

    @property
    def new_file_mode(self) -> int | None:
        """Rights of a new file in the outputs and in the stores on this machine; None: private (``files.atomic``)."""
        return None if self.output_mode is None else int(self.output_mode, 8)

    def path(self, text: str) -> Path:
        """A path from the settings; relative ones are relative to ``shop.toml``."""
        return (self.folder / Path(text).expanduser()).resolve()


OLD_KEYS: dict[tuple[str, str], str] = {
    ("guards", "max_newest_gone"): "max_lost_newest",
    ("removals", "retire_after"): "retire_after_nights",
    ("stores", "timeout"): "timeout_seconds",
}
"""Table and key as they were called → the key's name now. The old names work on, each with one warning."""

_NOT_IN_THE_FILE = ("folder", "warnings")


def parse_shop(text: str, file: Path) -> Shop:
    """The shop that ``shop.toml`` describes; ``file`` is where it lies, for messages and for relative paths.

    Raises SettingsError that lists every fault with file, key and closest match.
    """
    data = toml_data(text, file)
    warnings = rename_keys(data, file)
    for key in _NOT_IN_THE_FILE:
        if key in data:
            raise SettingsError(f"{file}:\n  {key}: unknown key; {closest(key, _known_keys((key,)))}", "edit the file")
    if unreadable := with_nul(data):
        told = "\n".join(f"  {'.'.join(map(str, place))}: holds the character U+0000" for place in unreadable)
        raise SettingsError(f"{file}:\n{told}", "edit the file")
    try:
        return Shop.model_validate({**data, "folder": file.parent, "warnings": warnings})
    except ValidationError as error:
        raise SettingsError(f"{file}:\n" + "\n".join(_explain(e) for e in error.errors()), "edit the file") from error


def with_nul(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where a text holds the character U+0000, which no path, name or URL may."""
    if isinstance(value, dict):
        return [found for key, each in value.items() for found in with_nul(each, (*place, key))]
    if isinstance(value, list):
        return [found for number, each in enumerate(value) for found in with_nul(each, (*place, number))]
    return [place] if isinstance(value, str) and "\0" in value else []


def toml_data(text: str, file: Path) -> dict[str, Any]:
    """The tables of ``shop.toml``. Raises SettingsError for what is not TOML."""
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, ValueError) as error:  # ValueError: a number of 5,000 digits
        raise SettingsError(f"{file}: not valid TOML: {error}", "edit the file") from error
    except RecursionError as error:
        raise SettingsError(f"{file}: not valid TOML: too many brackets in each other", "edit the file") from error


def rename_keys(data: dict[str, Any], file: Path) -> list[str]:
    """Give old keys their new names, in place, and return the warnings. Raises SettingsError where both are there."""
    warnings = []
    for (table, old), new in OLD_KEYS.items():
        found = data.get(table)
        tables = found if isinstance(found, list) else [found]
        old_ones = [keys for keys in tables if isinstance(keys, dict) and old in keys]
        for keys in old_ones:
            if new in keys:
                told = f"{table}.{old}: the old name of {new}, which is there too"
                raise SettingsError(f"{file}:\n  {told}", "remove one")
            keys[new] = keys.pop(old)
        if old_ones:
            title = f"[[{table}]]" if isinstance(found, list) else f"[{table}]"
            warnings.append(f"{file.name}: {title} {old} is now called {new}; rename it, the old name still works")
    return warnings


def _explain(error: Any) -> str:
    """One line per fault of the settings."""
    where = ".".join(str(part) for part in error["loc"] if part not in (*KINDS, "SchemaMap", "str"))
    if error["type"] == "extra_forbidden":
        return f"  {where}: unknown key; {closest(str(error['loc'][-1]), _known_keys(error['loc']))}"
    return f"  {where}: {error['msg'].removeprefix('Value error, ')}"


def _known_keys(location: tuple[Any, ...]) -> list[str]:
    """The keys that the table at this place of shop.toml may have."""
    tables: dict[str, type[BaseModel]] = {
        "source": SourceSettings,
        "sections": SectionsSettings,
        "names": NamesSettings,
        "guards": GuardsSettings,
        "removals": RemovalsSettings,
        "redirects": RedirectsSettings,
        "history": HistorySettings,
        "alerts": AlertsSettings,
        "state": StateSettings,
        "schedule": ScheduleSettings,
        "approval": ApprovalSettings,
        "quarantine": QuarantineSettings,
        **KINDS,
        "map": SchemaMap,
        "product_types": TypesMap,
        "goods": GoodsMap,
    }
    model: type[BaseModel] = Shop
    for part in location[:-1]:
        model = SectionsMap if part == "sections" and "map" in location else tables.get(str(part), model)
    return [key for key in model.model_fields if key not in _NOT_IN_THE_FILE]
