"""One process of a training job, as a launcher starts it: ``python -m gnomon.training.loop JOB.json``."""

import sys

from gnomon.training.loop.rank import main

if __name__ == "__main__":
    main(sys.argv[1])
