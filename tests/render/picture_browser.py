"""Chromium looks at pages: they are served to it by the test, and it sends back what it saw."""

from __future__ import annotations

import json
import queue
import shutil
import subprocess
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Dict, List, Mapping, Tuple

import pytest

MERMAID = sorted((Path(__file__).resolve().parents[2] / ".venv" / "browser").glob("mermaid-*.min.js"))
SECONDS = 180
FLAGS = """
    --headless --no-sandbox --disable-gpu --disable-quic --disable-dev-shm-usage --no-first-run
    --disable-background-networking --disable-component-update --disable-sync --hide-scrollbars
    --window-size=1600,1200 --enable-logging=stderr
""".split()
INSTALL = "tests/render/install_browser.sh installs it"
TYPES = {"svg": "image/svg+xml", "html": "text/html", "js": "text/javascript"}

PAGE = """<!DOCTYPE html><meta charset="utf-8"><title>test</title><body><script type="module">
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const box = (element) => { const r = element.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]; };
async function open(address) {  // a document in a frame of its own, after everything in it has had its time
  const frame = document.createElement("iframe");
  frame.width = 1500; frame.height = 1000;
  const loaded = new Promise((done) => { frame.onload = done; });
  frame.src = address;
  document.body.append(frame);
  await loaded;
  await sleep(300);
  return frame.contentDocument;
}
function seen(page) {
  const all = [...page.querySelectorAll("*")];
  const svg = page.querySelector("svg");
  const steps = [...page.querySelectorAll("g.step")];
  return {
    hacked: Boolean(window.hacked),
    broken: page.querySelector("parsererror")?.textContent ?? "",
    scripts: all.filter((e) => e.localName === "script").length,
    handlers: all.flatMap((e) => [...e.attributes]).filter((a) => a.name.startsWith("on")).length,
    picture: svg ? box(svg) : null,
    texts: [...page.querySelectorAll("svg text")].map((e) => ({text: e.textContent, box: box(e)})),
    steps: steps.map((e) => ({title: e.querySelector("title").textContent, box: box(e.querySelector("rect.box")),
      label: box(e.querySelector("text"))})),
    rows: page.querySelectorAll("tbody tr").length,
  };
}
let result;
try { result = await (async () => { %s })(); } catch (error) { result = {error: String(error?.stack ?? error)}; }
await fetch("/result", {method: "POST", body: JSON.stringify(result)});
</script>"""


def need(program: str) -> str:
    """The path of a program; without it the test is skipped."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"there is no {program}: {INSTALL}")
    return path


def need_mermaid() -> str:
    """The source of Mermaid; without it the test is skipped."""
    if not MERMAID:
        pytest.skip(f"there is no Mermaid: {INSTALL}")
    return MERMAID[-1].read_text(encoding="utf-8")


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        content = self.server.files.get(self.path.lstrip("/"))
        self.send_response(200 if content is not None else 404)
        self.send_header("Content-Type", TYPES.get(self.path.rpartition(".")[2], "text/plain") + "; charset=utf-8")
        self.end_headers()
        self.wfile.write((content or "").encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()
        self.server.results.put(json.loads(body))

    def log_message(self, *_arguments: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, files: Mapping[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = files
        self.results: queue.Queue[Any] = queue.Queue()


def look(files: Mapping[str, str], script: str) -> Tuple[Dict[str, Any], List[str]]:
    """What an async script gives in a page beside these files, and the lines of the console."""
    chromium = need("chromium")
    server = _Server({**files, "test.html": PAGE % script, "favicon.ico": ""})
    threading.Thread(target=server.serve_forever, daemon=True).start()
    folder = tempfile.mkdtemp()
    log = Path(folder) / "log"
    address = f"http://127.0.0.1:{server.server_port}/test.html"
    with log.open("w") as stderr:
        command = [chromium, *FLAGS, f"--user-data-dir={folder}/profile", address]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stderr)
        try:
            result = server.results.get(timeout=SECONDS)
        except queue.Empty:
            result = {"error": "the browser did not answer"}
        finally:
            process.terminate()
            process.wait()
            server.shutdown()
            server.server_close()
    console = [line for line in log.read_text(errors="replace").splitlines() if "CONSOLE" in line]
    shutil.rmtree(folder, ignore_errors=True)
    assert "error" not in result, (result, console)
    return result, console
