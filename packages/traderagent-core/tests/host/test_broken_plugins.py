"""Every way a plugin can be broken: told by name, version, cause and remedy, and the others go on."""

import pytest
from traderagent_core.errors import PluginError
from traderagent_core.host import PluginHost
from traderagent_core.host.records import Status

SPEC_HOOK = """
@hookimpl
def traderagent_strategies():
    {body}
"""


def hook(body: str) -> str:
    return SPEC_HOOK.format(body=body)


FAULTS = {
    "missing-dependency": (
        "import ta_no_such_module",
        "No module named 'ta_no_such_module'",
        "provides the module",
    ),
    "newer-core": (
        "from traderagent_core.hookspecs import no_such_thing",
        "cannot import name 'no_such_thing'",
        "pip install --upgrade traderagent-core",
    ),
    "raises": ("raise RuntimeError('no luck')", "RuntimeError: no luck", "tell the author"),
    "syntax": ("def broken(:", "SyntaxError", "tell the author"),
    "exits": ("raise SystemExit(3)", "it called exit(3)", "tell the author"),
    "misspelt-hook": (
        "@hookimpl\ndef traderagent_strategy():\n    return []",
        "unknown hook 'traderagent_strategy'; did you mean 'traderagent_strategies'?",
        "use one of traderagent_strategies",
    ),
    "forgotten-decorator": (
        "def traderagent_strategies():\n    return []",
        "traderagent_strategies is not decorated with @hookimpl",
        "@hookimpl above the function",
    ),
    "no-hook": ("x = 1", "it implements no hook", "decorate at least one"),
    "wrong-signature": (
        "@hookimpl\ndef traderagent_strategies(config):\n    return []",
        "traderagent_strategies(config)",
        "hooks that register take none",
    ),
    "async-hook": (
        "@hookimpl\nasync def traderagent_strategies():\n    return []",
        "'traderagent_strategies' is asynchronous",
        "hooks are synchronous",
    ),
    "async-generator": (
        "@hookimpl\nasync def traderagent_strategies():\n    yield spec('a')",
        "'traderagent_strategies' is asynchronous",
        "hooks are synchronous",
    ),
    "wrapper": (
        "@hookimpl(wrapper=True)\ndef traderagent_strategies():\n    return (yield)",
        "'traderagent_strategies' is a wrapper",
        "plain @hookimpl",
    ),
    "raising-hook": (
        hook("raise KeyError('x')"),
        "traderagent_strategies raised KeyError",
        "tell the author",
    ),
    "late-failure": (hook("yield spec('a'); 1 / 0"), "ZeroDivisionError", "tell the author"),
    "exiting-hook": (hook("raise SystemExit('bye')"), "it called exit('bye')", "tell the author"),
    "record-not-in-a-list": (
        hook("return spec('a')"),
        "gave a StrategySpec, expected an iterable",
        "yield the record",
    ),
    "not-iterable": (hook("return 5"), "gave a int, expected an iterable", "yield the record"),
    "not-a-record": (hook("yield {'name': 'a'}"), "yielded a dict, expected a StrategySpec", "its author"),
    "record-of-another-kind": (
        hook("yield EntryFilterSpec('a', '', Config, EntryFilter)"),
        "yielded a EntryFilterSpec, expected a StrategySpec",
        "its author",
    ),
    "bad-name": (hook("yield spec('Bad Name')"), "not 'Bad Name'", "tell the author"),
    "model-not-pydantic": (
        hook("yield spec('a', config_model=dict)"),
        "must be a pydantic model",
        "its author",
    ),
    "model-not-a-class": (
        hook("yield spec('a', config_model={})"),
        "'config_model' must be",
        "tell the author",
    ),
    "factory-not-a-strategy": (
        hook("yield spec('a', factory=dict)"),
        "must be a subclass of Strategy",
        "its author",
    ),
    "no-on-start": (hook("yield spec('a', factory=Strategy)"), "does not define on_start", "its author"),
    "one-name-twice": (hook("yield spec('a'); yield spec('a')"), "two records of the name 'a'", "its author"),
    "unfrozen-state": (
        "@attrs.define\nclass State:\n    schema_version: int = 1\n"
        "class Loose(Still):\n    state_class = State\n" + hook("yield spec('a', factory=Loose)"),
        "State must be frozen",
        "its author",
    ),
    "state-without-version": (
        "@attrs.frozen\nclass State:\n    x: int = 1\n"
        "class Loose(Still):\n    state_class = State\n" + hook("yield spec('a', factory=Loose)"),
        "State needs a field schema_version",
        "its author",
    ),
    "async-callback": (
        "class Loose(Still):\n    async def on_fill(self, context, fill, slot, *, is_complete):\n        pass\n"
        + hook("yield spec('a', factory=Loose)"),
        "Loose.on_fill is asynchronous",
        "its author",
    ),
    "filter-of-no-filter": (
        "@hookimpl\ndef traderagent_entry_filters():\n    yield EntryFilterSpec('a', '', Config, Still)",
        "must be a subclass of EntryFilter",
        "its author",
    ),
    "filter-without-judge": (
        "@hookimpl\ndef traderagent_entry_filters():\n    yield EntryFilterSpec('a', '', Config, EntryFilter)",
        "does not define judge",
        "its author",
    ),
    "mode-without-levels": (
        "class Mode(RiskMode):\n    def judge(self, portfolio, *, was_active):\n        pass\n"
        "@hookimpl\ndef traderagent_risk_modes():\n    yield RiskModeSpec('a', '', Config, Mode)",
        "does not define levels",
        "its author",
    ),
    "adapter-not-callable": (
        "@hookimpl\ndef traderagent_exchange_adapters():\n    yield ExchangeAdapterSpec('a', '', Config, 'x')",
        "factory must be callable",
        "its author",
    ),
    "newer-api": (
        "TRADERAGENT_API = 2\n" + hook("yield spec('a')"),
        "hook API 2",
        "upgrade traderagent-core",
    ),
    "older-api": (
        "TRADERAGENT_API = 0\n" + hook("yield spec('a')"),
        "hook API 0",
        "newer version of the plugin",
    ),
    "odd-api": (
        "TRADERAGENT_API = '1'\n" + hook("yield spec('a')"),
        "must be an int, not '1'",
        "TRADERAGENT_API = 1",
    ),
}


