"""Return codes of Bybit V5 with their texts, as users' programs match them."""

from enum import Enum


class Code(Enum):
    """A return code and its usual text; `text` may hold places to fill."""

    SERVER_TROUBLE = (10000, "Server Timeout")
    PARAMETERS = (10001, "params error: {detail}")
    TIMESTAMP = (
        10002,
        "invalid request, please check your server timestamp or recv_window param. "
        "req_timestamp[{request}],server_timestamp[{server}],recv_window[{window}]",
    )
    KEY = (10003, "API key is invalid.")
    SIGN = (10004, "error sign! origin_string[{origin}]")
    PERMISSION = (10005, "Permission denied, please check your API key permissions.")
    TOO_MANY = (10006, "Too many visits. Exceeded the API Rate Limit.")
    ROUTE = (10017, "Route not found.")
    SERVER_ERROR = (10016, "Server error.")
    ORDER_GONE = (110001, "order not exists or too late to {action}")
    PRICE_RANGE = (110003, "Order price exceeds the allowable range.")
    NO_FUNDS = (110007, "ab not enough for new order")
    STOP_ORDERS = (110009, "The number of stop orders exceeds the maximum allowable limit")
    LEVERAGE = (110013, "cannot set leverage [{leverage}] gt maxLeverage [{most}] by risk limit")
    REDUCE_ONLY_FLAT = (110017, "current position is zero, cannot fix reduce-only order qty")
    REDUCE_ONLY_SIDE = (110017, "reduce-only order has same side with current position")
    ACTIVE_ORDERS = (110020, "Not allowed to have more than 500 active orders")
    MODE_POSITION = (110024, "You have an existing position, so the position mode cannot be switched")
    MODE_SAME = (110025, "Position mode is not modified")
    MODE_ORDERS = (110028, "You have existing open orders, so the position mode cannot be switched")
    LEVERAGE_SAME = (110043, "leverage not modified")
    TOO_MANY_TPSL = (110061, "Your TP/SL orders exceed the limit")
    DUPLICATE_LINK = (110072, "OrderLinkedID is duplicate")
    TRIGGER_RISES = (110092, "expect Rising, but trigger_price[{trigger}] <= current[{current}]")
    TRIGGER_FALLS = (110093, "expect Falling, but trigger_price[{trigger}] >= current[{current}]")
    MIN_VALUE = (110094, "Order does not meet minimum order value {least}USDT")
    NOT_MODIFIED = (34040, "not modified")
    MARGIN_MODE = (3400045, "Set margin mode failed")

    @property
    def number(self) -> int:
        """What `retCode` holds."""
        return self.value[0]

    @property
    def text(self) -> str:
        """What `retMsg` holds, with places to fill."""
        return self.value[1]


class BybitError(Exception):
    """A business error: HTTP 200 with a return code that is not 0."""

    def __init__(self, code: Code | int, message: str | None = None, **places: object) -> None:
        self.code = code.number if isinstance(code, Code) else code
        self.message = message if message is not None else _filled(code, places)
        super().__init__(f"{self.code}: {self.message}")


def _filled(code: Code | int, places: dict[str, object]) -> str:
    return code.text.format(**places) if isinstance(code, Code) else ""


def bad_parameter(detail: str) -> BybitError:
    """10001 with a text of its own, without the usual prefix."""
    return BybitError(Code.PARAMETERS, detail)
