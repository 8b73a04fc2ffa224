"""The appraisal: what society gains of the smart grid and who of it, year by year, with its uncertainty."""
