"""Hands each order to the worker that can carry it out."""

from __future__ import annotations

from kiosk.engine.workers import DeviceWorker, HospitalPool
from kiosk.flows.effects import (
    AcceptCash,
    CancelPad,
    CancelReport,
    ChargePad,
    CompletePad,
    PrintReport,
    PrintSlip,
    RecallCash,
    RecallPad,
    ReleasePad,
    ReturnNote,
    StackNote,
    StopCash,
)
from kiosk.ports import AskHospital, Listen, Order, TellHospital


class Workers:
    """The real Outside: devices by part, and the hospital's pool."""

    def __init__(self, devices: tuple[DeviceWorker, ...], hospital: HospitalPool) -> None:
        self._devices = {worker.part: worker for worker in devices}
        self._hospital = hospital

    def order(self, order: Order) -> None:
        match order:
            case AskHospital() | TellHospital():
                self._hospital.order(order)
            case Listen():
                for worker in self._devices.values():
                    worker.listen(order)
            case PrintSlip():
                self._devices["receipt_printer"].order(order)
            case PrintReport() | CancelReport():
                self._devices["a4_printer"].order(order)
            case ChargePad() | CompletePad() | ReleasePad() | CancelPad() | RecallPad():
                self._devices["pad"].order(order)
            case AcceptCash() | StackNote() | ReturnNote() | StopCash() | RecallCash():
                self._devices["cash_box"].order(order)
            case _:
                raise AssertionError(f"nobody carries out {type(order).__name__}")
