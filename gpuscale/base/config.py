"""The configuration: options from YAML files, the environment and code, checked by one table.

A later source wins over an earlier one: the defaults of `options.OPTIONS`, the YAML files in
``/etc/gpuscale``, ``~/.config/gpuscale`` and ``$GPUSCALE_CONFIG``, environment variables such as
``GPUSCALE_ARRAY__CHUNK_SIZE``, and `set`. Built on donfig, which is loaded at the first use.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gpuscale.base.errors import ConfigError
from gpuscale.base.options import OPTIONS, Option

if TYPE_CHECKING:
    from donfig import Config

__all__ = [
    "allow",
    "check",
    "describe",
    "disallow",
    "get",
    "is_option",
    "of_what_is_right",
    "pop",
    "refresh",
    "set",
    "source",
    "to_dict",
]

_BY_KEY = {option.key: option for option in OPTIONS}
_SECTIONS = {key.rpartition(".")[0] for key in _BY_KEY} - {""}
# donfig reads where its files are from the same family of environment variables.
_OF_DONFIG = frozenset({"config", "root-config"})

_ENDINGS = (".json", ".yaml", ".yml")

_MISSING = object()
_loaded: list[Config] = []
_loading = threading.Lock()
_entered: list[_Setting] = []  # and not left yet, the oldest first
_setting = threading.Lock()


def get(key: str, default: Any = _MISSING, override_with: Any = None) -> Any:
    """Return the value of an option, or of a whole section as a dict.

    Parameters
    ----------
    key : str
        Name of the option, as ``"array.chunk-size"``; ``-`` and ``_`` mean the same.
    default : object, optional
        Returned for a name that is no option, instead of an error.
    override_with : object, optional
        Returned as it is unless None: for functions with an argument that outranks the option.

    Returns
    -------
    object
        Its value, in the unit that `describe` names.

    Raises
    ------
    ConfigError
        If there is no such option.

    Examples
    --------
    >>> get("array.chunk-size")
    '128 MiB'
    >>> get("array.chunksize")
    Traceback (most recent call last):
    gpuscale.base.errors.ConfigError: no option array.chunksize; did you mean array.chunk-size?
    """
    if override_with is not None:
        return override_with
    name = _spelled(key)
    if name not in _BY_KEY and name not in _SECTIONS:
        if default is not _MISSING:
            return default
        raise _unknown(key)
    return _store().get(name)


def set(arg: Mapping[str, Any] | None = None, **kwargs: Any) -> AbstractContextManager[Any]:
    """Set options of the process, for good or as a context manager.

    All threads see them, as with dask: what one thread sets, another computes with. Statements
    may be left in another order than they were entered, as among threads they are; when the last
    is left, the options are what they were before the first.

    Parameters
    ----------
    arg : mapping, optional
        Option names and values; nested mappings stand for sections.
    **kwargs : object
        The same with ``__`` for the dot and ``_`` for the hyphen: ``array__chunk_size=...``.

    Returns
    -------
    context manager
        Puts the old values back when it is left.

    Raises
    ------
    ConfigError
        If there is no such option, or it cannot take the value.

    Examples
    --------
    >>> with set({"array.chunk-size": "1 GiB"}, engine="sync"):
    ...     get("array.chunk-size"), get("engine")
    ('1 GiB', 'sync')
    >>> get("engine")
    'threads'
    """
    wanted = dict(arg or {})
    wanted.update({key.replace("__", "."): value for key, value in kwargs.items()})
    checked = {_spelled(key): _option(key).check(value) for key, value in _flat(wanted)}
    return _Setting(checked)


def check(key: str, value: Any) -> Any:
    """Return a value as an option would keep it: for arguments that stand for one.

    Raises
    ------
    ConfigError
        If the option cannot take the value.

    Examples
    --------
    >>> check("progress", "off")
    False
    """
    return _option(key).check(value)


def is_option(key: str) -> bool:
    """Whether there is an option of a name.

    Examples
    --------
    >>> is_option("memory_limit"), is_option("compression")
    (True, False)
    """
    return _spelled(key) in _BY_KEY


def allow(key: str, choice: str) -> None:
    """Let an option take one more of its choices, that of a plugin.

    Examples
    --------
    >>> allow("array.backend", "abacus")
    >>> with set({"array.backend": "abacus"}):
    ...     get("array.backend")
    'abacus'
    >>> disallow("array.backend", "abacus")
    """
    option = _option(key)
    if choice not in option.choices:
        _BY_KEY[option.key] = replace(option, choices=(*option.choices, choice))


def disallow(key: str, choice: str) -> None:
    """Take back what `allow` allowed."""
    option = _option(key)
    left = tuple(each for each in option.choices if each != choice)
    _BY_KEY[option.key] = replace(option, choices=left)


class _Setting:
    """Sets options when it is made; as a context manager, puts the old values back."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        with _setting:
            self._old = {key: _store().get(key) for key in values}
            _store().set(values)

    def __enter__(self) -> Mapping[str, Any]:
        with _setting:
            _entered.append(self)
        config: Mapping[str, Any] = _store().config
        return config

    def __exit__(self, *error: object) -> None:
        with _setting:
            later = _entered[_entered.index(self) + 1 :]
            _entered.remove(self)
            for key, value in self._old.items():
                heir = next((each for each in later if key in each._old), None)
                if heir is None:
                    _store().set({key: value})
                else:  # which found a value that is no longer meant
                    heir._old[key] = value


