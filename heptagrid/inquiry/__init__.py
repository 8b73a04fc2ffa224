"""Answers about a finished run: one message traced, one bill explained, each from a replay."""
