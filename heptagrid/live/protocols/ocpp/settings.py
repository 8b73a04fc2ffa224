"""What a charge point can be configured in: the keys of OCPP 1.6 section 9 and the variables of OCPP 2.0.1 part 2 appendix that are the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

HIGHEST_LEVEL = 20
"""Of a profile's stack (`ChargeProfileMaxStackLevel`): assumption, deep enough for every CSMS that was looked at."""
PROFILES = 20
"""That a station holds at most (`MaxChargingProfilesInstalled`): assumption."""
PERIODS = 100
"""Of a schedule at most (`ChargingScheduleMaxPeriods`): assumption, a day of quarter hours and a margin."""
MEASURANDS = (
    "Energy.Active.Import.Register",
    "Power.Active.Import",
    "SoC",
    "Voltage",
    "Current.Import",
    "Current.Offered",
    "Power.Offered",
)
"""What a station measures; of Offered, what its limit lets the vehicle draw."""

_SAMPLED = ",".join(MEASURANDS[:4])


class Setting(NamedTuple):
    """One setting. key: of 1.6, empty if it is of 2.0.1 alone. component, variable: of 2.0.1. kind: int, bool, text, measurands. mutable: by the CSMS."""

    key: str
    component: str
    variable: str
    value: str
    kind: str
    mutable: bool


_R, _RW = False, True
SETTINGS = (
    Setting("HeartbeatInterval", "OCPPCommCtrlr", "HeartbeatInterval", "300", "int", _RW),
    Setting("MeterValueSampleInterval", "SampledDataCtrlr", "TxUpdatedInterval", "60", "int", _RW),
    Setting("MeterValuesSampledData", "SampledDataCtrlr", "TxUpdatedMeasurands", _SAMPLED, "measurands", _RW),
    Setting("ClockAlignedDataInterval", "AlignedDataCtrlr", "Interval", "0", "int", _RW),
    Setting("MeterValuesAlignedData", "AlignedDataCtrlr", "Measurands", _SAMPLED, "measurands", _RW),
    Setting("StopTxnSampledData", "SampledDataCtrlr", "TxEndedMeasurands", MEASURANDS[0], "measurands", _RW),
    Setting("StopTxnAlignedData", "AlignedDataCtrlr", "TxEndedMeasurands", "", "measurands", _RW),
    Setting("ConnectionTimeOut", "TxCtrlr", "EVConnectionTimeOut", "120", "int", _RW),
    Setting("AuthorizeRemoteTxRequests", "AuthCtrlr", "AuthorizeRemoteStart", "false", "bool", _RW),
    Setting("LocalAuthorizeOffline", "AuthCtrlr", "LocalAuthorizeOffline", "true", "bool", _RW),
    Setting("LocalPreAuthorize", "AuthCtrlr", "LocalPreAuthorize", "false", "bool", _RW),
    Setting("StopTransactionOnInvalidId", "TxCtrlr", "StopTxOnInvalidId", "true", "bool", _RW),
    Setting("StopTransactionOnEVSideDisconnect", "TxCtrlr", "StopTxOnEVSideDisconnect", "true", "bool", _R),
    Setting("UnlockConnectorOnEVSideDisconnect", "OCPPCommCtrlr", "UnlockOnEVSideDisconnect", "true", "bool", _R),
    Setting("TransactionMessageAttempts", "OCPPCommCtrlr", "MessageAttempts", "3", "int", _RW),
    Setting("TransactionMessageRetryInterval", "OCPPCommCtrlr", "MessageAttemptInterval", "60", "int", _RW),
    Setting("ResetRetries", "OCPPCommCtrlr", "ResetRetries", "1", "int", _RW),
    Setting("WebSocketPingInterval", "OCPPCommCtrlr", "WebSocketPingInterval", "20", "int", _RW),
    Setting("ConnectorPhaseRotation", "ChargingStation", "PhaseRotation", "0.RST,1.RST", "text", _RW),
    Setting("NumberOfConnectors", "", "", "1", "int", _R),
    Setting("GetConfigurationMaxKeys", "", "", "100", "int", _R),
    Setting("SupportedFeatureProfiles", "", "", "Core,SmartCharging,RemoteTrigger", "text", _R),
    Setting("ChargeProfileMaxStackLevel", "SmartChargingCtrlr", "ProfileStackLevel", str(HIGHEST_LEVEL), "int", _R),
    Setting("ChargingScheduleAllowedChargingRateUnit", "", "", "Current,Power", "text", _R),
    Setting("ChargingScheduleMaxPeriods", "SmartChargingCtrlr", "PeriodsPerSchedule", str(PERIODS), "int", _R),
    Setting("MaxChargingProfilesInstalled", "SmartChargingCtrlr", "Entries", str(PROFILES), "int", _R),
    Setting("ConnectorSwitch3to1PhaseSupported", "SmartChargingCtrlr", "Phases3to1", "false", "bool", _R),
    Setting("", "SmartChargingCtrlr", "Enabled", "true", "bool", _R),
    Setting("", "SmartChargingCtrlr", "RateUnit", "A,W", "text", _R),
    Setting("", "TxCtrlr", "TxStartPoint", "PowerPathClosed", "text", _R),
    Setting("", "TxCtrlr", "TxStopPoint", "EVConnected", "text", _R),
    Setting("", "AuthCtrlr", "Enabled", "true", "bool", _R),
    Setting("", "ChargingStation", "Available", "true", "bool", _R),
    Setting("", "ChargingStation", "SupplyPhases", "3", "int", _R),
    Setting("", "DeviceDataCtrlr", "ItemsPerMessage", "100", "int", _R),
    Setting("", "ClockCtrlr", "TimeSource", "Heartbeat", "text", _R),
)


class Settings:
    """The settings of one station; only what was changed is kept."""

    def __init__(self) -> None:
        self._changed: dict[str, str] = {}

    def value(self, setting: Setting) -> str:
        return self._changed.get(setting.key or setting.variable, setting.value)

    def number(self, key: str) -> int:
        """The value of a setting of 1.6 that is a number."""
        return int(self.value(BY_KEY[key]))

    def is_on(self, key: str) -> bool:
        """The value of one that is true or false."""
        return self.value(BY_KEY[key]) == "true"

    def measurands(self, key: str) -> list[str]:
        """The value of one that lists measurands."""
        return [one for one in self.value(BY_KEY[key]).split(",") if one]

    def set_number(self, key: str, value: int) -> None:
        """Set one that is a number, whoever asks."""
        self._changed[key] = str(value)

    def change(self, setting: Setting, value: str) -> bool:
        """Change a setting; whether it may be changed, and to that."""
        if not setting.mutable:
            return False
        value = value.strip()
        if setting.kind == "int" and not (value.isdecimal() and len(value) <= 9):
            return False
        if setting.kind == "bool":
            value = value.lower()
            if value not in ("true", "false"):
                return False
        if setting.kind == "measurands":
            named = [one.strip() for one in value.split(",") if one.strip()]
            if any(one not in MEASURANDS for one in named):
                return False
            value = ",".join(named)
        if len(value) > 500:
            return False
        self._changed[setting.key or setting.variable] = value
        return True

    def all_of(self, *, of_201: bool) -> Iterator[tuple[Setting, str]]:
        """All settings that a version has, with their values."""
        return ((one, self.value(one)) for one in SETTINGS if (one.component if of_201 else one.key))


BY_KEY = {one.key: one for one in SETTINGS if one.key}
BY_VARIABLE = {(one.component, one.variable): one for one in SETTINGS if one.component}
COMPONENTS = {one.component for one in SETTINGS if one.component}
