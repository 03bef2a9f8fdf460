"""Which first-party package offers a name, so that a message can say what to install."""

CORE = "traderagent-core"

KNOWN_PACKAGES: dict[tuple[str, str], str] = {
    ("strategy", "grid"): "traderagent-grid",
    ("strategy", "dca"): "traderagent-dca",
    ("strategy", "trend"): "traderagent-trend",
    ("entry_filter", "smc"): "traderagent-smc",
    ("exchange_adapter", "simulated"): CORE,
    ("exchange_adapter", "paper"): CORE,
    ("exchange_adapter", "bybit"): "traderagent-bybit",
    ("exchange_adapter", "ccxt"): "traderagent-ccxt",
    ("risk_mode", "drawdown"): CORE,
    ("risk_mode", "reduced"): CORE,
    ("risk_mode", "stress"): CORE,
    ("risk_mode", "halt"): CORE,
    ("service", "guard"): "traderagent-guard",
    ("service", "signals"): "traderagent-signals",
    ("service", "telegram"): "traderagent-telegram",
    ("service", "web"): "traderagent-web",
    ("service", "metrics"): "traderagent-metrics",
    ("command", "lab"): "traderagent-lab",
    ("command", "bybit-sandbox"): "traderagent-bybit",
}


def package_offering(kind: str, name: str) -> str | None:
    """The distribution that offers `name`; `kind` is a `Kind` or "service".

    Any exchange without an adapter of its own is reached through ccxt.
    """
    package = KNOWN_PACKAGES.get((str(kind), name))
    if package is None and kind == "exchange_adapter":
        return "traderagent-ccxt"
    return package


def package_of_plugin(name: str) -> str | None:
    """The first-party distribution whose plugin goes by that name, whatever it offers."""
    package = f"traderagent-{name}"
    return package if package in KNOWN_PACKAGES.values() else None
