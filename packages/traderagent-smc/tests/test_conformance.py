"""The filter keeps what every entry filter promises."""

from traderagent_core.testing import EntryFilterConformance
from traderagent_smc.config import SmcConfig
from traderagent_smc.filter import SmcFilter

SHORT = {
    "timeframes": ["4h", "1h"],
    "swing_length": {"4h": 3, "1h": 4},
    "accept": "0.51",
    "dead_zones_kept": 40,
}


class TestSmc(EntryFilterConformance):
    filter_class = SmcFilter
    configs = (
        SmcConfig.model_validate(SHORT),
        SmcConfig.model_validate(
            {
                **SHORT,
                "close_break": False,
                "order_block_lookback": 0,
                "ob_mitigation": "close",
                "max_touches": 3,
                "reject_in_opposing_zone": False,
                "reject": "0.4",
            }
        ),
    )