@pytest.mark.parametrize(("code", "cause", "remedy"), FAULTS.values(), ids=FAULTS)
def test_listed_broken_plugin_stops_with_name_version_cause_and_remedy(site, code, cause, remedy):
    site.install("acme-alpha", code, name="alpha")
    with pytest.raises(PluginError) as caught:
        PluginHost.discover(["alpha"], entry_points=site.entry_points())
    message = str(caught.value)
    assert message.startswith("plugin 'alpha' (acme-alpha 1.2.3) is broken: ")
    assert cause in message
    assert remedy in message.split("To mend it: ")[1]
    assert (caught.value.plugin, caught.value.distribution) == ("alpha", "acme-alpha")


def test_unlisted_broken_plugins_are_told_and_take_nothing_down(site):
    for name, (code, _, _) in FAULTS.items():
        site.install(name, code)
    site.strategy("sound")
    host = PluginHost.discover(["sound"], entry_points=site.entry_points())
    assert list(host.strategies) == ["sound"]
    assert {info.name for info in host.failures} == set(FAULTS)
    for info in host.failures:
        assert FAULTS[info.name][1] in info.cause
        assert FAULTS[info.name][2] in info.remedy


def test_interrupt_while_importing_is_not_swallowed(site):
    site.install("alpha", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        PluginHost.discover([], entry_points=site.entry_points())


def test_cause_of_an_import_failure_gives_file_and_line(site):
    module = site.install("alpha", "x = 1\n1 / 0", header="")
    host = PluginHost.discover(None, entry_points=site.entry_points())
    assert host.failures[0].cause.endswith(
        f"ZeroDivisionError: division by zero ({site.folder / module}.py, line 2)"
    )


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        ("not a module!", "has the value 'not a module!'"),
        ("ta_test_gone.plugin", "its module ta_test_gone.plugin is not there"),
        ("ta_test_alpha:missing", "AttributeError"),
    ],
)
def test_entry_point_that_leads_nowhere(site, value, cause):
    site.install("alpha", "x = 1", value=value)
    host = PluginHost.discover(None, entry_points=site.entry_points())
    assert cause in host.failures[0].cause


def test_printing_plugin_does_not_reach_standard_output(site, capsys):
    site.install("alpha", "print('hello')\n" + hook("print('there'); yield spec('a')"))
    host = PluginHost.discover(["alpha"], entry_points=site.entry_points())
    assert list(host.strategies) == ["a"]
    out, err = capsys.readouterr()
    assert (out, err) == ("", "hello\nthere\n")


@pytest.mark.parametrize(
    "requirement", ["traderagent-core>=99", "traderagent_core<0.0.1", "TraderAgent.Core==77"]
)
def test_requirement_on_another_core_is_refused_before_importing(site, requirement):
    marker = site.folder / "imported"
    site.install("alpha", f"open({str(marker)!r}, 'w').close()", requires=[requirement])
    with pytest.raises(
        PluginError, match=r"alpha 1\.2\.3(.|\n)*requires traderagent-core(.|\n)*installed is"
    ):
        PluginHost.discover(["alpha"], entry_points=site.entry_points())
    assert not marker.exists()


@pytest.mark.parametrize(
    "requirement",
    [
        "traderagent-core>=0.0.1",
        "traderagent-core",
        "traderagent-core>=99; python_version < '3'",
        "traderagent-core>=99; extra == 'future'",
        "traderagent-core-extras>=99",
        "numpy>=99",
    ],
)
def test_other_requirements_are_not_ours_to_judge(site, requirement):
    site.strategy("alpha", requires=[requirement])
    host = PluginHost.discover(["alpha"], entry_points=site.entry_points())
    assert host.plugins[0].status is Status.ENABLED


def test_unreadable_requirement_on_the_core_is_refused(site):
    site.strategy("alpha", requires=["traderagent-core >=> 1"])
    with pytest.raises(PluginError, match="requirement 'traderagent-core >=> 1' cannot be read"):
        PluginHost.discover(["alpha"], entry_points=site.entry_points())
