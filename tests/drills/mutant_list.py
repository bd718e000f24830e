"""Ways to break the product, one at a time, and who must notice: money, store, sync and audit.

Rule: an edit names the shortest text that stands once in its file; when the product moves on and
the text is gone, the edit breaks nothing any more and a test says so.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Judge:
    """A drill with its options (the first word is its name), or one file or test of pytest."""

    kind: str
    arguments: str


@dataclass(frozen=True)
class Mutant:
    """`old` stands once in `file`; with `new` in its place one of the judges must notice.

    Without a file the drill itself plants it, under the name that its option --mutant takes.
    """

    id: str
    breaks: str
    judges: tuple[Judge, ...]
    file: str = ""
    old: str = ""
    new: str = ""


def drill(arguments: str) -> Judge:
    return Judge("drill", arguments)


def test(arguments: str) -> Judge:
    return Judge("test", arguments)


SIMULATE = drill("simulate --seeds 100 --payments 3000 --until-broken")
CRASH = drill("crash --points 200 --until-broken")
CRASH_CASH = drill("crash --of cash --points 150 --until-broken")
CRASH_ONE_PHASE = drill("crash --of one-phase --points 150 --until-broken")
POWERCUT = drill("powercut --cuts 800")
FORGE = drill("forge --tamperings 300")
INGEST = test("tests/gateway/test_ingest.py")
SYNC = test("tests/offline/test_sync.py")
OUTBOX = test("tests/offline/test_outbox.py")
PINS = test("tests/offline/test_pins.py")
MEND = test("tests/offline/test_mend.py")

CHARGE, BOOKING = "kiosk/flows/payment_charge.py", "kiosk/flows/payment_booking.py"
STATE, PAYMENT = "kiosk/flows/payment_state.py", "kiosk/flows/payment.py"
ENGINE, PAYMENTS = "kiosk/engine/engine.py", "kiosk/engine/payments.py"
CASH, CASH_BOX = "kiosk/flows/payment_cash.py", "kiosk/devices/cash_box.py"
PAD, RECORDS = "kiosk/devices/payment_pad.py", "kiosk/records.py"

MONEY = (
    Mutant(
        "M2",
        "sends before it is durable",
        (CRASH, SIMULATE),
        ENGINE,
        """        self._commit(keeps)
        for effect in effects:
            if not isinstance(effect, _KEEPS):
                self._do(layer, effect)
""",
        """        for effect in effects:
            if not isinstance(effect, _KEEPS):
                self._do(layer, effect)
        self._commit(keeps)
