"""The configuration of the adapter, and where each environment of Bybit is."""

from attrs import frozen
from pydantic import Field
from traderagent_core.config.fields import Section


class BybitConfig(Section):
    """Everything has a default; addresses are set to reach a sandbox or a regional host."""

    rest_url: str | None = Field(
        default=None, description="Base of REST calls, instead of the environment's."
    )
    private_url: str | None = Field(default=None, description="Private socket, instead of the environment's.")
    public_url: str | None = Field(default=None, description="Public socket of linear contracts, likewise.")
    recv_window_ms: int = Field(default=5_000, ge=1_000, le=60_000, description="How old a request may get.")
    timeout_seconds: float = Field(default=10.0, gt=0, description="How long to wait for an answer.")
    rate_factor: float = Field(
        default=1.0, gt=0, le=10_000, description="Calls per second over those of a usual account."
    )
    reconnect_seconds: float = Field(default=1.0, gt=0, description="First pause before a socket reconnects.")
    silence_seconds: float = Field(default=30.0, gt=0, description="A socket this silent counts as broken.")
    ticker_seconds: float = Field(
        default=10.0,
        gt=0,
        description="How often the ticker of a symbol is told at least; silent for three times as long, its socket "
        "counts as broken.",
    )


@frozen
class Hosts:
    """Where an environment is reached."""

    rest: str
    private: str
    public: str


_PUBLIC = "/v5/public/linear"
HOSTS = {
    "main": Hosts(
        "https://api.bybit.com", "wss://stream.bybit.com/v5/private", f"wss://stream.bybit.com{_PUBLIC}"
    ),
    "test": Hosts(
        "https://api-testnet.bybit.com",
        "wss://stream-testnet.bybit.com/v5/private",
        f"wss://stream-testnet.bybit.com{_PUBLIC}",
    ),
    # The demo has no public socket of its own.
    "demo": Hosts(
        "https://api-demo.bybit.com",
        "wss://stream-demo.bybit.com/v5/private",
        f"wss://stream.bybit.com{_PUBLIC}",
    ),
}


def hosts_of(config: BybitConfig, environment: str) -> Hosts:
    """The addresses of an environment, with those that the configuration names."""
    usual = HOSTS[environment]
    return Hosts(
        (config.rest_url or usual.rest).rstrip("/"),
        config.private_url or usual.private,
        config.public_url or usual.public,
    )
