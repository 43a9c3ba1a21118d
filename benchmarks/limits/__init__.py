"""`./dev bench limits`: how throughput and latency follow a limit on concurrency, where the knee is, what is full."""
