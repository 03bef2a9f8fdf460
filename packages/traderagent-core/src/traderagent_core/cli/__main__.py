"""`python -m traderagent_core.cli`: the command line without its script."""

from traderagent_core.cli.main import main

if __name__ == "__main__":
    main()
