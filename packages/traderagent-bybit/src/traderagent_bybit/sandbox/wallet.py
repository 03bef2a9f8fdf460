"""Money of an account: balances, and the play money that demo accounts may ask for."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from traderagent_bybit.codes import BybitError, Code, bad_parameter
from traderagent_bybit.sandbox.account import Account
from traderagent_bybit.sandbox.numbers import ZERO, money, parse
from traderagent_bybit.sandbox.records import Movement

LARGEST_GRANTS = {"BTC": Decimal(15), "ETH": Decimal(200), "USDT": Decimal(100_000), "USDC": Decimal(100_000)}


def wallet_row(account: Account) -> dict[str, Any]:
    """The unified account as `wallet-balance` and the `wallet` topic show it; coins but USDT count for nothing."""
    exchange = account.exchange
    wallet = account.wallet_balance
    unrealized = account.unrealized()
    held = [leg for leg in account.legs.values() if leg.quantity]
    position_im = sum((abs(leg.position.cost) / leg.market.leverage for leg in held), ZERO)
    maintenance = sum(
        (abs(leg.position.cost) * leg.contract.instrument.maintenance_margin_ratio for leg in held), ZERO
    )
    margin = exchange.margin
    equity = wallet + unrealized
    coin = {
        "coin": "USDT",
        "equity": money(equity),
        "usdValue": money(equity),
        "walletBalance": money(wallet),
        "free": "",
        "locked": "0",
        "spotHedgingQty": "0",
        "borrowAmount": "0",
        "availableToWithdraw": "",
        "accruedInterest": "0",
        "totalOrderIM": money(max(margin - position_im, ZERO)),
        "totalPositionIM": money(position_im),
        "totalPositionMM": money(maintenance),
        "unrealisedPnl": money(unrealized),
        "cumRealisedPnl": money(sum((leg.position.realized_pnl for leg in account.legs.values()), ZERO)),
        "bonus": "0",
        "collateralSwitch": True,
        "marginCollateral": True,
    }
    others = [_plain_coin(name, amount) for name, amount in account.coins.items()]
    return {
        "accountType": "UNIFIED",
        "accountLTV": "",
        "accountIMRate": money(margin / equity) if equity > ZERO else "",
        "accountMMRate": money(maintenance / equity) if equity > ZERO else "",
        "totalEquity": money(equity),
        "totalWalletBalance": money(wallet),
        "totalMarginBalance": money(equity),
        "totalAvailableBalance": money(max(exchange.available, ZERO)),
        "totalPerpUPL": money(unrealized),
        "totalInitialMargin": money(margin),
        "totalMaintenanceMargin": money(maintenance),
        "coin": [coin, *others],
    }


def _plain_coin(name: str, amount: Decimal) -> dict[str, Any]:
    return {
        "coin": name,
        "equity": money(amount),
        "usdValue": "0",
        "walletBalance": money(amount),
        "locked": "0",
        "borrowAmount": "0",
        "availableToWithdraw": "",
        "accruedInterest": "0",
        "totalOrderIM": "0",
        "totalPositionIM": "0",
        "totalPositionMM": "0",
        "unrealisedPnl": "0",
        "cumRealisedPnl": "0",
        "bonus": "0",
        "collateralSwitch": False,
        "marginCollateral": True,
    }


def wallet_balance(account: Account, query: Mapping[str, Any]) -> dict[str, Any]:
    """`wallet-balance`, of all coins or those asked for."""
    if query.get("accountType") != "UNIFIED":
        raise bad_parameter("accountType only support UNIFIED.")
    row = wallet_row(account)
    wanted = {name for name in str(query.get("coin") or "").split(",") if name}
    if wanted:
        row["coin"] = [coin for coin in row["coin"] if coin["coin"] in wanted]
    return {"list": [row]}


def apply_money(account: Account, body: Mapping[str, Any]) -> dict[str, Any]:
    """`demo-apply-money`: give play money, or take it away."""
    is_taking = body.get("adjustType") == 1
    wanted = body.get("utaDemoApplyMoney")
    if not isinstance(wanted, list) or not wanted or not all(isinstance(item, dict) for item in wanted):
        raise bad_parameter("utaDemoApplyMoney invalid")
    amounts = []
    for item in wanted:
        name = str(item.get("coin"))
        amount = parse(item.get("amountStr"))
        if name not in LARGEST_GRANTS or amount is None or not ZERO < amount <= LARGEST_GRANTS[name]:
            raise bad_parameter(f"apply amount of {name} invalid")
        amounts.append((name, -amount if is_taking else amount))
    for name, amount in amounts:
        _give(account, name, amount)
    return {}


def _give(account: Account, name: str, amount: Decimal) -> None:
    if name != "USDT":
        account.coins[name] = max(account.coins.get(name, ZERO) + amount, ZERO)
        return
    if account.exchange.available + amount < ZERO:
        raise BybitError(Code.NO_FUNDS)
    account.exchange.flow += amount
    account.exchange.balance += amount
    line = Movement(
        account.new_id("movement"),
        "TRANSFER_IN" if amount > ZERO else "TRANSFER_OUT",
        "",
        "",
        ZERO,
        ZERO,
        ZERO,
        ZERO,
        amount,
        account.wallet_balance,
        "",
        "",
        "",
        account.now_ms,
    )
    account.movements.append(line)
    account.outbox.append(("wallet", wallet_row(account)))
