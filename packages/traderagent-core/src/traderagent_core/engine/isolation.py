"""What a plugin does in a call stays its own: it ends no process, and counts money no worse for anybody else."""

from collections.abc import Callable
from decimal import ROUND_HALF_EVEN
from typing import Any

from traderagent_core.errors import PluginError, told
from traderagent_core.model.position import MONEY, MONEY_DIGITS
from traderagent_core.ports import Call


def isolated(call: Call) -> Call:
    """The same call, which raises nothing but an Exception, or KeyboardInterrupt, which is the user's."""

    def ask(bot: str, callback: str, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Any:
        try:
            return call(bot, callback, function, *arguments, **named)
        except (Exception, KeyboardInterrupt):
            raise
        except BaseException as error:  # SystemExit and its like are for the process, not for a part of it.
            raise PluginError(f"{told(error)}, which would end the process") from error
        finally:
            if MONEY.prec != MONEY_DIGITS or MONEY.rounding != ROUND_HALF_EVEN:
                MONEY.prec, MONEY.rounding = MONEY_DIGITS, ROUND_HALF_EVEN

    return ask
