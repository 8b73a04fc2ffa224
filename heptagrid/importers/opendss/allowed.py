"""What an OpenDSS script may do here: its commands, options and the properties of its objects.

Whatever is not in these lists does not reach the engine. So neither a model in a library of the script's own nor a property of a
later engine is executed before somebody has looked at it. Source: the commands, options and properties of DSS C-API 0.14.5.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Of an object: they take properties after its name, or those of the active object.
OBJECT_COMMANDS = _words("new edit batchedit")
MORE_COMMANDS = _words("more m ~")
# Of the circuit; they work in the engine's memory alone.
COMMANDS = _words(
    "select enable disable reset open close clear clearall calcvoltagebases setkvbase buildy get ? init allocateloads "
    "makebuslist makeposseq reduce interpolate rotate estimate _initsnap _solvenocontrol _samplecontrols "
    "_docontrolactions _solvedirect _solvepflow setloadandgenkv setbusxy updatestorage reprocessbuses remove cleanup "
    "finishtimestep next"
)
COORDINATES = _words("buscoords latlongcoords giscoords")
# What only shows, writes or tells something, or belongs to an interactive or parallel session: left out, and said.
WITHOUT_EFFECT = _words(
    "show plot visualize export save dump fileedit formedit panel about help quit doscmd di_plot comparecases yearlycurves "
    "closedi alignfile cvrtloadshapes obfuscate exportoverloads exportvviolations _showcontrolqueue vdiff top connect "
    "disconnect newactor wait solveall abort clone tear_circuit aggregateprofiles comhelp summary uuids distribute rephase "
    "voltages currents powers seqvoltages seqcurrents seqpowers losses phaselosses cktlosses totals capacity classes "
    "userclasses zsc zsc10 zscrefresh zsc012 ysc puvoltages varvalues varnames variable nodediff nodelist relcalc pstcalc "
    "addbusmarker clearbusmarkers calcincmatrix calcincmatrix_o refine_buslevels calclaplacian allpceatbus allpdeatbus "
    "totalpowers sample"
)

OPTIONS = _words(
    "type element hour sec year frequency stepsize h mode random number time class object circuit tolerance maxiterations "
    "loadmodel loadmult normvminpu normvmaxpu emergvminpu emergvmaxpu %mean %stddev ldcurve %growth genkw genpf capkvar "
    "addtype allowduplicates zonelock ueweight lossweight ueregs lossregs voltagebases algorithm trapezoidal autobuslist "
    "controlmode genmult defaultdaily defaultyearly allocationfactors cktmodel pricesignal pricecurve terminal "
    "basefrequency harmonics maxcontroliter bus keeplist reduceoption %normal markercode nodewidth cfactors "
    "numallociterations defaultbasefrequency markswitches switchmarkercode daisysize marktransformers transmarkercode "
    "transmarkersize loadshapeclass earthmodel markcapacitors markregulators markpvsystems markstorage capmarkercode "
    "regmarkercode pvmarkercode storemarkercode capmarkersize regmarkersize pvmarkersize storemarkersize neglectloady "
    "markfuses fusemarkercode fusemarkersize markreclosers reclosermarkercode reclosermarkersize markrelays relaymarkercode "
    "relaymarkersize processtime totaltime steptime sampleenergymeters miniterations keepload zmag seasonrating "
    "seasonsignal linetypes eventlogdefault longlinecorrection"
)
# What an option or property may be set to where other values write files, as a solution of harmonics does with the voltages before it.
VALUES: Mapping[str, tuple[str, ...]] = {
    "mode": (
        *("snapshot", "daily", "yearly", "dutycycle", "peakday", "loadduration1", "loadduration2", "ld1", "ld2"),
        *("direct", "dynamics", "faultstudy", "mf", "time", "m1", "m2", "m3"),
    ),
    "loadshape.action": ("normalize",),
    "tshape.action": ("normalize",),
    "priceshape.action": ("normalize",),
    "energymeter.action": ("allocate", "clear", "reduce", "take"),
    "monitor.action": ("clear", "process", "take"),
}
FILE_PROPERTIES = _words("csvfile sngfile dblfile pqcsvfile")

# Of each class, in the engine's order, which says what a value without a name and a shortened name mean. A dash stands before
# what is left out and said, an exclamation mark before what ends the reading.
_MARKED = {
    "LineCode": (
        "NPhases R1 X1 R0 X0 C1 C0 Units RMatrix XMatrix CMatrix BaseFreq NormAmps EmergAmps FaultRate PctPerm "
        "Repair Kron Rg Xg rho Neutral B1 B0 Seasons Ratings LineType Like"
    ),
    "LoadShape": (
        "NPts Interval Mult Hour Mean StdDev CSVFile SngFile DblFile Action QMult UseActual PMax QMax SInterval "
        "MInterval PBase QBase PMult PQCSVFile -MemoryMapping Interpolation Like"
    ),
    "TShape": "NPts Interval Temp Hour Mean StdDev CSVFile SngFile DblFile SInterval MInterval Action Like",
    "PriceShape": "NPts Interval Price Hour Mean StdDev CSVFile SngFile DblFile SInterval MInterval Action Like",
    "XYcurve": "NPts Points YArray XArray CSVFile SngFile DblFile X Y XShift YShift XScale YScale Like",
    "GrowthShape": "NPts Year Mult CSVFile SngFile DblFile Like",
    "TCC_Curve": "NPts C_Array T_Array Like",
    "Spectrum": "NumHarm Harmonic %Mag Angle CSVFile Like",
    "WireData": "RDC RAC RUnits GMRAC GMRUnits Radius RadUnits NormAmps EmergAmps Diam Seasons Ratings CapRadius Like",
    "CNData": (
        "k DiaStrand GMRStrand RStrand EpsR InsLayer DiaIns DiaCable RDC RAC RUnits GMRAC GMRUnits Radius RadUnits "
        "NormAmps EmergAmps Diam Seasons Ratings CapRadius Like"
    ),
    "TSData": (
        "DiaShield TapeLayer TapeLap EpsR InsLayer DiaIns DiaCable RDC RAC RUnits GMRAC GMRUnits Radius RadUnits "
        "NormAmps EmergAmps Diam Seasons Ratings CapRadius Like"
    ),
    "LineSpacing": "NConds NPhases X H Units Like",
    "LineGeometry": (
        "NConds NPhases Cond Wire X H Units NormAmps EmergAmps Reduce Spacing Wires CNCable TSCable CNCables "
        "TSCables Seasons Ratings LineType Like"
    ),
    "XfmrCode": (
        "Phases Windings Wdg Conn kV kVA Tap %R RNeut XNeut Conns kVs kVAs Taps XHL XHT XLT XSCArray Thermal n m "
        "FLRise HSRise %LoadLoss %NoLoadLoss NormHkVA EmergHkVA MaxTap MinTap NumTaps %IMag ppm_Antifloat %Rs X12 "
        "X13 X23 RDCOhms Seasons Ratings Like"
    ),
    "Line": (
        "Bus1 Bus2 LineCode Length Phases R1 X1 R0 X0 C1 C0 RMatrix XMatrix CMatrix Switch Rg Xg rho Geometry "
        "Units Spacing Wires EarthModel CNCables TSCables B1 B0 Seasons Ratings LineType NormAmps EmergAmps "
        "FaultRate pctPerm Repair BaseFreq Enabled Like"
    ),
    "Vsource": (
        "Bus1 BasekV pu Angle Frequency Phases MVASC3 MVASC1 X1R1 X0R0 Isc3 Isc1 R1 X1 R0 X0 ScanType Sequence "
        "Bus2 Z1 Z0 Z2 puZ1 puZ0 puZ2 BaseMVA Yearly Daily Duty Model puZIdeal Spectrum BaseFreq Enabled Like"
    ),
    "Isource": "Bus1 Amps Angle Frequency Phases ScanType Sequence Yearly Daily Duty Bus2 Spectrum BaseFreq Enabled Like",
    "VCCS": (
        "Bus1 Phases PRated VRated Ppct BP1 BP2 Filter FSample RMSMode IMaxpu VRMSTau IRMSTau Spectrum BaseFreq "
        "Enabled Like"
    ),
    "Load": (
        "Phases Bus1 kV kW PF Model Yearly Daily Duty Growth Conn kvar RNeut XNeut Status Class VMinpu VMaxpu "
        "VMinNorm VMinEmerg XfkVA AllocationFactor kVA %Mean %StdDev CVRWatts CVRVars kWh kWhDays CFactor CVRCurve "
        "NumCust ZIPV %SeriesRL RelWeight VLowpu puXHarm XRHarm Spectrum BaseFreq Enabled Like"
    ),
    "Transformer": (
        "Phases Windings Wdg Bus Conn kV kVA Tap %R RNeut XNeut Buses Conns kVs kVAs Taps XHL XHT XLT XSCArray "
        "Thermal n m FLRise HSRise %LoadLoss %NoLoadLoss NormHkVA EmergHkVA Sub MaxTap MinTap NumTaps SubName "
        "%IMag ppm_Antifloat %Rs Bank XfmrCode XRConst X12 X13 X23 LeadLag WdgCurrents Core RDCOhms Seasons "
        "Ratings NormAmps EmergAmps FaultRate pctPerm Repair BaseFreq Enabled Like"
    ),
    "RegControl": (
        "Transformer Winding VReg Band PTRatio CTPrim R X Bus Delay Reversible RevVReg RevBand RevR RevX TapDelay "
        "-DebugTrace MaxTapChange InverseTime TapWinding VLimit PTPhase RevThreshold RevDelay RevNeutral EventLog "
        "RemotePTRatio TapNum Reset LDC_Z Rev_Z Cogen BaseFreq Enabled Like"
    ),
    "Capacitor": (
        "Bus1 Bus2 Phases kvar kV Conn CMatrix Cuf R XL Harm NumSteps States NormAmps EmergAmps FaultRate pctPerm "
        "Repair BaseFreq Enabled Like"
    ),
    "Reactor": (
        "Bus1 Bus2 Phases kvar kV Conn RMatrix XMatrix Parallel R X Rp Z1 Z2 Z0 Z RCurve LCurve LmH NormAmps "
        "EmergAmps FaultRate pctPerm Repair BaseFreq Enabled Like"
    ),
    "CapControl": (
        "Element Terminal Capacitor Type PTRatio CTRatio OnSetting OffSetting Delay VoltOverride VMax VMin "
        "DelayOff DeadTime CTPhase PTPhase VBus EventLog !UserModel !UserData pctMinkvar Reset ControlSignal "
        "BaseFreq Enabled Like"
    ),
    "Fault": (
        "Bus1 Bus2 Phases R %StdDev GMatrix OnTime Temporary MinAmps NormAmps EmergAmps FaultRate pctPerm Repair "
        "BaseFreq Enabled Like"
    ),
    "Generator": (
        "Phases Bus1 kV kW PF kvar Model VMinpu VMaxpu Yearly Daily Duty DispMode DispValue Conn Status Class Vpu "
        "Maxkvar Minkvar PVFactor ForceOn kVA MVA Xd Xdp Xdpp H D !UserModel !UserData !ShaftModel !ShaftData "
        "DutyStart -DebugTrace Balanced XRdp UseFuel FuelkWh %Fuel %Reserve Refuel -DynamicEq -DynOut Spectrum "
        "BaseFreq Enabled Like"
    ),
    "GenDispatcher": "Element Terminal kWLimit kWBand kvarLimit GenList Weights BaseFreq Enabled Like",
    "Storage": (
        "Phases Bus1 kV Conn kW kvar PF kVA %CutIn %CutOut EffCurve VarFollowInverter kvarMax kvarMaxAbs "
        "WattPriority PFPriority %PMinNoVars %PMinkvarMax kWRated %kWRated kWhRated kWhStored %Stored %Reserve "
        "State %Discharge %Charge %EffCharge %EffDischarge %IdlingkW %Idlingkvar %R %X Model VMinpu VMaxpu "
        "Balanced LimitCurrent Yearly Daily Duty DispMode DischargeTrigger ChargeTrigger TimeChargeTrig Class "
        "!DynaDLL !DynaData !UserModel !UserData -DebugTrace kVDC Kp PITol SafeVoltage SafeMode -DynamicEq -DynOut "
        "ControlMode AmpLimit AmpLimitGain Spectrum BaseFreq Enabled Like"
    ),
    "StorageController": (
        "Element Terminal MonPhase kWTarget kWTargetLow %kWBand kWBand %kWBandLow kWBandLow ElementList Weights "
        "ModeDischarge ModeCharge TimeDischargeTrigger TimeChargeTrigger %RatekW %RateCharge %Reserve kWhTotal "
        "kWTotal kWhActual kWActual kWNeed Yearly Daily Duty EventLog InhibitTime TUp TFlat TDn kWThreshold "
        "DispFactor ResetLevel Seasons SeasonTargets SeasonTargetsLow BaseFreq Enabled Like"
    ),
    "Relay": (
        "MonitoredObj MonitoredTerm SwitchedObj SwitchedTerm Type PhaseCurve GroundCurve PhaseTrip GroundTrip "
        "TDPhase TDGround PhaseInst GroundInst Reset Shots RecloseIntervals Delay OvervoltCurve UndervoltCurve "
        "kVBase 47%Pickup 46BaseAmps 46%Pickup 46isqt Variable Overtrip Undertrip BreakerTime Action Z1Mag Z1Ang "
        "Z0Mag Z0Ang MPhase MGround EventLog -DebugTrace DistReverse Normal State DOC_TiltAngleLow "
        "DOC_TiltAngleHigh DOC_TripSettingLow DOC_TripSettingHigh DOC_TripSettingMag DOC_DelayInner "
        "DOC_PhaseCurveInner DOC_PhaseTripInner DOC_TDPhaseInner DOC_P1Blocking BaseFreq Enabled Like"
    ),
    "Recloser": (
        "MonitoredObj MonitoredTerm SwitchedObj SwitchedTerm NumFast PhaseFast PhaseDelayed GroundFast "
        "GroundDelayed PhaseTrip GroundTrip PhaseInst GroundInst Reset Shots RecloseIntervals Delay Action "
        "TDPhFast TDGrFast TDPhDelayed TDGrDelayed Normal State BaseFreq Enabled Like"
    ),
    "Fuse": (
        "MonitoredObj MonitoredTerm SwitchedObj SwitchedTerm FuseCurve RatedCurrent Delay Action Normal State "
        "BaseFreq Enabled Like"
    ),
    "SwtControl": "SwitchedObj SwitchedTerm Action Lock Delay Normal State Reset BaseFreq Enabled Like",
    "PVSystem": (
        "Phases Bus1 kV Irradiance Pmpp %Pmpp Temperature PF Conn kvar kVA %CutIn %CutOut EffCurve P-TCurve %R %X "
        "Model VMinpu VMaxpu Balanced LimitCurrent Yearly Daily Duty TYearly TDaily TDuty Class !UserModel "
        "!UserData -DebugTrace VarFollowInverter DutyStart WattPriority PFPriority %PMinNoVars %PMinkvarMax "
        "kvarMax kvarMaxAbs kVDC Kp PITol SafeVoltage SafeMode -DynamicEq -DynOut ControlMode AmpLimit "
        "AmpLimitGain Spectrum BaseFreq Enabled Like"
    ),
    "UPFC": (
        "Bus1 Bus2 RefkV PF Frequency Phases Xs Tol1 Mode VpqMax LossCurve VHLimit VLLimit CLimit refkV2 kvarLimit "
        "Element Spectrum BaseFreq Enabled Like"
    ),
    "UPFCControl": "UPFCList BaseFreq Enabled Like",
    "ESPVLControl": (
        "Element Terminal Type kWBand kvarLimit LocalControlList LocalControlWeights PVSystemList PVSystemWeights "
        "StorageList StorageWeights BaseFreq Enabled Like"
    ),
    "IndMach012": (
        "Phases Bus1 kV kW PF Conn kVA H D puRs puXs puRr puXr puXm Slip MaxSlip SlipOption Yearly Daily Duty "
        "-DebugTrace Spectrum BaseFreq Enabled Like"
    ),
    "GICsource": "Volts Angle Frequency Phases EN EE Lat1 Lon1 Lat2 Lon2 Spectrum BaseFreq Enabled Like",
    "AutoTrans": (
        "Phases Windings Wdg Bus Conn kV kVA Tap %R RDCOhms Core Buses Conns kVs kVAs Taps XHX XHT XXT XSCArray "
        "Thermal n m FLRise HSRise %LoadLoss %NoLoadLoss NormHkVA EmergHkVA Sub MaxTap MinTap NumTaps SubName "
        "%IMag ppm_Antifloat %Rs Bank XRConst LeadLag WdgCurrents NormAmps EmergAmps FaultRate pctPerm Repair "
        "BaseFreq Enabled Like"
    ),
    "InvControl": (
        "DERList Mode CombiMode VVC_Curve1 Hysteresis_Offset Voltage_CurveX_Ref AvgWindowLen VoltWatt_Curve DbVMin "
        "DbVMax ArGraLowV ArGraHiV DynReacAvgWindowLen DeltaQ_Factor VoltageChangeTolerance VarChangeTolerance "
        "VoltWattYAxis RateOfChangeMode LPFTau RiseFallLimit DeltaP_Factor EventLog RefReactivePower "
        "ActivePChangeTolerance MonVoltageCalc MonBus MonBusesVBase VoltWattCH_Curve WattPF_Curve WattVar_Curve "
        "VV_RefReactivePower PVSystemList VSetPoint ControlModel BaseFreq Enabled Like"
    ),
    "ExpControl": (
        "PVSystemList VReg Slope VRegTau QBias VRegMin VRegMax QMaxLead QMaxLag EventLog DeltaQ_Factor PreferQ "
        "TResponse DERList BaseFreq Enabled Like"
    ),
    "GICLine": "Bus1 Bus2 Volts Angle Frequency Phases R X C EN EE Lat1 Lon1 Lat2 Lon2 Spectrum BaseFreq Enabled Like",
    "GICTransformer": (
        "BusH BusNH BusX BusNX Phases Type R1 R2 kVLL1 kVLL2 MVA VarCurve %R1 %R2 K NormAmps EmergAmps FaultRate "
        "pctPerm Repair BaseFreq Enabled Like"
    ),
    "VSConverter": (
        "Phases Bus1 kVAC kVDC kW NDC RAC XAC M0 d0 MMin MMax IACMax IDCMax VACRef PACRef QACRef VDCRef VSCMode "
        "Spectrum BaseFreq Enabled Like"
    ),
    "Monitor": "Element Terminal Mode Action Residual VIPolar PPolar BaseFreq Enabled Like",
    "EnergyMeter": (
        "Element Terminal Action Option kVANormal kVAEmerg PeakCurrent ZoneList LocalOnly Mask Losses LineLosses "
        "XfmrLosses SeqLosses 3PhaseLosses VBaseLosses PhaseVoltageReport Int_Rate Int_Duration SAIFI SAIFIkW "
        "SAIDI CAIDI CustInterrupts BaseFreq Enabled Like"
    ),
    "Sensor": (
        "Element Terminal kVBase Clear kVs Currents kWs kvars Conn DeltaDirection %Error Weight BaseFreq Enabled Like"
    ),
}


PROPERTIES: Mapping[str, tuple[str, ...]] = {
    kind.lower(): tuple(name.lstrip("-!") for name in names.split()) for kind, names in _MARKED.items()
}


def _marked(mark: str) -> frozenset[str]:
    return frozenset(
        f"{kind}.{name[1:]}".lower() for kind, names in _MARKED.items() for name in names.split() if name[0] == mark
    )


LEFT_OUT_PROPERTIES = _marked("-")
REFUSED_PROPERTIES = _marked("!")


@cache
def in_lower_case(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names in lower case; a script asks for the same few lists tens of thousands of times."""
    return tuple(name.lower() for name in names)


def spelled_out(word: str, names: Iterable[str]) -> str:
    """The name that a word stands for as the engine takes it: itself, or the first that begins with it; "" of none."""
    known = in_lower_case(tuple(names))
    short = word.lower()
    return short if short in known else next((name for name in known if short and name.startswith(short)), "")


def is_value_allowed(subject: str, value: str) -> bool:
    """Whether a value is among those allowed, or begins one; subject: an option, or `class.property`."""
    return subject not in VALUES or bool(spelled_out(value, VALUES[subject]))