""",
    ),
    Mutant(
        "M3",
        "charges again, under a new reference",
        (SIMULATE,),
        CHARGE,
        'return _unknown(payment, "the pad did not answer")',
        'return payment, (ChargePad(payment.reference + "X", payment.amount_fen),)',
    ),
    Mutant(
        "M3b",
        "charges again after a restart instead of asking",
        (SIMULATE, CRASH),
        CHARGE,
        "return (recall(payment),)",
        "return (ChargePad(payment.reference, payment.amount_fen),)",
    ),
    Mutant(
        "M4",
        "takes a time-out for a decline",
        (SIMULATE, CRASH),
        CHARGE,
        'return _unknown(payment, "the pad did not answer")',
        'return moved(payment, "DECLINED", "timed out")',
    ),
    Mutant(
        "M4b",
        "takes a charge found sent at a restart for declined",
        (SIMULATE, CRASH),
        PAYMENT,
        'unknown, keep = moved(found, "UNKNOWN", "restarted")',
        'return moved(found, "DECLINED", "restarted")\n            unknown, keep = found, ()',
    ),
    Mutant(
        "M5",
        "reverses without asking",
        (SIMULATE, CRASH),
        CHARGE,
        'return Ask(tag(payment, "close"), CloseOrder(payment.reference))',
        'return Ask(tag(payment, "close"), __import__("kiosk.hospital.contract", '
        'fromlist=["x"]).ReverseCharge(payment.reference))',
    ),
    Mutant(
        "M6",
        "gives back while the hospital is unknown",
        (SIMULATE, CRASH),
        BOOKING,
        'return moved_if(later, "HIS_UNKNOWN", why, *again)',
        'return moved_if(later, "HIS_UNKNOWN", why, *again, ReleasePad(payment.reference))',
    ),
    Mutant(
        "M6b",
        "gives back at a restart what was being booked",
        (SIMULATE, CRASH),
        PAYMENT,
        'unknown, keep = moved(found, "HIS_UNKNOWN", "restarted")',
        'unknown, keep = found, ()\n            return reverse(replace(found, at="HIS_REJECTED"))',
    ),
    Mutant(
        "M9",
        "gives a late answer to the payment that is open now",
        (SIMULATE,),
        PAYMENTS,
        "payment = self._payments.get(reference)",
        "payment = next((p for p in self._payments.values() if not p.final), None)",
    ),
    Mutant(
        "P1",
        "takes `not found` for the end while the charge is on its way",
        (SIMULATE, CRASH),
        CHARGE,
        'case "not_found" if what == "close":',
        'case "not_found":',
    ),
    Mutant(
        "P2",
        "books whatever amount the pad has taken",
        (SIMULATE,),
        CHARGE,
        "    if amount_fen != payment.amount_fen:\n        # Held",
        "    if amount_fen < payment.amount_fen:\n        # Held",
    ),
    Mutant(
        "P3",
        "reverses at once",
        (SIMULATE, CRASH),
        STATE,
        '"reverse_not_before": 15.0',
        '"reverse_not_before": 0.5',
    ),
    Mutant(
        "P4",
        "lets any old timer reverse",
        (SIMULATE, CRASH),
        BOOKING,
        'case Woke() if what == "reverse" and payment.method',
        "case Woke() if True or payment.method",
    ),
    Mutant(
        "P5",
        "lets go of the money when the hospital takes long",
        (SIMULATE, CRASH),
        BOOKING,
        "return replace(payment, keep=True), (CompletePad(payment.reference),)",
        "return replace(payment, keep=True), (ReleasePad(payment.reference),)",
    ),
    Mutant(
        "P6",
        "books again after the pad gave the money back",
        (SIMULATE, CRASH),
        BOOKING,
        "    if payment.returned:\n        return Ask",
        "    if False:\n        return Ask",
    ),
    Mutant(
        "P7",
        "shows a doubt as not charged",
        (SIMULATE,),
        "kiosk/flows/pay_state.py",
        '"UNKNOWN": "checking"',
        '"UNKNOWN": "not_charged"',
    ),
    Mutant(
        "P8",
        "forgets what was open at a restart",
        (SIMULATE, CRASH),
        ENGINE,
        "self._payments.recover(self._records.open_payments())",
        "self._payments.recover(())",
    ),
    Mutant(
        "P9",
        "completes at the pad before the hospital has booked",
        (test("tests/flows/test_payment.py"), CRASH),
        BOOKING,
        "return booking, (*keep, *more, _settle(booking), *_hold_limit(booking))",
        "return booking, (*keep, *more, _settle(booking), CompletePad(payment.reference))",
    ),
    Mutant(
        "P10",
        "acts at the pad after a new connection without looking",
        (test("tests/kiosk/test_payment_pad.py"),),
        PAD,
        "if self._holding != reference:",
        "if False:",
    ),
    Mutant(
        "P11",
        "says the end of a payment to nobody in finance",
        (CRASH,),
        STATE,
        "return now, (keep, tell_finance(now, at, evidence))",
        "return now, (keep,)",
    ),
    Mutant(
        "C1",
        "forgets a note that was kept while nobody listened",
        (CRASH_CASH,),
        CASH,
        "payment.taken_fen + recalled.kept_fen, payment.note_fen",
        "payment.taken_fen, payment.note_fen",
    ),
    Mutant(
        "C2",
        "leaves a note in the escrow to itself",
        (CRASH_CASH,),
        CASH_BOX,
        "if box.escrowed_fen is None or any(one in stuck for one in seen):",
        "if True:",
    ),
    Mutant(
        "C3",
        "takes a doubt about notes for none in the box",
        (CRASH_CASH,),
        CASH,
        'stepped = _ended_early(now, "cash_in_doubt")',
        'stepped = moved(now, "DECLINED", "in doubt")',
    ),
    Mutant(
        "O1",
        "tells of money given back that a pad of one phase has kept",
        (CRASH_ONE_PHASE,),
        PAD,
        "match self._pad.reverse(self._taken, deadline):",
        "match pad.Released(by_pad=False):",
    ),
    Mutant(
        "O2",
        "takes what a pad of one phase shows after a restart for nothing taken",
        (CRASH_ONE_PHASE,),
        PAD,
        'found, self._taken = "held", charged',
        'found = "none"',
    ),
)

STORE = (
    Mutant(
        "M1",
        "synchronous=NORMAL",
        (POWERCUT,),
        "offline/store.py",
        '("synchronous", "full", 2)',
        '("synchronous", "normal", 1)',
    ),
    Mutant(
        "M1b",
        "records a payment's steps in two transactions",
        (test("tests/kiosk/test_records.py"), CRASH),
        RECORDS,
        "        self.keeping.write(work)\n\n    def admission",
        "        for keep in keeps:\n"
        "            self.keeping.write(lambda tx, keep=keep: self._keep(tx, keep, session))\n\n"
        "    def admission",
    ),
    Mutant(
        "M11",
        "a damaged store is thrown away",
        (MEND,),
        "offline/mend.py",
        "    try:\n        _fill(store, damaged)\n",
        "    try:\n        pass\n",
    ),
    Mutant(
        "M16",
        "counts wrong PINs in memory only",
        (PINS,),
        "offline/pins.py",
        "self._count(tx, who, failures + 1, wait_ms)",
        "pass",
    ),
    Mutant(
        "M20",
        "measures waits on the wall's clock",
        (PINS,),
        "offline/pins.py",
        "return int(self._store.clock.boot_s() * 1000)",
        "return self._store.clock.wall_ms()",
    ),
    Mutant(
        "T1",
        "writes on after a failed sync",
        (test("tests/offline/test_store.py"),),
        "offline/store.py",
        "        if isinstance(error, StoreError) and not isinstance(error, StoreFull):\n"
        "            self._broken = True\n",
        "",
    ),
    Mutant(
        "T2",
        "keeps the journal in memory",
        (drill("powercut --cuts 500 --mutant journal_in_memory"),),
    ),
    Mutant(
        "T3",
        "begins payments on a full disk",
        (drill("diskfull --points 20 --mutant no_admission"),),
    ),
    Mutant(
        "T4",
        "charges before the record, on a full disk",
        (drill("diskfull --points 20 --mutant pad_first"),),
    ),
    Mutant(
        "T5",
        "takes a mended intent for one never sent",
        (drill("corrupt --corruptions 40 --mutant intent_was_never_sent"),),
    ),
    Mutant(
        "T6",
        "pays on without comparing after mending",
        (drill("corrupt --corruptions 40 --mutant does_not_compare"),),
    ),
)

SENDING = (
    Mutant(
        "M7",
        "acknowledges before the commit",
        (INGEST, test("tests/gateway/test_operations.py")),
        "gateway/ingest.py",
        """            if front is not None:
                held_up_to = _hold(work, front, batch)
