"""One rank of a training job, as a launcher starts it."""

import sys

from gnomon.training.loop.work import main

main(sys.argv[1])
