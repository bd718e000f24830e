"""What hands would do at the demo hospital, by HTTP. These routes exist only with --demo-controls.

A phone that pays, a provider that falls silent, a hospital that is away; and the two ledgers.
"""

from __future__ import annotations

import html
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, JSONResponse

from gateway.adapters.demo import ledger
from gateway.adapters.demo.knobs import HospitalMode, Knobs, ProviderMode
from gateway.adapters.demo.provider import DemoProvider
from gateway.store import Store


@dataclass
class PayOrder:
    reference: str


@dataclass
class TurnProvider:
    mode: ProviderMode
    seconds: float = 5.0


@dataclass
class TurnHospital:
    mode: HospitalMode
    seconds: float = 5.0


def router(store: Store, knobs: Knobs, provider: DemoProvider) -> APIRouter:
    """POST /demo/pay, /demo/provider, /demo/hospital; GET /demo/pay/REFERENCE, /demo/ledger."""
    routes = APIRouter(prefix="/demo")

    @routes.post("/pay")
    def pay(ask: PayOrder) -> dict[str, Any]:
        return asdict(provider.pay(ask.reference))

    @routes.get("/pay/{reference}")
    def pay_page(reference: str) -> HTMLResponse:
        return HTMLResponse(_pay_page(reference))

    @routes.post("/provider")
    def turn_provider(ask: TurnProvider) -> dict[str, Any]:
        knobs.turn(replace(knobs.now, provider=ask.mode, provider_seconds=ask.seconds))
        return asdict(knobs.now)

    @routes.post("/hospital")
    def turn_hospital(ask: TurnHospital) -> dict[str, Any]:
        knobs.turn(replace(knobs.now, hospital=ask.mode, hospital_seconds=ask.seconds))
        return asdict(knobs.now)

    @routes.get("/state")
    def state() -> dict[str, Any]:
        return asdict(knobs.now)

    @routes.get("/ledger")
    def ledgers() -> dict[str, Any]:
        return read_ledgers(store)

    return routes


def read_ledgers(store: Store) -> dict[str, Any]:
    """Both books as JSON can hold them."""
    with store.reading() as connection:
        return {
            "hospital": [asdict(entry) for entry in ledger.his_entries(connection)],
            "provider": [asdict(entry) for entry in ledger.provider_entries(connection)],
        }


def misbehave(app: FastAPI, knobs: Knobs, wait: Callable[[float], None]) -> None:
    """Let the hospital's modes reach the contract's endpoints: away, slow, silent."""

    @app.middleware("http")
    async def _hospital(
        request: Request, go_on: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        settings = knobs.now
        if not request.url.path.startswith("/v1/"):
            return await go_on(request)
        match settings.hospital:
            case HospitalMode.AWAY:
                return JSONResponse({"code": "hospital_away"}, 503)
            case HospitalMode.SLOW:
                await run_in_threadpool(wait, settings.hospital_seconds)
            case HospitalMode.SILENT:
                await go_on(request)
                return JSONResponse({"code": "answer_lost"}, 504)
        return await go_on(request)


def _pay_page(reference: str) -> str:
    """What a payer's phone shows."""
    shown = html.escape(reference)
    return (
        "<!doctype html><html lang=zh-CN><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width"><title>演示付款</title>'
        "<style>body{font:20px sans-serif;text-align:center;margin:3rem 1rem}"
        "button{font:inherit;padding:1rem 3rem;background:#004f63;color:#fff;border:0}</style>"
        f"<h1>演示付款</h1><p>单号 {shown}</p><button>付款</button><p id=out></p>"
        "<script>document.querySelector('button').onclick=async()=>{"
        "const r=await fetch('/demo/pay',{method:'POST',headers:{'content-type':"
        "'application/json'},body:JSON.stringify({reference:document.body.dataset.r})});"
        "const c=await r.json();document.getElementById('out').textContent="
        "c.state==='paid'?'已付款':c.state};"
        f"document.body.dataset.r={_js(reference)}</script></html>"
    )


def _js(text: str) -> str:
    """A string literal that cannot leave its script."""
    return json.dumps(text).replace("<", "\\u003c")