""",
        """            if front is not None:
                held_up_to = _hold(work, front, batch)
            connection.rollback()
""",
    ),
    Mutant(
        "M8",
        "forgets keys after a day",
        (INGEST,),
        "gateway/ingest.py",
        ".where(or_(mine, same_key))",
        ".where(or_(mine, same_key), records.c.received > to_us(work.now) - 86_400_000_000)",
    ),
    Mutant(
        "M12",
        "forgets what was refused",
        (OUTBOX,),
        "offline/outbox.py",
        "found = _refuse(tx, key, reason)",
        "found = _accept(tx, [key])",
    ),
    Mutant(
        "M13",
        "the first bad record stops the loop",
        (INGEST,),
        "gateway/ingest.py",
        "self._alone(terminal, record, token) for record in batch]",
        "self._alone(terminal, record, token) for record in batch[:1]]",
    ),
    Mutant(
        "M13b",
        "does not look for the record that breaks the far side",
        (SYNC,),
        "offline/sync.py",
        "self._suspects = frozenset(record.key for record in batch.records)",
        "pass",
    ),
    Mutant(
        "S1",
        "a later record of a person overtakes",
        (OUTBOX, SYNC),
        "offline/outbox.py",
        "held_back.add(person)",
        "pass",
    ),
    Mutant(
        "S2",
        "applies verdicts of records that were never sent",
        (SYNC,),
        "offline/sync.py",
        "if key in keys]",
        "]",
    ),
    Mutant(
        "S3",
        "takes the same key with another body",
        (INGEST,),
        "gateway/ingest.py",
        "and kept.body_hash == body_hash:",
        ":",
    ),
    Mutant(
        "S4",
        "answers a known key from another request's answer",
        (test("tests/gateway/test_operations.py"),),
        "gateway/operations.py",
        "if stored.body_hash not in (_ANY_BODY, keys.digest(operation.body)):",
        "if False:",
    ),
    Mutant(
        "S5",
        "takes leased numbers back by its own clock",
        (drill("leases --steps 4000 --mutant reclaims_by_clock"),),
    ),
    Mutant(
        "S6",
        "gives out numbers that it has returned",
        (drill("leases --steps 8000 --mutant keeps_what_it_returned"),),
    ),
)

TRAIL = (
    Mutant(
        "M14",
        "a link's hash leaves out its number",
        (FORGE, test("tests/offline/test_audit.py")),
        "offline/chain.py",
        'sha256(previous + seq.to_bytes(8, "big") + payload)',
        "sha256(previous + payload)",
    ),
    Mutant(
        "M15",
        "an ID number stands in the trail",
        (test("tests/kiosk/test_records.py"), test("tests/offline/test_audit.py")),
        "offline/catalogue.py",
        're.compile(f"(?!.*{ID_NUMBER.pattern})(?:{pattern.pattern})")',
        "pattern",
    ),
    Mutant(
        "A1",
        "a link's hash leaves out its predecessor",
        (FORGE,),
        "offline/chain.py",
        "sha256(previous + seq.to_bytes",
        "sha256(seq.to_bytes",
    ),
    Mutant(
        "A2",
        "any signature will do",
        (test("tests/offline/test_audit.py"), FORGE),
        "offline/audit.py",
        "        except InvalidSignature:\n            return False\n",
        "        except InvalidSignature:\n            return True\n",
    ),
    Mutant(
        "A5",
        "leaves the exports when it erases a person",
        (test("tests/kiosk/test_staff.py"),),
        "kiosk/keeping.py",
        "        self._exports.drop()\n",
        "",
    ),
    Mutant(
        "A6",
        "takes every end of a run for a clean one",
        (test("tests/kiosk/test_staff.py"),),
        "offline/runs.py",
        'return "killed" if boot == self._boot else "power"',
        'return ""',
    ),
    Mutant(
        "A3", "nobody witnesses the heads", (drill("forge --tamperings 100 --mutant no_witness"),)
    ),
    Mutant(
        "A4",
        "the index of the trail is not checked",
        (drill("forge --tamperings 100 --mutant index_unchecked"),),
    ),
)

MUTANTS = (*MONEY, *STORE, *SENDING, *TRAIL)
