"""`delayed`: plain Python functions, called later and side by side.

The file is not called delayed.py: the module would take the place of the function in `gpuscale`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from functools import cached_property, update_wrapper
from types import MethodType
from typing import TYPE_CHECKING, Any, NoReturn

from gpuscale.base.brief import name_of
from gpuscale.base.tokens import ATOMS, tokenize, tokenize_now
from gpuscale.collection import Collection
from gpuscale.expr.node import user_line
from gpuscale.graph.annotations import annotate_tasks
from gpuscale.graph.handle import Handle, kept, new_key, same, whole_key
from gpuscale.graph.lazy_values import handle_of
from gpuscale.graph.packing import PackedCall, Slot, pack, refuse_foreign
from gpuscale.graph.task import Task

if TYPE_CHECKING:
    from gpuscale.diagnostics.drawing import Drawing
    from gpuscale.diagnostics.explain import Explanation

__all__ = ["Delayed", "delayed"]


class _Nothing:
    def __repr__(self) -> str:
        return "<nothing>"


_NOTHING: Any = _Nothing()  # None is a value


def delayed(
    obj: Any = _NOTHING,
    *,
    name: str | None = None,
    pure: bool | None = None,
    nout: int | None = None,
    traverse: bool = True,
) -> Any:
    """Make a function that is called later, or a lazy value of any object.

    Parameters
    ----------
    obj : object
        A function: calling the result makes a task and returns a `Delayed`. Any other object
        becomes the `Delayed` of its value. Without it, a decorator with the other parameters.
    name : str, optional
        Key of the value that is not a function; by default a new one, or with ``pure`` one that
        equal values share.
    pure : bool, optional
        Whether equal calls are one task, known by its function and by what the arguments are when
        it is called, for which arrays are read. By default every call is a task of its own.
    nout : int, optional
        How many results the function returns, so that the `Delayed` can be unpacked.
    traverse : bool
        Whether lists, tuples, dictionaries, sets, slices and dataclasses are searched for lazy
        values: the object itself, or, of a function, the arguments of its calls.

    Returns
    -------
    Delayed or callable

    Raises
    ------
    ValueError
        If ``nout`` is negative or no integer.

    Notes
    -----
    Arguments may be `Delayed`, arrays of gpuscale (the task gets the whole NumPy array) and
    containers of both. Names and behaviour are those of ``dask.delayed``, but for ``traverse`` of a
    function, which there says nothing of arguments. Calls, also of methods, take ``dask_key_name=``
    and ``pure=``.

    Examples
    --------
    >>> import gpuscale as gs
    >>> @gs.delayed
    ... def add(x, y):
    ...     return x + y
    >>> total = add(add(1, 2), 3)
    >>> total
    Delayed('add-...')
    >>> total.compute()
    6
    >>> results = {(a, b): add(a, b) for a in range(2) for b in range(2)}
    >>> gs.compute(results)[0]
    {(0, 0): 0, (0, 1): 1, (1, 0): 1, (1, 1): 2}
    """
    if nout is not None and (not isinstance(nout, int) or isinstance(nout, bool) or nout < 0):
        raise ValueError(f"nout is the number of results, an integer >= 0, not {nout!r}")
    if obj is _NOTHING:
        return lambda function: delayed(
            function, name=name, pure=pure, nout=nout, traverse=traverse
        )
    if isinstance(obj, Delayed):
        return obj
    if callable(obj) and not isinstance(obj, Collection):
        refuse_foreign(obj)
        return DelayedFunction(obj, bool(pure), nout, traverse)
    return _value(obj, name, bool(pure), nout, traverse)


class Delayed(Handle):
    """The result of a call that has not happened; operators, attributes and items are calls too.

    Examples
    --------
    >>> words = delayed(["a", "b"])
    >>> (words + ["c"])[-1].upper().compute()
    'C'
    """

    __slots__ = ("_nout",)
    __array_ufunc__ = None  # arrays of NumPy and of ours leave operators to this class

    def __init__(self, task: Task, parents: tuple[Any, ...] = (), nout: int | None = None) -> None:
        self._task, self._parents, self._nout = task, parents, nout

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._task.key!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild_chain, (_flattened(self),)

    def compute(self, **options: Any) -> Any:
        """Compute this value; see `gpuscale.compute`."""
        from gpuscale.run import compute

        return compute(self, **options)[0]

    def persist(self, **options: Any) -> Delayed:
        """Compute this value now and keep it, also on disk; see `gpuscale.persist`."""
        from gpuscale.keeping import persist

        result: Delayed = persist(self, **options)[0]
        return result

    def explain(self, analyze: bool = False) -> Explanation:
        """Say what `compute` would do: tasks, and bytes as far as they are known, by function.

        What calls need is known where they stand in a block of ``gpuscale.annotate(memory=...)``.

        Parameters
        ----------
        analyze : bool
            Compute it as well, without keeping the result, and say what it took.

        Examples
        --------
        >>> parts = [delayed(abs)(k) for k in range(3)]
        >>> print(delayed(sum)(parts).explain())
        operations  node  tasks  reads  writes  largest task  line
        ----------  ----  -----  -----  ------  ------------  ...
        abs         Task      3    0 B     0 B           0 B  ...
        sum         Task      1    0 B     0 B           0 B  ...
        4 tasks; projected peak 0 B with two workers, memory limit ...
        """
        from gpuscale.diagnostics.explain import explain_calls

        return explain_calls([self], analyze)

    def visualize(self, filename: Any = None, **options: Any) -> Drawing:
        """Draw the tasks behind this value; see `gpuscale.visualize`."""
        from gpuscale.run import visualize

        return visualize(self, filename=filename, **options)

    def _recipe(self) -> tuple[Any, ...]:
        """What makes it again elsewhere: a function, and what that takes before the parents."""
        return _made_again, self._task, self._nout

    def _kept(self, value: Any) -> Delayed:
        """Return a Delayed of the same key that has its value already."""
        return Delayed(Task(self.key, kept, (), (value,), label="kept"), (), self._nout)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Delayed:
        """Call the function that this value will be."""
        return _call(operator.call, (self, *args), kwargs, *_said(kwargs))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"a Delayed has no attribute {name!r} before it is computed")
        return DelayedAttribute(self, name)

    def __getitem__(self, index: Any) -> Delayed:
        return _call(operator.getitem, (self, index), {})

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        raise TypeError("a Delayed cannot be changed: make a function that returns the new value")

    def __iter__(self) -> Iterator[Delayed]:
        if self._nout is None:
            raise TypeError(
                "nobody knows how many items a Delayed has before it is computed; say "
                "delayed(function, nout=2) for a function that returns two results"
            )
        item = _ItemOf(self._task.label, self._task.origin, self._nout)
        return (_call(item, (self, k), {}, name="getitem") for k in range(self._nout))

    def __len__(self) -> int:
        if self._nout is None:
            raise TypeError("a Delayed has no length before it is computed; say nout=")
        return self._nout

    def __bool__(self) -> NoReturn:
        raise TypeError(
            "a Delayed is neither true nor false before it is computed; call compute(), or put "
            "the condition into a delayed function"
        )

    def __hash__(self) -> int:
        return hash(self._task.key)


def _made_again(task: Task, nout: int | None, parents: tuple[Any, ...]) -> Delayed:
    return Delayed(task, parents, nout)


def _flattened(last: Delayed) -> list[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    """List a delayed value after all behind it, parents as places in the list.

    Pickling what holds what holds what ... ends where Python's stack does, some hundred calls deep.
    """
    places: dict[int, int] = {}
    parts: list[tuple[tuple[Any, ...], tuple[Any, ...]]] = []
    stack = [last]
    while stack:
        value = stack[-1]
        missing = [p for p in value._parents if isinstance(p, Delayed) and id(p) not in places]
        if missing and id(value) not in places:
            stack += missing
            continue
        stack.pop()
        if id(value) not in places:
            places[id(value)] = len(parts)
            parents = [_Place(places[id(p)]) if id(p) in places else p for p in value._parents]
            parts.append((value._recipe(), tuple(parents)))
    return parts


class _Place(int):
    """The place of a parent in a list of delayed values."""


def _rebuild_chain(parts: list[tuple[tuple[Any, ...], tuple[Any, ...]]]) -> Delayed:
    made: list[Delayed] = []
    for (make, *args), parents in parts:
        found = tuple(made[p] if isinstance(p, _Place) else p for p in parents)
        made.append(make(*args, found))
    return made[-1]


class DelayedFunction(Delayed):
    """A function whose calls are tasks."""

    __slots__ = ("__dict__", "_function", "_label", "_pure", "_traverse")

    def __init__(
        self, function: Callable[..., Any], pure: bool, nout: int | None, traverse: bool
    ) -> None:
        self._parents, self._nout = (), nout
        self._function, self._label, self._pure = function, name_of(function), pure
        self._traverse = traverse
        update_wrapper(self, function, updated=())

    @cached_property
    def _task(self) -> Task:  # type: ignore[override]
        """Of the function as a value among others, which few are: to find its token takes long."""
        key = f"{self._label}-{tokenize(self._function)[:16]}"
        return Task(key, same, (), (self._function,), label=self._label)

    def __repr__(self) -> str:
        return f"delayed({self._function!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return DelayedFunction, (self._function, self._pure, self._nout, self._traverse)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Delayed:
        """Make a task of one call."""
        if not kwargs and not self._pure and ATOMS.issuperset(map(type, args)):
            label = self._label  # the short way of most calls
            task = Task(new_key(label), self._function, (), args, 0, 0, 0, label, user_line())
            annotate_tasks((task,))
            return Delayed(task, (), self._nout)
        options = (*_said(kwargs, self._pure), self._nout, self._traverse, self._label)
        return _call(self._function, args, kwargs, *options)


class DelayedAttribute(Delayed):
    """An attribute of a lazy value; called, it is one task: the method."""

    __slots__ = ("_name", "_owner")

    def __init__(self, owner: Delayed, name: str) -> None:
        key = f"getattr-{tokenize(owner.key, name)[:16]}"
        task = Task(key, getattr, (owner.key,), (name,), label=name, origin=user_line())
        annotate_tasks((task,))
        super().__init__(task, (owner,))
        self._owner, self._name = owner, name

    def __call__(self, /, *args: Any, **kwargs: Any) -> Delayed:
        """Call the method."""
        options = _said(kwargs)
        return _call(_Method(self._name), (self._owner, *args), kwargs, *options, name=self._name)


class _ItemOf:
    """One of the results that a function was said to return."""

    def __init__(self, label: str, origin: tuple[str, int] | None, nout: int) -> None:
        self.label, self.origin, self.nout = label, origin, nout

    def __call__(self, results: Any, k: int) -> Any:
        try:
            return results[k]
        except (IndexError, KeyError, TypeError) as error:
            where = "" if self.origin is None else ", called at {}:{},".format(*self.origin)
            count = len(results) if hasattr(results, "__len__") else f"one {type(results).__name__}"
            raise type(error)(
                f"{self.label}{where} should give nout={self.nout} results, but gave {count}"
            ) from error


class _Method:
    """``obj.name(*args)`` as a function of obj."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def __name__(self) -> str:
        return self.name

    def __call__(self, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        return getattr(obj, self.name)(*args, **kwargs)


def _said(kwargs: dict[str, Any], pure: bool = False) -> tuple[Any, bool]:
    """Take out of arguments what is said of the call itself: its key, and whether it is pure."""
    said = kwargs.pop("pure", None)
    return kwargs.pop("dask_key_name", None), pure if said is None else bool(said)


def _call(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    key: Any = None,
    pure: bool = False,
    nout: int | None = None,
    traverse: bool = True,
    name: str = "",
) -> Delayed:
    label = name or name_of(function)
    if key is None:
        key = f"{label}-{tokenize_now(function, args, kwargs)}" if pure else new_key(label)
    # Most calls take lazy values first, then constants: their task needs no template.
    count = 0
    for each in args:
        if not isinstance(each, Delayed):
            break
        count += 1
    rest = args[count:]
    if not kwargs and ATOMS.issuperset(map(type, rest)):
        parents = args[:count]
        deps = tuple([each._task.key for each in parents])
        task = Task(key, function, deps, rest, label=label, origin=user_line())
        annotate_tasks((task,))
        return Delayed(task, parents, nout)
    found: dict[Any, Slot] = {}
    parents_of: list[Any] = []

    def slot_of(value: Any) -> Slot | None:
        parent = value if isinstance(value, Collection) else handle_of(value)
        if parent is None:
            return None
        dep = parent.key if isinstance(parent, Handle) else whole_key(parent)
        if dep not in found:
            found[dep] = Slot(len(found))
            parents_of.append(parent)
        return found[dep]

    packed = pack(args, slot_of) if traverse else tuple(pack(a, slot_of, False) for a in args)
    named = {k: pack(v, slot_of, traverse) for k, v in kwargs.items()}
    if not found and not kwargs:
        task = Task(key, function, (), args, label=label, origin=user_line())
    else:
        call = PackedCall(function, packed, named)
        task = Task(key, call, tuple(found), (), label=label, origin=user_line())
    annotate_tasks((task,))
    return Delayed(task, tuple(parents_of), nout)


def _value(obj: Any, name: str | None, pure: bool, nout: int | None, traverse: bool) -> Delayed:
    key = name or (f"{type(obj).__name__}-{tokenize_now(obj)}" if pure else None)
    return _call(same, (obj,), {}, key, False, nout, traverse, type(obj).__name__)


def _reflected(function: Callable[..., Any]) -> Callable[..., Any]:
    def reflected(self: Any, other: Any) -> Delayed:
        return _call(function, (other, self), {})

    return reflected


def _operator(function: Callable[..., Any]) -> Callable[..., Any]:
    def operate(self: Any, *others: Any) -> Delayed:
        return _call(function, (self, *others), {})

    return operate


_BINARY = "add sub mul matmul truediv floordiv mod pow lshift rshift and or xor"
_COMPARED_OR_UNARY = "lt le eq ne gt ge neg pos abs invert"


def _add_operators() -> None:
    by_name = {name: getattr(operator, f"__{name}__") for name in _BINARY.split()}
    for name, function in {**by_name, "divmod": divmod}.items():
        setattr(Delayed, f"__{name}__", _operator(function))
        setattr(Delayed, f"__r{name}__", _reflected(function))
    for name in _COMPARED_OR_UNARY.split():
        setattr(Delayed, f"__{name}__", _operator(getattr(operator, f"__{name}__")))


_add_operators()
