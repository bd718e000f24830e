"""What staff read in place of the contract's own names: on the console, in the report of a match.

A name that stands in no table here is shown as it came, so that a newer terminal hides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


def said(words: Mapping[str, str], name: str) -> str:
    return words.get(name, name)


PAGES: Mapping[str, str] = {
    "attract": "待机页",
    "identify": "请出示证件",
    "type_in": "输入号码",
    "home": "首页",
    "choose_department": "选科室",
    "choose_slot": "选医生和时间",
    "confirm_registration": "确认挂号",
    "pay": "缴费",
    "pad_busy": "刷银行卡",
    "cash_busy": "付现金",
    "paying": "正在付款",
    "payment_result": "付款结果",
    "printing_reports": "打印报告",
    "finished": "办完了",
    "problem": "出了问题",
    "choose_person": "选替谁办",
    "choose_relation": "选亲属关系",
    "inquiry": "查询",
    "green": "绿色通道",
    "green_paper": "绿色通道·纸质证明",
    "green_dependants": "绿色通道·同行人",
    "green_result": "绿色通道·结果",
    "calling_help": "叫人帮忙",
    "out_of_service": "暂停使用",
    "starting": "正在启动",
}

HELPERS: Mapping[str, str] = {
    "volunteer": "志愿者",
    "nurse": "护士",
    "emergency": "急诊",
    "sign_language": "手语服务",
}

PARTS: Mapping[str, str] = {
    "id_reader": "身份证读卡器",
    "card_slot": "插卡口",
    "scanner": "扫码口",
    "receipt_printer": "小票打印机",
    "a4_printer": "报告打印机",
    "pad": "刷卡机",
    "cash_box": "纸币箱",
}

KINDS: Mapping[str, str] = {
    "check_in": "签到",
    "printed": "报告已打印",
    "screening": "绿色通道流调",
    "hand_over": "转窗口单",
    "audit_head": "审计链头",
    "payment": "付款状态",
    "registration": "离线挂号",
    "lease_returned": "归还号源",
    "cash_count": "钱箱清点",
}

REASONS: Mapping[str, str] = {
    "key_reused": "记录号重复，内容不同",
    "sequence_reused": "序号重复，内容不同",
    "kind_unknown": "种类不认识，终端可能较新",
    "body_not_understood": "内容读不懂",
    "not_storable": "含不能保存的字符",
    "head_forged": "审计链头签名不符",
    "head_differs": "审计链头前后不一",
    "not_leased": "号源不是租给这台的",
    "nobody_named": "没有写明是谁",
    "report_unknown": "没有这份报告",
    "unknown": "没有这个预约",
    "not_today": "不是今天的预约",
    "too_early": "签到太早",
    "too_late": "签到太晚",
    "cancelled": "预约已取消",
}


@dataclass(frozen=True)
class Notice:
    """What an alarm means, and what whoever reads it does now."""

    words: str
    next_step: str


ALARMS: Mapping[str, Notice] = {
    "payment_in_doubt": Notice("付款久未核实", "财务按单号查渠道流水，了结前不要重收"),
    "cash_differs": Notice("钱箱清点与终端记录不符", "财务复点，按清点单查当期现金单号"),
    "key_reused": Notice("同一记录号、两种内容", "信息科查该终端，勿删除任何一份"),
    "sequence_reused": Notice("同一序号、两种内容", "信息科查该终端硬盘是否被替换或回滚"),
    "reversal_of_booked": Notice("已入账的付款被要求冲正", "财务核对该单号，未予冲正"),
    "provider_said_otherwise": Notice(
        "同一笔冲正，渠道两次答复不一致", "财务按单号查渠道流水，查清前不要退款"
    ),
    "factor_guessed": Notice("有人连续输错验证信息", "请志愿者到该终端看看"),
    "audit_key_differs": Notice("终端的审计密钥变了", "如未重装该终端，请停用并上报"),
    "audit_head_forged": Notice("审计记录签名不符", "停用该终端，保留硬盘，上报"),
    "audit_head_differs": Notice("审计记录被改写", "停用该终端，保留硬盘，上报"),
}

JOURNAL: Mapping[str, str] = {
    "": "没有记录",
    "intent": "未发起",
    "sent": "已发起，未回音",
    "paid": "已扣款",
    "declined": "未扣款",
    "unknown": "正在核实",
    "booking": "正在入账",
    "settled": "已完成",
    "his_rejected": "医院未入账",
    "his_unknown": "入账待查",
    "reversing": "正在冲正",
    "reversed": "已冲正",
    "refund_due": "待退款",
    "refunded": "已退款",
    "manual": "转人工",
}

CHANNELS: Mapping[str, str] = {"codes": "扫码支付", "cards": "银行卡"}
