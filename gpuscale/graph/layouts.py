"""All layouts of `Exchange` plans: importing this module registers them."""

from gpuscale.graph import checkpoint as checkpoint
from gpuscale.graph import frame_shuffle as frame_shuffle
from gpuscale.graph import gather as gather
from gpuscale.graph import overlap as overlap
from gpuscale.graph import pick as pick
from gpuscale.graph import rechunk as rechunk
from gpuscale.graph import recurrence as recurrence
from gpuscale.graph import regroup as regroup
from gpuscale.graph import relabel as relabel
from gpuscale.graph import scan as scan
from gpuscale.graph import select as select
from gpuscale.graph import sort as sort
from gpuscale.graph import take as take
