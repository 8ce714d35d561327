"""Public functions by chapter, and what the methods of collections hand over to."""

from gpuscale.dataframe.api import aggregating as aggregating
from gpuscale.dataframe.api import aligning as aligning
from gpuscale.dataframe.api import bridges as bridges
from gpuscale.dataframe.api import columns as columns
from gpuscale.dataframe.api import converting as converting
from gpuscale.dataframe.api import counting as counting
from gpuscale.dataframe.api import creating as creating
from gpuscale.dataframe.api import databases as databases
from gpuscale.dataframe.api import joining as joining
from gpuscale.dataframe.api import labels as labels
from gpuscale.dataframe.api import making as making
from gpuscale.dataframe.api import many as many
from gpuscale.dataframe.api import merging as merging
from gpuscale.dataframe.api import moving as moving
from gpuscale.dataframe.api import neighbours as neighbours
from gpuscale.dataframe.api import one_place as one_place
from gpuscale.dataframe.api import partitions as partitions
from gpuscale.dataframe.api import pivoting as pivoting
from gpuscale.dataframe.api import positions as positions
from gpuscale.dataframe.api import quantiles as quantiles
from gpuscale.dataframe.api import reading as reading
from gpuscale.dataframe.api import reductions as reductions
from gpuscale.dataframe.api import repartition as repartition
from gpuscale.dataframe.api import shuffling as shuffling
from gpuscale.dataframe.api import statistics as statistics
from gpuscale.dataframe.api import writing as writing
