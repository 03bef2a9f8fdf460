"""Deterministic fault simulation: the real driver, journal and recovery against a world that one seed drives.

`run(Trial(seed))` is one run; its report says what was violated. The parts, from the outside in:

- `world`: time, dice, what is due next, the log; `kinds`: the faults, and how a seed draws them;
- `market`, `exchange`, `outside`: prices and the account at the exchange, which outlive every process;
- `mishaps`: what strikes at some time; `wire`, `link`: what strikes requests and streams;
- `disk`, `clock`: the machine;
- `adapter`, `process`, `loop`: the real session on top of all that; `run`: its lives, one after the other;
- `checks`: what must be true each second, and at rest; `strategies`, `setting`: what is traded;
- `scenario`, `hand`: what happens step by step instead of by chance; `exploring`: a crash at each of its steps, and
  a second one in the recovery; `scenarios`: those of the usual strategies.
"""
