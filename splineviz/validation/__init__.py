"""The estimators against the exact counts: designs, studies, statistics. The only place that sees both."""
