"""Broken configurations: each problem is told at its place, with its key and what would mend it."""

from collections.abc import Callable
from typing import Any

import pytest

Problems = Callable[[str | bytes], list[dict[str, Any]]]
Expected = tuple[int, int, str, str]

GRID = "grid: {lower_price: 1, upper_price: 2, grid_levels: 5}"
BOT = f"""\
bots:
  - name: a
    symbol: BTC/USDT
    strategy: grid
    {GRID}
"""


def bot(line: str, section: str = GRID) -> str:
    """A bot with one more line, the sixth; `section` is the fifth."""
    return BOT.replace(GRID, section) + (f"    {line}\n" if line else "")


def grid(line: str) -> str:
    """A bot whose grid section has one more key, in line 9."""
    return BOT.replace(GRID, "grid:") + (
        f"      lower_price: 1\n      upper_price: 2\n      grid_levels: 5\n      {line}\n"
    )


def top(line: str) -> str:
    """A configuration that begins with this line."""
    return f"{line}\n{BOT}"


def sides(first: str, second: str) -> str:
    """Two bots, each on one of the two positions of a pair."""
    bots = (
        f"  - name: {name}\n    symbol: BTC/USDT:{side}\n    market: linear\n    strategy: quiet\n"
        for name, side in (("a", first), ("b", second))
    )
    return "bots:\n" + "".join(bots)


