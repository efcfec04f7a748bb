"""What is expected of a value, in Chinese and English: validators raise it, with hints for mistyped names."""

from __future__ import annotations

import difflib
import errno
import ssl
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from ingest.base.config import SecretUnreadable
from ingest.domain.model.text import Text

_OS_ERRORS: Final = {
    errno.ENOENT: "不存在", errno.EACCES: "无权读取", errno.EPERM: "无权读取", errno.EISDIR: "是目录",
    errno.ENOTDIR: "路径中有一段不是目录", errno.ELOOP: "链接指向自身", errno.EIO: "读盘出错",
    errno.ENAMETOOLONG: "名称太长", errno.EMFILE: "打开的文件过多", errno.ESTALE: "文件服务器没有应答",
}  # fmt: skip


_UNKNOWN: Final = Text("原因不明", "for an unknown reason")


class InvalidValue(ValueError):
    """A value cannot be used: raised by validators, with what is expected instead."""

    def __init__(self, expected: Text) -> None:
        super().__init__(expected.en)
        self.expected = expected


def misplaced(*wrong: tuple[Sequence[str | int], Any, Text]) -> ValidationError:
    """Return the error for a check of a whole table: (keys at fault, value given, what is expected) for each fault."""
    problem = ((at, given, PydanticCustomError("misplaced", "{en}", _context(text))) for at, given, text in wrong)
    return ValidationError.from_exception_data(
        "table", [InitErrorDetails(type=error, loc=(*at,), input=given) for at, given, error in problem]
    )


def given_once(entries: str, key: str, given: Iterable[str], expected: Text, *taken: str) -> None:
    """Raise if two entries of a list have the same value of a key; each of them is a fault.

    Args:
        entries: the list's key.
        key: the key whose values must differ.
        given: the value of each entry.
        expected: in words.
        taken: values that none of them may have either.
    """
    names = list(given)
    times = Counter([*names, *taken])
    twice = [((entries, at, key), name, expected) for at, name in enumerate(names) if times[name] > 1]
    if twice:
        raise misplaced(*twice)


def expectation_in(context: dict[str, Any]) -> Text | None:
    """Return what our own validator expects, from the context of a Pydantic error; None: the error is Pydantic's."""
    error, expected = context.get("error"), context.get("text")
    if isinstance(error, InvalidValue):
        return error.expected
    return expected if isinstance(expected, Text) else None


def one_of(names: Iterable[str]) -> Text:
    """Return that one of these names is expected.

    >>> one_of(["a", "b"])
    Text(zh='a、b 之一', en='one of a, b')
    """
    listed = [*names]
    return Text(f"{'、'.join(listed)} 之一", f"one of {', '.join(listed)}")


def with_near(expected: Text, word: object, known: Iterable[str]) -> Text:
    """Return what is expected with the closest known names to a mistyped one, if any are close.

    >>> with_near(Text("信号", "a signal"), "CO_1", ["CO-1", "T"])
    Text(zh='信号；相近的有：CO-1', en='a signal; near: CO-1')
    """
    close = difflib.get_close_matches(str(word), sorted(known), n=3)
    if not close:
        return expected
    return Text(f"{expected.zh}；相近的有：{'、'.join(close)}", f"{expected.en}; near: {', '.join(close)}")


def with_reason(expected: Text, error: Exception, otherwise: Text = _UNKNOWN) -> Text:
    """Return what is expected with why the system refused; `otherwise`: the reason if the error gives none.

    >>> with_reason(Text("文件", "a file"), FileNotFoundError(2, "No such file or directory"))
    Text(zh='文件：不存在', en='a file: No such file or directory')
    """
    reason = _reason(error) or otherwise
    return Text(f"{expected.zh}：{reason.zh}", f"{expected.en}: {reason.en}")


def readable_secret(error: SecretUnreadable) -> Text:
    """Return that a secret is expected where none could be read, and why not; never its content."""
    if error.cause is not None:
        zh = f"文件 {error.place} {(_reason(error.cause) or _UNKNOWN).zh}"
    elif error.empty:
        zh = f"{error.place} 为空或没有设置"
    else:
        zh = f"文件 {error.place} 不是 UTF-8 文本"
    return Text(f"可读取的密钥：{zh}", f"a secret that can be read: {error}")


def _reason(error: Exception) -> Text | None:
    if not isinstance(error, OSError) or not error.strerror:
        return None
    numbered = not isinstance(error, ssl.SSLError)  # whose numbers are OpenSSL's own
    return Text(_OS_ERRORS.get(error.errno or 0, error.strerror) if numbered else error.strerror, error.strerror)


def _context(expected: Text) -> dict[str, Any]:
    return {"en": expected.en, "text": expected}
