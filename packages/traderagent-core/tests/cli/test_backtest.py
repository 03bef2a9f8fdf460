"""`traderagent backtest`: what it writes, what it prints where, and how it refuses."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

START = [sys.executable, "-c", "from traderagent_core.cli.main import main; main()"]
FILES = {
    "result.json",
    "fills.csv",
    "trades.csv",
    "positions.csv",
    "orders.csv",
    "equity.csv",
    "decisions.csv",
    "drawings.json",
    "report.html",
}
Make = Callable[..., dict[str, Any]]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def backtest(desk: Any, *args: object, code: int = 0) -> Any:
    printed = desk.run("backtest", "--config", "ladder.yaml", "--data", desk.data, *args)
    assert printed.code == code, printed.err
    return printed


def test_results_go_to_a_folder_named_after_the_configuration(desk: Any) -> None:
    printed = backtest(desk)
    out = Path("traderagent-out/ladder")
    assert set(contents(out)) == FILES
    assert "Final equity" in printed.out
    assert f"Written to {out}: result.json" in printed.out
    assert printed.err == ""


def test_json_is_one_object_on_stdout_and_the_same_as_the_file(desk: Any) -> None:
    printed = backtest(desk, "--json", "--out", "here")
    found = json.loads(printed.out)
    assert {"metrics", "assumptions", "manifest"} <= found.keys()
    assert printed.out == Path("here/result.json").read_text()
    assert found["metrics"]["final_equity"] != "10000"
    assert found["manifest"]["data"][0]["rows"] == 600


def test_notes_go_to_stderr_and_leave_stdout_to_json(desk: Any, ladder: Make) -> None:
    config = ladder(simulation={"instruments": {"ETH/USDT": {"tick_size": "0.1"}}})
    config["bots"][0]["exchange"] = {"exchange_id": "kraken"}
    desk.configure(config)
    printed = backtest(desk, "--json")
    json.loads(printed.out)
    assert "note: " in printed.err
    assert "kraken" in printed.err


@pytest.mark.parametrize(
    ("first", "last", "period"),
    [
        ("2024-01-05", "2024-01-20", ("2024-01-05T00:00:00Z", "2024-01-20T00:00:00Z")),
        ("2024-01-05T12:00", "2024-01-20T12:00+02:00", ("2024-01-05T12:00:00Z", "2024-01-20T10:00:00Z")),
        ("2024-01-05T12:00:00Z", "2024-01-05T23:00-05:00", ("2024-01-05T12:00:00Z", "2024-01-06T04:00:00Z")),
        ("20240105", "2024-01-05 06:00", ("2024-01-05T00:00:00Z", "2024-01-05T06:00:00Z")),
    ],
)
def test_from_and_to_are_dates_or_times_with_an_offset(
    desk: Any, first: str, last: str, period: tuple[str, str]
) -> None:
    found = json.loads(backtest(desk, "--from", first, "--to", last, "--json").out)
    assert (found["metrics"]["start"], found["metrics"]["end"]) == period
    assert tuple(found["manifest"]["period"].values()) == period


@pytest.mark.parametrize("text", ["soon", "2024-13-01", "2024-02-30", "05/01/2024", "", "1704067200"])
def test_a_bad_time_is_refused_with_an_example(desk: Any, text: str) -> None:
    printed = backtest(desk, "--from", text, code=2)
    assert f"{text!r} is not a time; write a date such as 2021-05-19" in printed.err


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--from", "2024-01-10", "--to", "2024-01-10"), "is not after its start"),
        (("--from", "2024-01-10", "--to", "2024-01-05"), "is not after its start"),
        (("--from", "2025-01-01"), "in the period asked for"),
        (("--to", "2023-01-01"), "in the period asked for"),
    ],
)
def test_a_period_without_candles_is_refused(desk: Any, args: tuple[str, ...], words: str) -> None:
    assert words in backtest(desk, *args, code=2).err
    assert not Path("traderagent-out").exists()


def test_path_and_bounds_are_taken_and_told(desk: Any) -> None:
    found = json.loads(backtest(desk, "--path", "optimistic", "--bounds", "--json").out)
    assert (found["assumptions"]["path"], found["manifest"]["path"]) == ("optimistic", "optimistic")
    assert set(found["bounds"]["paths"]) == {"default", "pessimistic", "optimistic", "next_candle"}
    assert found["bounds"]["paths"]["optimistic"]["final_equity"] == found["metrics"]["final_equity"]
    assert "'worst' is not one of" in backtest(desk, "--path", "worst", code=2).err


@pytest.mark.parametrize("out", ["taken", "taken/below"])
def test_a_folder_that_cannot_be_written_is_told(desk: Any, out: str) -> None:
    Path("taken").write_text("a file")
    assert f"cannot write the results to {out}" in backtest(desk, "--out", out, code=2).err
    assert Path("taken").read_text() == "a file"


def test_earlier_results_are_replaced_whole_and_other_files_stay(desk: Any, ladder: Make) -> None:
    backtest(desk, "--out", "out", "--bounds")
    Path("out/notes.txt").write_text("mine")
    desk.configure(ladder(rungs=[97]))
    backtest(desk, "--out", "out")
    backtest(desk, "--out", "fresh")
    assert contents(Path("out")) == {**contents(Path("fresh")), "notes.txt": b"mine"}


# -- refusals -----------------------------------------------------------------------------------------------


def test_config_or_manifest_exactly_one(desk: Any) -> None:
    for args in ((), ("--config", "ladder.yaml", "--manifest", "result.json")):
        printed = desk.run("backtest", *args)
        assert printed.code == 2
        assert "give either --config FILE or --manifest RESULT.json" in printed.err


def test_problems_of_the_configuration_are_told_with_their_place(desk: Any, ladder: Make) -> None:
    config = ladder(rungs=["ninety"], stepp=1)
    del config["bots"][0]["symbol"]
    desk.configure(config)
    printed = backtest(desk, code=2)
    assert "ladder.yaml:" in printed.err
    assert all(word in printed.err for word in ("symbol", "stepp", "ninety", "3 problems"))


def test_strategy_auto_without_strategies_is_refused_clearly(desk: Any) -> None:
    desk.configure({"bots": [{"name": "a", "symbol": "BTC/USDT", "strategy": "auto"}]})
    assert "strategy 'auto' has nothing to choose from" in backtest(desk, code=2).err


def test_a_missing_configuration_is_told(desk: Any) -> None:
    printed = desk.run("backtest", "--config", "nowhere.yaml")
    assert printed.code == 2
    assert "nowhere.yaml: there is no such file" in printed.err


def test_missing_data_are_told_with_what_to_do(desk: Any) -> None:
    nothing = desk.run("backtest", "--config", "ladder.yaml")
    assert (nothing.code, "fill it with `traderagent data import PATH`" in nothing.err) == (2, True)
    absent = desk.run("backtest", "--config", "ladder.yaml", "--data", "nowhere.csv")
    assert (absent.code, "nowhere.csv" in absent.err) == (2, True)


def test_a_symbol_that_the_data_lack_is_told(desk: Any, ladder: Make) -> None:
    desk.configure(ladder(symbol="ETH/USDT"))
    assert "no candles of ETH/USDT" in backtest(desk, code=2).err


def test_what_the_strategy_refuses_is_told(desk: Any, ladder: Make) -> None:
    desk.configure(ladder(fatal_above=50))
    assert "cannot start:\n  bot 'bot': the price" in backtest(desk, code=2).err


# -- again from a manifest ----------------------------------------------------------------------------------


@pytest.fixture
def done(desk: Any) -> Path:
    """A back-test with options, in the folder `first`."""
    backtest(
        desk, "--from", "2024-01-03T05:00", "--to", "2024-01-20", "--path", "pessimistic", "--out", "first"
    )
    return Path(desk.folder) / "first" / "result.json"


def test_a_run_from_its_manifest_is_the_same_to_the_byte(desk: Any, done: Path) -> None:
    desk.configure({})
    printed = desk.run("backtest", "--manifest", done, "--data", desk.data, "--out", "second")
    assert printed.code == 0, printed.err
    assert contents(desk.folder / "second") == contents(done.parent)


def test_the_folder_of_a_repeated_run_is_named_after_the_first(desk: Any, done: Path) -> None:
    assert desk.run("backtest", "--manifest", done, "--data", desk.data).code == 0
    assert contents(Path("traderagent-out/first")) == contents(done.parent)
    os.chdir(done.parent)
    assert desk.run("backtest", "--manifest", "result.json", "--data", desk.data).code == 0
    assert set(contents(Path("traderagent-out/first"))) == FILES


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text.replace("100.06", "100.07"), "here is a series of checksum"),
        (lambda text: "\n".join(text.splitlines()[:1] + text.splitlines()[2:]) + "\n", "here is a series of"),
    ],
)
def test_other_data_are_refused(desk: Any, done: Path, change: Callable[[str], str], words: str) -> None:
    text = desk.data.read_text()
    assert change(text) != text
    desk.data.write_text(change(text))
    printed = desk.run("backtest", "--manifest", done, "--data", desk.data, "--out", "second")
    assert printed.code == 2
    assert (
        "BTC/USDT 1h: these are not the data of the run to be repeated (it used a series of checksum"
        in printed.err
    )
    assert words in printed.err
    assert "give the same data with --data" in printed.err
    assert not Path("second").exists()


def test_candles_after_the_period_may_have_come(desk: Any, done: Path) -> None:
    lines = desk.data.read_text().splitlines()
    desk.data.write_text("\n".join(lines[:-24]) + "\n")
    assert desk.run("backtest", "--manifest", done, "--data", desk.data, "--out", "second").code == 0
    assert contents(Path("second")) == contents(done.parent)


@pytest.mark.parametrize(
    "args", [("--from", "2024-01-01"), ("--to", "2024-01-09"), ("--path", "default"), ("--bounds",)]
)
def test_nothing_that_changes_the_run_goes_with_a_manifest(
    desk: Any, done: Path, args: tuple[str, ...]
) -> None:
    printed = desk.run("backtest", "--manifest", done, "--data", desk.data, *args)
    assert printed.code == 2
    assert f"--manifest repeats a run as it was, so {args[0]} cannot go with it" in printed.err


def changed(keys: tuple[Any, ...], value: Any) -> Callable[[str], str]:
    def change(text: str) -> str:
        content = json.loads(text)
        place = content
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = value
        return json.dumps(content)

    return change


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-20],
        lambda text: "",
        lambda text: "[]",
        lambda text: "{}",
        changed(("manifest",), None),
        changed(("manifest", "configuration"), "ladder.yaml"),
        changed(("manifest", "configuration"), None),
        changed(("manifest", "period"), 5),
        changed(("manifest", "period"), {}),
        changed(("manifest", "period", "from"), "soon"),
        changed(("manifest", "period", "from"), 17),
        changed(("manifest", "period", "to"), "2024-01-20T00:00:00"),
        changed(("manifest", "data"), None),
        changed(("manifest", "data", 0), "BTC/USDT"),
        changed(("manifest", "data", 0), {}),
        changed(("manifest", "options"), {}),
    ],
)
def test_a_broken_result_is_told(desk: Any, done: Path, change: Callable[[str], str]) -> None:
    done.write_text(change(done.read_text()))
    printed = desk.run("backtest", "--manifest", done, "--data", desk.data)
    assert printed.code == 2
    assert "is no result of a back-test with a manifest" in printed.err


def test_a_manifest_of_an_unknown_path_or_configuration_is_told(desk: Any, done: Path) -> None:
    text = done.read_text()
    for keys, value, words in (
        (("manifest", "path"), "worst", "unknown path 'worst'"),
        (("manifest", "configuration", "bots"), [], "bots"),
        (("manifest", "data"), [], "it used none"),
    ):
        done.write_text(changed(keys, value)(text))
        printed = desk.run("backtest", "--manifest", done, "--data", desk.data)
        assert (printed.code, words in printed.err) == (2, True), printed.err


def test_a_missing_result_is_told(desk: Any) -> None:
    for path in ("nowhere.json", "."):
        printed = desk.run("backtest", "--manifest", path)
        assert (printed.code, f"cannot read {path}" in printed.err) == (2, True)


# -- processes ----------------------------------------------------------------------------------------------


def start(desk: Any, *args: object, seed: int = 0) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*START, *map(str, args)],
        cwd=desk.folder,
        env={**os.environ, "PYTHONHASHSEED": str(seed)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_two_processes_with_other_hash_seeds_write_the_same_bytes(desk: Any) -> None:
    runs = [
        start(
            desk, "backtest", "--config", "ladder.yaml", "--data", desk.data, "--out", f"out{seed}", seed=seed
        )
        for seed in (1, 2)
    ]
    assert [done.returncode for done in runs] == [0, 0]
    assert contents(desk.folder / "out1") == contents(desk.folder / "out2")


INTERRUPTING = """
import os
import signal
from pydantic import BaseModel
from traderagent_core import Needs, Strategy, StrategySpec, Wake, hookimpl