BROKEN: dict[str, tuple[str, list[Expected]]] = {
    # keys
    "unknown top-level key": (top("log_levl: INFO"), [(1, 1, "log_levl", "did you mean 'log_level'")]),
    "key of a later part": (
        top("telegram_chat_id: 5"),
        [(1, 1, "telegram_chat_id", "keys that may stand here")],
    ),
    "key in the wrong place": (top("balance: 5"), [(1, 1, "balance", "belongs under simulation")]),
    "group of the coordinator": (top("router: {}"), [(1, 1, "router", "belongs under coordinator")]),
    "bot key at the top": (top("symbol: BTC/USDT"), [(1, 1, "symbol", "belongs under a bot")]),
    "risk key in the bot": (
        bot("max_daily_loss: 5"),
        [(6, 5, "bots[0].max_daily_loss", "belongs under risk_management")],
    ),
    "strategy key in the bot": (bot("grid_levels: 5"), [(6, 5, "bots[0].grid_levels", "belongs under grid")]),
    "filter in the bot": (bot("volume: {}"), [(6, 5, "bots[0].volume", "belongs under filters")]),
    "unknown key of a plugin": (grid("grid_levls: 6"), [(9, 7, "bots[0].grid.grid_levls", "may stand here")]),
    "misspelt required key is one problem": (
        bot("", "grid: {lower_price: 1, uper_price: 2, grid_levels: 5}"),
        [(5, 28, "bots[0].grid.uper_price", "did you mean 'upper_price'")],
    ),
    "another version of YAML": ("%YAML 1.1\n---\n" + BOT, [(1, 1, "", "another YAML than 1.2")]),
    "another version in the middle": (top("%YAML 9.9"), [(1, 1, "", "another YAML than 1.2")]),
    "key with capitals and dashes": (
        bot("Dry-Run: true"),
        [(6, 5, "bots[0].Dry-Run", "did you mean 'dry_run'")],
    ),
    "unknown key deep in a plugin": (
        grid("by_hour: {noon: {distance: 0.1, trailling: true}}"),
        [(9, 39, "bots[0].grid.by_hour.noon.trailling", "did you mean 'trailing'")],
    ),
    "missing key deep in a plugin": (
        grid("stops: {trailing: true}"),
        [(9, 7, "bots[0].grid.stops.distance", "required and missing")],
    ),
    "missing bot keys": (
        "bots:\n  - name: a\n",
        [(2, 5, "bots[0].symbol", "as BASE/QUOTE"), (2, 5, "bots[0].strategy", "required and missing")],
    ),
    "missing key of a plugin": (
        bot("", "grid: {lower_price: 1, upper_price: 2}"),
        [(5, 5, "bots[0].grid.grid_levels", "Number of levels")],
    ),
    "missing section": (
        bot("", "dry_run: true"),
        [(4, 15, "bots[0].grid", "keys at least: grid_levels, lower_price, upper_price")],
    ),
    "no bots": ("log_level: INFO\n", [(1, 1, "bots", "required and missing")]),
    "bots without items": ("bots: []\n", [(1, 1, "bots", "expected a list of bots")]),
    "bots as keys": ("bots:\n  a: {}\n", [(1, 1, "bots", "- name:")]),
    "bots with nothing in it": ("bots:\n", [(1, 1, "bots", "- name:")]),
    "bot that is a text": ("bots:\n  - demo\n", [(2, 5, "bots[0]", "expected a bot")]),
    # types and limits
    "text for a number": (
        grid("amount_per_grid: many"),
        [(9, 24, "bots[0].grid.amount_per_grid", "a number")],
    ),
    "group for a number": (
        top("simulation: {balance: {usdt: 5}}"),
        [(1, 14, "simulation.balance", "expected a number")],
    ),
    "thousands": (
        top("simulation:\n  balance: 100,000"),
        [(2, 12, "simulation.balance", "without commas: 100000")],
    ),
    "decimal comma": (top("simulation:\n  slippage: 0,1"), [(2, 13, "simulation.slippage", "a point: 0.1")]),
    "per cent sign": (top("simulation:\n  maker_fee: 0.1%"), [(2, 14, "simulation.maker_fee", "0.001")]),
    "per cent for a ratio": (
        bot("risk_management: {stop_loss_percentage: 12}"),
        [(6, 45, "bots[0].risk_management.stop_loss_percentage", "12 % is 0.12")],
    ),
    "fee of ten per cent": (
        top("simulation: {taker_fee: 0.1}"),
        [(1, 25, "simulation.taker_fee", "below 0.1")],
    ),
    "negative balance": (top("simulation: {balance: -1}"), [(1, 23, "simulation.balance", "above 0")]),
    "not a number": (top("simulation: {balance: .nan}"), [(1, 23, "simulation.balance", "ordinary size")]),
    "infinite": (grid("profit_per_grid: .inf"), [(9, 24, "bots[0].grid.profit_per_grid", "finite")]),
    "number out of range": (top("simulation: {balance: 1e999999}"), [(1, 23, "simulation.balance", "range")]),
    "quoted number out of range": (
        top('simulation: {balance: "1e999999"}'),
        [(1, 23, "simulation.balance", "ordinary size")],
    ),
    "fraction for a whole number": (
        top("simulation: {latency_ms: 1.5}"),
        [(1, 26, "simulation.latency_ms", "expected a whole number")],
    ),
    "boolean for a number": (
        top("simulation: {latency_ms: true}"),
        [(1, 26, "simulation.latency_ms", "expected a number")],
    ),
    "nothing for a number": (top("simulation:\n  balance:"), [(2, 3, "simulation.balance", "a number")]),
    "yes for a boolean": (bot("dry_run: yes"), [(6, 14, "bots[0].dry_run", "write true")]),
    "off in quotes for a plugin's boolean": (
        grid("trailing_enabled: 'off'"),
        [(9, 25, "bots[0].grid.trailing_enabled", "write false")],
    ),
    "on for enabled": (grid("enabled: on"), [(9, 16, "bots[0].grid.enabled", "write true")]),
    "number for a boolean": (bot("auto_start: 1"), [(6, 17, "bots[0].auto_start", "expected true or false")]),
    "number for a text": (
        bot("exchange: {exchange_id: 5}"),
        [(6, 29, "bots[0].exchange.exchange_id", '"5"')],
    ),
    "text for a group": (bot("exchange: bybit"), [(6, 15, "bots[0].exchange", "keys: credentials_name")]),
    "text for a section": (bot("", "grid: on"), [(5, 11, "bots[0].grid", "grid_levels")]),
    "text for the simulation": (top("simulation: quick"), [(1, 13, "simulation", "balance")]),
    "text for the filters": (top("filters: volume"), [(1, 10, "filters", "{name: {key: value}}")]),
    "text for a list": (top("plugins: grid"), [(1, 10, "plugins", "expected a list")]),
    "number in a list": (top("plugins: [grid, 5]"), [(1, 17, "plugins[1]", "a plugin's name")]),
    "wrong item in a plugin's list": (
        grid("weights: [1, 2, x]"),
        [(9, 23, "bots[0].grid.weights[2]", "expected a number")],
    ),
    "too many items": (grid("weights: [1, 2, 3, 4]"), [(9, 7, "bots[0].grid.weights", "at most 3 items")]),
    "text too long": (grid("label: too long"), [(9, 14, "bots[0].grid.label", "at most 5 characters")]),
    "wrong choice": (
        top("simulation: {path: pesimistic}"),
        [(1, 20, "simulation.path", "did you mean pessimistic?")],
    ),
    "choice in small letters": (top("log_level: info"), [(1, 12, "log_level", "did you mean INFO?")]),
    "neither of two types": (
        grid("recenter: art"),
        [(9, 17, "bots[0].grid.recenter", "expected a number or atr")],
    ),
    "bad name": (
        BOT.replace("name: a", "name: my bot"),
        [(2, 11, "bots[0].name", "letters, digits")],
    ),
    "symbol without a slash": (
        BOT.replace("BTC/USDT", "btcusdt"),
        [(3, 13, "bots[0].symbol", "write BTC/USDT")],
    ),
    "symbol of ccxt": (
        BOT.replace("BTC/USDT", "BTC/USDT:USDT"),
        [(3, 13, "bots[0].symbol", "`market: linear`")],
    ),
    "symbol of an instrument": (
        top("simulation: {instruments: {ETH-USDT: {tick_size: 1}}}"),
        [(1, 28, "simulation.instruments.ETH-USDT", "write ETH/USDT")],
    ),
    "key of an instrument": (
        top("simulation: {instruments: {ETH/USDT: {tick: 1}}}"),
        [(1, 39, "simulation.instruments['ETH/USDT'].tick", "did you mean 'tick_size'?")],
    ),
    "bad timeframe": (bot("timeframe: 1hour"), [(6, 16, "bots[0].timeframe", "such as 15m")]),
    # plugins
    "misspelt strategy": (
        BOT.replace("strategy: grid", "strategy: gird"),
        [(4, 15, "bots[0].strategy", "unknown strategy 'gird'; did you mean 'grid'?")],
    ),
    "unlike any strategy": (
        BOT.replace("strategy: grid", "strategy: xxxx"),
        [(4, 15, "bots[0].strategy", "installed: grid, quiet")],
    ),
    "strategy not installed": (
        bot("", "dca: {max_steps: 4}").replace("strategy: grid", "strategy: dca"),
        [(4, 15, "bots[0].strategy", "pip install traderagent-dca")],
    ),
    "section not installed": (bot("trend: {}"), [(6, 5, "bots[0].trend", "pip install traderagent-trend")]),
    "hybrid": (
        BOT.replace("strategy: grid", "strategy: hybrid"),
        [(4, 15, "bots[0].strategy", "`strategy: auto`")],
    ),
    "section of hybrid": (bot("hybrid: {}"), [(6, 5, "bots[0].hybrid", "`strategy: auto`")]),
    "filter not installed": (
        top("filters: {smc: {}}"),
        [(1, 11, "filters.smc", "pip install traderagent-smc")],
    ),
    "unknown filter": (top("filters: {volumes: {}}"), [(1, 11, "filters.volumes", "did you mean 'volume'?")]),
    "filter's own key": (top("filters: {volume: {perio: 5}}"), [(1, 20, "filters.volume.perio", "'period'")]),
    "unknown risk mode": (top("risk_modes: {drowdown: }"), [(1, 14, "risk_modes.drowdown", "'drawdown'?")]),
    "risk mode's own value": (
        top("risk_modes:\n  drawdown: {period: x}"),
        [(2, 22, "risk_modes.drawdown.period", "whole number")],
    ),
    "rule of a plugin": (
        bot("", "grid: {lower_price: 3, upper_price: 2, grid_levels: 5}"),
        [(5, 5, "bots[0].grid", "lower_price 3 must be below upper_price 2")],
    ),
    "defect of a plugin": (
        top("filters: {volume: {period: 13}}"),
        [(1, 11, "filters.volume", "ZeroDivisionError: a defect of the plugin")],
    ),
    "section switched off": (
        grid("enabled: false"),
        [(5, 5, "bots[0].grid", "switched off")],
    ),
    "key of the file at a bot": (
        bot("risk_modes: {}"),
        [(6, 5, "bots[0].risk_modes", "'risk_modes' belongs at the top of the file")],
    ),
    "key of the allocator at a bot": (
        bot("weights: {}"),
        [(6, 5, "bots[0].weights", "belongs under coordinator.allocator, at the top of the file")],
    ),
    # rules between keys
    "leverage on spot": (bot("leverage: 3"), [(6, 15, "bots[0].leverage", "write `market: linear`")]),
    "leverage above the instrument's": (
        top("simulation: {instruments: {BTC/USDT: {max_leverage: 10}}}")
        + "    market: linear\n    leverage: 20\n",
        [(8, 15, "bots[0].leverage", "at most 10, the max_leverage of BTC/USDT")],
    ),
    "leverage limit below one": (
        top("simulation: {instruments: {BTC/USDT: {max_leverage: 0.5}}}"),
        [(1, 53, "simulation.instruments['BTC/USDT'].max_leverage", "at least 1")],
    ),
    "one name twice": (
        BOT + "  - {name: a, symbol: ETH/USDT, strategy: quiet}\n",
        [(6, 12, "bots[1].name", "already taken by the bot 'a' in line 2")],
    ),
    "one pair twice": (
        BOT + "  - {name: b, symbol: BTC/USDT, strategy: quiet}\n",
        [(6, 23, "bots[1].symbol", "already traded by the bot 'a' in line 2")],
    ),
    "one position twice": (
        sides("long", "long"),
        [(7, 13, "bots[1].symbol", "already traded by the bot 'a' in line 2")],
    ),
    "a position on spot": (
        BOT.replace("BTC/USDT", "BTC/USDT:long"),
        [(3, 13, "bots[0].symbol", "write `market: linear`, or symbol: BTC/USDT")],
    ),
    "a pair beside one of its positions": (
        sides("long", "short").replace("BTC/USDT:long", "BTC/USDT"),
        [(3, 13, "bots[0].symbol", "write BTC/USDT:long or BTC/USDT:short")],
    ),
    "leverages of the positions of a pair": (
        sides("long", "short") + "    leverage: 3\n",
        [(10, 15, "bots[1].leverage", "one leverage at the exchange")],
    ),
    "leverage of a position above its pair's": (
        "simulation: {instruments: {BTC/USDT: {max_leverage: 10}}}\n"
        + sides("long", "short").replace("strategy", "leverage: 20\n    strategy"),
        [
            (6, 15, "bots[0].leverage", "at most 10, the max_leverage of BTC/USDT:long"),
            (11, 15, "bots[1].leverage", "at most 10, the max_leverage of BTC/USDT:short"),
        ],
    ),
    "sandbox in the main environment": (
        bot("exchange: {sandbox: true, environment: main}"),
        [(6, 44, "bots[0].exchange.environment", "remove sandbox")],
    ),
    "plugin listed and disabled": (
        top("plugins: [grid]\ndisabled_plugins: [grid]"),
        [(2, 20, "disabled_plugins[0]", "remove it from one of them")],
    ),
    # variables
    "variable not set": (
        bot("timeframe: ${TF}"),
        [(6, 16, "bots[0].timeframe", "set TF in the environment")],
    ),
    "variable not set in a plugin": (
        grid("amount_per_grid: ${AMOUNT}"),
        [(9, 24, "bots[0].grid.amount_per_grid", "${AMOUNT:-default}")],
    ),
    "variable not set in enabled": (
        grid("enabled: ${GRID_ON}"),
        [(9, 16, "bots[0].grid.enabled", "set GRID_ON")],
    ),
    "variable badly written": (bot("timeframe: ${1}"), [(6, 16, "bots[0].timeframe", "write ${NAME}")]),
    "variable not closed": (bot("timeframe: ${TF"), [(6, 16, "bots[0].timeframe", "write ${NAME}")]),
    "variable with a wrong value": (
        bot("timeframe: ${LEVELS}"),
        [(6, 16, "bots[0].timeframe", "such as 15m")],
    ),
    # YAML
    "key written twice": (bot("name: b"), [(6, 5, "bots[0].name", "first in line 2")]),
    "key that is a number": (top("1: x"), [(1, 1, "", "put the key in quotes")]),
    "tab": ("bots:\n\t- name: a\n", [(2, 1, "", "replace the tab with spaces")]),
    "bracket not closed": (top("plugins: [grid"), [(2, 5, "", "write [a, b]")]),
    "quote not closed": ("log_level: 'INFO\n", [(1, 12, "", "close the quote")]),
    "wrong indentation": (bot("").replace("    symbol", "     symbol"), [(3, 12, "", "indentation")]),
    "bare variable in braces": (
        bot("exchange: {exchange_id: ${X}}"),
        [(6, 30, "", 'a variable stands in quotes: "${NAME}"')],
    ),
    "unknown alias": (bot("exchange: *main"), [(6, 15, "", "&name")]),
    "alias in itself": (top("filters: &f {volume: *f}"), [(1, 14, "filters.volume", "contains itself")]),
    "merge of a text": (bot("exchange: {<<: x}"), [(6, 20, "bots[0].exchange['<<']", "`<<: *name`")]),
    "tag": (bot("timeframe: !!python/name:os.system 1h"), [(6, 16, "bots[0].timeframe", "remove the tag")]),
    "second document": (BOT + "---\na: 1\n", [(6, 1, "", "remove the line '---'")]),
    "control character": ("log_level: IN\x07FO\n", [(1, 14, "", "remove the character")]),
    "empty": ("", [(1, 1, "", "the smallest one")]),
    "only comments": ("# nothing\n", [(1, 1, "", "the smallest one")]),
    "a list": ("- name: a\n", [(1, 1, "", "consists of keys and values")]),
    "a text": ("hello\n", [(1, 1, "", "consists of keys and values")]),
    "nested too deep": ("a: " + "[" * 5000, [(1, 43, "", "bracket that is not closed")]),
    "bracket not closed at the end": (top("") + "plugins: [grid\n", [(7, 10, "", "write [a, b]")]),
}


