# For those who have make; a fresh machine has not, so everything is in ./run (sh run help).

.PHONY: demo test lint lock samples

demo test lint lock samples:
	@sh run $@
