"""Measure daily sweeps over many watched pages: how long, how much memory, and never two requests to a host.

    python benchmarks/crawl.py [--hosts 2000] [--pages 5] [--servers 2] [--at-once 8] [--pause 0]

The hosts are names that a resolver leads to a few web servers on loopback, each a process of its own that
counts how many requests a host has in flight. The sweeps are those of the service: its pipeline and its store
on disk, so many hosts at once. Day 1: every page is new; day 2: none has changed (304); day 3: each has
changed. The pause between two requests to a host is 0 unless asked for: with it the time is little but
waiting. Prints one line of JSON a day, with the memory of the sweeping process at the end of it and at its
highest.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import httpx
from aiohttp import web

from bot.model import Contact
from bot.pipeline import Pipeline, Rules
from bot.store.tiny import TinyStore
from watchers.public_pages import PublicPages
from watchers.web.client import Courtesy
from watchers.web.guard import Reach
from watchers.web.pace import Pace

FIRST = datetime(2026, 3, 2, 6, tzinfo=UTC)
GIVEN = "Ada Bea Cleo Dora Edna Fay Gail Hope".split()
FAMILY = "Abbot Baker Carver Draper Ellis Fisher Glover Hooper".split()
FILLER = "<p>We make anvils, hammers and tongs for smiths in forty countries.</p>" * 60


def name(page: int, member: int) -> str:
    """Return the name of somebody on a page."""
    return f"{GIVEN[(page + member) % 8]} {FAMILY[(page * 3 + member) % 8]}son"


def body(page: int, day: int) -> str:
    """Return a team page of eight people, about six kilobytes."""
    cards = "".join(
        f'<div class="card"><h3>{name(page, member)}</h3><p>Head of Forge {member}</p></div>'
        for member in range(8)
    )
    news = "" if day < 3 else f"<p>Visitor {page}</p>"  # noqa: PLR2004 - from the third day on
    return f"<html><body><h1>Our team</h1><main>{cards}</main>{news}{FILLER}</body></html>"


class Server:
    """Serves every host, and counts what each has in flight."""

    def __init__(self) -> None:
        self.day = 1
        self.requests = 0
        self.in_flight: Counter[str] = Counter()
        self.most = 0

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Answer one request."""
        if request.path.startswith("/benchmark/"):
            self.day = int(request.path.rpartition("/")[2])
            told = {"requests": self.requests, "most": self.most}
            self.requests = 0
            return web.json_response(told)
        self.requests += 1
        self.in_flight[request.host] += 1
        self.most = max(self.most, self.in_flight[request.host])
        try:
            await asyncio.sleep(0.01)
            return self._page(request)
        finally:
            self.in_flight[request.host] -= 1

    def _page(self, request: web.BaseRequest) -> web.Response:
        if request.path == "/robots.txt":
            return web.Response(text="User-agent: *\nDisallow: /private\n")
        page = int(request.path.rpartition("/")[2])
        tag = f'"{page}-{max(2, self.day)}"'
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers={"ETag": tag})
        return web.Response(text=body(page, self.day), content_type="text/html", headers={"ETag": tag})


async def serve() -> None:
    """Serve until the end of the input; the port is told on the first line."""
    runner = web.ServerRunner(web.Server(Server().handle, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


async def loopback(host: str, port: int) -> Sequence[str]:
    """Lead every name to this machine."""
    del host, port
    return ["127.0.0.1"]


def memory() -> dict[str, int]:
    """Return the megabytes that this process holds, and held at most."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    found = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith(("VmRSS", "VmHWM"))}
    return {"megabytes": int(found["VmRSS"]) // 1024, "highest": int(found["VmHWM"]) // 1024}


async def tell(ports: Sequence[int], day: int) -> list[dict[str, int]]:
    """Tell the servers what day it is; return what each was asked since it was last told."""
    async with httpx.AsyncClient() as client:
        answers = [await client.get(f"http://127.0.0.1:{port}/benchmark/{day}") for port in ports]
    return [answer.json() for answer in answers]


def contacts(hosts: int, pages: int, ports: Sequence[int]) -> list[Contact]:
    """Return one contact for each page, who links it."""
    found = []
    for number in range(hosts * pages):
        host = f"www.h{number // pages}.example:{ports[(number // pages) % len(ports)]}"
        link = f"http://{host}/team/{number}"
        address = f"p{number}@h{number // pages}.example"
        found.append(
            Contact(address, name(number, 0), "Head of Forge 0", f"H{number // pages}", links=(link,))
        )
    return found


async def sweeps(given: argparse.Namespace, ports: Sequence[int]) -> None:
    """Sweep on three days."""
    now = FIRST
    reach = Reach(frozenset(ports), (ip_network("127.0.0.0/8"),), loopback)
    courtesy = Courtesy(Pace(lambda: datetime.now(UTC), timedelta(seconds=given.pause)))
    settings = PublicPages.Config(contact="mailto:ops@vendor.example")
    watcher = PublicPages(settings, lambda: now, reach, courtesy)
    with tempfile.TemporaryDirectory() as folder:
        async with await TinyStore.open(Path(folder)) as store:
            for contact in contacts(given.hosts, given.pages, ports):
                await store.watch(contact)
            rules = Rules({kind.name: kind for kind in PublicPages.kinds})
            pipeline = Pipeline(store, rules, ["vendor.example"], baseline=True)

            for day in (1, 2, 3):
                await tell(ports, day)
                free = asyncio.Semaphore(given.at_once)
                began, used = time.perf_counter(), time.process_time()

                async def look(source: str, free: asyncio.Semaphore = free, now: datetime = now) -> None:
                    async with free:
                        await pipeline.sweep(watcher, source, now)

                sources = watcher.sources(await pipeline.scope())
                await asyncio.gather(*(look(source) for source in sources))
                minutes = (time.perf_counter() - began) / 60
                told = await tell(ports, day)
                line = {
                    "day": day,
                    "pages": given.hosts * given.pages,
                    "hosts": given.hosts,
                    "requests": sum(one["requests"] for one in told),
                    "most in flight a host": max(one["most"] for one in told),
                    "minutes": round(minutes, 2),
                    "processor minutes": round((time.process_time() - used) / 60, 2),
                    **memory(),
                }
                print(json.dumps(line), flush=True)
                now += timedelta(days=2)


def main() -> None:
    """Start the servers and measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--hosts", type=int, default=2000)
    parser.add_argument("--pages", type=int, default=5)
    parser.add_argument("--servers", type=int, default=2)
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--pause", type=float, default=0.0)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(serve())
        return
    command = [sys.executable, __file__, "--serve"]
    servers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(given.servers)
    ]
    try:
        ports = [int(server.stdout.readline()) for server in servers if server.stdout]
        asyncio.run(sweeps(given, ports))
    finally:
        for server in servers:
            server.communicate()


if __name__ == "__main__":
    main()
