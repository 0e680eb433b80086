"""Finds what is wider than the screen in the built documentation, with Chromium.

``python -m tests.tools.widths HTML`` opens every page below the directory HTML at the widths of a
desktop and a phone, prints the pages that scroll sideways and the blocks and tables that are
clipped, and ends with status 1 if there are any. Without Chromium it prints ``absent``.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

#: Pixels: a desktop and a phone.
WIDTHS = (1280, 390)
#: Seconds for all pages.
LIMIT = 140
#: Sphinx's own pages, which have no text of this project.
_OTHERS = {"genindex.html", "search.html", "py-modindex.html"}
_MEASURE = """<body><script type="module">
const found = [], frame = document.body.appendChild(document.createElement("iframe"));
frame.height = 900;
for (const width of WIDTHS) {
  frame.width = width;
  for (const page of PAGES) {
    await new Promise(loaded => { frame.onload = loaded; frame.src = "/" + page; });
    const page_ = frame.contentDocument, root = page_.documentElement;
    const add = (what, is, fits) => is > fits + 1 && found.push({width, page, what, is, fits});
    add("page", root.scrollWidth, width);
    for (const one of page_.querySelectorAll("article pre, article table, article svg")) {
      const text = one.textContent.trim().slice(0, 60);
      if (one.matches("pre")) add("block: " + text, one.scrollWidth, one.clientWidth);
      else add(one.tagName.toLowerCase() + ": " + text, one.getBoundingClientRect().width,
               one.parentElement.clientWidth);
    }
  }
}
await fetch("/found", {method: "POST", body: JSON.stringify(found)});
</script></body>"""


def chromium() -> str | None:
    """Return the program, if it is installed."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


class _Handler(SimpleHTTPRequestHandler):
    """Serves the pages and the one that measures them, and takes what it found."""

    server: "_Server"  # pyright: ignore[reportIncompatibleVariableOverride]  # the only one

    def do_GET(self) -> None:
        """Serve a file, or the page that measures."""
        if self.path != "/measure":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(self.server.measure.encode())

    def do_POST(self) -> None:
        """Take the result."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()
        self.server.found = json.loads(body)
        self.server.is_done.set()

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - its name there
        """Print nothing."""


class _Server(ThreadingHTTPServer):
    """A server on the loopback interface, with the result of one measurement."""

    def __init__(self, html: Path) -> None:
        super().__init__(("127.0.0.1", 0), partial(_Handler, directory=str(html)))
        pages = (path.relative_to(html) for path in sorted(html.rglob("*.html")))
        self.pages = [
            str(page)
            for page in pages
            if page.name not in _OTHERS and not page.parts[0].startswith("_")
        ]
        script = _MEASURE.replace("WIDTHS", json.dumps(WIDTHS))
        self.measure = script.replace("PAGES", json.dumps(self.pages))
        self.found: list[dict[str, object]] = []
        self.is_done = Event()


def measured(html: Path, program: str) -> tuple[list[str], int]:
    """Return a line for everything that is too wide, and the number of pages.

    Raises:
        TimeoutError: Chromium did not measure all pages in time.
    """
    with _Server(html) as server, tempfile.TemporaryDirectory() as profile:
        Thread(target=server.serve_forever, daemon=True).start()
        command = [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        command += [f"--user-data-dir={profile}", "--remote-debugging-port=0"]
        url = f"http://127.0.0.1:{server.server_port}/measure"
        with subprocess.Popen([*command, url], stderr=subprocess.DEVNULL) as process:
            is_done = server.is_done.wait(LIMIT)
            process.terminate()
        server.shutdown()
    if not is_done:
        msg = f"Chromium did not measure the pages within {LIMIT} s"
        raise TimeoutError(msg)
    lines = ["{width} pixels, {page}: {what} ({is} > {fits})".format(**one) for one in server.found]
    return lines, len(server.pages)


def main(html: str) -> int:
    """Print what is too wide, and return the exit status."""
    program = chromium()
    if program is None:
        sys.stdout.write("absent\n")
        return 0
    lines, pages = measured(Path(html), program)
    widths = " and ".join(map(str, WIDTHS))
    summary = f"{len(lines)} too wide on {pages} pages at {widths} pixels"
    sys.stdout.write("\n".join([*lines, summary]) + "\n")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
