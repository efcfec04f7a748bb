"""Chinese for the parts of which the sources of the plants' catalogue are made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

CATALOGUE_PARTS: Final[Mapping[str, str]] = {
    "10 ℃ in 10 min, which neither weather nor work makes in a wet collector": (
        "10 分钟内升高 10 ℃，湿式除尘器内的天气变化和正常作业都达不到"
    ),
    "the trend of 5 min, 5 min ahead: longer ones follow the heats of the converters": (
        "5 分钟趋势、提前 5 分钟：再长会跟随转炉的炉次变化"
    ),
    "two heads of one place at the limit of H are no faulty head and no whiff": (
        "同一处两个探头同时到高报限值，不是探头故障，也不是一阵飘来的煤气"
    ),
    "metal stands in the launder before the platform moves": "平台下降之前流槽内已有铝液",
    "nobody casts 500 mm within a minute": "一分钟内不可能铸造 500 mm",
    "once a year": "每年一次",
    "JJG 693-2011, combustible-gas detectors, at most 1 year": "JJG 693-2011 可燃气体检测报警器，周期不超过 1 年",
    "JJG 915-2008, carbon monoxide detectors, at most 1 year": "JJG 915-2008 一氧化碳检测报警器，周期不超过 1 年",
    "water cools it to little above ambient": "水将其冷却到略高于环境温度",
    "well above what a summer day makes": "限值明显高于夏季气温",
    "CCTV news 2021-10-29 on Xingtai 2021-10-28 (dutenews.com p/6243632): a crew stood in the leaking gas": (
        "央视新闻 2021-10-29 报道邢台 2021-10-28 事故（dutenews.com p/6243632）：作业人员站在泄漏的煤气中"
    ),
    "the limit is that of H, no delay, and red: engineering default": "限值取高报限值、不延时、红色：工程默认值",
    (
        "investigation report of Changzhou 2024-01-20 (reprint 163.com JJHCOOV00514R9P4): a flash fire was "
        "put out, work went on, 98 min later embers in the wet collector exploded"
    ): (
        "常州 2024-01-20 事故调查报告（转载 163.com JJHCOOV00514R9P4）：明火扑灭后继续作业，"
        "98 分钟后湿式除尘器内余烬爆炸"
    ),
    "the limits are those of HH, 12 h and the rule itself engineering default": (
        "限值取高高报限值；12 小时和规则本身为工程默认值"
    ),
    (
        "makers of spark extinguishing let work go on after a single spark that was put out"
        " (GreCon BS 7, directindustry.com 16294-46890)"
    ): ("火花熄灭装置厂家：单个火花被喷水熄灭后生产不停（GreCon BS 7，directindustry.com 16294-46890）"),
    "3 within 60 s, or a stop within 5 min, make it a trip: engineering default": (
        "60 秒内 3 次、或 5 分钟内停机才算动作：工程默认值"
    ),
    "half as much again as the most of sound heats, which is the set-point": "比正常炉次的最高值（设定值）高一半",
    (
        "hydrogen and steam in the off-gas tell of water in the furnace, Tenova Goodfellow (steeltimesint.com)"
    ): "炉气中的氢和水蒸气表明炉内有水，Tenova Goodfellow（steeltimesint.com）",
    "half of what melting makes at most, once no scrap is left that could make it": (
        "熔化期最高值的一半，此时炉内已没有能产生氢的废钢"
    ),
    "the plant's own warning temperature of that brick is the set-point": "设定值为企业自定的该处炭砖警戒温度",
    "the trend of 4 h, 4 h ahead: shorter ones follow the taps": "4 小时趋势、提前 4 小时：再短会跟随出铁变化",
    "the usual heat flux is the set-point": "设定值为平时的热流强度",
    "exactly the same value for 6 h: bricks change slowly": "连续 6 小时数值完全不变：炭砖温度变化慢",
    (
        "notice of the State Council's Safety Commission Office on Yingkou 2023-06-22"
        " (reprint caixin.com 102074308): the signal cable burnt, 16 h later the hearth did"
    ): ("国务院安委办关于营口 2023-06-22 事故的通报（转载 caixin.com 102074308）：信号电缆烧毁，16 小时后炉缸烧穿"),
    "three at once engineering default: put dead ones out of service": "三点同时为工程默认值：已失效的应办停用",
    "engineering default": "工程默认值",
    "1 m/s above LL, so that it is told before LL trips": ("比 LL 高 1 m/s，先于 LL 报警"),
    "5 % above the least height, which is the set-point": ("比最低高度（设定值）高 5 %"),
    "percent of the commissioning value": ("调试值的百分比"),
    "the air is not washed without water under pressure": ("水无压力则含尘空气得不到洗涤"),
    "percent of the working pressure": ("工作压力的百分比"),
    "percent of the working pressure, which stands before the shut-off valve between blows too": (
        "工作压力的百分比，吹炼间歇时阀前也有"
    ),
    "something smoulders in the collector": ("除尘器内有阴燃"),
    "never delayed, latched until somebody has looked": ("不延时，锁存至有人查看"),
    "the design pressure is the set-point, and a relief set above it opens too late": (
        "设定值为设计压力，高于它则开启过迟"
    ),
    "GB/T 50493-2019 5.5.2, quoted by fire114.cn: first level at most the exposure limit": (
        "GB/T 50493-2019 第5.5.2条（转引自 fire114.cn）：一级不高于接触限值"
    ),
    "of CO that is 24 ppm = 30 mg/m³ (m.777doc.com/doc-6721479)": (
        "一氧化碳为 24 ppm，即 30 mg/m³（m.777doc.com/doc-6721479）"
    ),
    "GB/T 50493-2019 5.5.2, quoted by fire114.cn (oxygen 19.5 and 23.5 %vol)": (
        "GB/T 50493-2019 第5.5.2条（转引自 fire114.cn）：氧 19.5 和 23.5 %vol"
    ),
    "GB/T 50493-2019 5.5.2, quoted by fire114.cn: second level at most twice the exposure limit": (
        "GB/T 50493-2019 第5.5.2条（转引自 fire114.cn）：二级不高于接触限值的两倍"
    ),
    "of CO that is 24 ppm": ("一氧化碳接触限值为 24 ppm"),
    "a site that evacuates at 160 ppm = 200 mg/m³ (m.777doc.com/doc-6721479) says so in its plant file": (
        "按 160 ppm（200 mg/m³）撤离的企业在企业配置中另设（m.777doc.com/doc-6721479）"
    ),
    "NAMUR NE 43, failure at most 3.6 or at least 21 mA, measurements 3.8 to 20.5 mA (namur.net)": (
        "NAMUR NE 43：≤ 3.6 或 ≥ 21 mA 为故障，3.8 至 20.5 mA 为测量值（namur.net）"
    ),
    "here as far from 12 mA on either side, so at most 3 mA": ("此处以 12 mA 对称，故为 ≤ 3 mA"),
    "below 3.6 mA RANGE tells of it": ("低于 3.6 mA 由 RANGE 报警"),
    "disable the rule for an instrument on a bus": ("总线仪表应停用本规则"),
    "a published checklist after GB 6222": ("一份依 GB 6222 的公开检查表"),
    "the set-point is the gas design pressure in mm of water and 500 mm more": (
        "设定值为煤气设计压力（毫米水柱）再加 500 mm"
    ),
    "130 % of the set level engineering default": ("设定水位的 130 % 为工程默认值"),
    "makers quote 22.9 m/s from NFPA 484 (proventilation.com, gulftech.us)": (
        "厂商转引 NFPA 484 为 22.9 m/s（proventilation.com、gulftech.us）"
    ),
    "a wet collector stops at low or at high water, NFPA 484 as quoted by proventilation.com": (
        "NFPA 484（转引自 proventilation.com）：湿式除尘器水位过低或过高均应停机"
    ),
    "hysteresis engineering default": "回差为工程默认值",
    "hysteresis and delay engineering default": "回差和延时为工程默认值",
    "band and window engineering default": "区间和时窗为工程默认值",
    "50 % engineering default": "50 % 为工程默认值",
    "1 % of span": "量程的 1 %",
    "1 %, the gas is cut off": "1 %，切断煤气",
    "0.8 %": "0.8 %",
    "3 % of the flow": "流量的 3 %",
    "3 missed uploads": "连续 3 次未上传",
    "5 ℃/min over 2 min": "2 分钟内每分钟 5 ℃",
    "15 K above the inlet": "比进水高 15 K",
    "15 mm/s over 2 s": "2 秒内每秒 15 mm",
    "turbulent flow goes with the root of the pressure": "湍流流量与压力的平方根成正比",
    "metal or steam in the water narrows its way (the accident of 2023-10-20)": (
        "水中进铝或产汽会使水路变窄（2023-10-20 事故）"
    ),
    "5 K in 20 s, several times what casting at a steady pace moves it": "20 秒升 5 K，数倍于稳定铸造时的变化",
    "metal in the water does (the accident of 2023-10-20)": "铝液入水时才会如此（2023-10-20 事故）",
    "±10 % of the set-point, from the first millimetre": "设定值的 ±10 %，自第一毫米起",
    "found: a provincial guide of 2024-01 forbids casting when an emergency valve fails"
    " (renrendoc.com/paper/388677009)": "查得：2024-01 某省指引规定应急阀失效不得铸造（renrendoc.com/paper/388677009）",
    "told once metal is in the launder: engineering default": "铝液进入流槽即报警：工程默认值",
    "the next pit exploded too (the accident of 2022-04-03, 应急厅函〔2022〕106号)": (
        "相邻铸井随后也爆炸（2022-04-03 事故，应急厅函〔2022〕106号）"
    ),
    "10 s, so that a step aside does not count": "10 秒，短暂走开不计",
    "92 s unnoticed were too long": "92 秒无人发现已经太久",
    "9 mm a metre": "每米 9 mm",
    "17 mm a metre, no delay": "每米 17 mm，不延时",
    "a rope that stretches or sits wrong": "钢丝绳伸长或位置不正",
    "no delay": "不延时",
    "metal that waits half an hour in the launder freezes": "铝液在流槽中停留半小时会凝固",
    "500 mm at a third of a usual pace of 50 mm/min": "按常用速度 50 mm/min 的三分之一铸 500 mm",
    "20 K off the set-point": "偏离设定值 20 K",
    "350 ℃ while the cooling flow is below 80 % of its set-point": "冷却水流量低于设定值的 80 % 时 350 ℃",
    "80 % of the design flow": "设计流量的 80 %",
    "±5 % of the set-point": "设定值的 ±5 %",
    "±10 % of the set-point": "设定值的 ±10 %",
    "D/500 of the holder, in mm, is the set-point": "设定值为煤气柜直径的 1/500（mm）",
    "AQ 4272-2016 (23 m/s for metal dust)": "AQ 4272-2016（金属粉尘 23 m/s）",
    "AQ 4273-2016 / AQ 4272-2016 (70 ℃)": "AQ 4273-2016 / AQ 4272-2016（70 ℃）",
    "GB/T 50493-2019, ceiling values for petrochemical sites, quoted by cdbihui.com article_2801896": (
        "GB/T 50493-2019 石油化工场所最高允许值，引自 cdbihui.com article_2801896"
    ),
    "1500 Pa: qixionghuanbao.com 17479 (vendor)": "1500 Pa：qixionghuanbao.com 17479（厂商）",
    "m.xalhzpl.com h-nd-276 (vendor, induction furnace: 50 ℃)": ("m.xalhzpl.com h-nd-276（厂商，感应炉 50 ℃）"),
    "a class of the enrolment rule (5 / 10 / 30 people) that the registered number, the set-point, is below": (
        "登记人数（设定值）低于接入规则的分档（5 / 10 / 30 人）"
    ),
    "a furnace does not cool its water": "炉子不会使冷却水降温",
    "a limit set around the commissioning value is better": "以调试值为基准设定更好",
    "a monitoring device that does not work is itself a hazard (recalled, verify: 令第10号 Art.14)": (
        "监测设备失效本身即为隐患（凭记忆，待核实：令第10号第十四条）"
    ),
    "a mould does not cool its water": "结晶器不会使冷却水降温",
    "a ratio above 5 to the middle of the others in the same place for 10 min": (
        "与同一处其他测点的中位数之比大于 5，持续 10 分钟"
    ),
    "a running fan makes a pressure difference": "风机运行时必有压差",
    "any day overdue": "逾期任何一天",
    "anyone in the path of a lifted load": "吊运路径内有人",
    "at least 90 % of the readings near a limit: motivated by CO readings of exactly 24 ppm found at a steel works in"
    " 2021 (m.cdboyue.com)": "至少 90 % 的读数贴近限值：源于 2021 年某钢厂 CO 读数恰为 24 ppm 一案（m.cdboyue.com）",
    "below 80 % before the start, casting is not permitted": "开始前低于 80 % 不允许铸造",
    "converter gas recovery stops at 2 % (recalled, verify): override there": (
        "转炉煤气回收在 2 % 停止（凭记忆，待核实），该处须另行设定"
    ),
    "depth guidance of the Aluminum Association": "铝业协会的水深指南",
    "exactly the same value above zero for 6 h": "大于零的数值 6 小时完全不变",
    "exactly the same value above zero for 6 h, as for CO": "同 CO：大于零的数值 6 小时完全不变",
    "faster than the process can move, so an instrument or its wiring": "快于工艺可能的变化，应为仪表或接线问题",
    "judged only while the fan runs": "仅在风机运行时判定",
    "judged outside production too, as no signal says when it runs": "没有表示运行的信号，停产时也判定",
    "latched": "锁存",
    "latched until somebody has looked": "锁存，直到有人查看",
    "longer than 10 min": "超过 10 分钟",
    "more than the registered number, which is the set-point": "多于登记人数（设定值）",
    "motivated by frozen CO readings found at a steel works in 2021": "源于 2021 年某钢厂 CO 读数不变一案",
    "never delayed": "不延时",
    "nobody but operators permitted": "仅允许操作人员",
    "outside the span of the instrument": "超出仪表量程",
    "per design: the plant file gives the number": "按设计：由企业文件给出数值",
    "percent of the blocks' weight, from the first millimetre": "引锭头重量的百分比，自第一毫米起",
    "percent of the design flow": "设计流量的百分比",
    "percent of the design value": "设计值的百分比",
    "percent of the pressure under the platform with its blocks, from the first millimetre": (
        "平台连同引锭头时压力的百分比，自第一毫米起"
    ),
    "percent of the set-point": "设定值的百分比",
    "positive = more in than out": "正值表示进多于出",
    "seconds stand with the signal": "秒数见信号说明",
    "self-check failed or not ready, from the start of the cast": "自检失败或未就绪，自铸造开始起",
    "stop burning at 500 Pa": "500 Pa 时停止燃烧",
    "that a rise counts as well as a fall: newsbuck.com (industry talk)": (
        "上升与下降同样计入：newsbuck.com（行业报告）"
    ),
    "the commissioning value is the set-point": "设定值为调试值",
    "the design pressure is the set-point": "设定值为设计压力",
    "the design rate of the holder (typically 2–4 m/min) is the set-point": (
        "设定值为煤气柜设计升降速度（一般 2–4 m/min）"
    ),
    "the greatest working pressure is the set-point": "设定值为最高工作压力",
    "the plant's cleaning rule decides": "以企业清扫制度为准",
    "the set level of the tank": "水箱的设定液位",
    "the signal is a vendor's (applesell.cn 1209)": "信号来自厂商（applesell.cn 1209）",
    "the trend of 15 min, 15 min ahead": "15 分钟趋势外推 15 分钟",
    "the trend of 5 min, 5 min ahead: longer ones follow the heats of a furnace": (
        "5 分钟趋势外推 5 分钟：更长的趋势会跟随炉次"
    ),
    "three or more in 60 s": "60 秒内三次及以上",
    "three or more in a gas area": "煤气区域内三人及以上",
    "two others are needed": "至少需要另外两个测点",
    "water under pressure flows, unless a valve is shut or the meter is dead": (
        "有压力就有流量，除非阀门关闭或流量计失效"
    ),
    "well below what explodes": "远低于爆炸浓度",
    "not a statutory explosion limit": "不是法定爆炸下限",
    "within 0.1 % of span for 30 min": "30 分钟内变化不超过量程的 0.1 %",
    "偏离设定值": "偏离设定值",
}