def pop(key: str) -> Any:
    """Return the value of an option and put its default back.

    Examples
    --------
    >>> _ = set(engine="sync")
    >>> pop("engine"), get("engine")
    ('sync', 'threads')
    """
    option = _option(key)
    value = get(option.key)
    set({option.key: option.default})
    return value


def refresh() -> None:
    """Read files and environment again, forgetting what `set` has changed.

    Raises
    ------
    ConfigError
        If a file or a variable names no option, or gives one a value that it cannot take.
    """
    with _loading, _setting:
        _loaded.clear()
        for each in _entered:
            each._old.clear()
    _store()


@contextmanager
def of_what_is_right() -> Iterator[None]:
    """Leave options at their defaults, while this lasts, where files and environment are mistaken.

    For telling what else holds: whoever computes is to mend them first.
    """
    with _loading:
        before = _loaded[:]
        _loaded[:] = [_load(only_right=True)]
    try:
        yield
    finally:
        _loaded[:] = before


def to_dict() -> dict[str, Any]:
    """Return all options with their present values.

    Examples
    --------
    >>> to_dict()["num-workers"]
    0
    """
    return {option.key: get(option.key) for option in OPTIONS}


def describe(key: str | None = None) -> str:
    """Explain one option, or all of them.

    Examples
    --------
    >>> print(describe("array.split-every"))
    array.split-every = 16 chunks (int, at least 2; environment GPUSCALE_ARRAY__SPLIT_EVERY)
        How many partial results one step of a tree reduction combines.
    """
    options = tuple(_BY_KEY.values()) if key is None else (_option(key),)
    return "\n".join(
        f"{option.key} = {get(option.key)}{' ' * bool(option.unit)}{option.unit} "
        f"({option.accepted}; environment {option.variable})\n    {option.help}"
        for option in options
    )


def source(key: str) -> str:
    """Say where the value of an option comes from.

    Examples
    --------
    >>> source("engine")
    'default'
    >>> with set(engine="sync"):
    ...     source("engine")
    'this program'
    """
    option = _option(key)
    loaded = _load()
    if get(option.key) != loaded.get(option.key):
        return "this program"
    return _source(option.key, loaded.paths) or "default"


def __getattr__(name: str) -> Any:
    if name == "config":  # the nested dict itself, where users of dask look for it
        return _store().config
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


# ------------------------------------------------------------------ the store


def _store() -> Config:
    if not _loaded:
        with _loading:
            if not _loaded:
                _loaded.append(_load())
    return _loaded[0]


def _load(only_right: bool = False) -> Config:
    from donfig import Config

    defaults = [_nested({o.key: o.default for o in OPTIONS})]
    try:
        store = Config("gpuscale", defaults=defaults)
    except ValueError as error:  # of a file, which it names
        if only_right:
            return Config("gpuscale", defaults=defaults, paths=[])
        raise ConfigError(" ".join(str(error).split())) from None
    wrong = []
    for key, value in list(_flat(store.config)):
        if _spelled(key) in _OF_DONFIG:
            continue
        try:
            store.set({key: _option(key).check(value)})
        except ConfigError as error:
            wrong.append(f"{error}; found in {_source(key, store.paths)}")
            if only_right and _spelled(key) in _BY_KEY:
                store.set({key: _BY_KEY[_spelled(key)].default})
    if wrong and not only_right:  # all at once, lest people mend one after the other
        mistaken = ConfigError("\n".join(wrong))
        mistaken.add_note("gpuscale.config.refresh() reads environment and files again")
        raise mistaken
    return store


def _source(key: str, paths: Iterable[str]) -> str:
    """Say where an option is set: in which variable, or in which file; empty for nowhere."""
    for variable in os.environ:
        words = variable.removeprefix("GPUSCALE_").lower().replace("__", ".")
        if variable.startswith("GPUSCALE_") and _spelled(words) == _spelled(key):
            return f"the environment variable {variable}"
    from donfig.config_obj import collect_yaml

    for file in reversed([file for path in paths for file in _files(path)]):
        if any(
            _spelled(key) == _spelled(name)
            for each in collect_yaml([file])
            for name, _ in _flat(each)
        ):
            return file
    return ""


def _files(path: str) -> list[str]:
    """Return the files that donfig reads for a path, in its order."""
    if not os.path.isdir(path):
        return [path]
    try:
        names = sorted(os.listdir(path))
    except OSError:
        return []
    return [os.path.join(path, name) for name in names if name.lower().endswith(_ENDINGS)]


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for key, value in flat.items():
        *sections, name = key.split(".")
        place = nested
        for section in sections:
            place = place.setdefault(section, {})
        place[name] = value
    return nested


def _flat(nested: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in nested.items():
        if isinstance(value, Mapping) and _spelled(f"{prefix}{key}") not in _BY_KEY:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _spelled(key: str) -> str:
    return key.replace("_", "-")


def _option(key: str) -> Option:
    option = _BY_KEY.get(_spelled(key))
    if option is None:
        raise _unknown(key)
    return option


def _unknown(key: str) -> ConfigError:
    import difflib  # of use only for this message

    near = difflib.get_close_matches(_spelled(key), _BY_KEY, n=1)
    advice = f"did you mean {near[0]}?" if near else f"there are: {', '.join(sorted(_BY_KEY))}"
    return ConfigError(f"no option {key}; {advice}")
