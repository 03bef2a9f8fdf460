"""`traderagent run` and `traderagent replay`: trade live or on paper, and retrace what was traded."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import click

from traderagent_core.cli.preset_option import preset_option
from traderagent_core.cli.times import UTC_TIME
from traderagent_core.errors import ConfigError

if TYPE_CHECKING:
    from traderagent_core.config.loaded import Config

FASTEST = "max"


class Speed(click.ParamType):  # type: ignore[type-arg]
    """A positive number, or max for lockstep."""

    name = "speed"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | str:
        """The number, or max."""
        if value == FASTEST or isinstance(value, float):
            return value  # type: ignore[no-any-return]
        try:
            speed = float(value)
        except ValueError:
            speed = 0.0
        if not 0 < speed <= 1_000_000:
            self.fail(f"{value!r} is no speed; write a number such as 60, or max", param, ctx)
        return speed


@click.command()
@click.option("--config", type=click.Path(path_type=Path), required=True, help="The configuration to run.")
@preset_option
@click.option(
    "--data", type=click.Path(path_type=Path), help="Trade on paper on these recorded candles instead."
)
@click.option(
    "--speed",
    type=Speed(),
    metavar="X|max",
    help="With --data: times as fast as the clock, or max: as fast as it goes, as a back-test.  [default: max]",
)
@click.option(
    "--from", "start_ms", type=UTC_TIME, help="With --data: begin here; earlier candles are history."
)
@click.option(
    "--run-dir",
    type=click.Path(path_type=Path),
    help="Folder of journal, manifest and log [default: one of the account, in $TRADERAGENT_STATE].",
)
@click.pass_context
def run(
    context: click.Context,
    *,
    config: Path,
    presets: Sequence[Path],
    data: Path | None,
    speed: float | str | None,
    start_ms: int | None,
    run_dir: Path | None,
) -> None:
    """Trade live or on paper, as the configuration says.

    It ends with `traderagent stop`, or with Ctrl-C, which leaves all orders. Started again it goes on where it
    was, whatever ended it: first of all it reconciles with the exchange. With `dry_run: true`, with --data and at
    the exchanges simulated and paper no order reaches an exchange.

    But for --data it runs in a process of its own. A plugin that does not come back within two seconds ends it; it
    starts again, with that plugin's bot in quarantine.
    """
    from traderagent_core.live.watchdog.leash import take_leash

    board = take_leash()
    if data is None and board is None and speed is None and start_ms is None:
        from traderagent_core.live.watchdog.supervisor import supervise

        context.exit(supervise(context.obj, lambda text: click.echo(f"note: {text}", err=True)))
    from traderagent_core.cli.kept import find_kept
    from traderagent_core.config.load import load_config
    from traderagent_core.live_run import Recorded, account_of, run_live, run_recorded
    from traderagent_core.observability.run_log import run_log
    from traderagent_core.persistence.folders import account_folder, state_root

    loaded = load_config(config, presets=presets)
    for note in loaded.notes:
        click.echo(f"note: {note}", err=True)
    if data is None and (speed is not None or start_ms is not None):
        raise click.UsageError("--speed and --from go with --data")
    folder = run_dir or account_folder(state_root(os.environ), account_of(loaded))
    keys = {} if data is not None else credentials_of(loaded)
    database_url = "" if data is not None else find_kept(loaded, run_dir).database_url
    with run_log(folder, loaded.log_level, secrets_of(loaded, keys, database_url)) as tell:
        if data is not None:
            pace = None if speed in (None, FASTEST) else float(str(speed))
            done = run_recorded(Recorded(loaded, data, pace, start_ms), folder, tell)
        else:
            click.echo(
                f"running, journal in {folder}; stop with `traderagent stop`, or Ctrl-C, which leaves all orders"
            )
            done = run_live(loaded, folder, keys, tell, database_url, board)
    _summarise(done, folder)


def credentials_of(config: "Config") -> Mapping[str, str]:
    """Key and secret from the vault, where orders need them."""
    from traderagent_core.cli.kept import find_kept
    from traderagent_core.live_run import is_on_paper
    from traderagent_core.persistence.vault.keys import Keys
    from traderagent_core.persistence.vault.vault import Vault

    if is_on_paper(config):
        return {}
    name = config.bots[0].exchange.credentials_name
    if name is None:
        raise ConfigError(
            "orders need keys: name them by exchange.credentials_name, and store them with `traderagent credentials "
            "add`; or set dry_run: true"
        )
    kept = find_kept(config, None)
    found = kept.run(lambda store: Vault(store, Keys.of(kept.key())).get(name.reveal()))
    passphrase = {} if found.passphrase is None else {"passphrase": found.passphrase.reveal()}
    return {"key": found.api_key.reveal(), "secret": found.api_secret.reveal(), **passphrase}


def secrets_of(config: "Config", keys: Mapping[str, str], database_url: str) -> list[str]:
    """Every secret that a run knows, for its log to hide: what a file or the keyring holds, too."""
    from traderagent_core.persistence.vault.keys import texts_of

    key = config.encryption_key
    named = [os.environ.get("ENCRYPTION_KEY"), key.reveal() if key is not None and key.is_set else None]
    password = urlsplit(database_url).password or ""
    found = [*keys.values(), password, unquote(password)]
    return [
        secret for secret in (*found, *(text for name in named if name for text in texts_of(name))) if secret
    ]


def _summarise(done: Any, folder: Path) -> None:
    engine = done.engine
    for name, member in engine.members.items():
        ledger = member.ledger
        click.echo(
            f"{name}: position {ledger.quantity:f} {member.instrument.base}, realised {ledger.realized_pnl:f} "
            f"{member.instrument.quote}, fees {ledger.fees:f}"
        )
    click.echo(f"{len(engine.account.orders)} orders live; journal, manifest and log in {folder}")


@click.command()
@click.argument("run_dir", type=click.Path(path_type=Path))
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Compare the candles that the run saw with these [default: those that it was made on].",
)
@click.pass_context
def replay(context: click.Context, *, run_dir: Path, data: Path | None) -> None:
    """Retrace the run in RUN_DIR and name the first difference.

    A fresh engine is stepped along its journal. The cause is told where it is known. Exit code 1 when there is one.
    """
    from traderagent_core.replay import replay as retrace

    found = retrace(run_dir, data)
    if found.difference is None:
        click.echo(f"{found.events} events stepped again, 0 differences")
    else:
        click.echo(f"{found.events} events stepped again; the first difference is in {found.difference}")
    if found.candle:
        click.echo(found.candle)
    if found.difference is not None or found.candle:
        context.exit(1)
