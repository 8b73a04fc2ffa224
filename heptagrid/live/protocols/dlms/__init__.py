"""DLMS/COSEM (IEC 62056): every meter of the scenario as a COSEM server behind one TCP port."""
