"""English names of what the demo hospital bills: for patients who read no Chinese."""

from __future__ import annotations

from collections.abc import Mapping

REGISTRATION = "Registration fee"

ITEMS: Mapping[str, str] = {
    "血常规检查": "Blood count",
    "尿常规检查": "Urine test",
    "肝功能检查": "Liver function test",
    "血脂四项": "Blood lipids",
    "糖化血红蛋白": "HbA1c",
    "过敏原检测": "Allergen test",
    "胸部 X 线摄影": "Chest X-ray",
    "膝关节 X 线摄影": "Knee X-ray",
    "腹部彩色超声": "Abdominal ultrasound",
    "心电图检查": "ECG",
    "阿司匹林肠溶片": "Aspirin tablets",
    "硝苯地平控释片": "Nifedipine tablets",
    "二甲双胍缓释片": "Metformin tablets",
    "阿托伐他汀钙片": "Atorvastatin tablets",
    "头孢克肟分散片": "Cefixime tablets",
    "氯雷他定片": "Loratadine tablets",
    "塞来昔布胶囊": "Celecoxib capsules",
    "板蓝根颗粒": "Isatis root granules",
    "一次性材料": "Disposables",
    "床位费": "Bed",
    "护理费": "Nursing",
}
