"""The error tree. Each class says who has to react."""


class TraderAgentError(Exception):
    """Everything this project raises on purpose; printed without a traceback, exit code 2."""


class ConfigError(TraderAgentError):
    """The configuration is wrong: the user mends the file."""


class DataError(TraderAgentError):
    """Market data are missing or broken: the user mends or imports them."""


class PluginError(TraderAgentError):
    """A plugin is missing, broken or incompatible."""

    def __init__(self, message: str, *, plugin: str = "", distribution: str = "") -> None:
        super().__init__(message)
        self.plugin = plugin
        self.distribution = distribution


class OrderError(TraderAgentError):
    """A plan or order breaks the contract: the strategy's author mends it."""
