"""IEC 61850 over MMS (ISO 9506), as IEC 61850-8-1 maps it: intelligent electronic devices (IEDs) that clients browse, read, watch and command."""
