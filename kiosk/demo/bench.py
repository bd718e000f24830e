"""The demo's side of the bench: turns what the window says into what hands do."""

from __future__ import annotations

import json
import socketserver
import threading
from pathlib import Path
from typing import Any

from gateway.adapters.demo import people
from gateway.adapters.demo.codes import demo_codes
from kiosk.demo.world import DemoWorld
from kiosk.link import LinkClient, LinkLost
from kiosk.views import Pay
from ui.bench.protocol import CODES, NOTES_YUAN, PAD_ANSWERS

NOTES = {
    people.ELDER.id: "签到 缴费 报告",
    people.BY_CARD.id: "挂号",
    people.BY_HEALTH_CODE.id: "健康码挂号",
    people.PAYS_BY_PAD.id: "刷卡缴费",
    people.PAYS_BY_CODE.id: "扫码缴费",
    people.TWO_REPORTS.id: "两份报告",
    people.DAUGHTER.id: "替母亲办",
    people.GREEN_ELDER.id: "绿色通道",
    people.HOLDER.id: "带三位家人",
}
"""Who is on the bench, and what their day holds."""


class Refused(Exception):
    """Hands cannot do that now; the text says why."""


class BenchHost:
    """Answers the bench on a unix socket of its own."""

    def __init__(self, world: DemoWorld, path: Path) -> None:
        self._world = world
        self._people = {one.id: one for one in people.KNOWN}
        path.unlink(missing_ok=True)
        host = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                for line in self.rfile:
                    self.wfile.write(json.dumps(host.answer(line)).encode() + b"\n")

        class Server(socketserver.ThreadingUnixStreamServer):
            daemon_threads = True

        self._server = Server(str(path), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, line: bytes) -> dict[str, Any]:
        """One line of the bench; a refusal says why."""
        try:
            return {"ok": True, **self._do(json.loads(line))}
        except (Refused, ValueError, KeyError, OSError) as fault:
            return {"ok": False, "why": str(fault)}

    def _do(self, said: dict[str, Any]) -> dict[str, Any]:
        devices = self._world.devices
        match said:
            case {"do": "look"}:
                return self._look()
            case {"do": "lay_card", "person": str(person)}:
                devices.lift_card()
                devices.lay_card(self._people[person])
            case {"do": "lift_card"}:
                devices.lift_card()
            case {"do": "put_social_card", "person": str(person)}:
                if devices.slot.why_not:
                    raise Refused(devices.slot.why_not)
                devices.slot.put(self._people[person])
            case {"do": "pull_social_card"}:
                devices.slot.pull()
            case {"do": "show_code", "kind": str(kind), "person": str(person)} if kind in CODES:
                codes = demo_codes(self._people[person], self._world.clock.now())
                devices.show_code(str(getattr(codes, kind)))
            case {"do": "phone_pays"}:
                self._world.pay_by_phone(self._shown_reference())
            case {"do": "bank_card"}:
                devices.present_bank_card()
            case {"do": "pad_answers", "how": str(how)} if how in PAD_ANSWERS:
                self._pad(how)
            case {"do": "insert_note", "yuan": int(yuan)} if yuan in NOTES_YUAN:
                if not devices.insert_note(yuan):
                    raise Refused("the slot takes no such note now")
            case {"do": "empty_cash_box"}:
                devices.empty_cash_box()
            case {"do": "receipt_paper", "there": bool(there)}:
                self._receipt_paper(there)
            case {"do": "report_paper", "there": True}:
                devices.tray.put_paper_in()
            case {"do": "report_paper", "there": False}:
                devices.tray.take_paper_out()
            case {"do": "network", "there": True}:
                self._world.start_gateway()
            case {"do": "network", "there": False}:
                self._world.stop_gateway()
            case {"do": "misbehave", "device": str(device), "name": str(name)}:
                self._misbehave(device, name)
            case _:
                raise Refused(f"the bench cannot do {said.get('do')!r}")
        return {}

    def _look(self) -> dict[str, Any]:
        slips = sorted(self._world.devices.slips.glob("*.png"))
        shown = [
            {"id": id, "name": self._people[id].name, "note": note} for id, note in NOTES.items()
        ]
        return {"people": shown, "slips": [str(path) for path in slips]}

    def _pad(self, how: str) -> None:
        pad = self._world.devices.pad
        match how:
            case "approve":
                pad.with_emulator(lambda emulator: emulator.approve())
            case "decline":
                pad.with_emulator(lambda emulator: emulator.decline())
            case "silent":
                pad.with_emulator(lambda emulator: emulator.misbehave("silent_after_charge"))
            case "cancel":
                pad.with_emulator(lambda emulator: emulator.press_cancel())

    def _receipt_paper(self, there: bool) -> None:
        printer = self._world.devices.printer
        if there:
            printer.with_emulator(lambda emulator: emulator.put_paper_in())
        else:
            printer.with_emulator(lambda emulator: emulator.paper_out_after(0))

    def _misbehave(self, device: str, name: str) -> None:
        devices = self._world.devices
        hosts: dict[str, Any] = {
            "id_reader": devices.reader,
            "scanner": devices.scanner,
            "pad": devices.pad,
            "cash_box": devices.cash_box,
        }
        if device not in hosts:
            raise Refused(f"{device} has no misbehaviours here")
        hosts[device].with_emulator(
            lambda emulator: emulator.misbehave(name) if name else emulator.behave()
        )

    def _shown_reference(self) -> str:
        """What a phone's camera would read off the screen."""
        try:
            client = LinkClient(self._world.socket_path, "ui")
            view = client.next_view()
            client.close()
        except LinkLost as lost:
            raise Refused("the terminal is not there") from lost
        if not isinstance(view.page, Pay) or not view.page.url:
            raise Refused("the screen shows no code")
        return view.page.url.rpartition("/")[2]
