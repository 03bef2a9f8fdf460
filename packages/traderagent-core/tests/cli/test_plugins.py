"""`traderagent plugins`: the list, one plugin, and the doctor."""

import importlib
import json
import sys

import pytest
from traderagent_core.cli.main import run

SOUND = """
from decimal import Decimal
from pydantic import BaseModel, ConfigDict, Field
from traderagent_core.contract.strategy import Strategy
from traderagent_core.hookspecs import hookimpl
from traderagent_core.specs import StrategySpec

class Config(BaseModel):
    model_config = ConfigDict(extra="forbid")
    step: Decimal = Field(description="Distance of levels, in quote currency.")
    levels: int = 5

class Still(Strategy):
    def on_start(self, context):
        pass

@hookimpl
def traderagent_strategies():
    yield StrategySpec("ta-momentum", "Does nothing.", Config, Still)
"""
NO_SCHEMA = "from collections.abc import Callable\n" + SOUND.replace(
    "levels: int = 5", "levels: Callable[[int], int] = abs"
)


@pytest.fixture
def install(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(name, code):
        module = "ta_cli_" + name.replace("-", "_")
        (tmp_path / f"{module}.py").write_text(code)
        info = tmp_path / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[traderagent]\n{name} = {module}\n")
        importlib.invalidate_caches()

    yield install
    for module in [name for name in sys.modules if name.startswith("ta_cli_")]:
        del sys.modules[module]


def listed(capsys):
    assert run(["plugins", "list", "--json"]) == 0
    return {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}


@pytest.mark.parametrize("args", [["plugins"], ["plugins", "list"]])
def test_list_has_a_row_for_each_plugin(capsys, install, args):
    install("ta-alpha", SOUND)
    assert run(args) == 0
    rows = [line.split(maxsplit=4) for line in capsys.readouterr().out.splitlines()]
    assert rows[0] == ["NAME", "VERSION", "DISTRIBUTION", "STATUS", "OFFERS"]
    assert ["ta-alpha", "1.0", "ta-alpha", "enabled", "strategy ta-momentum"] in rows


def test_list_tells_why_a_plugin_is_broken_and_still_succeeds(capsys, install):
    install("ta-beta", "1 / 0")
    assert run(["plugins", "list"]) == 0
    out = capsys.readouterr().out
    assert "plugin 'ta-beta' (ta-beta 1.0) is broken: importing it failed: ZeroDivisionError" in out
    assert "To mend it:" in out


def test_json_list_carries_offers_and_schemas(capsys, install):
    install("ta-alpha", SOUND)
    entry = listed(capsys)["ta-alpha"]
    (offer,) = entry.pop("offers")
    assert entry == {
        "name": "ta-alpha",
        "version": "1.0",
        "distribution": "ta-alpha",
        "module": "ta_cli_ta_alpha",
        "enabled": True,
        "status": "enabled",
        "cause": "",
        "remedy": "",
    }
    assert (offer["kind"], offer["name"], offer["summary"]) == ("strategy", "ta-momentum", "Does nothing.")
    assert set(offer["config_schema"]["properties"]) == {"step", "levels"}


def test_json_list_carries_causes(capsys, install):
    install("ta-beta", "1 / 0")
    entry = listed(capsys)["ta-beta"]
    assert (entry["enabled"], entry["status"], entry["offers"]) == (False, "broken", [])
    assert "ZeroDivisionError" in entry["cause"]
    assert entry["remedy"]


def test_json_stays_json_when_a_plugin_prints(capsys, install):
    install("ta-alpha", "print('hello')\n" + SOUND)
    assert "ta-alpha" in listed(capsys)


@pytest.mark.parametrize(
    ("section", "status"),
    [("plugins: [ta-alpha]", "not listed"), ("disabled_plugins: [ta-beta]", "disabled")],
)
def test_list_for_a_configuration_tells_what_it_enables(capsys, install, tmp_path, section, status):
    install("ta-alpha", SOUND)
    install("ta-beta", SOUND.replace("ta-momentum", "ta-other"))
    file = tmp_path / "bots.yaml"
    bot = "{name: a, symbol: BTC/USDT, strategy: ta-momentum, ta-momentum: {step: '1'}}"
    file.write_text(f"{section}\nbots: [{bot}]\n")
    assert run(["plugins", "list", "--config", str(file), "--json"]) == 0
    found = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert (found["ta-alpha"]["status"], found["ta-beta"]["status"]) == ("enabled", status)
    assert found["ta-beta"]["cause"]


def test_list_for_a_configuration_stops_when_a_listed_plugin_is_broken(capsys, install, tmp_path):
    install("ta-beta", "1 / 0")
    file = tmp_path / "bots.yaml"
    file.write_text("plugins: [ta-beta]\nbots: [{name: a, symbol: BTC/USDT, strategy: auto}]\n")
    assert run(["plugins", "list", "--config", str(file)]) == 2
    assert "plugin 'ta-beta' (ta-beta 1.0) is broken" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["ta-alpha", "ta-momentum"])
def test_show_finds_a_plugin_by_its_name_or_what_it_offers(capsys, install, name):
    install("ta-alpha", SOUND)
    assert run(["plugins", "show", name]) == 0
    out = capsys.readouterr().out
    assert out.startswith("plugin 'ta-alpha' (ta-alpha 1.0) is enabled\nmodule: ta_cli_ta_alpha\n")
    assert "strategy ta-momentum: Does nothing." in out
    assert "step    decimal; required. Distance of levels, in quote currency." in out
    assert "levels  integer; default 5." in out


def test_show_prints_the_schema_of_one_offer_by_itself(capsys, install):
    install("ta-alpha", SOUND)
    assert run(["plugins", "show", "ta-momentum", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out)["required"] == ["step"]


def test_show_prints_several_schemas_by_kind_and_name(capsys):
    assert run(["plugins", "show", "core", "--schema"]) == 0
    schemas = json.loads(capsys.readouterr().out)
    assert {"exchange_adapter:simulated", "risk_mode:drawdown", "risk_mode:reduced"} <= set(schemas)


def test_show_json_is_the_entry_of_the_list(capsys, install):
    install("ta-alpha", SOUND)
    assert run(["plugins", "show", "ta-alpha", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == listed(capsys)["ta-alpha"]


def test_show_of_a_broken_plugin_tells_the_cause(capsys, install):
    install("ta-beta", "raise SystemExit(3)")
    assert run(["plugins", "show", "ta-beta"]) == 0
    assert "it called exit(3)" in capsys.readouterr().out


def test_show_of_an_unknown_plugin_offers_the_nearest(capsys, install):
    install("ta-alpha", SOUND)
    assert run(["plugins", "show", "ta-momentun"]) == 2
    assert "unknown plugin 'ta-momentun'; did you mean 'ta-momentum'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("code", "expected"),
    [("1 / 0", "ZeroDivisionError"), (NO_SCHEMA, "strategy 'ta-momentum' has no JSON Schema")],
)
def test_doctor_fails_when_something_is_broken(capsys, install, code, expected):
    install("ta-beta", code)
    assert run(["plugins", "doctor"]) == 1
    out = capsys.readouterr().out
    assert "plugin 'ta-beta' (ta-beta 1.0)" in out
    assert expected in out


def test_doctor_is_content_when_all_is_sound(capsys, install):
    install("ta-alpha", SOUND)
    if any(entry["status"] == "broken" for entry in listed(capsys).values()):
        pytest.skip("this environment holds a broken plugin")
    assert run(["plugins", "doctor"]) == 0
