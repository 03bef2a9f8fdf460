"""What Bybit's codes mean for each kind of write; what stands nowhere is unknown."""

from traderagent_core import ExchangeError, Outcome, OutcomeKind, OutcomeTable, Refusal

OK = "0"
NO_MONEY = (
    "110004",
    "110006",
    "110007",
    "110012",
    "110014",
    "110044",
    "110045",
    "110051",
    "110052",
    "110053",
)
OUT_OF_BAND = ("110003", "110120", "110121", "170193", "170194")
NO_PERMISSION = (
    "10003",
    "10004",
    "10005",
    "10007",
    "10008",
    "10009",
    "10010",
    "10024",
    "10027",
    "33004",
    "401",
)
NOT_HERE = ("10029", "110074", "110132", "170209")
NOT_MODIFIED = ("110025", "110026", "110027", "110043", "34040")
NOT_OPEN = ("110001", "110008", "110010", "170213")
NOT_PROCESSED = frozenset({"10002", "403"})
UNDER_WAY = NOT_PROCESSED | {"110079"}
"""The venue is still busy with the order: a change of it can be asked for again. A new order would be that order."""

_ENVIRONMENT = (
    "a key belongs to one environment (main, test, or demo: made while switched to Demo Trading): see that "
    "`environment` or `sandbox` of the exchange is that of the key, and store it with `traderagent credentials add`"
)
_RIGHTS = (
    "give the key the rights to read and to trade contracts, and this machine's address, at the exchange"
)
REMEDIES = {
    "10003": _ENVIRONMENT,
    "10004": "the secret does not belong to the key: store both again with `traderagent credentials add`",
    "10005": _RIGHTS,
    "10007": _ENVIRONMENT,
    "10009": "the exchange has banned this address; ask its support",
    "10010": _RIGHTS,
    "10024": "the exchange does not serve this account here for reasons of compliance; see its notice",
    "33004": "the key has expired: make another one, and store it with `traderagent credentials add`",
    "401": _ENVIRONMENT,
}
"""What a person has to mend, by code."""

_SYMBOLS = "choose symbols that the exchange trades as linear contracts in USDT"

_REFUSED = {
    "10001": Refusal.BAD_PARAMETERS,
    "10017": Refusal.NOT_SUPPORTED,
    **dict.fromkeys(NO_PERMISSION, Refusal.NOT_PERMITTED),
    **dict.fromkeys(NOT_HERE, Refusal.UNKNOWN_SYMBOL),
}
_ORDER_REFUSED = {
    **_REFUSED,
    **dict.fromkeys(NO_MONEY, Refusal.INSUFFICIENT_MARGIN),
    **dict.fromkeys(OUT_OF_BAND, Refusal.PRICE_OUT_OF_BAND),
    "110009": Refusal.TOO_MANY_ORDERS,
    "110020": Refusal.TOO_MANY_ORDERS,
    "110061": Refusal.TOO_MANY_ORDERS,
    "110011": Refusal.INSUFFICIENT_MARGIN,
    "110039": Refusal.INSUFFICIENT_MARGIN,
    "110040": Refusal.INSUFFICIENT_MARGIN,
    "110046": Refusal.INSUFFICIENT_MARGIN,
    "110013": Refusal.LEVERAGE_TOO_HIGH,
    "110086": Refusal.LEVERAGE_TOO_HIGH,
    "110090": Refusal.LEVERAGE_TOO_HIGH,
    "110017": Refusal.REDUCE_ONLY_WITHOUT_POSITION,
    "110021": Refusal.MARKET_CLOSED,
    "110022": Refusal.MARKET_CLOSED,
    "110023": Refusal.MARKET_CLOSED,
    "110042": Refusal.MARKET_CLOSED,
    "30228": Refusal.MARKET_CLOSED,
    "110092": Refusal.WOULD_TRIGGER,
    "110093": Refusal.WOULD_TRIGGER,
    "110094": Refusal.ORDER_TOO_SMALL,
    "170136": Refusal.ORDER_TOO_SMALL,
    "170140": Refusal.ORDER_TOO_SMALL,
    "170131": Refusal.INSUFFICIENT_MARGIN,
}

SUBMIT = OutcomeTable({OK}, _ORDER_REFUSED, NOT_PROCESSED, {"110072", "170141"})
AMEND = OutcomeTable(
    {OK}, {**_ORDER_REFUSED, **dict.fromkeys(NOT_OPEN, Refusal.ORDER_NOT_OPEN)}, UNDER_WAY, NOT_MODIFIED
)
CANCEL = OutcomeTable({OK}, _REFUSED, UNDER_WAY, NOT_OPEN)
UNSET = OutcomeTable({OK}, _REFUSED, UNDER_WAY, (*NOT_OPEN, *NOT_MODIFIED))
"""For the stop-loss of a position."""
LEVERAGE = OutcomeTable({OK}, _ORDER_REFUSED, NOT_PROCESSED, NOT_MODIFIED)

_FLAT = "zero position"
"""Said of a stop-loss of a position that is gone, or not there yet."""
_TEXTS = (
    ("minimum limit", Refusal.ORDER_TOO_SMALL),
    ("maximum limit", Refusal.ORDER_TOO_LARGE),
    ("Qty invalid", Refusal.QUANTITY_NOT_ON_LOT),
    ("Price invalid", Refusal.PRICE_NOT_ON_TICK),
    ("symbol invalid", Refusal.UNKNOWN_SYMBOL),
    ("symbol is not supported", Refusal.UNKNOWN_SYMBOL),
    ("base_price", Refusal.WOULD_TRIGGER),
    (_FLAT, Refusal.ORDER_NOT_OPEN),
)
_SO_ALREADY = ((AMEND, "remains unchanged"), (UNSET, _FLAT))


def read_error(code: str, text: str, retry_after_ms: int) -> ExchangeError:
    """What a read raises that was answered with this code."""
    told = f"{text or code} (code {code})" if code in _REFUSED else text
    remedy = _SYMBOLS if code == "10001" and "symbol" in text else REMEDIES.get(code)
    return SUBMIT.read_error(code, f"{told}; {remedy}" if remedy else told, retry_after_ms=retry_after_ms)


def outcome_of(
    table: OutcomeTable, code: str, text: str, venue_order_id: str = "", retry_after_ms: int = 0
) -> Outcome:
    """The answer to a write. 10001 covers many things, which only its text tells apart."""
    if code == "10001" and any(words in text for asked, words in _SO_ALREADY if asked is table):
        return Outcome.already_so(code, text)
    found = table.outcome(code, text, venue_order_id=venue_order_id, retry_after_ms=retry_after_ms)
    if code != "10001" or found.kind is not OutcomeKind.REJECTED:
        return found
    reason = next((reason for words, reason in _TEXTS if words in text), Refusal.BAD_PARAMETERS)
    return Outcome.rejected(reason, code, text)