class Config(BaseModel):
    at: int = 50

# As in a terminal: processes that a shell starts in the background ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

class Interrupting(Strategy):
    seen = 0

    @classmethod
    def needs(cls, config):
        return Needs(wake=Wake.EVERY_CANDLE)

    def on_start(self, context):
        pass

    def on_candle(self, context, candle):
        self.seen += 1
        if self.seen == self.config.at:
            os.kill(os.getpid(), signal.SIGINT)

@hookimpl
def traderagent_strategies():
    yield StrategySpec(
        name="interrupting", summary="Presses Ctrl-C.", config_model=Config, factory=Interrupting
    )
"""


@pytest.mark.skipif(os.name == "nt", reason="signals are sent otherwise there")
@pytest.mark.parametrize("args", [("--json",), ("--bounds",)])
def test_control_c_in_the_middle_leaves_no_results(desk: Any, args: tuple[str, ...]) -> None:
    (desk.folder / "interrupting.py").write_text(INTERRUPTING)
    bot = {"name": "a", "symbol": "BTC/USDT", "strategy": "interrupting"}
    desk.configure({"plugins": ["./interrupting.py"], "bots": [bot]}, "stop.yaml")
    done = start(desk, "backtest", "--config", "stop.yaml", "--data", desk.data, "--out", "out", *args)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Interrupted.\n")
    assert not (desk.folder / "out").exists()


@pytest.mark.skipif(os.name == "nt", reason="signals are sent otherwise there")
def test_control_c_leaves_earlier_results_as_they_are(desk: Any) -> None:
    backtest(desk, "--out", "out")
    before = contents(Path("out"))
    (desk.folder / "interrupting.py").write_text(INTERRUPTING)
    bot = {"name": "a", "symbol": "BTC/USDT", "strategy": "interrupting"}
    desk.configure({"plugins": ["./interrupting.py"], "bots": [bot]}, "stop.yaml")
    done = start(desk, "backtest", "--config", "stop.yaml", "--data", desk.data, "--out", "out")
    assert done.returncode == 128 + signal.SIGINT
    assert contents(Path("out")) == before
