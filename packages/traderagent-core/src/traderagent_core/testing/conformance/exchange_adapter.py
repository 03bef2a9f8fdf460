"""The conformance kit for exchange adapters.

from traderagent_core.testing import ExchangeAdapterConformance

class TestMine(ExchangeAdapterConformance):
    configs = [MyConfig(base_url="http://127.0.0.1:0")]

    def rig(self, subject):
        return MyLoopbackServer(subject.instrument, subject.config)
"""

from traderagent_core.testing.conformance.adapter_kinds import AdapterKinds
from traderagent_core.testing.conformance.adapter_links import AdapterLinks
from traderagent_core.testing.conformance.adapter_money import AdapterMoney
from traderagent_core.testing.conformance.adapter_orders import AdapterOrders
from traderagent_core.testing.conformance.adapter_reads import AdapterReads

__all__ = ["ExchangeAdapterConformance"]


class ExchangeAdapterConformance(AdapterReads, AdapterOrders, AdapterKinds, AdapterMoney, AdapterLinks):
    """Inherit this in a test module, and name the configurations and the rig.

    `rig(subject)` gives an exchange with the subject's instrument and an account: see ExchangeRig. `instruments` are
    a spot and a linear one; name what the venue has. Every case runs for every configuration on every instrument,
    each on a rig of its own. Cases for what the adapter declares not to have, or for what the rig cannot do, are
    skipped and say so; any other is left out with `skips = {"test_…": "the reason"}`, never by overriding it.
    """
