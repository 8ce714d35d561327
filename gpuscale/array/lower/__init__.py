"""How each logical node of arrays becomes physical ones; file names as in ``array/nodes``.

To add one: a function with ``@lowers(NodeType)`` that returns a physical node.
"""

from gpuscale.array.lower import creation as creation
from gpuscale.array.lower import elementwise as elementwise
from gpuscale.array.lower import rechunk as rechunk
from gpuscale.array.lower import reduce as reduce
from gpuscale.array.lower import view as view
