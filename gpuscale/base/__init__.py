"""Floor 0: what every other floor stands on, knowing nothing of arrays or engines.

Options (`config`), exceptions (`errors`), choice of a function by the type of the data
(`dispatch`), identity of any operand (`tokens`, of which only itself tells: `identities`; in every
process: `steady`), bytes as people write them (`sizes`), ``with`` blocks (`blocks`), Ctrl-C that
waits for the end of one (`interrupts`), the words for shapes (`types`) and the `version`.

May import: the standard library, NumPy and the small packages of the base install; nothing else of
gpuscale. A new option is one row in `config.OPTIONS`; a new exception is one class in `errors`.
"""
