"""Operations: the AMI head end and meter-data store, SCADA, the overload watch, the dispatchers."""
