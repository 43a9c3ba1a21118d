"""What a flow declares beside its jobs: `[limits.NAME]`, `[targets.NAME]` and `[defaults]`.

In TOML these are tables; in JSON Lines the first line may be an object that has them and nothing else. `[defaults]`
holds fields for all jobs: what a job says itself wins, and its `env` is merged with theirs, variable by variable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, TypeVar

from holdfast.events.errors import BadInput
from holdfast.events.spec import LimitSpec, TargetSpec
from holdfast.events.units import DURATION_MAX_US, parse_rate

from .jobfields import Fields, job_of, read_fields
from .jobvalues import members, read_whole
from .names import check_label, check_limit_name
from .places import Misfit, expected, unknown_key, within
from .targetfields import read_target

T = TypeVar("T")

CONCURRENT_MAX: Final = 1_000_000_000
_LIMIT_KEYS: Final = ("concurrent", "rate", "burst")
# What can't be the same for all jobs: it is unique to one, or would make each depend on itself.
_NO_DEFAULTS: Final = ("name", "key", "after", "after_any", "after_failed")


class Declarations(NamedTuple):
    """What a flow declares; `defaults` are fields as `jobfields.read_fields` gives them."""

    limits: dict[str, LimitSpec]
    targets: dict[str, TargetSpec]
    defaults: Fields


KEYS: Final = Declarations._fields


def read_declarations(table: Mapping[str, object], folder: str) -> Declarations:
    """Check and convert the tables under `KEYS`; other keys are the caller's. Raises Misfit at the full path.

    `folder` is the absolute path of the flow's folder.
    """
    return Declarations(
        _named(table, "limits", check_limit_name, _read_limit),
        _named(table, "targets", check_label, lambda target: read_target(target, folder)),
        _read_defaults(table.get("defaults", {})),
    )


def with_defaults(fields: Fields, defaults: Fields) -> Fields:
    """A job's fields over the defaults."""
    if not defaults:
        return fields
    merged = {**defaults, **fields}
    env, default_env = fields.get("env"), defaults.get("env")
    if isinstance(env, dict) and isinstance(default_env, dict):
        merged["env"] = {**default_env, **env}
    return merged


def _named(
    table: Mapping[str, object], key: str, check: Callable[[object], str], read: Callable[[dict[str, object]], T]
) -> dict[str, T]:
    found: dict[str, T] = {}
    try:
        for name, value in members(table.get(key, {}), "a table of tables").items():
            try:
                found[check(name)] = read(members(value, "a table"))
            except BadInput as error:
                raise within(error, name) from None
    except BadInput as error:
        raise within(error, key) from None
    return found


def _read_limit(table: dict[str, object]) -> LimitSpec:
    concurrent: int | None = None
    interval_us: int | None = None
    burst = 1
    for key, value in table.items():
        if key not in _LIMIT_KEYS:
            raise unknown_key(key, _LIMIT_KEYS)
        try:
            match key:
                case "concurrent":
                    concurrent = read_whole(value, 1, CONCURRENT_MAX)
                case "rate":
                    interval_us = _read_rate(value)
                case _:
                    burst = read_whole(value, 1, CONCURRENT_MAX)
        except BadInput as error:
            raise within(error, key) from None
    if concurrent is None and interval_us is None:
        raise Misfit("the limit limits nothing", remedy='give it concurrent = 2, or rate = "10/s", or both')
    if interval_us is None and "burst" in table:
        raise Misfit("a burst without a rate means nothing", path=("burst",), remedy='give a rate, as in rate = "10/s"')
    if interval_us is not None and burst * interval_us > DURATION_MAX_US:
        problem = f"at this rate a burst of {burst} takes more than ten years to come back"
        raise Misfit(problem, path=("burst",), remedy="give a smaller burst or a higher rate")
    return LimitSpec(concurrent, interval_us, burst)


def _read_rate(value: object) -> int:
    if not isinstance(value, str):
        raise expected("a rate", value, 'write it with its unit, as in "10/s"')
    return parse_rate(value)


def _read_defaults(value: object) -> Fields:
    try:
        table = members(value, "a table of a job's fields")
        for key in _NO_DEFAULTS:
            if key in table:
                raise Misfit("this can't be the same for all jobs", path=(key,), remedy="give it to each job itself")
        fields = read_fields(table)
        # For what doesn't fit together already; each job may have a target of its own.
        job_of({"run": "true", "target": "another", **fields}, "/")
    except BadInput as error:
        raise within(error, "defaults") from None
    return fields
