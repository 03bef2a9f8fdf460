"""The configuration is the allow-list: what it names must work, all else may not take anything down."""

import pytest
from traderagent_core.errors import PluginError
from traderagent_core.host import PluginHost
from traderagent_core.host.records import Kind, Status


def discover(site, allow, **options):
    return PluginHost.discover(allow, entry_points=site.entry_points(), **options)


def status(host):
    return {info.name: info.status for info in host.plugins}


def test_listed_plugin_offers_its_strategy(site):
    module = site.strategy("alpha")
    host = discover(site, ["alpha"])
    assert list(host.strategies) == ["alpha"]
    origin = host.origin(host.strategy("alpha"))
    assert (origin.name, origin.distribution, origin.version, origin.module) == (
        "alpha",
        "alpha",
        "1.2.3",
        module,
    )
    assert [(offer.kind, offer.name) for offer in origin.offers] == [(Kind.STRATEGY, "alpha")]
    assert host.failures == ()


def test_unlisted_plugin_offers_nothing_and_says_why(site):
    site.strategy("alpha")
    site.strategy("beta")
    host = discover(site, ["alpha"])
    assert list(host.strategies) == ["alpha"]
    assert status(host) == {"alpha": Status.ENABLED, "beta": Status.UNLISTED}
    with pytest.raises(
        PluginError, match=r"unknown strategy 'beta'.*'beta' \(beta 1\.2\.3\).*not list it(.|\n)*add 'beta'"
    ):
        host.strategy("beta")


def test_without_a_list_all_that_work_are_enabled(site):
    site.strategy("alpha")
    site.strategy("beta")
    site.install("gamma", "1 / 0")
    host = discover(site, None)
    assert sorted(host.strategies) == ["alpha", "beta"]
    assert [info.name for info in host.failures] == ["gamma"]


def test_name_of_an_offer_selects_the_plugin_that_brings_it(site):
    site.strategy("acme-tools", offers="momentum")
    host = discover(site, ["momentum"])
    assert list(host.strategies) == ["momentum"]
    assert status(host) == {"acme-tools": Status.ENABLED}


def test_plugin_name_goes_before_the_name_of_an_offer(site):
    site.strategy("alpha")
    site.strategy("other", offers="alpha")
    host = discover(site, ["alpha"])
    assert status(host) == {"alpha": Status.ENABLED, "other": Status.UNLISTED}


def test_plugin_listed_twice_counts_once(site):
    site.strategy("alpha")
    host = discover(site, ["alpha", "alpha"])
    assert list(host.strategies) == ["alpha"]


def test_one_module_under_two_entry_points_counts_once(site):
    module = site.strategy("alpha")
    site.metadata("alpha-renamed", "2.0", (), f"beta = {module}")
    host = discover(site, ["alpha", "beta"])
    assert list(host.strategies) == ["alpha"]
    assert host.origin(host.strategy("alpha")).name == "alpha"


def test_second_name_of_a_module_selects_the_plugin_that_holds_it(site):
    module = site.strategy("alpha")
    site.metadata("alpha-renamed", "2.0", (), f"beta = {module}")
    assert list(discover(site, ["beta"]).strategies) == ["alpha"]


def test_disabled_plugin_is_not_imported(site):
    marker = site.folder / "imported"
    site.install("alpha", f"open({str(marker)!r}, 'w').close()")
    host = discover(site, None, disabled=["alpha"])
    assert status(host) == {"alpha": Status.DISABLED}
    assert not marker.exists()


def test_listed_and_disabled_is_an_error(site):
    site.strategy("alpha")
    with pytest.raises(PluginError, match=r"plugin 'alpha' \(alpha 1\.2\.3\) is disabled"):
        discover(site, ["alpha"], disabled=["alpha"])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("alpa", r"plugin 'alpa' is not installed; did you mean 'alpha'\? Installed: alpha"),
        ("dca", r"plugin 'dca' \(traderagent-dca\) is not installed\.(.|\n)*pip install traderagent-dca"),
    ],
)
def test_missing_listed_plugin_stops_with_a_remedy(site, name, expected):
    site.strategy("alpha")
    with pytest.raises(PluginError, match=expected) as caught:
        discover(site, [name])
    assert caught.value.plugin == name