@pytest.mark.parametrize("case", BROKEN)
def test_every_problem_is_told_at_its_place_with_its_remedy(problems: Problems, case: str) -> None:
    text, expected = BROKEN[case]
    found = problems(text)
    places = [(problem["line"], problem["column"], problem["key"]) for problem in found]
    assert places == [(line, column, key) for line, column, key, _ in expected]
    for problem, (*_, fragment) in zip(found, expected, strict=True):
        assert fragment in f"{problem['rule']}; {problem['hint']}"


def test_aliases_that_explode_are_stopped(problems: Problems) -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    for old, new in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]")
    assert [problem["rule"] for problem in problems("\n".join(lines))] == ["too many values"]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_all_problems_are_told_at_once_in_the_order_of_the_file(problems: Problems, ending: str) -> None:
    text = (
        "log_levl: INFO\nsimulation: {balance: -1}\nfilters: {smc: {}}\nbots:\n"
        "  - {name: a, symbol: BTC, strategy: gird, leverage: 2, dry_run: on}\n"
        "  - {name: a, symbol: ETH/USDT, strategy: grid, grid: {lower_price: x}}\n"
    )
    keys = [problem["key"] for problem in problems(text.replace("\n", ending))]
    assert keys == [
        "log_levl",
        "simulation.balance",
        "filters.smc",
        "bots[0].symbol",
        "bots[0].strategy",
        "bots[0].leverage",
        "bots[0].dry_run",
        "bots[1].name",
        "bots[1].grid.upper_price",
        "bots[1].grid.grid_levels",
        "bots[1].grid.lower_price",
    ]


@pytest.mark.parametrize(
    ("data", "place", "fragment"),
    [
        (BOT.encode() + b"    label: caf\xe9\n", (6, 15), "save it as UTF-8"),
        (BOT.encode("utf-16"), (None, None), "UTF-16"),
        (b"#" * 1_000_001, (None, None), "larger than 1 MB"),
    ],
)
def test_bytes_that_are_no_utf_8_text(
    command: Callable[..., Any], write: Callable[..., Any], data: bytes, place: tuple[Any, Any], fragment: str
) -> None:
    result = command("check", str(write(data)))
    assert result.exit_code == 2
    assert fragment in result.output
    where = f":{place[0]}:{place[1]}: " if place[0] else "bots.yaml: "
    assert where in result.output
