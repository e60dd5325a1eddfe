"""The tests of torgsync. They read its messages as somebody gets them who has ``torgsync`` on the PATH."""

import os

os.environ.pop("TORGSYNC_COMMAND", None)  # ``sh run test`` may have set it: ahead of the first import of ours
