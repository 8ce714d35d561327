"""How each logical node of frames becomes physical ones; file names as in ``dataframe/nodes``.

To add one: a function with ``@lowers(NodeType)`` that returns a physical node.
"""

from gpuscale.dataframe.lower import moving as moving
from gpuscale.dataframe.lower import partitions as partitions
from gpuscale.dataframe.lower import partwise as partwise
from gpuscale.dataframe.lower import reduction as reduction
from gpuscale.dataframe.lower import regroup as regroup
from gpuscale.dataframe.lower import rows as rows
from gpuscale.dataframe.lower import settling as settling
from gpuscale.dataframe.lower import shuffle as shuffle
from gpuscale.dataframe.lower import source as source
from gpuscale.dataframe.lower import values as values
