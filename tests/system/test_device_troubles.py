"""Paper out in the middle of a receipt, a card lifted too soon, a scanner that talks nonsense."""

from __future__ import annotations

from gateway.adapters.demo import people
from kiosk.views import PaymentResult, View
from tests.system.conftest import Terminal
from tests.system.test_killed_programs import to_the_pad


def test_paper_out_in_mid_receipt_is_told_and_the_slip_comes_marked_once_there_is_paper(
    terminal: Terminal,
) -> None:
    walk = terminal.walk()
    to_the_pad(walk, terminal)
    slips = len(terminal.slips())
    terminal.world.devices.printer.with_emulator(lambda printer: printer.paper_out_after(6))
    terminal.world.devices.present_bank_card()
    view = walk.until("payment_result", slip="failed", timeout_s=40)
    assert isinstance(view.page, PaymentResult)
    assert view.page.result == "settled", "the payment does not hang on the paper"
    assert view.frame.notice is not None and view.frame.notice.code == "no_receipt_paper"

    terminal.world.devices.printer.with_emulator(lambda printer: printer.put_paper_in())
    walk.until("payment_result", slip="printed", timeout_s=30)
    last = terminal.slips()[-1]
    assert len(terminal.slips()) > slips
    assert "补打" in last and view.page.slip_number in last


def test_a_card_lifted_in_mid_read_is_told_and_put_again_it_is_read(terminal: Terminal) -> None:
    walk = terminal.walk()
    person = terminal.debtor()
    reader = terminal.world.devices.reader
    reader.with_emulator(lambda emulator: emulator.misbehave("lifted_mid_read"))
    walk.lay(person)
    terminal.observer.wait(
        lambda view: view.frame.notice is not None and view.frame.notice.code == "card_removed",
        "the card called lifted",
    )
    reader.with_emulator(lambda emulator: emulator.behave())
    walk.lift()
    walk.lay(person)
    walk.until("home")


def test_a_scanner_that_sends_garbage_is_told_and_a_good_code_still_works(
    terminal: Terminal,
) -> None:
    walk = terminal.walk()
    person = terminal.debtor()
    scanner = terminal.world.devices.scanner
    scanner.with_emulator(lambda emulator: emulator.misbehave("control_characters"))
    walk.show("12345678")
    terminal.observer.wait(
        lambda view: view.frame.notice is not None and view.frame.notice.code == "code_garbled",
        "the code called unreadable",
    )
    scanner.with_emulator(lambda emulator: emulator.behave())
    walk.show(walk.codes(person).health_code)
    walk.until("home")


def test_a_hostile_code_names_nobody_and_the_terminal_goes_on(terminal: Terminal) -> None:
    walk = terminal.walk()
    for code in ("https://pay.example/?x=';drop table people--", "A" * 4000, "%s%n{0}"):
        walk.show(code)
        terminal.observer.wait(
            lambda view: (
                view.frame.notice is not None
                and view.frame.notice.code in ("code_unknown", "code_garbled")
            ),
            "the code refused",
        )
    walk.show(walk.codes(terminal.debtor()).health_code)
    walk.until("home")


def test_a_name_with_printer_commands_never_reaches_the_printer_as_one(terminal: Terminal) -> None:
    walk = terminal.walk()
    refused = terminal.printer_refusals()
    card = terminal.card_with_name("王\x1b@\x1dV\x00兰")
    terminal.world.devices.reader.with_emulator(lambda reader: reader.lay(card))
    terminal.observer.wait(
        lambda view: view.frame.notice is not None or view.page.page == "home", "an answer"
    )
    if terminal.observer.view is not None and terminal.observer.view.page.page == "home":
        walk.tap("help")
    assert terminal.printer_refusals() == refused


def test_without_the_hospital_the_screen_says_what_works_and_comes_back(terminal: Terminal) -> None:
    """Row 123."""
    terminal.world.stop_gateway()
    terminal.observer.wait(lambda view: not view.frame.works.hospital, "told honestly", 20)
    terminal.world.start_gateway()
    terminal.observer.wait(lambda view: view.frame.works.hospital, "all works again", 20)


def test_the_reader_unplugged_is_told_and_plugged_in_works_without_a_restart(
    terminal: Terminal,
) -> None:
    walk = terminal.walk()
    starts = terminal.world.core.starts
    reader = terminal.world.devices.reader
    reader.unplug()
    terminal.observer.wait(lambda view: not view.frame.works.id_reader, "reader away", 10)
    reader.plug()
    terminal.observer.wait(lambda view: view.frame.works.id_reader, "reader back", 10)
    walk.lay(terminal.debtor())
    walk.until("home")
    assert terminal.world.core.starts == starts


def test_reports_wait_for_paper_and_are_marked_printed_once_they_lie_in_the_tray(
    terminal: Terminal,
) -> None:
    """Rows 76, 77: the tray is known to be empty before anybody prints, and home still offers it;
    the page says what it waits for, and goes on by itself."""
    walk, tray = terminal.walk(), terminal.world.devices.tray
    sheets, marked = len(tray.papers), terminal.marked_printed(people.TWO_REPORTS)
    walk.lay(people.TWO_REPORTS)
    task = walk.until("home").page.next  # type: ignore[union-attr]
    tray.take_paper_out()

    def needs(view: View) -> bool:
        return view.frame.works.a4_needs == "no_report_paper"

    def waits(view: View) -> bool:
        notice = view.frame.notice
        return notice is not None and notice.code == "no_report_paper"

    terminal.observer.wait(needs, "told on the home page too", 20)
    walk.tap("next" if task is not None and task.kind == "print_reports" else "task:print_reports")
    terminal.observer.wait(waits, "told that the paper is out", 20)
    assert terminal.marked_printed(people.TWO_REPORTS) == marked
    tray.put_paper_in()
    walk.until("finished", what="reports_printed", count=2, timeout_s=60)
    assert len(tray.papers) == sheets + 2
    terminal.until(lambda: terminal.marked_printed(people.TWO_REPORTS) == marked + 2, "both marked")
