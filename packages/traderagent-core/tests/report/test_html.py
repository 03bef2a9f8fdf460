import json
import re
import shutil
import subprocess
from base64 import b64encode
from hashlib import sha256
from html import unescape
from html.parser import HTMLParser
from importlib.resources import files
from typing import get_args

import pytest
from traderagent_core.contract.exhibit import Band, Column, Exhibit, Kind, Layer, Line, Mark, Shape, Table
from traderagent_core.model.timeframe import DAY_MS
from traderagent_core.report.bounds import bounds
from traderagent_core.report.html import LIBRARY, asset, embedded, page_script, render
from traderagent_core.report.result import result_of
from traderagent_core.simulator.outcome import DecisionRow, Shown, Study

ASSETS = {
    LIBRARY: "e21cc5caa0226ef30bd8549c50b9ef926615f2a4ee6b4e486353477a55f598cf",
    "lightweight-charts.LICENSE": "70c9d5382506dd184465425c08a99ad9bd6d9ac1313c252968ba0b585e5ef823",
}
VOID = {"meta", "input", "br", "link", "img"}


class Page(HTMLParser):
    """Elements, scripts and the text of a page; fails on elements that are not closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.scripts, self.text = [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        (self.scripts if self.open[-1:] == ["script"] else self.text).append(data)

    @property
    def data(self):
        return json.loads(self.scripts[0])


def test_page_is_well_formed_and_has_its_parts(make_outcome):
    outcome = make_outcome()
    page = Page(render(result_of(outcome, bounds=bounds({"nearer_first": outcome}))))
    text = " ".join(page.text)
    for part in (
        "Price and trades",
        "Equity and drawdown",
        "Money per bot",
        "Range over paths",
        "Decisions",
        "All metrics",
        "Assumptions",
        "Manifest",
        "Generated market.",
        "TradingView Lightweight Charts",
    ):
        assert part in text


def test_nothing_in_a_name_becomes_markup(make_outcome):
    evil = "</script><script>alert(1)</script>&\u2028"
    outcome = make_outcome(bot=evil)
    outcome.decisions.append(DecisionRow(0, evil, "note", evil, evil, evil))
    outcome.assumptions["<b>key"] = evil
    outcome.manifest["bots"] = [evil]
    result = result_of(outcome, bounds=bounds({evil: outcome}, note=evil))
    page = Page(render(result))
    assert [tag for tag, _ in page.elements].count("script") == 3
    assert "b" not in {tag for tag, _ in page.elements}
    assert page.data["tables"][-1]["rows"][0][0] == evil
    assert "<script>alert(1)</script>" in "".join(page.text)


@pytest.mark.parametrize("text", ["</script>", "<!--<script>", "]]>", "&lt;", "\u2028", "\\", '"'])
def test_embedded_json_reads_back_and_cannot_end_its_element(text):
    content = embedded({"x": text})
    assert json.loads(content) == {"x": text}
    assert not re.search(r"[<>&\u2028]", content)


def test_policy_forbids_requests_and_names_the_scripts(make_outcome):
    page = Page(render(result_of(make_outcome())))
    [policy] = [a["content"] for tag, a in page.elements if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    assert "http" not in policy
    for script in page.scripts[1:]:
        digest = b64encode(sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in unescape(policy)
    assert not [a for tag, a in page.elements if "src" in a or tag == "link"]


@pytest.mark.parametrize(("name", "digest"), ASSETS.items())
def test_shipped_library_is_the_published_one(name, digest):
    folder = files("traderagent_core.report") / "assets"
    assert sha256((folder / name).read_bytes()).hexdigest() == digest
    assert digest in (folder / "README.md").read_text()


def test_attribution_of_the_library_stays_visible():
    assert "attributionLogo: true" in page_script()
    assert "Apache License 2.0" in asset("report.html")


def test_every_symbol_can_be_chosen(make_outcome):
    page = Page(render(result_of(make_outcome(symbols=("BTC/USDT", "ETH/USDT")))))
    assert [chart["symbol"] for chart in page.data["symbols"]] == ["BTC/USDT", "ETH/USDT"]
    assert [a["value"] for tag, a in page.elements if tag == "option"] == ["0", "1"]


def test_long_lists_are_cut_and_say_so(make_outcome):
    outcome = make_outcome(count=10_000, fills=8200)
    page = Page(render(result_of(outcome)))
    [table] = page.data["tables"]
    assert (table["title"], table["total"], len(table["rows"])) == ("Trades and cycles", 4100, 3000)
    assert table["rows"][-1][7] == float(outcome.trades[-1].quantity)
    assert "The latest 200 of 8,200, newest first; all are in decisions.csv." in page.text


def test_page_of_a_huge_run_stays_small(make_outcome):
    names = tuple(f"COIN{i}/USDT" for i in range(20))
    outcome = make_outcome(count=30_000, symbols=names, fills=800, balance="9000000")
    outcome.manifest["configuration"] = {"text": "x" * 3_000_000}
    assert len(render(result_of(outcome)).encode()) < 1_500_000


@pytest.mark.parametrize("fills", [0, 1])
def test_empty_runs_have_a_page(make_outcome, curve_outcome, fills):
    Page(render(result_of(make_outcome(count=3, fills=fills))))
    assert Page(render(result_of(curve_outcome([])))).data["symbols"] == []


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed")
def test_browser_draws_the_page_without_errors(make_outcome, tmp_path, monkeypatch):
    outcome = make_outcome(count=DAY_MS // 60_000, symbols=("BTC/USDT", "ETH/USDT"), bot="<script>x</script>")
    start_ms, price = (
        int(outcome.candles["BTC/USDT"].open_time[500]),
        float(outcome.candles["BTC/USDT"].close[0]),
    )
    layer = Layer(
        "All kinds",
        "BTC/USDT",
        (Band(start_ms, start_ms + 9_000_000, price, price + 50, "up", "a band"),),
        (Line(((start_ms, price), (start_ms + 9_000_000, price + 30)), "bad", "dotted", "line", "a line"),),
        [Mark(start_ms, price, shape, "good", "A", "a mark") for shape in get_args(Shape)],
    )
    columns = tuple(Column(kind, kind.upper(), kind) for kind in get_args(Kind))
    table = Table(
        "kinds", "All kinds of cells", columns, [("word", start_ms, 3, 1.5, -2.5, 0.12), (None,) * 6]
    )
    shown = (Shown("two", "filter", "two", Exhibit((table,), (layer,))),)
    monkeypatch.setattr(Study, "exhibits", shown)
    result_of(outcome).write(tmp_path)
    flags = (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
        " --disable-component-update --disable-sync --enable-logging=stderr --v=0 --virtual-time-budget=3000"
    )
    page = (tmp_path / "report.html").as_uri()
    command = [CHROMIUM, *flags.split(), f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", page]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "CONSOLE" not in done.stderr
    assert done.stdout.count("<canvas") > 4
    assert "<td>&lt;script&gt;x&lt;/script&gt;</td>" in done.stdout
    assert "Page 1 of" in done.stdout
    assert re.search(r'aria-pressed="true"[^>]*><i[^>]*></i>All kinds</button>', done.stdout)
    for cell in ("word", "2024-01-01 08:20", "1.50", "−2.50", "12.00 %", "–"):
        assert f">{cell}</td>" in done.stdout
