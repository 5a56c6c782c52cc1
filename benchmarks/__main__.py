"""``make bench``: the integration engine beside its peers."""

from benchmarks.integration import main

main()
