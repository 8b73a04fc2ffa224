"""Contracts of all messages, by family: what each carries, who sends it to whom, when, and how it is protected."""
