"""Translates the details of problems, which are raised in English, to Chinese."""

from __future__ import annotations

import re
from typing import Final

_KINDS: Final = {
    "alarm": "报警", "warning": "预警", "suppression": "搁置或停用", "disposition": "处置", "evidence": "证据",
    "hazard": "隐患", "lead": "线索", "inspection": "检查", "plant": "企业", "point": "测点", "rule": "规则",
    "operator position": "岗位", "the record": "企业档案", "the hazard": "该隐患", "the lead": "该线索",
    "the inspection": "该检查", "work": "作业报备", "the work": "该作业报备", "cleaning": "清扫记录",
    "the cleaning": "该清扫记录", "pledge": "安全承诺", "the pledge": "该安全承诺",
    "instrument": "仪表", "the instrument": "该仪表台账",
    "receiver": "接收方", "call": "叫应", "sign-in": "签到", "bypass": "旁路登记", "the bypass": "该旁路登记",
}  # fmt: skip
_WHAT: Final = r"(?P<what>\w[\w -]*?)"

_PATTERNS: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(pattern), chinese)
    for pattern, chinese in (
        (rf"{_WHAT} '[0-9a-f]{{8}}-[0-9a-f-]{{27}}' is not known", "没有这条{what}，或不在您可查看的范围内。"),
        (rf"{_WHAT} [0-9a-f]{{8}}-[0-9a-f-]{{27}} is not known", "没有这条{what}。"),
        (r"point '(.+)' of plant '(.+)' is called '(.+)' now", "企业 {2} 的测点 {1} 现在名为 {3}。"),
        (r"point '(.+)' of plant '(.+)' is not known", "企业 {2} 没有测点 {1}。"),
        (r"equipment '(.+)' of plant '(.+)' is not known", "企业 {2} 没有设备 {1}。"),
        (r"rule '(.+)' of point '(.+)' is not known", "测点 {2} 没有规则 {1}。"),
        (rf"{_WHAT} '(?P<name>.+)' is not known", "没有{what} {name}，或不在您可查看的范围内。"),
        (r"the service itself is no enterprise", "监测服务本身不是企业。"),
        (r"no such address", "没有这个页面。"),
        (r"the warning is closed", "该预警已经结束。"),
        (r"the warning is .+ and was answered", "该预警已有处置反馈，或已经结束。"),
        (r"it has gone up to the .+, who must acknowledge it", "该预警已上报，须由上级确认。"),
        (r"a pledge of that day is there already: .+", "该日已有有效的承诺，请先撤回。"),
        (r"this [\w ]+ is there already", "该记录已存在。"),
        (r"the lead is closed", "该线索已经办结。"),
        (rf"{_WHAT} is at version (?P<now>\d+), not (?P<seen>\d+): .+",
         "他人已更改{what}：您看到的是第 {seen} 版，现在是第 {now} 版。请重新查看。"),
        (r"[\w -]+: the (?:\w+ )?(?P<what>hazard|inspection|lead|work|cleaning|pledge|instrument|bypass) is .+",
         "{what}现在的状态不允许这样做，请查看最新状态。"),
        (r"find: hazard .+ is a finding of this inspection already; .+", "该隐患已列为此次检查的问题。"),
        (r"[\w -]+ this (?:\w+ )?(?P<what>hazard|inspection|lead|work|cleaning|pledge|instrument|bypass): role .+; .+",
         "您的角色不能对{what}做这一步。"),
        (r"out-of-service: every point of .+", "该仪表的测点都已停用或已申请停用。"),
        (r"return: no point of .+", "该仪表没有停用的测点。"),
        (r"the plant file does not name .+", "企业文件中现在没有这台仪表。"),
        (r"history: trends are missing; it has answered nothing for (\S+) s and .+, try again in (\S+) s",
         "暂无趋势数据：历史库已有 {1} 秒没有应答，服务会自行再次询问，请 {2} 秒后再试。最新值和报警不经过历史库。"),
        (r"history: trends are missing; it failed or did not answer in time, try again in (\S+) s",
         "暂无趋势数据：历史库出错或没有及时应答，请 {1} 秒后再试。最新值和报警不经过历史库。"),
        (r"history: trends are missing; it refused .+", "暂无趋势数据：历史库拒绝了这次查询，原因见服务日志。"),
        (r"inspection: expected who inspected, .+", "该报警须经现场检查签认才可复位：请填写检查人、时间和结果。"),
        (r"inspection: expected a time since .+", "检查时间应在报警触发之后，且不晚于现在。"),
        (r"a point is taken out of service, and checked, as a whole, not one rule of it",
         "停用和功能检查都以整个测点为单位，不能只针对一条规则。"),
        (r"a function check is one of an instrument; this point is no instrument's",
         "功能检查针对仪表；该测点不来自仪表。"),
        (r"begins: a function check begins when it is requested", "功能检查自申请时开始，不能另定开始时间。"),
        (r"until: expected a time after the beginning, and still to come", "结束时间应晚于开始时间，且尚未到来。"),
        (r"until: expected a time at most (\S+) h from now", "结束时间应在 {1} 小时之内。"),
        (r"alarms of the highest level are not to be hidden here .+",
         "此处不允许隐藏最高级别的报警（alarms.suppress_level_2）。"),
        (r"whoever applied for it cannot decide on it", "申请人不能审批自己的申请。"),
        (r"[\w-]+: (.+) submitted it; somebody else decides", "由 {1} 提交，须由他人审核。"),
        (r"point '(.+)' is not the state of an interlock", "测点 {1} 不是联锁状态，不能登记旁路。"),
        (r"a channel only posts receipts", "通知渠道的令牌只能提交回执。"),
        (r"receipts are for the channel of that name, .+", "回执只能由该名称的通知渠道用自己的令牌提交。"),
        (r"the settings have no ladder for this plant: .+", "配置中没有这家企业的叫应阶梯：不会有人被叫到。"),
        (r"the roll of this plant is being called", "这家企业正在抽查。"),
        (r"(.+) is signed in there", "{1} 已在该岗位签到。"),
        (r"somebody else has to take it over", "须由另一个人接替。"),
        (r"this call has not rung (.+)", "本次叫应没有呼叫过 {1}。"),
        (r"the shift is over", "该班次已经结束。"),
        (r"the sign-in is over", "该签到已经结束。"),
        (r"a display only shows; .+", "大屏只供查看，请用自己的令牌登录。"),
        (r"role \w+ reads only; .+", "您的角色只能查看，须由企业人员或管理员操作。"),
        (r"role \w+ is supervised here; .+", "此操作须由监管人员或管理员进行。"),
        (r"the form did not come from this site", "表单不是从本站提交的。"),
        (r"metrics speak of every plant; .+", "此项涉及所有企业，须用不限企业的令牌。"),
        (r"deliveries are for an admin of all plants", "投递只供不限企业的管理员查看和操作。"),
        (r"nothing is sent to a receiver '(.+)'", "没有向接收方 {1} 投递：配置中没有，或未启用。"),
        (r"none of these messages is rejected", "这些消息都不是拒收的消息，可能已有人处理。"),
        (r"none of these messages waits or is rejected", "这些消息既不待发也未被拒收，可能已有人处理。"),
        (r"the whole trail is for an admin of all plants", "全部操作记录只供不限企业的管理员核对。"),
        (r"the file is not what was handed in, or is gone: .+", "文件已损坏或丢失，须从备份恢复证据文件夹。"),
        (r"the engine did not answer; .+", "服务没有及时应答；操作可能已经完成，请先查看。"),
        (r"this token has \d+ .+ under way, .+; try again in (\S+) s", "您同时进行的查询过多，请 {1} 秒后再试。"),
        (r"\d+ .+ are under way, .+; try again in (\S+) s", "服务同时处理的查询过多，请 {1} 秒后再试。"),
        (r"this token has added as many .+ in a day \((.+)\); try again in (\S+) s, or have `(.+)` raised",
         "今日提交已达上限（{1}），请 {2} 秒后再试，或请管理员调高 {3}。"),
        (r"evidence has (\S+) of the (\S+) GiB that `(.+)` gives it: .+",
         "证据已占 {1} GiB，上限 {2} GiB：请管理员调高 {3} 并扩充磁盘。"),
        (r"not ready within (\S+) s; .+", "{1} 秒内未能生成：请只选一家企业、缩短日期范围，或在服务较空闲时再试。"),
        (r"it needs more memory than it may have; .+", "内容过多，无法生成：请只选一家企业或缩短日期范围。"),
        (r"([\d,]+) rows: a workbook holds ([\d,]+); .+",
         "共 {1} 行，XLSX 最多 {2} 行：请缩短日期范围、只选一家企业，或改用 CSV。"),
        (r"the state database does not answer; what .+",
         "状态库没有应答：要写入的内容可能已经存入，请先查看，再决定是否重做。"),
        (r"the state database does not answer(: .*)?", "状态库没有应答，请稍后再试。"),
        (r"all connections are in use now", "连接已满，请稍后再试。"),
    )
)  # fmt: skip


def problem_in_chinese(detail: str) -> str | None:
    """Translate a detail to Chinese; None for an unknown one.

    >>> problem_in_chinese("plant 'zz' is not known"), problem_in_chinese("something else")
    ('没有企业 zz，或不在您可查看的范围内。', None)
    """
    for pattern, chinese in _PATTERNS:
        found = pattern.fullmatch(detail)
        if found is not None:
            named = found.groupdict()
            what = _KINDS.get(named.pop("what", ""), "")
            return chinese.format("", *found.groups(), **named, what=what)
    return None
