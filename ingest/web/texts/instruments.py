"""Texts of the pages on instruments (仪表台账)."""

from __future__ import annotations

from typing import Final

from ingest.domain.model.text import Text

INSTRUMENTS: Final[dict[str, Text]] = {
    "instruments.title": Text("仪表台账", "Instruments"),
    "instruments.hint": Text(
        "按到期先后排列。到期前 {notice} 天提示；逾期即报警并列为隐患；没有记录的，须在 {grace} 天内补录。",
        "What is due first comes first. Due soon: within {notice} days. Overdue is an alarm and a hazard. Where nothing"
        " is on record, it is to be entered within {grace} days.",
    ),
    "instruments.none_named": Text(
        "还没有仪表：在企业文件中用 [[instruments]] 写明位号、测点、出厂编号和周期，之后在此登记检定、校准与检查。",
        "There are none yet: name instruments as [[instruments]] in the plant file, with points, serial number and"
        " periods; calibrations and checks are entered here then.",
    ),
    "instruments.none": Text("没有符合条件的仪表。", "No such instrument."),
    "instruments.uncovered": Text(
        "{plant}：{n} 个测点未列入仪表台账（企业文件 [[instruments]]），检定情况未知。",
        "{plant}: {n} points belong to no instrument of the plant file ([[instruments]]); whether they are calibrated"
        " is not known.",
    ),
    "instrument.name": Text("仪表", "Instrument"),
    "instrument.state": Text("状态", "State"),
    "instrument.checks": Text("检定与检验", "Checks"),
    "instrument.last": Text("上次", "Last"),
    "instrument.never": Text("无记录", "nothing on record"),
    "instrument.enter_by": Text("{day} 前补录", "to be entered by {day}"),
    "instrument.overdue_by": Text("逾期 {n} 天", "{n} days overdue"),
    "instrument.failed_on": Text("{day} 不合格", "failed on {day}"),
    "instrument.until": Text("有效至 {day}", "until {day}"),
    "instrument.no_check": Text("没有规定周期", "no period is set"),
    "instrument.points": Text("测点", "Points"),
    "instrument.serial": Text("出厂编号", "Serial number"),
    "instrument.maker": Text("生产厂家", "Maker"),
    "instrument.model": Text("型号", "Model"),
    "instrument.place": Text("安装位置", "Place"),
    "instrument.since": Text("建账日期", "Ledger begun"),
    "instrument.about": Text("基本信息", "About it"),
    "instrument.history": Text("台账记录", "Entries"),
    "instrument.no_entries": Text("还没有记录。", "Nothing was entered yet."),
    "instrument.gone": Text(
        "企业文件中已没有这台仪表（或已换成别的出厂编号），台账保留备查。",
        "The plant file does not name this device now, or another serial number in its place. Its ledger is kept.",
    ),
    "instrument.out": Text("停用中：恢复使用前不计逾期。", "Out of service: nothing is due before it is back."),
    "instrument.others": Text("此位置用过的其他仪表", "Other devices in this place"),
    "instrument.hazards": Text("未销号的隐患", "Open hazards"),
    "instrument.overdue_mark": Text("{check}逾期", "{check} overdue"),
}
"""Pages on instruments."""
