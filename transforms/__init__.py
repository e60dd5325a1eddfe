"""Pure functions, frames in, frames out: no files, no clock, no random numbers, no Prefect."""
