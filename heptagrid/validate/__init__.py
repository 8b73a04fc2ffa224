"""Published cases and recorded answers of other people's programs, compared with ours in one table."""
