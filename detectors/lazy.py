"""An attribute computed on first use and kept: `functools.cached_property` without its lock.

A batch is judged by one thread, and a dozen of its columns are asked for once each: the lock cost more than they do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class lazy(Generic[T]):  # noqa: N801  reads as a decorator
    """Turn a method into an attribute that is computed once.

    >>> class Square:
    ...     def __init__(self, side): self.side = side
    ...     @lazy
    ...     def area(self): return self.side * self.side
    >>> Square(3).area
    9
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> lazy[T]: ...

    @overload
    def __get__(self, instance: object, owner: type) -> T: ...

    def __get__(self, instance: object | None, owner: type) -> lazy[T] | T:
        if instance is None:
            return self
        value = instance.__dict__[self._name] = self._compute(instance)
        return value
