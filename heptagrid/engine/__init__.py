"""The engine: one clock, the step loop, the mailbox, the recorder, and the jobs that run the arms."""
