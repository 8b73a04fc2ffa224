"""MQTT: devices publish to a broker, ours or another's, as plain topics and as Sparkplug B."""
