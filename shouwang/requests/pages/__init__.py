"""Pages of requests: what residents, grid workers and operators fill in, what reporters follow, what the desk lists."""
