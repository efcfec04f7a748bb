"""Puts why data, servers and addresses cannot be used into Chinese, for people at a terminal or who read why it ended.

Known are our own messages, and the usual ones of the system, SQLite and PostgreSQL.
"""

from __future__ import annotations

import re
from typing import Final

from ingest.base.config import SecretUnreadable
from ingest.domain.model.expectations import readable_secret

_PROBLEMS: Final = tuple(
    (re.compile(english, re.DOTALL), chinese)
    for english, chinese in (
        (r"the state database has seen entry (\d+), journal\.db ends at (\d+): .+",
         "状态库已处理到第 {1} 条，日志库只到第 {2} 条，不是同一时刻的。请从同一备份恢复二者，或都移开后重新开始"),
        (r"a journal of version (\d+); this yujing reads up to (\d+)\. .+",
         "日志库为第 {1} 版，本程序最高能读第 {2} 版：请用写入它的版本运行"),
        (r"a journal of version (\d+); expected (\d+)\. .+", "日志库为第 {1} 版，应为第 {2} 版：旧版由服务启动时升级"),
        (r"a state database of version (.+); this yujing reads up to (\S+)\. .+",
         "状态库为 {1} 版，本程序最高能读 {2} 版：请用写入它的版本运行，或恢复升级前的备份"),
        (r"of version (\S+), not (\S+): .+", "为 {1} 版，不是 {2} 版：请用写入它的版本修复"),
        (r"another process writes here; stop it first", "另一进程正在写入，请先停止它"),
        (r"another session writes here \((.+)\); stop it first", "另一会话正在写入（{1}），请先停止它"),
        (r"the server has not ended our earlier session yet \((.+)\)", "服务器还没有结束本服务原来的会话（{1}）"),
        (r"another write has not ended within (\S+) s", "另一次写入超过 {1} 秒仍未结束"),
        (r"no answer within (\S+) s", "服务器 {1} 秒内没有应答"),
        (r"another service has written here .+", "连接中断之后，另一服务写入过"),
        (r"all connections are in use", "连接都已占用"),
        (r"closed", "已关闭"),
        (r"opened to be read only", "只以只读方式打开"),
        (r"there is a file already; move it away first", "文件已存在，请先移开"),
        (r"there is nothing in it; restore a backup", "其中没有数据，请恢复备份"),
        (r"(.+): not even its tables are known; restore a backup", "连其中有哪些表都读不出（{1}），请恢复备份"),
        (r"PostgreSQL (\d+) is too old; (\d+) or newer is needed", "PostgreSQL {1} 太旧，须为 {2} 或更新"),
        (r"is a standby, which takes no writes", "是备用服务器，不接受写入"),
        (r"its encoding is (.+); UTF8 is needed", "编码为 {1}，须为 UTF8"),
        (r"(.+) off at the server: .+", "服务器关闭了 {1}，断电可能丢失已提交的数据，请打开"),
        (r"cannot listen on (\S+) port (\d+): (?P<reason>.+)", "无法在 {1} 端口 {2} 监听：{reason}"),
        (r"a disk is nearly full: .+", "磁盘将满，腾出空间之前不收证据"),
        (r"no such file; it is made by the first start", "还没有这个文件，首次启动时建立"),
        (r"no such file|.*No such file or directory.*", "文件或目录不存在"),
        (r".*Permission denied.*", "无权访问"),
        (r".*Read-only file system.*|attempt to write a readonly database.*", "只能读，不能写"),
        (r".*(?:No space left on device|database or disk is full).*", "磁盘已满"),
        (r".*(?:Input/output error|disk I/O error).*", "读写磁盘出错"),
        (r".*(?:Is|Not) a directory.*", "应为文件的地方是目录，或应为目录的地方是文件"),
        (r".*Address already in use.*", "地址已被占用"),
        (r".*Cannot assign requested address.*", "本机没有这个地址"),
        (r"unable to open database file.*", "数据库文件打不开"),
        (r"database is locked.*", "数据库被另一进程占用"),
        (r"database disk image is malformed.*", "数据库文件已损坏"),
        (r"file is not a database.*", "不是数据库文件"),
        (r".*Connection refused.*", "服务器拒绝连接：是否在运行？"),
        (r".*password authentication failed.*", "密码不对"),
        (r".*database \"(.+)\" does not exist.*", "服务器上没有数据库 {1}"),
        (r".*(?:timeout expired|timed out|Timeout).*", "服务器没有及时应答"),
        (r"All connection attempts failed.*", "无法连接服务器：是否在运行？"),
        (r"HTTP (40[13])\b.*", "服务器不接受凭据（HTTP {1}）"),
    )
)  # fmt: skip


def error_in_chinese(error: Exception) -> str | None:
    """Return why something cannot be used; None for an unknown reason, and for one that is in Chinese already.

    >>> error_in_chinese(OSError("/data/state.db: another process writes here; stop it first"))
    '/data/state.db：另一进程正在写入，请先停止它'
    """
    if isinstance(error, SecretUnreadable):
        return f"应为：{readable_secret(error).zh}"
    return _translated(str(error))


def _translated(text: str) -> str | None:
    place, colon, what = text.partition(": ")
    if colon and " " not in place and (inner := _translated(what)) is not None:
        return f"{place}：{inner}"
    for pattern, chinese in _PROBLEMS:
        found = pattern.fullmatch(text)
        if found is not None:
            named = found.groupdict()
            if "reason" in named:
                named["reason"] = _translated(named["reason"]) or named["reason"]
            return chinese.format("", *found.groups(), **named)
    return None
