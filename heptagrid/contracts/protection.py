"""How messages are protected, by the impact levels of NISTIR 7628 Revision 1 for the logical interface category of each.

Categories and levels: source not read of that document, as in the project's tables of facts.
"""

from heptagrid.foundation.contract import Protection

HIGH_SPEED = Protection(1, "L", "H", "H")
CONTROL_CENTRE = Protection(6, "L", "H", "M")
BUSINESS = Protection(8, "H", "M", "L")
MARKET = Protection(9, "L", "M", "M")
METERING = Protection(13, "H", "H", "L")
CUSTOMER_CONTROL = Protection(14, "H", "H", "H")
OUTSIDE_PARTY = Protection(16, "H", "M", "L")
