"""IEC 60870-5-104: substations, primary substations and plants as controlled stations, and a controlling station for the desk."""
