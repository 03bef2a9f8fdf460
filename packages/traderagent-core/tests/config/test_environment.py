"""`${NAME}`: where it may stand, what an unset variable breaks, and that secrets are never shown."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from traderagent_core.config.environment import expand
from traderagent_core.config.load import InvalidConfigError, load_config

Write = Callable[[str | bytes], Path]

SECRETS = """\
database_url: ${DATABASE_URL}
encryption_key: ${ENCRYPTION_KEY}
bots:
  - name: a
    symbol: BTC/USDT
    strategy: quiet
    exchange: {credentials_name: "${CREDENTIALS}"}
"""


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("${A}", "one"),
        ("x-${A}-${B}", "x-one-two"),
        ("${UNSET:-fallback}", "fallback"),
        ("${A:-fallback}", "one"),
        ("${EMPTY:-fallback}", "fallback"),
        ("${EMPTY}", ""),
        ("${UNSET:-}", ""),
        ("${UNSET:-a:-b}", "a:-b"),
        ("$$", "$"),
        ("$${A}", "${A}"),
        ("$$$${A}", "$${A}"),
        ("$$${A}", "$one"),
        ("pa$word $ 5", "pa$word $ 5"),
    ],
)
def test_expansion(text: str, expanded: str) -> None:
    result = expand(text, {"A": "one", "B": "two", "EMPTY": ""})
    assert (result.text, result.missing, result.malformed) == (expanded, (), ())


def test_values_of_variables_are_not_expanded_again() -> None:
    assert expand("${A}", {"A": "${B}$$", "B": "x"}).text == "${B}$$"


@pytest.mark.parametrize("text", ["${", "${A", "${}", "${1}", "${A B}", "${A:+x}", "${A-x}"])
def test_what_is_not_written_as_a_variable_is_told(text: str) -> None:
    assert expand(text, {"A": "one"}).malformed


@given(st.text())
def test_doubled_dollars_give_any_text_back(text: str) -> None:
    assert expand(text.replace("$", "$$"), {}).text == text


def test_unset_secrets_matter_only_to_who_asks_for_them(host: Any, write: Write) -> None:
    path = write(SECRETS)
    config = load_config(path, host=host, environ={"ENCRYPTION_KEY": "k3y"})
    assert config.encryption_key is not None
    assert config.encryption_key.reveal() == "k3y"
    assert config.database_url is not None
    assert not config.database_url.is_set
    with pytest.raises(InvalidConfigError, match=rf"{path}:1:15: database_url: .*DATABASE_URL is not set"):
        config.database_url.reveal()
    credentials = config.bots[0].exchange.credentials_name
    assert credentials is not None
    with pytest.raises(
        InvalidConfigError, match=r":7:34: bots\[0\]\.exchange\.credentials_name: .*CREDENTIALS"
    ):
        credentials.reveal()


def test_variables_may_fill_numbers_booleans_and_choices(host: Any, write: Write) -> None:
    text = (
        "simulation: {balance: '${BALANCE}', latency_ms: '${LATENCY:-50}', path: '${PATH_}'}\n"
        "bots:\n  - name: bot_${N}\n    symbol: ${BASE}/USDT\n    strategy: quiet\n    dry_run: ${DRY}\n"
        "    quiet: {enabled: '${ON}', period: '${N}'}\n"
    )
    environ = {"BALANCE": "0.1", "PATH_": "optimistic", "N": "7", "BASE": "ETH", "DRY": "false", "ON": "TRUE"}
    config = load_config(write(text), host=host, environ=environ)
    assert str(config.simulation.balance) == "0.1"
    assert (config.simulation.latency_ms, config.simulation.path) == (50, "optimistic")
    (only,) = config.bots
    assert (only.name, only.symbol, only.dry_run) == ("bot_7", "ETH/USDT", False)
    assert only.strategy_config == host.strategies["quiet"].config_model(period=7)


def test_the_environment_of_the_process_is_the_default(
    host: Any, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRADERAGENT_TEST_KEY", "from outside")
    text = "encryption_key: ${TRADERAGENT_TEST_KEY}\nbots: [{name: a, symbol: BTC/USDT, strategy: quiet}]\n"
    key = load_config(write(text), host=host).encryption_key
    assert key is not None
    assert key.reveal() == "from outside"


@pytest.mark.parametrize(
    "text",
    [
        "database_url: [postgresql://me:hunter2hunter2@host/db]\n",
        "encryption_key: {hunter2hunter2: hunter2hunter2}\n",
        "timeframe: ${SECRET}\n",
        "simulation: {balance: '${SECRET}', path: '${SECRET}'}\n",
        "filters: {volume: {period: '${SECRET}'}}\n",
        "filters: {volume: {api_token: wrong-token}}\n",
        "filters: {volume: {api_token: '${TOKEN}'}}\n",
        "filters: {volume: {api_token: [hunter2hunter2]}}\n",
        "filters: {volume: {api_secret: hunter2hunter2}}\n",
        "bots: [{name: '${SECRET} x', symbol: '${SECRET}', strategy: quiet}]\n",
    ],
)
def test_secrets_and_values_of_variables_are_not_shown(host: Any, write: Write, text: str) -> None:
    environ = {"SECRET": "hunter2hunter2", "TOKEN": "wrong-token"}
    with pytest.raises(InvalidConfigError) as caught:
        load_config(write(text), host=host, environ=environ)
    told = str(caught.value) + repr([problem.as_dict() for problem in caught.value.problems])
    # A key is no secret, even where somebody writes one.
    assert "hunter2hunter2" not in told.replace("encryption_key.hunter2hunter2", "")
    assert "wrong-token" not in told


def test_secrets_do_not_stand_in_representations(host: Any, write: Write) -> None:
    environ = {"DATABASE_URL": "db://hunter2", "ENCRYPTION_KEY": "hunter2", "CREDENTIALS": "hunter2"}
    config = load_config(write(SECRETS), host=host, environ=environ)
    assert "hunter2" not in repr(config)
    assert "hunter2" not in f"{config.database_url} {config.bots[0].exchange.model_dump_json()}"
