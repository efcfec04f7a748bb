"""Texts of the pages on daily duties: declared work, dust cleaning, safety pledges."""

from __future__ import annotations

from typing import Final

from ingest.domain.model.text import Text
from ingest.services.cases.works import StopSeen

STOPS_SEEN: Final[dict[StopSeen, Text]] = {
    StopSeen.STANDS: Text("测点显示已停车，与报备一致", "the points show that it stands, as declared"),
    StopSeen.RUNS: Text("测点显示仍在运行，与报备不符", "the points show that it runs, against what was declared"),
    StopSeen.UNKNOWN: Text(
        "没有可信的测点显示是否停车，情况不明", "no point that can be trusted shows whether it stands: unknown"
    ),
}
"""What is seen of a declared stop."""

DAILY: Final[dict[str, Text]] = {
    "works.title": Text("作业报备", "Declared work"),
    "works.hint": Text(
        "报备期间该处发生的报警照常报出，并注明登记的作业；报备不屏蔽任何报警。",
        "An alarm raised there meanwhile is raised as ever and names the work; declaring suppresses nothing.",
    ),
    "works.new": Text("报备作业", "Declare work"),
    "works.open": Text("未结束", "not over"),
    "works.none": Text("没有符合条件的作业。", "No work matches."),
    "works.choose_plant": Text("选择企业", "Choose the plant"),
    "work.kind": Text("作业类别", "Kind"),
    "work.what": Text("作业内容", "What is done"),
    "work.where": Text("地点", "Where"),
    "work.equipment": Text("设备（影响全厂时留空）", "Equipment (empty: the plant at large)"),
    "work.plant_wide": Text("全厂", "the plant at large"),
    "work.begins": Text("开始时间", "From"),
    "work.ends": Text("结束时间", "To"),
    "work.time": Text("时段", "Time"),
    "work.contractor": Text("作业单位", "Done by"),
    "work.person": Text("作业负责人", "Responsible"),
    "work.guardian": Text("监护人", "Guardian"),
    "work.measures": Text("安全措施", "Measures"),
    "work.declared": Text("报备", "Declared"),
    "work.late": Text("开始后才报备", "declared only after its beginning"),
    "work.approved": Text("批准", "Approved"),
    "work.begun": Text("开工", "Begun"),
    "work.finished": Text("完工", "Finished"),
    "work.remark": Text("说明", "Remark"),
    "work.seen": Text("现场状态", "What is seen"),
    "work.badge": Text("登记作业", "registered work"),
    "pledges.title": Text("安全承诺", "Safety pledges"),
    "pledges.hint": Text(
        "每日研判风险后作出承诺；过了时限未承诺的列在最前，过了当天不能补。与作业报备不符之处会注明。",
        "Given each day once its risks were assessed. Those that are missing come first, and none is given for a day"
        " that is over. Where it differs from the declared work, that is said.",
    ),
    "pledges.month": Text("月份", "Month"),
    "pledges.today": Text("今日", "Today"),
    "pledges.by": Text("时限", "By"),
    "pledges.in_time": Text("按时", "In time"),
    "pledges.late": Text("超时承诺", "Given late"),
    "pledges.missed": Text("漏报", "Missed"),
    "pledges.differing": Text("与报备不符（天）", "Days that differ"),
    "pledges.given": Text("承诺记录", "Given"),
    "pledges.none": Text("没有承诺记录。", "None was given."),
    "pledges.none_owed": Text(
        "没有企业设定时限：在企业文件 [enterprise] 中填写 pledge_by（时限）、pledge_since（起始日），之后逐日统计。",
        "No plant is asked for pledges: pledge_by (the hour) and pledge_since (the first day) under [enterprise] in a"
        " plant file ask for them; each day is counted here then.",
    ),
    "pledge.give": Text("作出承诺", "Give it"),
    "pledge.assessment": Text("风险研判", "Assessment"),
    "pledge.running": Text("运行装置数", "Units that run"),
    "pledge.stopped": Text("停用装置数", "Units that stand"),
    "pledge.places": Text("{what}（处）", "{what} (places)"),
    "pledge.text": Text("承诺内容", "What is pledged"),
    "pledge.person": Text("承诺人", "Who pledges"),
    "pledge.differs": Text("与报备不符", "Differs from declared work"),
    "cleaning.title": Text("粉尘清扫", "Dust cleaning"),
    "cleaning.hint": Text(
        "按企业文件的清扫计划登记；没有记录即情况不明，不算已清扫。清扫不得扬尘。",
        "Recorded by the plan of the plant file. Nothing on record is unknown, never clean. Cleaning raises no dust.",
    ),
    "cleaning.areas": Text("区域", "Areas"),
    "cleaning.none": Text("还没有清扫记录。", "No cleaning is on record."),
    "cleaning.area": Text("区域", "Area"),
    "cleaning.no_areas": Text(
        "还没有清扫计划：在粉尘企业的企业文件中用 [[cleaning]] 写明区域、周期、方法和责任人，之后在此登记清扫。",
        "There is no plan yet: name areas, periods, methods and who answers as [[cleaning]] in the file of a dust"
        " plant; cleanings are recorded here then.",
    ),
    "cleaning.last": Text("上次清扫", "Last cleaned"),
    "cleaning.due": Text("下次期限", "Due"),
    "cleaning.who": Text("责任人", "Who"),
    "cleaning.record": Text("登记清扫", "Record a cleaning"),
    "cleaning.records": Text("清扫记录", "Records"),
    "cleaning.done": Text("清扫时间", "When"),
    "cleaning.cleaner": Text("清扫人", "Who cleaned"),
    "cleaning.result": Text("清扫情况", "Result"),
    "cleaning.thickness": Text("清扫前积尘厚度（微米）", "Deposit before (micrometres)"),
    "cleaning.given": Text("登记", "Recorded"),
}