def test_missing_name_tells_which_broken_plugins_might_bring_it(site):
    site.install("alpha", "1 / 0")
    with pytest.raises(
        PluginError, match=r"Broken, so nobody knows what they offer: plugin 'alpha' \(alpha 1\.2\.3\)"
    ):
        discover(site, ["momentum"])


def test_all_problems_of_listed_plugins_are_told_at_once(site):
    site.install("alpha", "1 / 0")
    site.install("beta", "raise SystemExit(3)")
    with pytest.raises(PluginError) as caught:
        discover(site, ["alpha", "beta", "gamma"])
    assert all(f"plugin {name!r}" in str(caught.value) for name in ("alpha", "beta", "gamma"))


@pytest.mark.parametrize("allow", [["alpha", "beta"], ["momentum"]])
def test_two_listed_plugins_with_one_strategy_name_are_both_named(site, allow):
    site.strategy("alpha", offers="momentum", version="1.0")
    site.strategy("beta", offers="momentum", version="2.0")
    expected = r"strategy name 'momentum': plugin 'alpha' \(alpha 1\.0\) and plugin 'beta' \(beta 2\.0\)"
    with pytest.raises(PluginError, match=expected):
        discover(site, allow)


def test_two_distributions_with_one_plugin_name_are_both_named(site):
    site.strategy("alpha-one", name="alpha", offers="one", version="1.0")
    site.strategy("alpha-two", name="alpha", offers="two", version="2.0")
    expected = r"plugin name 'alpha': plugin 'alpha' \(alpha-one 1\.0\) and plugin 'alpha' \(alpha-two 2\.0\)"
    with pytest.raises(PluginError, match=expected):
        discover(site, ["alpha"])


def test_one_name_in_two_kinds_is_no_clash(site):
    site.strategy("alpha", offers="same")
    site.install(
        "beta",
        """
        class Yes(EntryFilter):
            def judge(self, plan, view, symbol):
                return None

        @hookimpl
        def traderagent_entry_filters():
            yield EntryFilterSpec("same", "Says yes.", Config, Yes)
        """,
    )
    host = discover(site, ["alpha", "beta"])
    assert (list(host.strategies), list(host.entry_filters)) == (["same"], ["same"])


def test_clash_without_a_list_takes_down_only_the_plugins_that_clash(site):
    site.strategy("alpha", offers="momentum")
    site.strategy("beta", offers="momentum")
    site.strategy("gamma")
    host = discover(site, None)
    assert list(host.strategies) == ["gamma"]
    with pytest.raises(PluginError, match="also claimed by plugin 'beta'"):
        host.strategy("momentum")


def test_unlisted_clash_disturbs_nobody(site):
    site.strategy("alpha")
    site.strategy("beta", offers="alpha")
    assert discover(site, ["alpha"]).origin(discover(site, ["alpha"]).strategy("alpha")).name == "alpha"


def test_unknown_strategy_offers_the_nearest_name(site):
    site.strategy("grid")
    site.strategy("trend")
    host = discover(site, None)
    with pytest.raises(
        PluginError, match=r"^unknown strategy 'gird'; did you mean 'grid'\? Installed: grid, trend$"
    ):
        host.strategy("gird")


def test_unknown_exchange_names_the_package_that_offers_it(site):
    with pytest.raises(
        PluginError, match=r"unknown exchange adapter 'bybit'(.|\n)*pip install traderagent-bybit"
    ):
        discover(site, None).exchange_adapter("bybit")


def test_lookup_of_a_broken_plugin_tells_the_cause(site):
    site.install("alpha", "1 / 0")
    with pytest.raises(PluginError, match=r"unknown strategy 'alpha': plugin 'alpha'.*ZeroDivisionError"):
        discover(site, []).strategy("alpha")


def test_record_of_another_host_has_no_origin_here(site):
    site.strategy("alpha")
    spec = discover(site, ["alpha"]).strategy("alpha")
    with pytest.raises(PluginError, match="'alpha' was not offered"):
        discover(site, []).origin(spec)


def test_hosts_do_not_share_what_they_selected(site):
    site.strategy("alpha")
    site.strategy("beta")
    first, second = discover(site, ["alpha"]), discover(site, ["beta"])
    assert (list(first.strategies), list(second.strategies)) == (["alpha"], ["beta"])
