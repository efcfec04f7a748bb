"""What every page says: its frame, its forms, what went wrong."""

from __future__ import annotations

from typing import Final

from ingest.model.plant import Text

COMMON: Final[dict[str, Text]] = {
    "app.name": Text("预警", "Yujing"),
    "app.line": Text("安全风险监测预警", "Safety risk monitoring"),
    "nav.alarms": Text("报警", "Alarms"),
    "nav.plants": Text("企业", "Plants"),
    "nav.gateways": Text("网关", "Gateways"),
    "nav.quarantine": Text("隔离消息", "Quarantine"),
    "nav.label": Text("主导航", "Main navigation"),
    "nav.skip": Text("跳到正文", "Skip to content"),
    "link.live": Text("实时", "Live"),
    "link.connecting": Text("连接中", "Connecting"),
    "link.lost": Text("已断开", "Disconnected"),
    "link.stale": Text(
        "与服务器的连接已中断，数据可能已过期。正在重新连接…",
        "The connection to the server is lost: data may be stale. Reconnecting…",
    ),
    "link.since": Text("最后更新", "Last update"),
    "signin.title": Text("登录", "Sign in"),
    "signin.token": Text("访问令牌", "Access token"),
    "signin.hint": Text("粘贴管理员发给您的令牌。", "Paste the token your administrator gave you."),
    "signin.submit": Text("登录", "Sign in"),
    "signin.wrong": Text("令牌不正确。", "That token is not known."),
    "signin.wait": Text("尝试次数过多，请在 {n} 秒后再试。", "Too many attempts. Try again in {n} s."),
    "nav.signout": Text("退出", "Sign out"),
    "error.title": Text("无法完成", "Cannot be done"),
    "error.401": Text("登录已失效，请重新登录。", "Your session has ended. Sign in again."),
    "error.403": Text("您没有此操作的权限。", "You are not allowed to do this."),
    "error.404": Text("没有找到。", "Not found."),
    "error.409": Text("报警在当前状态下不能确认。", "The alarm cannot be acknowledged in its present state."),
    "error.413": Text("提交的内容过大。", "What was sent is too large."),
    "error.422": Text("参数不正确。", "A parameter is wrong."),
    "error.503": Text("服务暂时没有响应，请稍后再试。", "The service does not answer at the moment. Try again."),
    "error.other": Text("出现错误，已记录。", "Something went wrong. It has been logged."),
    "error.back": Text("返回报警列表", "Back to the alarms"),
    "filter.plant": Text("企业", "Plant"),
    "filter.level": Text("级别", "Level"),
    "filter.state": Text("状态", "State"),
    "filter.any": Text("全部", "Any"),
    "filter.apply": Text("筛选", "Filter"),
    "filter.clear": Text("清除筛选", "Clear filters"),
    "age.s": Text("{n} 秒前", "{n} s ago"),
    "age.m": Text("{n} 分钟前", "{n} min ago"),
    "age.h": Text("{n} 小时前", "{n} h ago"),
    "age.d": Text("{n} 天前", "{n} d ago"),
}
